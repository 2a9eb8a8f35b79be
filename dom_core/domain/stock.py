"""Stock: what lies where, and for whom it is kept."""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import ConfigDict

from dom_core.domain.ids import LineId, OrderId, PlanId, ProductId, SourceId
from dom_core.domain.network import STRICT
from dom_core.domain.units import Count, PositiveUnits, Units


@dataclass(frozen=True, slots=True)
class Reservation:
    """Units kept for one line by one plan. The key (plan, order, line) makes reserving idempotent."""

    plan_id: PlanId
    order_id: OrderId
    line_id: LineId
    units: PositiveUnits


@dataclass(frozen=True, slots=True)
class StockCell:
    """Stock of one product at one source."""

    source_id: SourceId
    on_hand: Units
    reservations: tuple[Reservation, ...] = ()

    @property
    def reserved(self) -> int:
        """Units promised to lines and not shipped yet."""
        return sum(reservation.units for reservation in self.reservations)

    @property
    def available(self) -> int:
        """On hand less reserved; never below zero."""
        return max(0, self.on_hand - self.reserved)


@dataclass(frozen=True, slots=True)
class ProductStock:
    """All cells of one product: one document, so that one write decides who gets the units.

    `fence` is the highest that reserved here: whoever has a lower one lost the right to.
    """

    product_id: ProductId
    cells: tuple[StockCell, ...] = ()
    fence: Count = 0

    def cell(self, source_id: SourceId) -> StockCell:
        """The cell at a source; an empty one where nothing was ever stored."""
        return next((cell for cell in self.cells if cell.source_id == source_id), StockCell(source_id, 0))


@dataclass(frozen=True, slots=True)
class StockLevel:
    """On-hand units as somebody reports them: the wire and file format."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    product_id: ProductId
    source_id: SourceId
    on_hand: Units
