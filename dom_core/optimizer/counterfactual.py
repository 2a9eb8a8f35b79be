"""What if a line had to ship from a certain source? The plan again with that one choice made.

Objections of rules to the pair are set aside for this pair alone, and named; gates are not: what they refuse stays
refused. Rates are those of the plan, so that totals compare.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from dom_core.domain.batch import Batch
from dom_core.domain.explanation import Counterfactual, LevelChange, LineChange, Share
from dom_core.domain.ids import RuleId, SourceId
from dom_core.domain.plan import Ending, IterationReport, Level, LevelValue, Plan, PlanLine
from dom_core.domain.reason import Reason, Verdict
from dom_core.domain.request import PlanRequest
from dom_core.errors import InvalidInput, SolverFailed
from dom_core.errors import Problem as Fault
from dom_core.optimizer import activation, forcing
from dom_core.optimizer.candidates import ALLOWED, Candidates
from dom_core.optimizer.costs import Flow
from dom_core.optimizer.forcing import Forced
from dom_core.optimizer.objective import levels_of
from dom_core.optimizer.performing import LocalCrew
from dom_core.optimizer.pipeline import open_lines
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.rebuilding import line_position, source_positions
from dom_core.optimizer.relaxation import IterationResult, Prepared, prepare, second_iteration
from dom_core.optimizer.solving import Solver
from dom_core.rules.base import CapacityLimit, SplitLimits

PARTIAL_ORDERS = "partial_orders"
MAXIMUM_ORDERS = "maximum_orders"


def what_if(request: PlanRequest, plan: Plan, line: PlanLine, source_id: SourceId, solver: Solver) -> Counterfactual:
    """The plan's counterpart in which the line takes at least a unit from the source, in iteration 1.

    Raises InvalidInput for a source that is not in the strategy's list, and SolverFailed where no such plan is found
    within the strategy's limits.
    """
    batch, _ = open_lines(request)
    column = source_positions(batch).get(source_id)
    if column is None:
        raise InvalidInput([Fault("force", f"there is no source '{source_id}' in the strategy's list")], "question")
    question = _Question(prepare(batch), line_position(batch, line.order_id, line.line_id), column)
    gate = question.gate()
    if gate:
        return Counterfactual(source_id, refused=gate)
    lifted, opened, crew = question.objections(), question.forced(), LocalCrew(solver)
    made = forcing.solve(opened.problem, plan, crew)
    if made.is_impossible:
        # No split of the order allows it: what if this one order might be split at will?
        lifted, opened = lifted + question.split_objections(), question.forced(splitting=True)
        made = forcing.solve(opened.problem, plan, crew)
    if not made.is_kept:
        raise SolverFailed("no plan with the forced choice was found within the strategy's limits")
    return _compared(plan, question, lifted, opened.problem, made, second_iteration(opened, made.flows, crew))


@dataclass(frozen=True, slots=True)
class _Question:
    """A run that is ready to be solved, and the pair that is forced."""

    prepared: Prepared
    line: int
    source: int

    @property
    def batch(self) -> Batch:
        """The run's lines and sources."""
        return self.prepared.problem.batch

    @property
    def found(self) -> Candidates:
        """The candidates of iteration 1."""
        return self.prepared.strict

    def gate(self) -> Reason | None:
        """What never lets the source serve the line. Gates come first, so any other objection is a rule's."""
        first = int(self.found.rejected_by[self.line, self.source])
        if first == ALLOWED or self.found.objections[first].rule_id is not None:
            return None
        return next(self.found.reasons(self.line, self.source))

    def objections(self) -> tuple[Reason, ...]:
        """Every rule's objection to the pair."""
        by_pair = self.found.reasons(self.line, self.source)
        return (*by_pair, *(_no_room(capacity) for capacity in self._full()))

    def _full(self) -> list[CapacityLimit]:
        """Limits at the source that earlier plans have used up."""
        return [capacity for capacity in self.found.capacities if self._shuts_out(capacity)]

    def _shuts_out(self, capacity: CapacityLimit) -> bool:
        order = int(self.batch.order_of[self.line])
        known = not capacity.per_line and (order, self.source) in capacity.counted
        written_in = self.batch.is_write_in(self.line)
        return self.source in capacity.sources and capacity.remaining == 0 and not known and not written_in

    def split_objections(self) -> tuple[Reason, ...]:
        """The rules that limit how the order is split; the limits that hold without any rule where there is none."""
        request = self.batch.request
        ids: list[RuleId | None] = [
            active.rule.id
            for active in activation.in_iteration(request, 1)
            if active.in_force(request) and active.rule.split_limits(self.batch) is not None
        ]
        return tuple(Reason(Verdict.EXCLUDED, PARTIAL_ORDERS, rule_id) for rule_id in ids or [None])

    def forced(self, *, splitting: bool = False) -> Prepared:
        """The run with the choice made. `splitting`: this order may be split at will."""
        problem = self.prepared.problem
        allowed, stock = problem.allowed.copy(), problem.stock.copy()
        allowed[self.line, self.source] = True
        cell = (int(self.batch.product_of[self.line]), self.source)
        if stock[cell] < 1:
            # All of it is ring-fenced, so that no other line may draw on it: opening the cell opens it for this one.
            stock[cell] = min(int(self.batch.available[cell]), int(self.batch.units[self.line]))
        limits = list(problem.split_limits)
        if splitting:
            limits[int(self.batch.order_of[self.line])] = SplitLimits()
        opened = replace(
            problem,
            allowed=allowed,
            stock=stock,
            capacities=tuple(replace(c, remaining=1) if self._shuts_out(c) else c for c in problem.capacities),
            split_limits=tuple(limits),
            forced=((self.line, self.source),),
        )
        return replace(self.prepared, problem=opened)


def _no_room(capacity: CapacityLimit) -> Reason:
    unit = "lines" if capacity.per_line else "orders"
    return Reason(Verdict.TAKEN, MAXIMUM_ORDERS, capacity.rule_id, f"0 more {unit}")


def _compared(
    plan: Plan, question: _Question, lifted: tuple[Reason, ...], problem: Problem, made: Forced, second: IterationResult
) -> Counterfactual:
    levels = tuple(_level_changes(plan.iterations, levels_of(problem, made.flows), second.report.levels))
    changes = list(_line_changes(plan, (*made.flows, *second.flows), question.batch))
    key = (question.batch.order(question.line).id, question.batch.lines[question.line].id)
    endings = (*(report.ending for report in plan.iterations), made.ending, second.report.ending)
    return Counterfactual(
        source_id=question.batch.sources[question.source].id,
        refused=None,
        lifted=lifted,
        proven=made.whole and all(ending is Ending.OPTIMAL for ending in endings),
        total_before=sum(change.before * change.rate for change in levels),
        total_after=sum(change.after * change.rate for change in levels),
        levels=levels,
        line=next((change for change in changes if (change.order_id, change.line_id) == key), None),
        displaced=tuple(change for change in changes if (change.order_id, change.line_id) != key),
        rivals_only=None if made.whole else made.lines,
    )


def _level_changes(
    before: Sequence[IterationReport], first: Sequence[LevelValue], second: Sequence[LevelValue]
) -> Iterator[LevelChange]:
    for position, value in enumerate(first):
        old = _amount([report.levels for report in before], position)
        new = _amount([first, second], position)
        yield LevelChange(value.level, value.rate, old, new, (new - old) * value.rate)


def _amount(iterations: Sequence[Sequence[LevelValue]], position: int) -> int:
    """A level of the finished plan: what both iterations spend, but only those units that the last leaves unfilled."""
    level = iterations[0][position].level
    counted = iterations[-1:] if level is Level.UNFILLED_UNITS else iterations
    return sum(levels[position].amount for levels in counted)


def _line_changes(plan: Plan, flows: Iterable[Flow], batch: Batch) -> Iterator[LineChange]:
    after: dict[tuple[str, str], Counter[SourceId]] = {}
    for line, source, units in flows:
        shares = after.setdefault((batch.order(line).id, batch.lines[line].id), Counter())
        shares[batch.sources[source].id] += units
    for planned in plan.lines:
        before = Counter[SourceId]()
        for assignment in planned.assignments:
            before[assignment.source_id] += assignment.units
        now = after.get((planned.order_id, planned.line_id), Counter())
        if now != before:
            yield LineChange(planned.order_id, planned.line_id, _shares(before), _shares(now))


def _shares(units: Counter[SourceId]) -> tuple[Share, ...]:
    return tuple(Share(source_id, units[source_id]) for source_id in sorted(units))
