"""Orders: one partition each. The order with its recent history is one document; older history and outbox are beside.

Top-level fields repeat what the order says, for queries: `plannable`, `in_work` (a line is assigned or picked),
`last_assigned_on` (UTC date), and `line_<state>` and `exception_<kind>`, true where any line is in it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date

from dom_core.domain.ids import OrderId
from dom_core.domain.network import Location
from dom_core.domain.order import Event, ExceptionKind, LineState, Order, What
from dom_core.errors import NotFound, Problem
from dom_core.messages.reading import write_value
from dom_core.ports import Body, Container, Create, Document, DocumentStore, Replace
from dom_core.repositories.outbox import outbox_writes
from dom_core.repositories.reading import Slice, Versioned, every, read_stored

_ID = "order"
_KIND_ORDER = "order"
_KIND_HISTORY = "history"

MAX_EVENTS_KEPT = 400
"""Events that the order's own document may hold before older ones move to a document of their own."""

RECENT_EVENTS = 100
"""Events that stay when others move."""

MAX_NEW_ORDER_BYTES = 500_000
"""What a new order's document may have, so that assignments and events fit into it and into one batch later."""

_LONGEST_LOCATION = Location(-12.345678901234567, -123.45678901234567)

_DECISIVE = frozenset({What.REJECTED, What.SPLIT})


class Orders:
    """The stored orders."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store

    def find(self, order_id: OrderId) -> Versioned[Order] | None:
        """The order with the history that decisions need, if it is stored."""
        document = self._store.read(Container.ORDERS, order_id, _ID)
        return _versioned(document) if document else None

    def get(self, order_id: OrderId) -> Versioned[Order]:
        """The order with the history that decisions need. Raises NotFound."""
        found = self.find(order_id)
        if found is None:
            raise NotFound("order", order_id)
        return found

    def whole_history(self, order: Order) -> Order:
        """The order with all of its history, oldest first."""
        documents = every(self._store, Container.ORDERS, partition=order.id, where={"kind": _KIND_HISTORY})
        moved = [event for document in documents for event in _read_events(document)]
        events = sorted([*moved, *order.history], key=lambda event: event.at)
        return replace(order, history=tuple(events))

    def create(self, order: Order) -> Versioned[Order]:
        """Store a new order. Raises AlreadyExists."""
        beside = outbox_writes(order)
        if beside:
            return self._write_all(order, [Create(_ID, _body(order)), *beside])
        return Versioned(order, self._store.create(Container.ORDERS, order.id, _ID, _body(order)).etag)

    def replace(self, order: Order, etag: str) -> Versioned[Order]:
        """Store the next version of an order. Raises StoreConflict when it changed since it was read."""
        kept, moved = _sort_history(order.history)
        beside = [*_history_writes(order.version, moved), *outbox_writes(order)]
        if beside:
            return self._write_all(order, [Replace(_ID, _body(replace(order, history=kept)), etag), *beside])
        return Versioned(order, self._store.replace(Container.ORDERS, order.id, _ID, _body(order), etag).etag)

    def _write_all(self, order: Order, writes: Sequence[Create | Replace]) -> Versioned[Order]:
        """Everything or nothing; the order's own document comes first. What was in its outbox is stored then."""
        etag = self._store.batch(Container.ORDERS, order.id, writes)[0]
        assert etag is not None, "only a delete has no ETag"  # noqa: S101 - our own mistake
        return Versioned(replace(order, outbox=()), etag)

    def page(
        self, state: LineState | None, exception: ExceptionKind | None, limit: int, continuation: str | None
    ) -> Slice[Order]:
        """Orders with any line in this state and any line with this exception."""
        where: dict[str, str | int | bool] = {"kind": _KIND_ORDER}
        if state:
            where[f"line_{state}"] = True
        if exception:
            where[f"exception_{exception}"] = True
        found = self._store.query(Container.ORDERS, where=where, limit=limit, continuation=continuation)
        return Slice(tuple(_read(document) for document in found.documents), found.continuation)

    def plannable(self) -> Iterator[Order]:
        """Orders for which a run may have something to do."""
        return (_read(document) for document in every(self._store, Container.ORDERS, where={"plannable": True}))

    def in_work(self) -> Iterator[Order]:
        """Orders with a line that is assigned or picked."""
        return (_read(document) for document in every(self._store, Container.ORDERS, where={"in_work": True}))

    def last_assigned_on(self, day: date) -> Iterator[Order]:
        """Orders of which the newest assignment that still stands was made on this UTC date."""
        where = {"last_assigned_on": day.isoformat()}
        return (_read(document) for document in every(self._store, Container.ORDERS, where=where))


def size_problems(order: Order) -> list[Problem]:
    """What stands against storing a new order of this size, whether or not its addresses have been looked up."""
    located = tuple(replace(line, location=line.location or _LONGEST_LOCATION) for line in order.lines)
    text = json.dumps(_body(replace(order, lines=located)), ensure_ascii=False, separators=(",", ":"))
    size = len(text.encode())
    if size <= MAX_NEW_ORDER_BYTES:
        return []
    return [
        Problem(
            "lines", f"would be stored in {size:,} bytes; an order has at most {MAX_NEW_ORDER_BYTES:,}: send several"
        )
    ]


def _sort_history(history: tuple[Event, ...]) -> tuple[tuple[Event, ...], tuple[Event, ...]]:
    """Events to keep and events to move. Events of the whole order, rejections and splits decide: they stay."""
    if len(history) <= MAX_EVENTS_KEPT:
        return history, ()
    older, recent = history[:-RECENT_EVENTS], history[-RECENT_EVENTS:]
    moved = tuple(event for event in older if event.line_id is not None and event.what not in _DECISIVE)
    stay = tuple(event for event in older if event.line_id is None or event.what in _DECISIVE)
    return (*stay, *recent), moved


def _body(order: Order) -> Body:
    flags: Mapping[str, bool] = {
        **{f"line_{line.state}": True for line in order.lines},
        **{f"exception_{line.exception}": True for line in order.lines if line.state is LineState.EXCEPTION},
    }
    assigned = [line.assignment.assigned_at for line in order.lines if line.assignment]
    return {
        "kind": _KIND_ORDER,
        "plannable": order.plannable,
        "in_work": any(line.state in (LineState.ASSIGNED, LineState.PICKED) for line in order.lines),
        "last_assigned_on": max(assigned).astimezone(UTC).date().isoformat() if assigned else None,
        **flags,
        "order": write_value(order, Order),
    }


def _history_writes(version: int, events: tuple[Event, ...]) -> list[Create]:
    """The writes that put these events beside the order: none, or one."""
    if not events:
        return []
    body = {"kind": _KIND_HISTORY, "events": write_value(events, tuple[Event, ...])}
    return [Create(f"history-{version:08d}", body)]


def _read_events(document: Document) -> tuple[Event, ...]:
    return read_stored(document.body["events"], tuple[Event, ...], f"history of order {document.partition}")


def _read(document: Document) -> Order:
    return read_stored(document.body["order"], Order, f"stored order {document.partition}")


def _versioned(document: Document) -> Versioned[Order]:
    return Versioned(_read(document), document.etag)
