"""A person cancels whatever of an order has not shipped."""

from dom_core.domain.ids import OrderId
from dom_core.domain.interventions import cancel
from dom_core.domain.order import LineState, Order
from dom_core.domain.transitions import Cause
from dom_core.messages.actions import Decision
from dom_core.use_cases.change_order import change_order
from dom_core.use_cases.context import Ports
from dom_core.use_cases.release_stock import release_stock
from dom_core.use_cases.send_assignments import send_soon


def cancel_order(ports: Ports, order_id: OrderId, decision: Decision) -> Order:
    """The order after it; cancelling again changes nothing. Raises NotFound, IllegalTransition.

    The order is written first, its stock given back after it: see `reject_line`.
    """
    cause = Cause(ports.clock.now(), decision.who, decision.why)
    order = change_order(ports.store, order_id, lambda order: cancel(order, cause))
    release_stock(ports.store, order_id, (line for line in order.lines if line.state is LineState.CANCELLED))
    send_soon(ports, order_id)
    return order
