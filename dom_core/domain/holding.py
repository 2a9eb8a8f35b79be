"""Keeping units of a product for lines, and giving them back. Pure: what is reserved never exceeds what is on hand."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from dom_core.domain.ids import LineId, OrderId, PlanId, ProductId, SourceId
from dom_core.domain.stock import ProductStock, Reservation, StockCell


@dataclass(frozen=True, slots=True)
class Claim:
    """Units of a product at a source that a line needs."""

    product_id: ProductId
    source_id: SourceId
    reservation: Reservation


def hold(stock: ProductStock, claim: Claim) -> ProductStock | None:
    """The stock with the claim reserved; the same stock if it was already, None if there are not enough units."""
    cell = stock.cell(claim.source_id)
    wanted = claim.reservation
    if any(_key(kept) == _key(wanted) for kept in cell.reservations):
        return stock
    if wanted.units > cell.available:
        return None
    return with_cell(stock, replace(cell, reservations=(*cell.reservations, wanted)))


def keep_at_most(
    stock: ProductStock, source_id: SourceId, plan_id: PlanId, order_id: OrderId, line_id: LineId, units: int
) -> ProductStock:
    """The stock with this line's reservation lowered to so many units; it is never raised. Zero removes it."""

    def lowered(kept: Reservation) -> int:
        return min(kept.units, units) if _key(kept) == (plan_id, order_id, line_id) else kept.units

    return _with_units(stock, lowered, only=source_id)


def give_back(stock: ProductStock, plan_id: PlanId, order_id: OrderId) -> ProductStock:
    """The stock without anything that this plan reserved for this order."""

    def remaining(kept: Reservation) -> int:
        return 0 if (kept.plan_id, kept.order_id) == (plan_id, order_id) else kept.units

    return _with_units(stock, remaining)


def take_out(
    stock: ProductStock, source_id: SourceId, plan_id: PlanId, order_id: OrderId, line_id: LineId
) -> ProductStock:
    """The stock after this line's units left: reservation and on hand go down together, and only together.

    Where the line has no reservation its units are gone already, or were never counted: nothing changes.
    """
    cell = stock.cell(source_id)
    shipped = sum(kept.units for kept in cell.reservations if _key(kept) == (plan_id, order_id, line_id))
    if not shipped:
        return stock
    remaining = tuple(kept for kept in cell.reservations if _key(kept) != (plan_id, order_id, line_id))
    return with_cell(stock, replace(cell, on_hand=cell.on_hand - shipped, reservations=remaining))


def without_lines(stock: ProductStock, order_id: OrderId, line_ids: Collection[LineId]) -> ProductStock:
    """The stock without anything that any plan reserved for these lines."""
    return without(stock, lambda _, kept: kept.order_id == order_id and kept.line_id in line_ids)


def without(stock: ProductStock, unwanted: Callable[[SourceId, Reservation], bool]) -> ProductStock:
    """The stock without the reservations that are unwanted."""
    cells = tuple(
        replace(cell, reservations=tuple(kept for kept in cell.reservations if not unwanted(cell.source_id, kept)))
        for cell in stock.cells
    )
    return _unless_equal(stock, cells)


def _with_units(stock: ProductStock, units: Callable[[Reservation], int], only: SourceId | None = None) -> ProductStock:
    cells = tuple(_cell_with_units(cell, units) if only in (None, cell.source_id) else cell for cell in stock.cells)
    return _unless_equal(stock, cells)


def _cell_with_units(cell: StockCell, units: Callable[[Reservation], int]) -> StockCell:
    kept = tuple(replace(r, units=units(r)) for r in cell.reservations if units(r))
    return replace(cell, reservations=kept)


def _unless_equal(stock: ProductStock, cells: tuple[StockCell, ...]) -> ProductStock:
    """The very same stock where nothing changes, so that nothing needs to be written."""
    return stock if cells == stock.cells else replace(stock, cells=cells)


def with_cell(stock: ProductStock, cell: StockCell) -> ProductStock:
    """The stock with this cell in the place of the one at its source."""
    others = (other for other in stock.cells if other.source_id != cell.source_id)
    return replace(stock, cells=tuple(sorted((*others, cell), key=lambda each: each.source_id)))


def _key(reservation: Reservation) -> tuple[PlanId, OrderId, LineId]:
    return (reservation.plan_id, reservation.order_id, reservation.line_id)
