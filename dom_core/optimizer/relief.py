"""The smallest set of rules without which an unfilled line would have been placed.

Sets are tried by increasing size, and in the order of kind and id, so the answer is always the same. For each the order
is planned alone, against the stock and the room that the plan leaves it. Lines of the order that the plan fills keep
their units, though perhaps from elsewhere: what one line gains, another may not lose.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations

import numpy as np

from dom_core.domain.batch import Batch
from dom_core.domain.explanation import Relief, Share, SourceExplanation, source_explanation
from dom_core.domain.ids import OrderId, RuleId, SourceId
from dom_core.domain.network import WRITE_IN_PRODUCT_ID
from dom_core.domain.plan import Plan, PlanLine
from dom_core.domain.reason import Reason, Verdict
from dom_core.domain.request import PlanRequest, SourceLoad
from dom_core.domain.strategy import Objective, ObjectiveMode, Rates, RuleRecord, SolverLimits
from dom_core.optimizer import candidates
from dom_core.optimizer.explanation import Judge
from dom_core.optimizer.performing import LocalCrew
from dom_core.optimizer.pipeline import open_lines
from dom_core.optimizer.rebuilding import line_position
from dom_core.optimizer.relaxation import Prepared, prepare, solve_both
from dom_core.optimizer.solving import Solver
from dom_core.optimizer.takers import STOCK, holders
from dom_core.rules import kinds

_LARGEST_SETS = ((10, 3), (25, 2))
"""Up to so many rules, sets of up to so many are tried; beyond, each rule alone. Never more than some 325 sets."""

_ONLY_UNITS = Rates(unfilled_unit=1, shipment=0, priority_step=0, kilometre=0)
"""Whether a line can be placed at all, whatever it costs."""


def smallest_relief(request: PlanRequest, plan: Plan, line: PlanLine, solver: Solver, judge: Judge) -> Relief:
    """What would place a line that the plan leaves unfilled. The `judge` is the plan's, and knows the line's order."""
    question = _Question(left_for(request, plan, line.order_id), plan, line, solver)
    rules = [rule.id for rule in relaxable_rules(request)]
    largest = next((size for most, size in _LARGEST_SETS if len(rules) <= most), 1)
    partly: tuple[tuple[RuleId, ...], tuple[Share, ...]] | None = None
    for rule_ids in _sets(rules, largest):
        shares = question.shares_without(rule_ids)
        units = sum(share.units for share in shares)
        if units == line.units:
            return Relief(rule_ids, shares, tuple(rules), largest)
        if partly is None and units > line.filled_units:
            partly = (rule_ids, shares)
    if partly:
        return Relief(*partly, tuple(rules), largest)
    return Relief(None, (), tuple(rules), largest, tuple(_blocked(judge, line)))


def relaxable_rules(request: PlanRequest) -> list[RuleRecord]:
    """The linked rules that are in force somewhere, by kind and id; without gates, which nothing relaxes."""
    return [
        rule
        for rule in request.rules_enabled()
        if not kinds()[rule.kind].never_relaxed
        and (request.in_force_at(rule) or any(request.in_force_at(rule, source) for source in request.sources))
    ]


def left_for(request: PlanRequest, plan: Plan, order_id: OrderId) -> PlanRequest:
    """The request of one order alone, with the stock and the room that the plan's other orders leave it."""
    available = Counter(request.available)
    visits: dict[SourceId, list[PlanLine]] = {}
    for line in plan.lines:
        for assignment in line.assignments if line.order_id != order_id else ():
            available[line.product_id, assignment.source_id] -= assignment.units
            if line.product_id != WRITE_IN_PRODUCT_ID:
                visits.setdefault(assignment.source_id, []).append(line)
    return replace(
        request,
        orders=tuple(order for order in request.orders if order.id == order_id),
        available={cell: max(0, units) for cell, units in available.items()},
        loads={**request.loads, **{at: _with_visits(request.load(at), lines) for at, lines in visits.items()}},
    )


def _with_visits(load: SourceLoad, lines: Sequence[PlanLine]) -> SourceLoad:
    orders = frozenset(line.order_id for line in lines)
    served = {(line.order_id, line.line_id) for line in lines}
    return SourceLoad(load.open_order_ids | orders, load.order_ids_today | orders, load.lines_today + len(served))


def _sets(rules: Sequence[RuleId], largest: int) -> Iterator[tuple[RuleId, ...]]:
    return chain.from_iterable(combinations(rules, size) for size in range(largest + 1))


@dataclass(frozen=True, slots=True)
class _Question:
    """The order alone, and the line in question."""

    left: PlanRequest
    plan: Plan
    line: PlanLine
    solver: Solver

    def shares_without(self, rule_ids: Sequence[RuleId]) -> tuple[Share, ...]:
        """What the line gets when these rules are gone, unless another line of its order pays for it."""
        rules = tuple(rule for rule in self.left.rules if rule.id not in rule_ids)
        strategy = replace(
            self.left.strategy,
            objective=Objective.CLOSEST,
            objective_mode=ObjectiveMode.RATES,
            rates=_ONLY_UNITS,
            limits=SolverLimits(),
        )
        batch, _ = open_lines(replace(self.left, rules=rules, strategy=strategy))
        row = line_position(batch, self.line.order_id, self.line.line_id)
        prepared = prepare(batch)
        if not _has_a_source(prepared, row):
            return ()
        wanted = self._wanted(batch)
        solved = solve_both(replace(prepared, problem=replace(prepared.problem, wanted=wanted)), LocalCrew(self.solver))
        flows = [flow for result in solved.results for flow in result.flows]
        filled = Counter[int]()
        for other, _, units in flows:
            filled[other] += units
        if any(filled[other] < units for other, units in self._kept(batch).items() if other != row):
            return ()
        served = Counter[SourceId]()
        for other, source, units in flows:
            if other == row:
                served[batch.sources[source].id] += units
        return tuple(Share(source_id, units) for source_id, units in sorted(served.items()))

    def _wanted(self, batch: Batch) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
        """The line in full, and what the plan gives the others of its order. An order with nothing is tried whole."""
        kept = self._kept(batch)
        if not any(kept.values()):
            return batch.units.copy()
        row = line_position(batch, self.line.order_id, self.line.line_id)
        return np.array([int(batch.units[at]) if at == row else kept[at] for at in range(len(batch.lines))], np.int64)

    def _kept(self, batch: Batch) -> dict[int, int]:
        """The units that the plan gives each line of the order."""
        filled = {line.line_id: line.filled_units for line in self.plan.lines if line.order_id == self.line.order_id}
        return {row: filled.get(line.id, 0) for row, line in enumerate(batch.lines)}


def _has_a_source(prepared: Prepared, row: int) -> bool:
    """Whether any source that may serve the line has a unit for it, in any iteration: else no solver is needed."""
    product = prepared.problem.batch.product_of[row]
    return any(
        bool((found.allowed[row] & (found.stock[product] >= 1)).any()) for found in (prepared.strict, prepared.relaxed)
    )


def _blocked(judge: Judge, line: PlanLine) -> Iterator[SourceExplanation]:
    """The gate, or the lines that have the stock, at each source where a line could not be placed under any rules."""
    batch = judge.batch
    row = line_position(batch, line.order_id, line.line_id)
    ungoverned = candidates.generate(batch, ())
    for column, source in enumerate(batch.sources):
        gate = next(ungoverned.reasons(row, column), None)
        if gate:
            yield source_explanation(source.id, gate)
            continue
        there = int(batch.available[batch.product_of[row], column])
        taken_by = holders(judge, row, column)
        left = there - sum(taker.units or 0 for taker in taken_by)
        if left < line.units and taken_by:
            limit, actual = f"{there} units", f"{left} units left"
            yield source_explanation(source.id, Reason(Verdict.TAKEN, STOCK, None, limit, actual), taken_by)
        elif left < line.units:
            few = Reason(Verdict.EXCLUDED, "no_stock", None, f"{line.units} units", f"{there} units")
            yield source_explanation(source.id, few)
