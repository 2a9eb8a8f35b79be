"""Which events of an order the world must be told of, and in which words.

Sources are told what they are to ship. What they themselves report (accepted, picked, shipped) is not told again.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from dom_core.domain.notice import Happening, Notice
from dom_core.domain.order import Acceptance, Event, Line, LineState, Order, What

_IN_WORK = frozenset({LineState.ASSIGNED, LineState.PICKED})


def with_notices(order: Order, events: Iterable[Event]) -> Order:
    """The order with notices of these events, which brought it to where it is, in its outbox."""
    found = (notice for event in events if event.what in _TOLD for notice in _TOLD[What(event.what)](order, event))
    notices = tuple(replace(notice, sequence=order.notices + number) for number, notice in enumerate(found, start=1))
    return replace(order, notices=order.notices + len(notices), outbox=(*order.outbox, *notices))


def _assigned(order: Order, event: Event) -> Iterator[Notice]:
    line = _line(order, event)
    must_accept = line.assignment is not None and line.assignment.acceptance is Acceptance.PENDING
    yield replace(_notice(Happening.ASSIGNED, event, line, line.units), must_accept=must_accept)


def _withdrawn(order: Order, event: Event) -> Iterator[Notice]:
    """A line that no source had is nobody's business."""
    if event.source_id is None:
        return
    line = _line(order, event)
    left = line.units if line.assignment and line.assignment.source_id == event.source_id else 0
    yield replace(_notice(Happening.WITHDRAWN, event, line, left), because=event.what)


def _to_every_source(what: Happening) -> Callable[[Order, Event], Iterator[Notice]]:
    """What happens to the whole order, told line by line."""

    def told(order: Order, event: Event) -> Iterator[Notice]:
        for line in order.lines:
            if line.assignment is not None and line.state in _IN_WORK:
                held = line.assignment
                about = replace(event, source_id=held.source_id, plan_id=held.plan_id, units=line.units)
                yield _notice(what, about, line, line.units)

    return told


_TOLD: Mapping[What, Callable[[Order, Event], Iterator[Notice]]] = MappingProxyType(
    {
        What.ASSIGNED: _assigned,
        What.REJECTED: _withdrawn,
        What.CANCELLED: _withdrawn,
        What.HELD: _to_every_source(Happening.HELD),
        What.RELEASED: _to_every_source(Happening.RELEASED),
    }
)
"""By event of the history: the notices that it makes. An event that is not here is not told."""


def _line(order: Order, event: Event) -> Line:
    line = order.line(event.line_id or "")
    assert line is not None, "an event about a line names one that the order has"  # noqa: S101 - our own mistake
    return line


def _notice(what: Happening, event: Event, line: Line, units_left: int) -> Notice:
    return Notice(
        sequence=0,
        at=event.at,
        what=what,
        line_id=line.id,
        product_id=line.product_id,
        source_id=event.source_id or "",
        plan_id=event.plan_id or "",
        units=event.units or 0,
        units_left=units_left,
    )
