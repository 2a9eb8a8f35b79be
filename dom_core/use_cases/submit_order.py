"""Take an order in by HTTP: check what can be checked at once, then queue it. The store is not written."""

import json
from dataclasses import dataclass

from dom_core.domain.ids import OrderId
from dom_core.domain.network import Address
from dom_core.errors import Conflict, DifferentContent, InvalidInput, Problem, Unavailable
from dom_core.messages.orders import IntakeOrder, about_order
from dom_core.messages.reading import read_json
from dom_core.repositories.orders import Orders, size_problems
from dom_core.telemetry.events import OrderQueued
from dom_core.telemetry.ways import order_way
from dom_core.use_cases import claim_check
from dom_core.use_cases.catalogue import product_problems
from dom_core.use_cases.context import Ports


@dataclass(frozen=True, slots=True)
class OrderReceipt:
    """The answer to an order; the same for the same order, whenever it is sent."""

    order_id: OrderId
    revision: int
    already_known: bool


def submit_order(ports: Ports, raw: bytes, who: str | None = None) -> OrderReceipt:
    """Check an order and queue it. `who` is the sender, if somebody vouches for its name; else the order says who.

    Raises InvalidInput with every problem, DifferentContent for a known key with other content, Conflict for a revision
    older than the stored one.
    """
    order = read_json(raw, IntakeOrder, "order")
    order = order.model_copy(update={"who": who}) if who else order
    with ports.telemetry.step("submit_order", order_way(order.id)):
        return _submit(ports, order)


def _submit(ports: Ports, order: IntakeOrder) -> OrderReceipt:
    if _is_known(ports, order):
        return OrderReceipt(order.id, order.revision, already_known=True)
    too_large = size_problems(order.to_order(ports.clock.now(), ""))
    problems = too_large or [*product_problems(ports.store, order), *_address_problems(ports, order)]
    if problems:
        raise InvalidInput(problems, "order")
    claim_check.send(ports, ports.settings.orders_queue, _message(order), about_order(order))
    ports.telemetry.tell(OrderQueued(order.id, order.revision, len(order.lines)))
    return OrderReceipt(order.id, order.revision, already_known=False)


def _is_known(ports: Ports, order: IntakeOrder) -> bool:
    stored = Orders(ports.store).find(order.id)
    if stored is None or stored.value.revision < order.revision:
        return False
    if stored.value.revision > order.revision:
        raise Conflict(
            f"order '{order.id}' already has revision {stored.value.revision}; revision {order.revision} is too old: "
            f"to change the order, send it with a 'revision' above {stored.value.revision}"
        )
    if stored.value.content_hash != order.content_hash:
        raise DifferentContent(order.id, order.revision)
    return True


def _address_problems(ports: Ports, order: IntakeOrder) -> list[Problem]:
    """Addresses that cannot be found. One that cannot be asked about now is asked about again at intake."""
    found: dict[Address, bool] = {}
    problems = []
    for path, address in order.addresses_to_find():
        if address not in found:
            found[address] = _can_be_found(ports, address)
        if not found[address]:
            problems.append(Problem(path, "there is no such place; correct the address or give coordinates"))
    return problems


def _can_be_found(ports: Ports, address: Address) -> bool:
    try:
        return ports.geocoder.locate(address) is not None
    except Unavailable:
        return True


def _message(order: IntakeOrder) -> bytes:
    """The order in canonical JSON."""
    content = order.model_dump(mode="json", exclude_defaults=True)
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
