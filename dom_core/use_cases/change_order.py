"""Change one stored order by a transition, whoever else writes it meanwhile."""

from collections.abc import Callable

from dom_core.domain.ids import OrderId
from dom_core.domain.order import Order
from dom_core.ports import DocumentStore
from dom_core.repositories.orders import Orders
from dom_core.repositories.reading import deciding_again


def change_order(store: DocumentStore, order_id: OrderId, transition: Callable[[Order], Order]) -> Order:
    """Store what the transition makes of the order; one that returns the order itself changes nothing. NotFound."""
    return deciding_again(lambda: _change(Orders(store), order_id, transition))


def _change(orders: Orders, order_id: OrderId, transition: Callable[[Order], Order]) -> Order:
    stored = orders.get(order_id)
    changed = transition(stored.value)
    return stored.value if changed is stored.value else orders.replace(changed, stored.etag).value
