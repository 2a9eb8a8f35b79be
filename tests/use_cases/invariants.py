"""What must hold of stored state at all times, whatever happened and whoever was killed."""

from collections import Counter
from collections.abc import Mapping

from dom_core.domain.order import LineState, Order
from dom_core.domain.stock import StockCell
from dom_core.ports import Container, DocumentStore
from dom_core.repositories.orders import Orders
from dom_core.repositories.reading import every
from dom_core.repositories.stock import Stock

KEPT = frozenset({LineState.ASSIGNED, LineState.PICKED})


def stored_orders(store: DocumentStore) -> list[Order]:
    documents = every(store, Container.ORDERS, where={"kind": "order"})
    return [Orders(store).get(document.partition).value for document in documents]


def require_never_promised_twice(store: DocumentStore, uncounted: frozenset[str] = frozenset({"V"})) -> None:
    """Reserved ≤ on hand, and every assigned line of a source that counts stock has exactly its own reservation."""
    reserved: Counter[tuple[str, str, str, str]] = Counter()
    for stock in Stock(store).every():
        for cell in stock.cells:
            assert cell.reserved <= cell.on_hand, f"{stock.product_id} at {cell.source_id} is promised twice"
            for kept in cell.reservations:
                reserved[(cell.source_id, kept.plan_id, kept.order_id, kept.line_id)] += kept.units
    for order in stored_orders(store):
        for line in order.lines:
            assert (line.state in KEPT | {LineState.SHIPPED}) == (line.assignment is not None)
            if line.assignment and line.state in KEPT and line.assignment.source_id not in uncounted:
                key = (line.assignment.source_id, line.assignment.plan_id, order.id, line.id)
                assert reserved[key] >= line.units, f"{key} is assigned without stock"


def require_nothing_left_over(store: DocumentStore) -> None:
    """No units are kept that no line needs: true whenever nobody is in the middle of something."""
    needed = {
        (line.assignment.source_id, line.assignment.plan_id, order.id, line.id): line.units
        for order in stored_orders(store)
        for line in order.lines
        if line.assignment and line.state in KEPT
    }
    for stock in Stock(store).every():
        for cell in stock.cells:
            for kept in cell.reservations:
                key = (cell.source_id, kept.plan_id, kept.order_id, kept.line_id)
                assert needed.get(key) == kept.units, f"{key} is reserved for nothing"


def require_units_leave_once(store: DocumentStore, on_hand: Mapping[str, int]) -> None:
    """Whatever was on hand is there still, or has shipped; what has shipped and is still reserved has yet to leave."""
    left: Counter[str] = Counter()
    for order in stored_orders(store):
        for line in order.lines:
            if line.assignment and line.state is LineState.SHIPPED:
                cell = _cell(store, line.product_id, line.assignment.source_id)
                waits = any((kept.order_id, kept.line_id) == (order.id, line.id) for kept in cell.reservations)
                left[f"{line.product_id}_{line.assignment.source_id}"] += 0 if waits else line.units
    for name, units in on_hand.items():
        product_id, source_id = name.split("_")
        assert _cell(store, product_id, source_id).on_hand + left[name] == units, f"{name} lost or gained units"


def _cell(store: DocumentStore, product_id: str, source_id: str) -> StockCell:
    stored = Stock(store).find(product_id)
    return stored.value.cell(source_id) if stored else StockCell(source_id, 0)


def totals(order: Order) -> tuple[dict[str, int], int, int]:
    """Units by product, cents, and cents of tax: they never change while lines are split and moved."""
    units: Counter[str] = Counter()
    for line in order.lines:
        units[line.product_id] += line.units
    return dict(units), sum(line.amount_cents for line in order.lines), sum(line.tax_cents for line in order.lines)
