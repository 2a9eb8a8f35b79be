"""What people decide about orders and lines: hold, release, cancel, exclude, include (docs/semantics.md section 8).

Like the events of `transitions.py`: each function takes an order and returns the next one, or the very same one when
the event has happened already. Who, when and why stand in the history.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from types import MappingProxyType

from dom_core.domain.ids import LineId
from dom_core.domain.order import Event, Line, LineState, Order, What
from dom_core.domain.transitions import (
    ON_HOLD,
    REPEATED,
    Action,
    Cause,
    about,
    advanced,
    require,
    require_line,
    with_lines,
)
from dom_core.errors import IllegalTransition


class OrderState(StrEnum):
    """What an order as a whole allows. `closed`: all its lines are shipped or cancelled."""

    OPEN = "open"
    ON_HOLD = ON_HOLD
    CLOSED = "closed"
    CANCELLED = "cancelled"


class OrderAction(StrEnum):
    """What people decide about an order as a whole."""

    HOLD = "hold"
    RELEASE = "release"
    CANCEL = "cancel"


ALLOWED: Mapping[OrderAction, frozenset[OrderState]] = MappingProxyType(
    {
        OrderAction.HOLD: frozenset({OrderState.OPEN}),
        OrderAction.RELEASE: frozenset({OrderState.ON_HOLD}),
        OrderAction.CANCEL: frozenset({OrderState.OPEN, OrderState.ON_HOLD}),
    }
)
"""The states of an order in which each event is possible."""

REPEATED_FOR_ORDERS: Mapping[OrderAction, frozenset[OrderState]] = MappingProxyType(
    {
        OrderAction.HOLD: frozenset({OrderState.ON_HOLD}),
        OrderAction.RELEASE: frozenset({OrderState.OPEN, OrderState.CLOSED}),
        OrderAction.CANCEL: frozenset({OrderState.CANCELLED}),
    }
)
"""The states in which the event can only be repeating itself."""

_ENDED = frozenset({LineState.SHIPPED, LineState.CANCELLED})


def state_of(order: Order) -> OrderState:
    """The state of the order as a whole."""
    if order.cancelled:
        return OrderState.CANCELLED
    if order.on_hold:
        return OrderState.ON_HOLD
    return OrderState.CLOSED if all(line.state in _ENDED for line in order.lines) else OrderState.OPEN


def hold(order: Order, cause: Cause) -> Order:
    """Stop the order: no run plans it, nothing of it is picked or shipped. What is assigned stays reserved."""
    if _is_repeated(OrderAction.HOLD, order):
        return order
    return advanced(replace(order, on_hold=True), [cause.event(What.HELD)])


def release(order: Order, cause: Cause) -> Order:
    """Let the order go on from where it was."""
    if _is_repeated(OrderAction.RELEASE, order):
        return order
    return advanced(replace(order, on_hold=False), [cause.event(What.RELEASED)])


def cancel(order: Order, cause: Cause) -> Order:
    """Cancel whatever has not shipped. Final: nothing brings a cancelled order back."""
    if _is_repeated(OrderAction.CANCEL, order):
        return order
    events = [cause.event(What.CANCELLED)]
    for line in order.lines:
        if line.state not in _ENDED:
            events.append(_cancellation(line, cause))
            order = with_lines(order, line.id, [_cancelled(line)])
    return advanced(replace(order, cancelled=True), events)


def cancel_line(order: Order, line_id: LineId, cause: Cause) -> Order:
    """Cancel a line that has not shipped. Final."""
    line = require_line(order, line_id)
    if line.state in REPEATED[Action.CANCEL]:
        return order
    require(Action.CANCEL, order, line)
    return advanced(with_lines(order, line_id, [_cancelled(line)]), [_cancellation(line, cause)])


def exclude(order: Order, line_id: LineId, cause: Cause) -> Order:
    """Keep an open line out of planning. Its exception, counters and bars wait until it is included again."""
    line = require_line(order, line_id)
    if line.state in REPEATED[Action.EXCLUDE]:
        return order
    require(Action.EXCLUDE, order, line)
    excluded = replace(line, state=LineState.EXCLUDED)
    return advanced(with_lines(order, line_id, [excluded]), [cause.event(What.EXCLUDED, line=line)])


def include(order: Order, line_id: LineId, cause: Cause) -> Order:
    """Let runs take an excluded line again, as it was when it was excluded: a permanent exception stays one."""
    line = require_line(order, line_id)
    if line.state in REPEATED[Action.INCLUDE]:
        return order
    require(Action.INCLUDE, order, line)
    included = replace(line, state=LineState.EXCEPTION if line.exception else LineState.UNASSIGNED)
    return advanced(with_lines(order, line_id, [included]), [cause.event(What.INCLUDED, line=line)])


def _is_repeated(action: OrderAction, order: Order) -> bool:
    """Whether the event has happened already. Raises IllegalTransition when it may not happen now."""
    state = state_of(order)
    if state in REPEATED_FOR_ORDERS[action]:
        return True
    if state not in ALLOWED[action]:
        raise IllegalTransition(action, state, _possible(state), "order")
    return False


def _possible(state: OrderState) -> Sequence[OrderAction]:
    return [action for action in OrderAction if state in ALLOWED[action]]


def _cancelled(line: Line) -> Line:
    return replace(line, state=LineState.CANCELLED, exception=None, assignment=None)


def _cancellation(line: Line, cause: Cause) -> Event:
    """The event, with the source and the plan that had the line."""
    if line.assignment is not None:
        return about(line, What.CANCELLED, cause)
    return cause.event(What.CANCELLED, line=line, units=line.units)
