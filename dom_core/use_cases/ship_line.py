"""The units of a line have left a source."""

from dom_core.domain.holding import take_out
from dom_core.domain.ids import LineId, OrderId
from dom_core.domain.order import Line, LineAssignment, Order
from dom_core.domain.transitions import Cause, require_line, ship
from dom_core.messages.actions import Shipping
from dom_core.ports import DocumentStore
from dom_core.use_cases.change_order import change_order
from dom_core.use_cases.change_stock import change_stock
from dom_core.use_cases.context import Ports


def ship_line(ports: Ports, order_id: OrderId, line_id: LineId, shipping: Shipping) -> Order:
    """The order after it; shipping again changes nothing. Raises NotFound, IllegalTransition, Conflict.

    The order is written first, its stock after it: killed in between, the units stay reserved until the message comes
    again or somebody sweeps them up. They are never promised twice, and leave the stock once.
    """
    cause = Cause(ports.clock.now(), shipping.who)
    order = change_order(ports.store, order_id, lambda order: ship(order, line_id, shipping.source_id, cause))
    line = require_line(order, line_id)
    if line.assignment is not None:
        _take_out(ports.store, order_id, line, line.assignment)
    return order


def _take_out(store: DocumentStore, order_id: OrderId, line: Line, held: LineAssignment) -> None:
    change_stock(store, line.product_id, lambda stock: take_out(stock, held.source_id, held.plan_id, order_id, line.id))
