"""The pairs that a search looks at: for each line, the sources where it could go at the least price.

A pair's *price* is what the line would pay there if it came alone, stock and all; less what is saved when other lines
of its order would come along, each compared with its own cheapest place. Only how prices rank within a line matters.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dom_core.domain.plan import Level
from dom_core.domain.reason import FloatArray, IntArray
from dom_core.optimizer.prices import DIVISORS, Prices
from dom_core.optimizer.problem import Problem
from dom_core.watch import UNWATCHED, Watch

_BLOCK_NUMBERS = 2_000_000

NO_SOURCE = -1
"""In `sources`: the line has fewer candidates than columns."""


@dataclass(frozen=True, slots=True, eq=False)
class Offers:
    """The most promising sources of each line, dearest last (L, K); NO_SOURCE where there are no more."""

    sources: IntArray

    def of(self, line: int) -> list[int]:
        """The line's sources, cheapest first."""
        return [source for source in self.sources[line].tolist() if source != NO_SOURCE]


def cheapest(problem: Problem, prices: Prices, most: int, watch: Watch = UNWATCHED) -> Offers:
    """For every line that takes part, its cheapest sources at these prices, at most so many."""
    count, sources = problem.batch.shape
    most = min(most, sources)
    chosen = np.full((count, most), NO_SOURCE, dtype=np.int64)
    for rows in _order_blocks(problem):
        watch.go_on()
        price = _line_prices(problem, prices, rows)
        nearest = (
            np.argpartition(price, most - 1, axis=1)[:, :most]
            if most < sources
            else np.tile(np.arange(sources), (len(rows), 1))
        )
        near = np.take_along_axis(price, nearest, axis=1)
        ranks = np.lexsort((nearest, near), axis=1)
        nearest, near = np.take_along_axis(nearest, ranks, axis=1), np.take_along_axis(near, ranks, axis=1)
        chosen[rows] = np.where(np.isfinite(near), nearest, NO_SOURCE)
    return Offers(chosen)


def _order_blocks(problem: Problem) -> Iterator[IntArray]:
    """Lines that take part, in blocks of whole orders that bound the memory."""
    lines = np.flatnonzero(problem.wanted > 0)
    size = max(1, _BLOCK_NUMBERS // max(1, problem.batch.shape[1]))
    start = 0
    while start < len(lines):
        end = min(start + size, len(lines))
        while end < len(lines) and problem.batch.order_of[lines[end]] == problem.batch.order_of[lines[end - 1]]:
            end += 1
        yield lines[start:end]
        start = end


def _line_prices(problem: Problem, prices: Prices, rows: IntArray) -> FloatArray:
    """The price of every pair of these lines (n, S), infinite where it may not be."""
    batch, rates = problem.batch, problem.rates
    allowed = problem.allowed[rows]
    together = problem.km[rows] * float(rates[Level.DISTANCE_KM]) + problem.steps[rows] * float(
        rates[Level.PRIORITY_STEPS]
    )
    together += rates.get(Level.SHIPMENTS, 0)
    units = [problem.wanted[rows] if divisor == 1 else np.zeros(len(rows), dtype=np.int64) for divisor in DIVISORS]
    alone = prices.charges(batch.product_of[rows], units, batch.shape[1])
    if problem.costs:
        together += problem.costs.leg_cents[rows] + problem.costs.shipment_cents[rows]
        alone += problem.costs.part_cents[rows]
    for number, capacity in enumerate(problem.capacities):
        (alone if capacity.per_line else together)[:, list(capacity.sources)] += prices.capacity[number]
    by_itself = np.where(allowed, together + alone, np.inf)
    least = by_itself.min(axis=1, keepdims=True, initial=np.inf)
    saved = np.where(
        allowed & np.isfinite(least), np.minimum(0.0, alone - np.where(np.isfinite(least), least, 0.0)), 0.0
    )
    starts = np.flatnonzero(np.diff(batch.order_of[rows], prepend=-1))
    by_order = np.add.reduceat(saved, starts, axis=0)
    order_number = np.cumsum(np.diff(batch.order_of[rows], prepend=-1) != 0) - 1
    companions: FloatArray = by_order[order_number] - saved
    return by_itself + companions
