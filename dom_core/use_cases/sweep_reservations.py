"""Settle reservations that no line needs any more: somebody was killed between writing an order and its stock."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from dom_core.domain.holding import keep_at_most, take_out
from dom_core.domain.ids import LineId, OrderId, PlanId, SourceId
from dom_core.domain.order import LineState, Order
from dom_core.domain.stock import ProductStock
from dom_core.ports import DocumentStore
from dom_core.repositories.orders import Orders
from dom_core.repositories.plans import Plans
from dom_core.repositories.stock import Stock
from dom_core.telemetry.events import StockOversold
from dom_core.telemetry.listening import Telemetry
from dom_core.use_cases.change_stock import change_stock

_NEEDS_UNITS = frozenset({LineState.ASSIGNED, LineState.PICKED})

Held = tuple[SourceId, PlanId, OrderId, LineId]
"""Where a reservation is, and what it is for."""

Orphans = Sequence[tuple[Held, int]]
"""Reservations that keep too much, each with the units that are still needed."""

Sweep = Callable[[DocumentStore, Iterable[ProductStock], frozenset[PlanId], Iterable[Order]], list[ProductStock]]
"""What finds the stock without orphans: `sweep` stores it, `as_swept` does not."""


def sweep_all(store: DocumentStore) -> list[ProductStock]:
    """Settle the orphans among the reservations of all products. The stock without them."""
    stock = list(Stock(store).every())
    under_way = plans_under_way(store)
    return sweep(store, stock, under_way, Orders(store).in_work())


def sweeping(telemetry: Telemetry) -> Sweep:
    """A sweep that tells of stock which is promised twice all the same."""

    def settle(
        store: DocumentStore, stock: Iterable[ProductStock], under_way: frozenset[PlanId], orders: Iterable[Order]
    ) -> list[ProductStock]:
        swept = sweep(store, stock, under_way, orders)
        tell_oversold(telemetry, swept)
        return swept

    return settle


def tell_oversold(telemetry: Telemetry, stock: Iterable[ProductStock]) -> None:
    """Tell of every place at which more units are promised than there are. There is none, unless we are wrong."""
    for each in stock:
        for cell in each.cells:
            if cell.reserved > cell.on_hand:
                telemetry.tell(StockOversold(each.product_id, cell.source_id, cell.on_hand, cell.reserved))


def plans_under_way(store: DocumentStore) -> frozenset[PlanId]:
    """Plans that somebody is applying: what they reserved may wait for its order to be confirmed."""
    return frozenset(header.id for header in Plans(store).being_applied())


def sweep(
    store: DocumentStore, stock: Iterable[ProductStock], under_way: frozenset[PlanId], orders: Iterable[Order]
) -> list[ProductStock]:
    """The stock without orphans. `orders` are at least those with a line that is assigned or picked.

    Read in this order: stock, then plans under way, then orders. A reservation seen first that belongs to no plan under
    way and to no line then is an orphan for ever, because a plan reserves for a line only once.
    """
    found = _with_orphans(stock, under_way, orders)
    return [
        change_stock(store, each.product_id, _settling(store, orphans)) if orphans else each for each, orphans in found
    ]


def as_swept(
    store: DocumentStore, stock: Iterable[ProductStock], under_way: frozenset[PlanId], orders: Iterable[Order]
) -> list[ProductStock]:
    """The stock as `sweep` would leave it, while nothing is written."""
    return [_settling(store, orphans)(each) for each, orphans in _with_orphans(stock, under_way, orders)]


def _with_orphans(
    stock: Iterable[ProductStock], under_way: frozenset[PlanId], orders: Iterable[Order]
) -> list[tuple[ProductStock, Orphans]]:
    needed = _needed(orders)
    return [(each, _orphans(each, under_way, needed)) for each in stock]


def _needed(orders: Iterable[Order]) -> dict[Held, int]:
    """The units that lines need, by the reservation that keeps them."""
    return {
        (line.assignment.source_id, line.assignment.plan_id, order.id, line.id): line.units
        for order in orders
        for line in order.lines
        if line.assignment and line.state in _NEEDS_UNITS
    }


def _orphans(stock: ProductStock, under_way: frozenset[PlanId], needed: Mapping[Held, int]) -> Orphans:
    """Reservations, or parts of them, that no line needs, each with the units that are still needed."""
    return [
        (held, needed.get(held, 0))
        for cell in stock.cells
        for kept in cell.reservations
        if kept.plan_id not in under_way
        and needed.get(held := (cell.source_id, kept.plan_id, kept.order_id, kept.line_id), 0) < kept.units
    ]


def _settling(store: DocumentStore, orphans: Orphans) -> Callable[[ProductStock], ProductStock]:
    """What brings the stock of a product into line with what is still needed."""
    shipped = frozenset(held for held, _ in orphans if _is_shipped(store, held))

    def settled(current: ProductStock) -> ProductStock:
        for held, units in orphans:
            current = take_out(current, *held) if held in shipped else keep_at_most(current, *held, units)
        return current

    return settled


def _is_shipped(store: DocumentStore, held: Held) -> bool:
    """Whether the units left with the line, and only the stock does not know yet."""
    source_id, plan_id, order_id, line_id = held
    stored = Orders(store).find(order_id)
    line = stored.value.line(line_id) if stored else None
    if line is None or line.assignment is None or line.state is not LineState.SHIPPED:
        return False
    return (line.assignment.source_id, line.assignment.plan_id) == (source_id, plan_id)
