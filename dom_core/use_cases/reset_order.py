"""A person gives all lines in exception of an order a fresh start."""

from dom_core.domain.ids import OrderId
from dom_core.domain.order import Order
from dom_core.domain.transitions import Cause, reset_all
from dom_core.messages.actions import Reset
from dom_core.use_cases.change_order import change_order
from dom_core.use_cases.context import Ports


def reset_order(ports: Ports, order_id: OrderId, request: Reset) -> Order:
    """The order after it. Raises NotFound, and IllegalTransition when no line can be reset."""
    cause = Cause(ports.clock.now(), request.who, request.why)
    return change_order(ports.store, order_id, lambda order: reset_all(order, cause))
