"""A source takes a line on."""

from dom_core.domain.ids import LineId, OrderId
from dom_core.domain.order import Order
from dom_core.domain.transitions import Cause, accept
from dom_core.messages.actions import Acceptance
from dom_core.use_cases.change_order import change_order
from dom_core.use_cases.context import Ports


def accept_line(ports: Ports, order_id: OrderId, line_id: LineId, acceptance: Acceptance) -> Order:
    """The order after it; accepting again changes nothing. Raises NotFound, IllegalTransition, Conflict."""
    cause = Cause(ports.clock.now(), acceptance.who)
    return change_order(ports.store, order_id, lambda order: accept(order, line_id, acceptance.source_id, cause))
