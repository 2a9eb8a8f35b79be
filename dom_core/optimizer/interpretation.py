"""From flows to a plan: assignments, exceptions, reasons and figures in domain words."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from dom_core import __version__
from dom_core.domain.batch import UNKNOWN_DISTANCE_M, Batch
from dom_core.domain.ids import LineId, OrderId, RuleId, SourceId
from dom_core.domain.order import ExceptionKind
from dom_core.domain.plan import HeldLine, Plan, PlanAssignment, PlanLine, PlanState
from dom_core.domain.reason import IntArray
from dom_core.domain.request import PlanRequest
from dom_core.domain.roads import RoadTable
from dom_core.domain.strategy import DistanceMode
from dom_core.optimizer import activation, by_road, hashing, verdicts
from dom_core.optimizer.by_road import Estimates
from dom_core.optimizer.candidates import ALLOWED
from dom_core.optimizer.costs import flow_table
from dom_core.optimizer.relaxation import IterationResult, TwoIterations
from dom_core.rules import build, kinds
from dom_core.watch import UNWATCHED, Watch


def to_plan(batch: Batch, held: Sequence[HeldLine], iterations: TwoIterations, watch: Watch = UNWATCHED) -> Plan:
    """The plan of a run. Assignments of iteration 2 name the soft rules that they break."""
    request, estimates = batch.request, by_road.estimates(batch)
    watch.go_on()
    hashes = hashing.hashes(request, watch)
    plan = Plan(
        id=request.plan_id,
        run_id=request.run_id,
        strategy_id=request.strategy.id,
        state=PlanState.SIMULATED if request.strategy.simulation else PlanState.PROPOSED,
        planned_at=request.now,
        engine_version=__version__,
        configuration_hash=hashes.configuration,
        input_hash=hashes.request,
        lines=_lines(batch, iterations, estimates, watch),
        held=tuple(held),
        iterations=tuple(result.report for result in iterations.results),
        reasons=verdicts.reason_table(iterations, watch),
        rounds=tuple(result.dropped for result in iterations.second.rounds) if iterations.tried else None,
        proofs=tuple(result.proof for result in iterations.results if result.proof),
        largest_distance_km=iterations.largest_distance_km,
        warnings=tuple(_warnings(request, iterations, estimates)),
    )
    return _name_relaxed_rules(request, plan, watch)


def _warnings(request: PlanRequest, iterations: TwoIterations, estimates: Estimates) -> Iterator[str]:
    for trouble in sorted({trouble for result in iterations.results for trouble in result.troubles}):
        yield f"The solver failed, so that the search alone made this plan: {trouble}"
    if request.roads is not None:
        yield from _gaps(request.roads, *estimates.among(iterations.second.candidates.allowed))
    elif request.strategy.distance_mode is DistanceMode.ROAD:
        yield "Distances by road are not known here: the great circle is used, for limits and for the objective."


def _gaps(roads: RoadTable, estimated: int, pairs: int) -> Iterator[str]:
    """What a plan says where ways were not measured, with the reason if there should have been an answer."""
    if estimated:
        yield (
            f"{estimated:,} of {pairs:,} distances by road, of lines and sources that may serve them, are estimates "
            f"({roads.circuity_percent} % of the great circle): {roads.engine} did not measure them"
            + (f"; {roads.fault}." if roads.fault else ".")
        )


def _lines(batch: Batch, iterations: TwoIterations, estimates: Estimates, watch: Watch) -> tuple[PlanLine, ...]:
    flows = [
        (result.report.number, number, flow)
        for result in iterations.results
        for number, part in enumerate(result.rounds or (result,), start=1)
        for flow in part.flows
    ]
    costs = iterations.first.problem.costs
    items = costs.items([flow for _, _, flow in flows]) if costs else {}
    by_line: dict[int, list[PlanAssignment]] = defaultdict(list)
    for position, (iteration, number, (line, source, units)) in enumerate(watch.each(flows)):
        by_line[line].append(
            PlanAssignment(
                source_id=batch.sources[source].id,
                units=units,
                distance_m=_distance(batch, line, source),
                iteration=iteration,
                costs=items.get(position, ()),
                round=number,
                distance_estimated=estimates.of(line, source),
            )
        )
    left = _left(iterations.second)
    return tuple(_line(batch, iterations, line, by_line[line], left) for line in watch.each(range(len(batch.lines))))


def _line(
    batch: Batch, iterations: TwoIterations, line: int, made: Sequence[PlanAssignment], left: IntArray
) -> PlanLine:
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
        exception=None if filled == demand.units else _exception(batch, iterations, line, left),
    )


def _distance(batch: Batch, line: int, source: int) -> int | None:
    metres = int(batch.metres[line, source])
    return None if metres == UNKNOWN_DISTANCE_M else metres


def _exception(batch: Batch, iterations: TwoIterations, line: int, left: IntArray) -> ExceptionKind:
    """Why a line stays short: nothing there, nobody allowed, or no room in the plan."""
    cells = int(batch.product_of[line])
    if not (batch.available[cells] >= 1).any():
        return ExceptionKind.NO_QUANTITY
    last = iterations.second
    allowed = last.candidates.rejected_by[line] == ALLOWED
    if not allowed.any():
        return ExceptionKind.NO_SOURCE
    missing = int(last.problem.wanted[line])
    enough = 1 if last.candidates.split_limits[int(batch.order_of[line])].partial_lines else missing
    return ExceptionKind.NOT_IN_PLAN if int(left[cells][allowed].sum()) >= enough else ExceptionKind.NO_QUANTITY


def _left(last: IterationResult) -> IntArray:
    """Units of each cell (P, S) that the last iteration leaves."""
    left = last.problem.stock.copy()
    line, source, units = flow_table(last.flows)
    np.subtract.at(left, (last.problem.batch.product_of[line], source), units)
    return left


def _name_relaxed_rules(request: PlanRequest, plan: Plan, watch: Watch) -> Plan:
    """Write on each assignment of iteration 2 which soft rules it breaks."""
    if not any(assignment.iteration == 2 for line in plan.lines for assignment in line.assignments):
        return plan
    sources = {source.id: source for source in request.sources}
    broken: dict[Place, set[RuleId]] = defaultdict(set)
    for record in activation.breakable_rules(request):
        for found in build(record).violations(request, plan, watch):
            source = sources.get(found.source_id or "") if kinds()[record.kind].dated_by_source else None
            if request.in_force_at(record, source):
                broken[found.order_id, found.line_id, found.source_id].add(found.rule_id)
    return replace(plan, lines=tuple(_with_relaxed(line, broken) for line in watch.each(plan.lines)))


Place = tuple[OrderId | None, LineId | None, SourceId | None]
"""What a violation concerns; all orders, lines or sources where it names none."""


def _with_relaxed(line: PlanLine, broken: Mapping[Place, Collection[RuleId]]) -> PlanLine:
    def relaxed(made: PlanAssignment) -> PlanAssignment:
        if made.iteration != 2:
            return made
        places = product((line.order_id, None), (line.line_id, None), (made.source_id, None))
        names = {rule_id for place in places for rule_id in broken.get(place, ())}
        return replace(made, relaxed_rule_ids=tuple(sorted(names)))

    if all(made.iteration != 2 for made in line.assignments):
        return line
    return replace(line, assignments=tuple(relaxed(made) for made in line.assignments))
