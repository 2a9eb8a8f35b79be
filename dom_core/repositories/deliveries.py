"""The log of webhooks: one document an order, in the order's own partition."""

from collections.abc import Callable

from dom_core.domain.delivery import Delivery
from dom_core.domain.ids import OrderId
from dom_core.messages.reading import write_value
from dom_core.ports import Body, Container, DocumentStore
from dom_core.repositories.reading import deciding_again, read_stored

_ID = "deliveries"

MAX_DELIVERIES_KEPT = 200
"""Messages of an order of which the tries are kept; older ones are forgotten."""

MAX_TRIES_KEPT = 20
"""Tries at one message that are kept: more than there are, unless it is replayed."""


class Deliveries:
    """The stored tries."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store

    def of_order(self, order_id: OrderId) -> tuple[Delivery, ...]:
        """The deliveries of an order's messages, by sequence."""
        return self._read(order_id)[0]

    def change(self, order_id: OrderId, message_id: str, change: Callable[[Delivery | None], Delivery]) -> None:
        """Store what becomes of one delivery, whoever notes others of the same order meanwhile."""
        deciding_again(lambda: self._change(order_id, message_id, change))

    def _change(self, order_id: OrderId, message_id: str, change: Callable[[Delivery | None], Delivery]) -> None:
        known, etag = self._read(order_id)
        by_id = {delivery.message_id: delivery for delivery in known}
        by_id[message_id] = change(by_id.get(message_id))
        body = _body(tuple(sorted(by_id.values(), key=lambda delivery: delivery.sequence)))
        if etag is None:
            self._store.create(Container.ORDERS, order_id, _ID, body)
        else:
            self._store.replace(Container.ORDERS, order_id, _ID, body, etag)

    def _read(self, order_id: OrderId) -> tuple[tuple[Delivery, ...], str | None]:
        document = self._store.read(Container.ORDERS, order_id, _ID)
        if document is None:
            return (), None
        name = f"deliveries of order {order_id}"
        return read_stored(document.body["deliveries"], tuple[Delivery, ...], name), document.etag


def _body(deliveries: tuple[Delivery, ...]) -> Body:
    return {"kind": _ID, "deliveries": write_value(deliveries[-MAX_DELIVERIES_KEPT:], tuple[Delivery, ...])}
