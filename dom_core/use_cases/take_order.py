"""Take an order from the queue into the store. Safe to redeliver: order id and revision are the key."""

from dataclasses import replace

from dom_core.domain.network import Address, Location
from dom_core.domain.order import Order
from dom_core.domain.transitions import Cause, revise, without_location
from dom_core.errors import Conflict, ContentLost, DifferentContent, InvalidInput, Problem
from dom_core.messages.claim import claim_in
from dom_core.messages.orders import IntakeOrder, OrderKey, key_in, key_of
from dom_core.messages.reading import read_json
from dom_core.repositories.orders import Orders, size_problems
from dom_core.repositories.reading import deciding_again
from dom_core.telemetry.events import Intake, OrderTaken
from dom_core.telemetry.ways import order_way
from dom_core.use_cases import claim_check
from dom_core.use_cases.catalogue import product_problems
from dom_core.use_cases.context import Ports
from dom_core.use_cases.dead_letters import record

_WHO = "intake"


def take_order(ports: Ports, raw: bytes, message_id: str) -> None:
    """Store the order of a queue message. What can never be stored becomes a dead letter.

    Raises Unavailable when an address cannot be looked up now: the message must come again.
    """
    try:
        _take(ports, raw)
        # Last: killed before, the message comes again and finds the order settled.
        claim_check.discard(ports.blobs, raw)
    except InvalidInput as error:
        record(ports, ports.settings.orders_queue, raw, error.problems, message_id)
    except Conflict as error:
        record(ports, ports.settings.orders_queue, raw, [Problem("", str(error))], message_id)


def _take(ports: Ports, raw: bytes) -> None:
    try:
        content = claim_check.content_of(ports.blobs, raw)
    except ContentLost:
        # Whoever stores an order removes its blob: asked after that, the store knows whether somebody did.
        if _is_known(ports, raw):
            return
        raise
    order = read_json(content, IntakeOrder, "order")
    with ports.telemetry.step("take_order", order_way(order.id)):
        intake = _take_in(ports, order)
        ports.telemetry.tell(OrderTaken(order.id, order.revision, len(order.lines), intake))


def _take_in(ports: Ports, intake: IntakeOrder) -> Intake:
    if _is_settled(ports, key_of(intake)):
        return Intake.KNOWN
    who = intake.who or _WHO
    order = intake.to_order(ports.clock.now(), who)
    problems = size_problems(order) or product_problems(ports.store, intake)
    if problems:
        raise InvalidInput(problems, "order")
    located = _located(ports, order)
    return deciding_again(lambda: _store(ports, located, who))


def _is_known(ports: Ports, raw: bytes) -> bool:
    """Whether the order of a claim whose content is gone is stored."""
    claim = claim_in(raw)
    key = key_in(claim) if claim else None
    return key is not None and _is_settled(ports, key)


def _is_settled(ports: Ports, key: OrderKey) -> bool:
    """Whether this very order, or a newer revision, is stored already: then nobody is asked for its addresses."""
    stored = Orders(ports.store).find(key.order_id)
    return stored is not None and _leaves_unchanged(stored.value, key.revision, key.content_hash)


def _leaves_unchanged(stored: Order, revision: int, content_hash: str) -> bool:
    """Whether nothing is left to do. Raises DifferentContent when the stored content contradicts."""
    if stored.revision == revision and stored.content_hash != content_hash:
        raise DifferentContent(stored.id, revision)
    return stored.revision >= revision


def _store(ports: Ports, order: Order, who: str) -> Intake:
    orders = Orders(ports.store)
    stored = orders.find(order.id)
    cause = Cause(ports.clock.now(), _WHO)
    if stored is None:
        orders.create(without_location(order, cause))
        return Intake.NEW
    if _leaves_unchanged(stored.value, order.revision, order.content_hash):
        return Intake.KNOWN
    revised = revise(stored.value, order, replace(cause, who=who, why=f"revision {order.revision}"))
    orders.replace(without_location(revised, cause), stored.etag)
    return Intake.REVISED


def _located(ports: Ports, order: Order) -> Order:
    """The order with the locations of all addresses that can be found, each looked up once."""
    found: dict[Address, Location | None] = {}
    lines = []
    for line in order.lines:
        if line.location is None and line.ship_to not in found:
            found[line.ship_to] = ports.geocoder.locate(line.ship_to)
        lines.append(replace(line, location=line.location or found[line.ship_to]))
    return replace(order, lines=tuple(lines))
