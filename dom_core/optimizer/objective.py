"""What an answer costs, in whole numbers: the solver's own word is not used (docs/semantics.md section 5).

Every level of the objective is a sum over orders. What an earlier iteration pays already is not paid again.
"""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from dom_core.domain.plan import Level, LevelValue
from dom_core.domain.reason import IntArray
from dom_core.optimizer.costs import Flow, Journey, PairCosts, flow_table
from dom_core.optimizer.problem import Problem, Used


def levels_of(problem: Problem, flows: Sequence[Flow]) -> tuple[LevelValue, ...]:
    """What an answer costs, level by level, most important first."""
    amounts = amounts_by_order(problem, flows)
    return tuple(LevelValue(level, int(amounts[level].sum()), rate) for level, rate in problem.rates.items())


def points_by_order(problem: Problem, flows: Sequence[Flow]) -> IntArray:
    """What each order (O) costs with these flows, in points."""
    amounts = amounts_by_order(problem, flows)
    points = np.zeros(len(problem.weights), dtype=np.int64)
    for level, rate in problem.rates.items():
        points += amounts[level] * rate
    return points


def total_of(levels: Sequence[LevelValue]) -> int:
    """The sum of all levels, in points."""
    return sum(value.points for value in levels)


def gap_of(total: int, bound: float) -> float:
    """How far a plan may be from the best one, as a share of its own points."""
    return (total - bound) / total if total else 0.0


def amounts_by_order(problem: Problem, flows: Sequence[Flow]) -> Mapping[Level, IntArray]:
    """How much of each level of the problem every order (O) has with these flows."""
    batch, used = problem.batch, problem.used
    line, source, units = flow_table(flows)
    short = problem.wanted - np.bincount(line, weights=units, minlength=len(problem.wanted)).astype(np.int64)
    amounts = {level: np.zeros(len(problem.weights), dtype=np.int64) for level in problem.rates}
    np.add.at(amounts[Level.UNFILLED_UNITS], batch.order_of, short * problem.weights[batch.order_of])
    if not len(line):
        return amounts
    order = batch.order_of[line]
    stops, first, stop_of = np.unique(order * batch.shape[1] + source, return_index=True, return_inverse=True)
    paid = _paid_steps(used, stops, batch.shape[1])
    new = paid < 0
    if Level.SHIPMENTS in amounts:
        np.add.at(amounts[Level.SHIPMENTS], order[first], new)
    steps = np.zeros(len(stops), dtype=np.int64)
    np.maximum.at(steps, stop_of, problem.steps[line, source])
    np.add.at(amounts[Level.PRIORITY_STEPS], order[first], np.maximum(steps - np.maximum(paid, 0), 0))
    km = amounts[Level.DISTANCE_KM]
    _add_legs(km, order, batch.destination_of[line], source, used.legs, problem.km[line, source])
    if problem.costs:
        cents = amounts[Level.COST_CENTS]
        np.add.at(cents, order[first], np.where(new, problem.costs.shipment_cents[line[first], source[first]], 0))
        _add_parts(cents, problem.costs, used, line, source, order)
        group, charge = problem.costs.travel_group_of[line], problem.costs.leg_cents[line, source]
        _add_legs(cents, order, group, source, used.cost_legs, charge)
    return amounts


def _paid_steps(used: Used, stops: IntArray, sources: int) -> IntArray:
    """Priority steps that an earlier iteration pays for each of these stops; -1 where it pays no shipment."""
    paid = np.full(len(stops), -1, dtype=np.int64)
    for (order, source), steps in used.paid_steps.items():
        position = int(np.searchsorted(stops, order * sources + source))
        if position < len(stops) and stops[position] == order * sources + source:
            paid[position] = steps
    return paid


def _add_legs(
    amounts: IntArray, order: IntArray, group: IntArray, source: IntArray, paid: Collection[Journey], charge: IntArray
) -> None:
    """Each way from a source is paid once by the lines of an order that travel together."""
    groups, sources = int(group.max()) + 1, int(source.max()) + 1
    _, first = np.unique((order * groups + group) * sources + source, return_index=True)
    due = charge[first].astype(np.int64)
    if paid:
        legs = zip(order[first].tolist(), group[first].tolist(), source[first].tolist(), strict=True)
        due[[leg in paid for leg in legs]] = 0
    np.add.at(amounts, order[first], due)


def _add_parts(
    amounts: IntArray, costs: PairCosts, used: Used, line: IntArray, source: IntArray, order: IntArray
) -> None:
    """A line pays once for each of its sources."""
    _, first = np.unique(line * (int(source.max()) + 1) + source, return_index=True)
    due = costs.part_cents[line[first], source[first]].astype(np.int64)
    if used.line_sources:
        parts = zip(line[first].tolist(), source[first].tolist(), strict=True)
        due[[part in used.line_sources for part in parts]] = 0
    np.add.at(amounts, order[first], due)
