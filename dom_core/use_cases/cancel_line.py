"""A person cancels a line."""

from dom_core.domain.ids import LineId, OrderId
from dom_core.domain.interventions import cancel_line as cancel
from dom_core.domain.order import Order
from dom_core.domain.transitions import Cause, require_line
from dom_core.messages.actions import Decision
from dom_core.use_cases.change_order import change_order
from dom_core.use_cases.context import Ports
from dom_core.use_cases.release_stock import release_stock
from dom_core.use_cases.send_assignments import send_soon


def cancel_line(ports: Ports, order_id: OrderId, line_id: LineId, decision: Decision) -> Order:
    """The order after it; cancelling again changes nothing. Raises NotFound, IllegalTransition.

    The order is written first, its stock given back after it: see `reject_line`.
    """
    cause = Cause(ports.clock.now(), decision.who, decision.why)
    order = change_order(ports.store, order_id, lambda order: cancel(order, line_id, cause))
    release_stock(ports.store, order_id, [require_line(order, line_id)])
    send_soon(ports, order_id)
    return order
