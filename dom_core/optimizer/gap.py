"""Where the gap of a plan sits: value − bound = Σ excess of orders + Σ prices · what is left unused.

The *excess* of an order is what its part of the plan costs at prices beyond its best pattern. The *slack* of a pair is
what the best pattern that uses the pair costs beyond the best one: in a plan better than the one at hand no pair is
used whose slack is larger than the gap.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dom_core.domain.plan import Level
from dom_core.domain.reason import FloatArray, IntArray
from dom_core.optimizer.costs import Flow
from dom_core.optimizer.prices import DIVISORS, Prices
from dom_core.optimizer.pricing import Priced, Pricer
from dom_core.optimizer.problem import Problem
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
    return _sorted(*(np.concatenate(part) if part else np.zeros(0) for part in (lines, sources, points)))


def _sorted(lines: IntArray, sources: IntArray, points: FloatArray) -> PairSlacks:
    order = np.lexsort((sources, lines))
    return PairSlacks(lines[order].astype(np.int64), sources[order].astype(np.int64), np.maximum(points[order], 0.0))


def excess_of_orders(pricer: Pricer, prices: Prices, best: Priced, flows: Sequence[Flow]) -> FloatArray:
    """What each order (O) pays at prices beyond its best pattern: zero where the plan gives it that pattern."""
    problem = pricer.problem
    orders = problem.batch.order_of
    count = len(problem.batch.orders)
    worth = np.bincount(orders, weights=best.worth, minlength=count)
    nothing = _unfilled(problem, np.zeros_like(problem.wanted))
    return points_of_orders(problem, flows) + _paid(pricer, prices, flows) - nothing - worth


def points_of_orders(problem: Problem, flows: Sequence[Flow]) -> FloatArray:
    """The points of each order (O) in a plan of these flows: together they are its total."""
    lines, sources, units = _columns(flows)
    filled = np.bincount(lines, weights=units, minlength=len(problem.wanted))
    points = _unfilled(problem, filled)
    orders = problem.batch.order_of[lines]
    rates, used = problem.rates, problem.used
    shipments = _once(orders, sources, known=used.shipments)
    points += rates.get(Level.SHIPMENTS, 0) * _sum(problem, orders[shipments])
    points += rates[Level.PRIORITY_STEPS] * _steps(problem, lines, sources)
    legs = _once(orders, problem.batch.destination_of[lines], sources, known=used.legs)
    points += rates[Level.DISTANCE_KM] * _sum(problem, orders[legs], problem.km[lines[legs], sources[legs]])
    if problem.costs is not None:
        costs = problem.costs
        journeys = _once(orders, costs.travel_group_of[lines], sources, known=used.cost_legs)
        parts = _once(lines, sources, known=used.line_sources)
        for rows, cents in (
            (journeys, costs.leg_cents),
            (shipments, costs.shipment_cents),
            (parts, costs.part_cents),
        ):
            points += rates[Level.COST_CENTS] * _sum(problem, orders[rows], cents[lines[rows], sources[rows]])
    return points


def _columns(flows: Sequence[Flow]) -> tuple[IntArray, IntArray, IntArray]:
    table = np.array(sorted(flows), dtype=np.int64).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2]


def _unfilled(problem: Problem, filled: FloatArray | IntArray) -> FloatArray:
    weights = problem.weights[problem.batch.order_of] * problem.rates[Level.UNFILLED_UNITS]
    short = (problem.wanted - filled) * weights
    return np.bincount(problem.batch.order_of, weights=short, minlength=len(problem.batch.orders))


def _sum(problem: Problem, orders: IntArray, amounts: IntArray | None = None) -> FloatArray:
    return np.bincount(orders, weights=amounts, minlength=len(problem.batch.orders)).astype(np.float64)


def _once(*columns: IntArray, known: frozenset[tuple[int, ...]]) -> IntArray:
    """Positions where a row comes first, without those that are known already."""
    rows = np.stack(columns, axis=1)
    unique, first = np.unique(rows, axis=0, return_index=True)
    if known:
        new = np.array([tuple(row) not in known for row in unique.tolist()], dtype=bool)
        first = first[new]
    return np.sort(first)


def _steps(problem: Problem, lines: IntArray, sources: IntArray) -> FloatArray:
    """The worst priority step of each shipment, less what is paid already, summed by order."""
    paid = problem.used.paid_steps
    worst: dict[tuple[int, int], int] = {}
    steps = problem.steps[lines, sources]
    for row in np.flatnonzero(steps).tolist():
        shipment = (int(problem.batch.order_of[lines[row]]), int(sources[row]))
        worst[shipment] = max(worst.get(shipment, 0), int(steps[row]))
    points = np.zeros(len(problem.batch.orders))
    for (order, source), most in worst.items():
        points[order] += max(0, most - paid.get((order, source), 0))
    return points


def _paid(pricer: Pricer, prices: Prices, flows: Sequence[Flow]) -> FloatArray:
    """What the flows of each order (O) pay at prices for their cells and for new visits."""
    problem = pricer.problem
    lines, sources, units = _columns(flows)
    orders = problem.batch.order_of[lines]
    rows = np.searchsorted(pricer.costs.lines, lines)
    paid = np.zeros(len(problem.batch.orders))
    for divisor in DIVISORS:
        taken = units if divisor == 1 else np.where(pricer.costs.whole[rows], units // divisor, 0)
        at = prices.at(problem.batch.product_of[lines], sources, divisor)
        paid += np.bincount(orders, weights=at * taken, minlength=len(paid))
    return paid + pricer.rooms.paid(prices.capacity, lines, sources)
