"""Prices of what is scarce: of stock cells, of their rounded parts, and of the room at sources.

A *cut* is a price on a rounded part of a cell: of lines that come whole from one place, at most ⌊stock / t⌋ times
⌊units / t⌋ fit into a cell, for every t. Three lines of two units do not share three units; beside a line of three
units, none of two fits into four (t = 3/2).
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from dom_core.domain.ids import RuleId
from dom_core.domain.prices import CellPrice, PriceTable, RoomPrice
from dom_core.domain.reason import FloatArray, IntArray
from dom_core.optimizer.problem import Problem

DIVISORS = (1.0, 1.5, 2.0, 3.0)
"""The t of a price: 1 is the unit itself, the others are cuts. Whole halves: so rounding is exact.

For lines of up to three units nothing else is to be had from one cell: tried on batches whose stock is scarce.
"""

GRAIN = 1024
"""Prices that a plan reports are whole multiples of one part in so many of a point: they survive as text exactly."""


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """Points per part of a cell (its product, source and divisor; all of one length) and per place of a capacity (C).

    Sorted by divisor, product and source, each cell and divisor once. Zero or more; what is not listed costs nothing.
    """

    products: IntArray
    sources: IntArray
    divisors: FloatArray
    points: FloatArray
    capacity: FloatArray

    @classmethod
    def none(cls, problem: Problem) -> Self:
        """Nothing is scarce."""
        empty = np.zeros(0, dtype=np.int64)
        return cls(empty, empty, np.zeros(0), np.zeros(0), np.zeros(len(problem.capacities)))

    @classmethod
    def of(
        cls, products: IntArray, sources: IntArray, divisors: FloatArray, points: FloatArray, capacity: FloatArray
    ) -> Self:
        """Prices in order, without those that are zero."""
        order = np.lexsort((sources, products, divisors))
        order = order[points[order] > 0]
        return cls(products[order], sources[order], divisors[order], points[order], capacity)

    @classmethod
    def of_table(cls, problem: Problem, table: PriceTable) -> Self:
        """Prices that `told` tells, of what the problem has: the others are left out."""
        products = {product.id: row for row, product in enumerate(problem.batch.products)}
        sources = {source.id: column for column, source in enumerate(problem.batch.sources)}
        room = {(told.rule_id, told.place): told.points for told in table.rooms}
        known = [told for told in table.cells if told.product_id in products and told.source_id in sources]
        return cls.of(
            np.array([products[told.product_id] for told in known], dtype=np.int64),
            np.array([sources[told.source_id] for told in known], dtype=np.int64),
            np.array([told.divisor for told in known], dtype=np.float64),
            np.array([told.points for told in known], dtype=np.float64),
            np.array([room.get(place, 0.0) for place in _places(problem)], dtype=np.float64),
        )

    @classmethod
    def of_cells(cls, stock: FloatArray, capacity: FloatArray) -> Self:
        """Prices of units alone, given as a table (P, S)."""
        products, sources = np.nonzero(stock > 0)
        return cls.of(products, sources, np.ones(len(products)), stock[products, sources], capacity)

    def rounded(self) -> Self:
        """The nearest prices that can be told exactly."""
        points = np.rint(self.points * GRAIN) / GRAIN
        return self.of(self.products, self.sources, self.divisors, points, np.rint(self.capacity * GRAIN) / GRAIN)

    def times(self, share: float) -> Self:
        """So large a share of these prices, as it can be told exactly."""
        of_all = (self.products, self.sources, self.divisors, self.points * share, self.capacity * share)
        return self.of(*of_all).rounded()

    def told(self, problem: Problem) -> PriceTable:
        """The same prices in words of the domain, sorted."""
        batch = problem.batch
        columns = (self.products.tolist(), self.sources.tolist(), self.divisors.tolist(), self.points.tolist())
        return PriceTable(
            cells=tuple(
                CellPrice(batch.products[product].id, batch.sources[source].id, divisor, points)
                for product, source, divisor, points in zip(*columns, strict=True)
            ),
            rooms=tuple(
                RoomPrice(rule_id, place, points)
                for (rule_id, place), points in zip(_places(problem), self.capacity.tolist(), strict=True)
                if points
            ),
        )

    def worth_of_everything(self, problem: Problem) -> float:
        """Σ prices · what there is."""
        there = rounded_parts(problem.stock[self.products, self.sources], self.divisors)
        room = np.array([capacity.remaining for capacity in problem.capacities], dtype=np.float64)
        return float((self.points * there).sum() + (self.capacity * room).sum())

    def at(self, products: IntArray, sources: IntArray, divisor: float) -> FloatArray:
        """The prices of these cells with this divisor."""
        first, last = self._part(divisor)
        width = 1 + int(max(self.sources.max(initial=0), sources.max(initial=0)))
        keys = self.products[first:last] * width + self.sources[first:last]
        wanted = products.astype(np.int64) * width + sources
        place = np.minimum(np.searchsorted(keys, wanted), max(0, len(keys) - 1))
        if not len(keys):
            return np.zeros(len(wanted))
        return np.where(keys[place] == wanted, self.points[first:last][place], 0.0)

    def charges(self, products: IntArray, units: Sequence[IntArray], sources: int) -> FloatArray:
        """What each of these lines would pay for its cell at every source (R, S).

        `units` per divisor: how many the line takes of the cell, or of its rounded part.
        """
        charges = np.zeros((len(products), sources))
        for divisor, taken in zip(DIVISORS, units, strict=True):
            first, last = self._part(divisor)
            if first < last:
                self._charge(charges, products, taken, slice(first, last))
        return charges

    def _part(self, divisor: float) -> tuple[int, int]:
        """Where the prices with a divisor begin and end."""
        return int(np.searchsorted(self.divisors, divisor)), int(np.searchsorted(self.divisors, divisor, side="right"))

    def _charge(self, charges: FloatArray, products: IntArray, taken: IntArray, part: slice) -> None:
        rows = np.flatnonzero(taken > 0)
        begin = np.searchsorted(self.products[part], products[rows])
        counts = np.searchsorted(self.products[part], products[rows], side="right") - begin
        rows, offsets = np.repeat(rows, counts), np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        entry = np.repeat(begin, counts) + offsets
        charges[rows, self.sources[part][entry]] += taken[rows] * self.points[part][entry]


def rounded_parts(units: IntArray, divisors: FloatArray | float) -> IntArray:
    """⌊units / divisor⌋, in whole numbers."""
    parts: IntArray = 2 * units.astype(np.int64) // np.rint(2 * np.asarray(divisors)).astype(np.int64)
    return parts


def _places(problem: Problem) -> Iterator[tuple[RuleId, int]]:
    """Of each capacity the rule, and which of that rule's limits it is."""
    seen: Counter[RuleId] = Counter()
    for capacity in problem.capacities:
        yield capacity.rule_id, seen[capacity.rule_id]
        seen[capacity.rule_id] += 1
