"""A person lets runs take an excluded line again."""

from dom_core.domain.ids import LineId, OrderId
from dom_core.domain.interventions import include
from dom_core.domain.order import Order
from dom_core.domain.transitions import Cause
from dom_core.messages.actions import Decision
from dom_core.use_cases.change_order import change_order
from dom_core.use_cases.context import Ports


def include_line(ports: Ports, order_id: OrderId, line_id: LineId, decision: Decision) -> Order:
    """The order after it: the line is as it was when it was excluded. Raises NotFound, IllegalTransition."""
    cause = Cause(ports.clock.now(), decision.who, decision.why)
    return change_order(ports.store, order_id, lambda order: include(order, line_id, cause))
