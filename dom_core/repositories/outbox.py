"""What still has to be told of orders: documents in the order's own partition, written with it, gone once told.

An order's outbox is beside the order, not in it: taking a notice out must not look like a change of the order to
somebody who is about to write it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from dom_core.domain.ids import OrderId
from dom_core.domain.notice import Notice
from dom_core.domain.order import Order
from dom_core.messages.reading import write_value
from dom_core.ports import Container, Create, Document, DocumentStore
from dom_core.repositories.reading import every, read_stored

_KIND = "outbox"


@dataclass(frozen=True, slots=True)
class Untold:
    """What one version of an order made to be told."""

    document: Document

    @property
    def order_id(self) -> OrderId:
        """The order of which it tells."""
        return self.document.partition

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What is to be told. Raises DamagedDocument."""
        return read_stored(self.document.body["notices"], tuple[Notice, ...], f"outbox of order {self.order_id}")


class Outbox:
    """The stored notices that nobody, or somebody who was killed meanwhile, has told."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store

    def of_order(self, order_id: OrderId) -> Iterator[Untold]:
        """What is to be told of one order, oldest first."""
        return map(Untold, every(self._store, Container.ORDERS, partition=order_id, where={"kind": _KIND}))

    def every(self) -> Iterator[Untold]:
        """What is to be told of all orders, in an order that the store chooses."""
        return map(Untold, every(self._store, Container.ORDERS, where={"kind": _KIND}))

    def told(self, untold: Untold) -> None:
        """Take it out. Raises StoreConflict when somebody else did."""
        self._store.delete(Container.ORDERS, untold.order_id, untold.document.id, untold.document.etag)


def outbox_writes(order: Order) -> list[Create]:
    """The writes that put the order's outbox beside it: none, or one."""
    if not order.outbox:
        return []
    body = {"kind": _KIND, "notices": write_value(order.outbox, tuple[Notice, ...])}
    return [Create(f"outbox-{order.version:08d}", body)]
