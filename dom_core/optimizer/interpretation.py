"""From flows to a plan: assignments, exceptions, reasons and figures in domain words."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from dom_core import __version__
from dom_core.domain.batch import UNKNOWN_DISTANCE_M, Batch
from dom_core.domain.order import ExceptionKind
from dom_core.domain.plan import HeldLine, Plan, PlanAssignment, PlanLine, PlanState
from dom_core.domain.request import PlanRequest
from dom_core.domain.strategy import DistanceMode, RuleRecord
from dom_core.optimizer import activation, hashing, verdicts
from dom_core.optimizer.relaxation import TwoIterations
from dom_core.rules import build, kinds
from dom_core.rules.base import Violation


def to_plan(batch: Batch, held: Sequence[HeldLine], iterations: TwoIterations) -> Plan:
    """The plan of a run. Assignments of iteration 2 name the soft rules that they break."""
    request = batch.request
    plan = Plan(
        id=request.plan_id,
        run_id=request.run_id,
        strategy_id=request.strategy.id,
        state=PlanState.SIMULATED if request.strategy.simulation else PlanState.PROPOSED,
        planned_at=request.now,
        engine_version=__version__,
        configuration_hash=hashing.configuration_hash(request),
        input_hash=hashing.input_hash(request),
        lines=_lines(batch, iterations),
        held=tuple(held),
        iterations=tuple(result.report for result in iterations.results),
        reasons=verdicts.reason_table(iterations),
        rounds=tuple(result.dropped for result in iterations.second.rounds) if iterations.tried else None,
        proofs=tuple(result.proof for result in iterations.results if result.proof),
        largest_distance_km=iterations.largest_distance_km,
        warnings=tuple(_warnings(request, iterations)),
    )
    return _name_relaxed_rules(request, plan)


def _warnings(request: PlanRequest, iterations: TwoIterations) -> Iterator[str]:
    for trouble in sorted({trouble for result in iterations.results for trouble in result.troubles}):
        yield f"The solver failed, so that the search alone made this plan: {trouble}"
    if request.strategy.distance_mode is DistanceMode.ROAD:
        yield "Distances by road are not known here: the great circle is used, for limits and for the objective."


def _lines(batch: Batch, iterations: TwoIterations) -> tuple[PlanLine, ...]:
    flows = [
        (result.report.number, number, flow)
        for result in iterations.results
        for number, part in enumerate(result.rounds or (result,), start=1)
        for flow in part.flows
    ]
    costs = iterations.first.problem.costs
    items = costs.items([flow for _, _, flow in flows]) if costs else {}
    by_line: dict[int, list[PlanAssignment]] = defaultdict(list)
    for position, (iteration, number, (line, source, units)) in enumerate(flows):
        by_line[line].append(
            PlanAssignment(
                source_id=batch.sources[source].id,
                units=units,
                distance_m=_distance(batch, line, source),
                iteration=iteration,
                costs=items.get(position, ()),
                round=number,
            )
        )
    return tuple(_line(batch, iterations, line, by_line[line]) for line in range(len(batch.lines)))


def _line(batch: Batch, iterations: TwoIterations, line: int, made: Sequence[PlanAssignment]) -> PlanLine:
    order, demand = batch.order(line), batch.lines[line]
    assignments = tuple(sorted(made, key=lambda made: (made.source_id, made.iteration, made.round)))
    filled = sum(assignment.units for assignment in assignments)
    return PlanLine(
        order_id=order.id,
        line_id=demand.id,
        order_version=order.version,
        product_id=demand.product_id,
        units=demand.units,
        assignments=assignments,
        exception=None if filled == demand.units else _exception(batch, iterations, line),
    )


def _distance(batch: Batch, line: int, source: int) -> int | None:
    metres = int(batch.distance_m[line, source])
    return None if metres == UNKNOWN_DISTANCE_M else metres


def _exception(batch: Batch, iterations: TwoIterations, line: int) -> ExceptionKind:
    """Why a line stays short: nothing there, nobody allowed, or no room in the plan."""
    product = int(batch.product_of[line])
    if not (batch.available[product] >= 1).any():
        return ExceptionKind.NO_QUANTITY
    last = iterations.second
    allowed = last.candidates.allowed[line]
    if not allowed.any():
        return ExceptionKind.NO_SOURCE
    left = last.problem.stock[product].copy()
    for other, source, units in last.flows:
        if int(batch.product_of[other]) == product:
            left[source] -= units
    missing = int(last.problem.wanted[line])
    enough = 1 if last.candidates.split_limits[int(batch.order_of[line])].partial_lines else missing
    return ExceptionKind.NOT_IN_PLAN if int(left[allowed].sum()) >= enough else ExceptionKind.NO_QUANTITY


def _name_relaxed_rules(request: PlanRequest, plan: Plan) -> Plan:
    """Write on each assignment of iteration 2 which soft rules it breaks."""
    if not any(assignment.iteration == 2 for line in plan.lines for assignment in line.assignments):
        return plan
    broken = [
        violation
        for record in activation.breakable_rules(request)
        for violation in build(record).violations(request, plan)
        if _in_force(request, record, violation)
    ]
    lines = tuple(_with_relaxed(line, broken) for line in plan.lines)
    return replace(plan, lines=lines)


def _in_force(request: PlanRequest, record: RuleRecord, violation: Violation) -> bool:
    source = next((source for source in request.sources if source.id == violation.source_id), None)
    return request.in_force_at(record, source if kinds()[record.kind].dated_by_source else None)


def _with_relaxed(line: PlanLine, broken: Sequence[Violation]) -> PlanLine:
    def relaxed(assignment: PlanAssignment) -> PlanAssignment:
        if assignment.iteration != 2:
            return assignment
        names = {violation.rule_id for violation in broken if _concerns(violation, line, assignment)}
        return replace(assignment, relaxed_rule_ids=tuple(sorted(names)))

    return replace(line, assignments=tuple(relaxed(assignment) for assignment in line.assignments))


def _concerns(violation: Violation, line: PlanLine, assignment: PlanAssignment) -> bool:
    return (
        violation.order_id in (None, line.order_id)
        and violation.line_id in (None, line.line_id)
        and violation.source_id in (None, assignment.source_id)
    )
