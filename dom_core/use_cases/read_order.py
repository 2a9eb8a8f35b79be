"""Show orders."""

from dom_core.domain.ids import OrderId
from dom_core.domain.order import ExceptionKind, LineState, Order
from dom_core.repositories.orders import Orders
from dom_core.use_cases.context import Ports, Slice


def get_order(ports: Ports, order_id: OrderId) -> Order:
    """The order with all of its history. Raises NotFound."""
    orders = Orders(ports.store)
    return orders.whole_history(orders.get(order_id).value)


def list_orders(
    ports: Ports,
    *,
    state: LineState | None = None,
    exception: ExceptionKind | None = None,
    limit: int = 100,
    continuation: str | None = None,
) -> Slice[Order]:
    """Orders with any line in this state and any line with this exception; histories may lack their oldest part."""
    return Orders(ports.store).page(state, exception, limit, continuation)
