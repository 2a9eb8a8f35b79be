"""The eligible lines of a run in columns: NumPy arrays indexed by line, order, product and source.

Lines are grouped by order; orders come earliest first, then by id; sources and products by id. Every choice runs over
these positions, so the same request always gives the same plan.
"""

from dataclasses import dataclass

from dom_core.domain.network import WRITE_IN_PRODUCT_ID, Product, Source
from dom_core.domain.order import Line, Order
from dom_core.domain.reason import IntArray
from dom_core.domain.request import PlanRequest

UNKNOWN_DISTANCE_M = -1
"""The distance of a pair of which one end has no coordinates."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Eligible lines × the sources of the strategy's list.

    Shapes: `lines`, `order_of`, `product_of`, `destination_of`, `units` (L); `orders` (O); `sources` (S);
    `products` (P); `distance_m` (L, S), whole metres, UNKNOWN_DISTANCE_M where an end has no coordinates;
    `available` (P, S), units on hand less reserved, UNLIMITED_UNITS where stock is not counted.
    `destination_of` numbers the ship-to places of each order's lines: lines of one order with the same number travel
    together from a source.
    """

    request: PlanRequest
    orders: tuple[Order, ...]
    lines: tuple[Line, ...]
    sources: tuple[Source, ...]
    products: tuple[Product, ...]
    order_of: IntArray
    product_of: IntArray
    destination_of: IntArray
    units: IntArray
    distance_m: IntArray
    available: IntArray

    @property
    def shape(self) -> tuple[int, int]:
        """Lines, sources."""
        return (len(self.lines), len(self.sources))

    def is_write_in(self, line: int) -> bool:
        """Whether the line's product is not in the catalogue: only location priority applies to it (C8)."""
        return self.lines[line].product_id == WRITE_IN_PRODUCT_ID

    def order(self, line: int) -> Order:
        """The order of the line at this position."""
        return self.orders[int(self.order_of[line])]

    def product(self, line: int) -> Product:
        """The product of the line at this position."""
        return self.products[int(self.product_of[line])]
