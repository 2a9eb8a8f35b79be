"""Stock for the example: about as much as is wanted, in the wrong places.

Nothing here is random: what looks so is a hash of the names involved, so the same orders always meet the same stock,
and a product keeps its stock when other products come or go.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from enum import Enum

from dom_core.domain.stock import StockLevel
from dom_core.messages.orders import IntakeOrder

UNITS_STORES_KEEP = 1
"""What the rule `store-shelf-stock` holds back in stores: lying there, but not to be promised."""


class Supply(Enum):
    """How a product is stocked."""

    NOWHERE = "no unit anywhere"
    SHORT = "seven tenths of the demand"
    SCATTERED = "the demand, and no more than half of it in one place"
    CONTESTED = "less than the orders that compete for it want, in two warehouses"
    REGULAR = "the demand in three warehouses, half of it in two stores"
    AMPLE = "more than the demand in four warehouses and four stores"


def levels(orders: Sequence[IntakeOrder], warehouses: Sequence[str], stores: Sequence[str]) -> tuple[StockLevel, ...]:
    """On-hand units by product and source, for the products of these orders; no entry means none."""
    wanted: dict[str, list[int]] = defaultdict(list)
    for order in orders:
        for line in order.lines:
            wanted[line.product_id].append(line.units)
    return tuple(
        StockLevel(product_id, source_id, units)
        for product_id, line_units in sorted(wanted.items())
        for source_id, units in sorted(_placed(product_id, line_units, warehouses, stores).items())
        if units > 0
    )


def supply_of(product_id: str, line_units: Sequence[int]) -> Supply:
    """How a product is stocked: contested when several lines want it, else by lot."""
    if len(line_units) > 1:
        return Supply.CONTESTED
    lot = _lot("supply", product_id)
    if lot < 0.04:
        return Supply.NOWHERE
    if lot < 0.10:
        return Supply.SHORT
    if lot < 0.25 and sum(line_units) >= 2:
        return Supply.SCATTERED
    return Supply.REGULAR if lot < 0.70 else Supply.AMPLE


def _placed(
    product_id: str, line_units: Sequence[int], warehouses: Sequence[str], stores: Sequence[str]
) -> dict[str, int]:
    demand = sum(line_units)
    near_warehouses, near_stores = _drawn(product_id, warehouses), _drawn(product_id, stores)
    match supply_of(product_id, line_units):
        case Supply.NOWHERE:
            return {}
        case Supply.SHORT:
            return {near_warehouses[0]: max(1, demand * 7 // 10)}
        case Supply.SCATTERED:
            return _spread(demand, near_warehouses[:3])
        case Supply.CONTESTED:
            return {near_warehouses[0]: max(line_units), near_warehouses[1]: max(line_units) // 2}
        case Supply.REGULAR:
            in_stores = dict.fromkeys(near_stores[:2], (demand + 1) // 2 + UNITS_STORES_KEEP)
            return dict.fromkeys(near_warehouses[:3], demand) | in_stores
        case Supply.AMPLE:
            return dict.fromkeys(near_warehouses[:4], demand + 2) | dict.fromkeys(
                near_stores[:4], demand + UNITS_STORES_KEEP
            )


def _spread(units: int, source_ids: Sequence[str]) -> dict[str, int]:
    """The units over two sources, or over three when there are enough of them: never all in one place."""
    places = source_ids[: 3 if units >= 6 else 2]
    share, rest = divmod(units, len(places))
    return {source_id: share + (1 if position < rest else 0) for position, source_id in enumerate(places)}


def _drawn(product_id: str, source_ids: Iterable[str]) -> list[str]:
    """All the sources, in the order in which this product drew them."""
    return sorted(source_ids, key=lambda source_id: (_lot(product_id, source_id), source_id))


def _lot(*names: str) -> float:
    """A number from 0 up to 1 that depends on these names only."""
    digest = hashlib.sha256("\n".join(names).encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64
