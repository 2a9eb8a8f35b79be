"""A person keeps a line out of planning."""

from dom_core.domain.ids import LineId, OrderId
from dom_core.domain.interventions import exclude
from dom_core.domain.order import Order
from dom_core.domain.transitions import Cause
from dom_core.messages.actions import Decision
from dom_core.use_cases.change_order import change_order
from dom_core.use_cases.context import Ports


def exclude_line(ports: Ports, order_id: OrderId, line_id: LineId, decision: Decision) -> Order:
    """The order after it: no run takes the line until it is included again. Raises NotFound, IllegalTransition."""
    cause = Cause(ports.clock.now(), decision.who, decision.why)
    return change_order(ports.store, order_id, lambda order: exclude(order, line_id, cause))
