"""A source has taken the units of a line from its shelves."""

from dom_core.domain.ids import LineId, OrderId
from dom_core.domain.order import Order
from dom_core.domain.transitions import Cause, pick
from dom_core.messages.actions import Picking
from dom_core.use_cases.change_order import change_order
from dom_core.use_cases.context import Ports


def pick_line(ports: Ports, order_id: OrderId, line_id: LineId, picking: Picking) -> Order:
    """The order after it; picking again changes nothing. Raises NotFound, IllegalTransition, Conflict."""
    cause = Cause(ports.clock.now(), picking.who)
    return change_order(ports.store, order_id, lambda order: pick(order, line_id, picking.source_id, cause))
