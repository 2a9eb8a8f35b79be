"""Keeping units of a product for lines, and giving them back. Pure: what is reserved never exceeds what is on hand."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from dom_core.domain.ids import LineId, OrderId, PlanId, ProductId, SourceId
from dom_core.domain.stock import ProductStock, Reservation, StockCell

_Key = tuple[SourceId, PlanId, OrderId, LineId]

# Names, quotes and brackets around the ids, and numbers of up to 16 digits.
_DOCUMENT_BYTES, _CELL_BYTES, _PLAN_BYTES, _RESERVATION_BYTES = 40, 60, 8, 28


@dataclass(frozen=True, slots=True)
class Claim:
    """Units of a product at a source that a line needs."""

    product_id: ProductId
    source_id: SourceId
    reservation: Reservation


def orders_short(
    stock: Mapping[ProductId, ProductStock], claims: Iterable[Claim], limit_bytes: int
) -> frozenset[OrderId]:
    """The orders that do not get everything that they claim, of any product, if all others are served as they come.

    What is reserved for an order already counts as got. Beyond `limit_bytes` (see `weight_bytes`) orders go short even
    if there are units: what cannot be stored cannot be promised.
    """
    shelves = {product_id: _Shelves(each, limit_bytes) for product_id, each in stock.items()}
    short = set()
    for order_id, own in _grouped(claims, lambda claim: claim.reservation.order_id).items():
        by_product = _grouped(own, lambda claim: claim.product_id)
        if all(shelves[product_id].can_hold(wanted) for product_id, wanted in by_product.items()):
            for product_id, wanted in by_product.items():
                shelves[product_id].hold(wanted)
        else:
            short.add(order_id)
    return frozenset(short)


def hold_all(stock: ProductStock, claims: Iterable[Claim]) -> ProductStock:
    """The stock with the claims reserved, of which `orders_short` says that there is enough for all of them.

    The very same stock comes back where everything is reserved already.
    """
    shelves = _Shelves(stock, limit_bytes=0)
    shelves.hold(claims)
    return shelves.as_stock(stock)


def weight_bytes(stock: ProductStock) -> int:
    """The most that the stock may take as a document: every cell, plan in a cell and reservation with its signs."""
    plans = {(cell.source_id, kept.plan_id) for cell in stock.cells for kept in cell.reservations}
    return (
        _DOCUMENT_BYTES
        + sum(len(cell.source_id) + _CELL_BYTES for cell in stock.cells)
        + sum(len(plan_id) + _PLAN_BYTES for _, plan_id in plans)
        + sum(_own_bytes(kept) for cell in stock.cells for kept in cell.reservations)
    )


def _own_bytes(kept: Reservation) -> int:
    return len(kept.order_id) + len(kept.line_id) + _RESERVATION_BYTES


class _Shelves:
    """The cells of a product while units are taken: a claim costs the same however many there are already."""

    def __init__(self, stock: ProductStock, limit_bytes: int) -> None:
        self._available = {cell.source_id: cell.available for cell in stock.cells}
        self._kept: set[_Key] = {(cell.source_id, *_key(kept)) for cell in stock.cells for kept in cell.reservations}
        self._plans = {(source_id, plan_id) for source_id, plan_id, *_ in self._kept}
        self._room_bytes = limit_bytes - weight_bytes(stock)
        self._added: dict[SourceId, list[Reservation]] = defaultdict(list)

    def can_hold(self, claims: Iterable[Claim]) -> bool:
        """Whether there are units and room for all these claims."""
        new = self._new(claims)
        units: Counter[SourceId] = Counter()
        for claim in new:
            units[claim.source_id] += claim.reservation.units
        enough = all(wanted <= self._available.get(source_id, 0) for source_id, wanted in units.items())
        return enough and (not new or self._bytes(new) <= self._room_bytes)

    def hold(self, claims: Iterable[Claim]) -> None:
        """Take the units of these claims."""
        new = self._new(claims)
        self._room_bytes -= self._bytes(new)
        for claim in new:
            self._available[claim.source_id] -= claim.reservation.units
            self._added[claim.source_id].append(claim.reservation)
            self._kept.add((claim.source_id, *_key(claim.reservation)))
            self._plans.add((claim.source_id, claim.reservation.plan_id))

    def _new(self, claims: Iterable[Claim]) -> list[Claim]:
        """The claims that are not reserved yet."""
        keyed: dict[_Key, Claim] = {}
        for claim in claims:
            keyed.setdefault((claim.source_id, *_key(claim.reservation)), claim)
        return [claim for key, claim in keyed.items() if key not in self._kept]

    def _bytes(self, claims: Iterable[Claim]) -> int:
        """What the claims add to the document."""
        plans = {(claim.source_id, claim.reservation.plan_id) for claim in claims} - self._plans
        new_plans = sum(len(plan_id) + _PLAN_BYTES for _, plan_id in plans)
        return new_plans + sum(_own_bytes(claim.reservation) for claim in claims)

    def as_stock(self, stock: ProductStock) -> ProductStock:
        """The stock with everything that was taken."""
        return replace(stock, cells=tuple(map(self._filled, stock.cells))) if self._added else stock

    def _filled(self, cell: StockCell) -> StockCell:
        added = self._added.get(cell.source_id, [])
        return replace(cell, reservations=(*cell.reservations, *added)) if added else cell


def keep_at_most(
    stock: ProductStock, source_id: SourceId, plan_id: PlanId, order_id: OrderId, line_id: LineId, units: int
) -> ProductStock:
    """The stock with this line's reservation lowered to so many units; it is never raised. Zero removes it."""

    def lowered(kept: Reservation) -> int:
        return min(kept.units, units) if _key(kept) == (plan_id, order_id, line_id) else kept.units

    return _with_units(stock, lowered, only=source_id)


def give_back(stock: ProductStock, plan_id: PlanId, order_ids: Collection[OrderId]) -> ProductStock:
    """The stock without anything that this plan reserved for these orders."""

    def remaining(kept: Reservation) -> int:
        return 0 if kept.plan_id == plan_id and kept.order_id in order_ids else kept.units

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
    lowered = ((kept, units(kept)) for kept in cell.reservations)
    remaining = tuple(kept if kept.units == left else replace(kept, units=left) for kept, left in lowered if left)
    return replace(cell, reservations=remaining)


def _unless_equal(stock: ProductStock, cells: tuple[StockCell, ...]) -> ProductStock:
    """The very same stock where nothing changes, so that nothing needs to be written."""
    return stock if cells == stock.cells else replace(stock, cells=cells)


def with_cell(stock: ProductStock, cell: StockCell) -> ProductStock:
    """The stock with this cell in the place of the one at its source."""
    others = (other for other in stock.cells if other.source_id != cell.source_id)
    return replace(stock, cells=tuple(sorted((*others, cell), key=lambda each: each.source_id)))


def _grouped(claims: Iterable[Claim], name: Callable[[Claim], str]) -> dict[str, list[Claim]]:
    grouped: dict[str, list[Claim]] = defaultdict(list)
    for claim in claims:
        grouped[name(claim)].append(claim)
    return grouped


def _key(reservation: Reservation) -> tuple[PlanId, OrderId, LineId]:
    return (reservation.plan_id, reservation.order_id, reservation.line_id)
