"""Prices of what is scarce: they prove a plan's bound, and anybody can recompute it from them (docs/optimizer.md)."""

from dataclasses import dataclass

from dom_core.domain.ids import ProductId, RuleId, SourceId


@dataclass(frozen=True, slots=True)
class CellPrice:
    """Points for each unit of a product at a source; with a divisor t of 2 or 3, for each whole t units of a line."""

    product_id: ProductId
    source_id: SourceId
    divisor: int
    points: float


@dataclass(frozen=True, slots=True)
class RoomPrice:
    """Points for each place of a limit of a maximum-orders rule, at these sources together."""

    rule_id: RuleId
    source_ids: tuple[SourceId, ...]
    points: float


@dataclass(frozen=True, slots=True)
class PriceTable:
    """Everything that has a price, all others being free. Points are whole multiples of 1/1024, so text keeps them."""

    cells: tuple[CellPrice, ...] = ()
    rooms: tuple[RoomPrice, ...] = ()
