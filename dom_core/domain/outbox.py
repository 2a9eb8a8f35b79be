"""Which events of an order the world must be told of, and in which words.

Sources are told what they are to ship. What they themselves report (accepted, picked, shipped) is not told again.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from dom_core.domain.notice import Happening, Notice
from dom_core.domain.order import Acceptance, Event, Line, LineState, Order, What

_YET_TO_SHIP = frozenset({LineState.ASSIGNED, LineState.PICKED})


def with_notices(order: Order, events: Iterable[Event]) -> Order:
    """The order with notices of these events, which brought it to where it is, in its outbox."""
    found = (notice for event in events if event.what in _TOLD for notice in _TOLD[What(event.what)](order, event))
    notices = tuple(replace(notice, sequence=order.notices + number) for number, notice in enumerate(found, start=1))
    return replace(order, notices=order.notices + len(notices), outbox=(*order.outbox, *notices))


def _assigned(order: Order, event: Event) -> Iterator[Notice]:
    yield _notice(Happening.ASSIGNED, order, event)


def _withdrawn(order: Order, event: Event) -> Iterator[Notice]:
    """A line that no source had is nobody's business."""
    if event.source_id is not None:
        yield replace(_notice(Happening.WITHDRAWN, order, event), because=event.what)


def _held(order: Order, event: Event) -> Iterator[Notice]:
    return _to_every_source(Happening.HELD, order, event)


def _released(order: Order, event: Event) -> Iterator[Notice]:
    return _to_every_source(Happening.RELEASED, order, event)


def _to_every_source(what: Happening, order: Order, event: Event) -> Iterator[Notice]:
    """What happens to the whole order, told line by line."""
    for line in order.lines:
        if line.assignment is not None and line.state in _YET_TO_SHIP:
            held = line.assignment
            about = replace(event, line_id=line.id, source_id=held.source_id, plan_id=held.plan_id, units=line.units)
            yield _notice(what, order, about)


_TOLD: Mapping[What, Callable[[Order, Event], Iterator[Notice]]] = MappingProxyType(
    {
        What.ASSIGNED: _assigned,
        What.REJECTED: _withdrawn,
        What.CANCELLED: _withdrawn,
        What.HELD: _held,
        What.RELEASED: _released,
    }
)
"""By event of the history: the notices that it makes. An event that is not here is not told."""


def _notice(what: Happening, order: Order, event: Event) -> Notice:
    """A notice of an event about a line and a source, with how the two stand after it."""
    line = _line(order, event)
    left = line.assignment if line.assignment and line.assignment.source_id == event.source_id else None
    return Notice(
        sequence=0,
        at=event.at,
        what=what,
        line_id=line.id,
        product_id=line.product_id,
        source_id=event.source_id or "",
        plan_id=event.plan_id or "",
        units=event.units or 0,
        units_left=line.units if left else 0,
        must_accept=left is not None and left.acceptance is Acceptance.PENDING,
        on_hold=order.on_hold,
    )


def _line(order: Order, event: Event) -> Line:
    line = order.line(event.line_id or "")
    assert line is not None, "an event about a line names one that the order has"  # noqa: S101 - our own mistake
    return line
