"""A person gives a line in exception a fresh start."""

from dom_core.domain.ids import LineId, OrderId
from dom_core.domain.order import Order
from dom_core.domain.transitions import Cause, reset
from dom_core.messages.actions import Reset
from dom_core.use_cases.change_order import change_order
from dom_core.use_cases.context import Ports


def reset_line(ports: Ports, order_id: OrderId, line_id: LineId, request: Reset) -> Order:
    """The order after it. Raises NotFound, IllegalTransition."""
    cause = Cause(ports.clock.now(), request.who, request.why)
    return change_order(ports.store, order_id, lambda order: reset(order, line_id, cause))
