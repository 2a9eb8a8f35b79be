"""Where the gap of a plan sits: value − bound = Σ excess of orders + Σ prices · what is left unused.

The *excess* of an order is what its part of the plan costs at prices beyond its best pattern. The *slack* of a pair is
what the best pattern that uses the pair costs beyond the best one: in a plan better than the one at hand no pair is
used whose slack is larger than the gap.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dom_core.domain.reason import FloatArray, IntArray
from dom_core.optimizer.costs import Flow
from dom_core.optimizer.prices import DIVISORS, Prices, rounded_parts
from dom_core.optimizer.pricing import Priced, Pricer
from dom_core.optimizer.standing import points_by_order
from dom_core.optimizer.working_set import WorkingSet


@dataclass(frozen=True, slots=True, eq=False)
class PairSlacks:
    """Pairs with their slack in points, sorted by line and source (N): of a working set, each pair once."""

    lines: IntArray
    sources: IntArray
    points: FloatArray


def slack_of_pairs(working: WorkingSet, prices: Prices) -> PairSlacks:
    """The slack of every pair of the set at these prices; a line that may be split counts by the unit."""
    lines, sources, points = [], [], []
    for table, slack in zip(working.tables, working.slacks(working.multipliers(prices)), strict=True):
        used = np.isfinite(slack) & table.offered[:, None, :]
        rows, places, columns = np.nonzero(used)
        mine = table.groups.lines[rows, places]
        lines.append(mine)
        sources.append(table.groups.sources[rows, columns])
        points.append(slack[used] / working.pricer.costs.parts_of(mine))
    if not lines:
        nothing = np.zeros(0, dtype=np.int64)
        return PairSlacks(nothing, nothing, np.zeros(0))
    return _sorted(np.concatenate(lines), np.concatenate(sources), np.concatenate(points))


def _sorted(lines: IntArray, sources: IntArray, points: FloatArray) -> PairSlacks:
    order = np.lexsort((sources, lines))
    return PairSlacks(lines[order].astype(np.int64), sources[order].astype(np.int64), np.maximum(points[order], 0.0))


def excess_of_orders(pricer: Pricer, prices: Prices, best: Priced, flows: Sequence[Flow]) -> FloatArray:
    """What each order (O) pays at prices beyond its best pattern: zero where the plan gives it that pattern."""
    problem = pricer.problem
    points = points_by_order(problem, flows) - points_by_order(problem, ())
    excess: FloatArray = points + rent_of_orders(pricer, prices, flows) - best.worth
    return excess


def _columns(flows: Sequence[Flow]) -> tuple[IntArray, IntArray, IntArray]:
    table = np.array(sorted(flows), dtype=np.int64).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2]


def rent_of_orders(pricer: Pricer, prices: Prices, flows: Sequence[Flow]) -> FloatArray:
    """What the flows of each order (O) pay at prices for their cells and for new visits."""
    problem = pricer.problem
    lines, sources, units = _columns(flows)
    orders = problem.batch.order_of[lines]
    rows = np.searchsorted(pricer.costs.lines, lines)
    paid = np.zeros(len(problem.batch.orders))
    for divisor in DIVISORS:
        taken = units if divisor == 1 else np.where(pricer.costs.whole[rows], rounded_parts(units, divisor), 0)
        at = prices.at(problem.batch.product_of[lines], sources, divisor)
        paid += np.bincount(orders, weights=at * taken, minlength=len(paid))
    return paid + pricer.rooms.paid(prices.capacity, lines, sources)
