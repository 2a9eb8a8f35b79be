"""The eligible lines of a run in columns: NumPy arrays indexed by line, order, product and source.

Lines are grouped by order; orders come earliest first, then by id; sources and products by id. Every choice runs over
these positions, so the same request always gives the same plan.
"""

from bisect import bisect_left
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from dom_core.domain.network import WRITE_IN_PRODUCT_ID, Product, Source
from dom_core.domain.order import Line, Order
from dom_core.domain.reason import IntArray
from dom_core.domain.request import PlanRequest

UNKNOWN_DISTANCE_M = -1
"""The distance of a pair of which one end has no coordinates."""


@dataclass(frozen=True, slots=True, eq=False)
class PlaceTable:
    """A table of lines × sources of which lines that go to the same place share a row: in small whole numbers.

    `row_of` (L) is the row of each line in `rows` (places, S). Looked up like an array by lines, or by lines and
    sources, it gives int64, so that nobody multiplies small numbers beyond their range.
    """

    row_of: IntArray
    rows: npt.NDArray[np.int32]

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, tuple):
            lines, sources = index
            return self.rows[self.row_of[lines], sources].astype(np.int64)
        return self.rows[self.row_of[index]].astype(np.int64)

    def of(self, lines: IntArray, sources: IntArray) -> "PlaceTable":
        """The table of these lines and sources, with the places that they need."""
        places, row_of = np.unique(self.row_of[lines], return_inverse=True)
        return PlaceTable(row_of, self.rows[np.ix_(places, sources)])

    @property
    def shape(self) -> tuple[int, int]:
        """Lines, sources."""
        return (len(self.row_of), self.rows.shape[1])

    def astype(self, kind: npt.DTypeLike) -> npt.NDArray[Any]:
        """The whole table (L, S), which may be large."""
        return self.rows[self.row_of].astype(kind)


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Eligible lines × the sources of the strategy's list.

    Shapes: `lines`, `order_of`, `product_of`, `destination_of`, `units` (L); `orders` (O); `sources` (S);
    `products` (P); `metres` (L, S), whole, UNKNOWN_DISTANCE_M where an end has no coordinates; `available` (P, S),
    units on hand less reserved, UNLIMITED_UNITS where stock is not counted. `destination_of` numbers the ship-to places
    of each order's lines: lines of one order with the same number travel together from a source.
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
    metres: PlaceTable
    available: IntArray

    @property
    def shape(self) -> tuple[int, int]:
        """Lines, sources."""
        return (len(self.lines), len(self.sources))

    @property
    def distance_m(self) -> IntArray:
        """The metres as one array (L, S): for the small batches that rules and cost factors are asked about."""
        return self.metres.astype(np.int64)

    def of_orders(self, first: int, last: int) -> "Batch":
        """These orders alone, `last` not among them, with the products that they ask for; all sources stay."""
        start, end = bisect_left(self.order_of, first), bisect_left(self.order_of, last)
        products, product_of = np.unique(self.product_of[start:end], return_inverse=True)
        return replace(
            self,
            orders=self.orders[first:last],
            lines=self.lines[start:end],
            products=tuple(self.products[product] for product in products.tolist()),
            order_of=self.order_of[start:end] - first,
            product_of=product_of,
            destination_of=self.destination_of[start:end],
            units=self.units[start:end],
            metres=replace(self.metres, row_of=self.metres.row_of[start:end]),
            available=self.available[products],
        )

    def is_write_in(self, line: int) -> bool:
        """Whether the line's product is not in the catalogue: only location priority applies to it (C8)."""
        return self.lines[line].product_id == WRITE_IN_PRODUCT_ID

    def order(self, line: int) -> Order:
        """The order of the line at this position."""
        return self.orders[int(self.order_of[line])]

    def product(self, line: int) -> Product:
        """The product of the line at this position."""
        return self.products[int(self.product_of[line])]
