"""A person lets an order go on."""

from dom_core.domain.ids import OrderId
from dom_core.domain.interventions import release
from dom_core.domain.order import Order
from dom_core.domain.transitions import Cause
from dom_core.messages.actions import Decision
from dom_core.use_cases.change_order import change_order
from dom_core.use_cases.context import Ports
from dom_core.use_cases.send_assignments import send_soon


def release_order(ports: Ports, order_id: OrderId, decision: Decision) -> Order:
    """The order after it: it goes on from where it was. Raises NotFound, IllegalTransition."""
    cause = Cause(ports.clock.now(), decision.who, decision.why)
    order = change_order(ports.store, order_id, lambda order: release(order, cause))
    send_soon(ports, order_id)
    return order
