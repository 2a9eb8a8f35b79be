"""From a finished plan and its request back to the problems that it answers, without solving anything."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from dom_core.domain.batch import Batch
from dom_core.domain.ids import LineId, OrderId, SourceId
from dom_core.domain.plan import Plan
from dom_core.domain.request import PlanRequest
from dom_core.errors import NotFound
from dom_core.optimizer.costs import Flow
from dom_core.optimizer.explanation import Judge
from dom_core.optimizer.pipeline import open_lines
from dom_core.optimizer.relaxation import IterationResult, Prepared, Scale, TwoIterations, in_round, prepare
from dom_core.optimizer.takings import Takings

LineKey = tuple[OrderId, LineId]


def rebuild(request: PlanRequest, plan: Plan, order_ids: Collection[OrderId] | None = None) -> TwoIterations:
    """Both iterations as the plan answers them: of all orders, or of these. The plan must be one of this request.

    What orders share, the largest distance and the rates, is the plan's, so that each can be looked at alone.
    """
    if order_ids is not None:
        request = replace(request, orders=tuple(order for order in request.orders if order.id in order_ids))
        plan = replace(plan, lines=tuple(line for line in plan.lines if line.order_id in order_ids))
    batch, _ = open_lines(request)
    rates = {value.level: value.rate for value in plan.iterations[0].levels}
    prepared = prepare(batch, Scale(plan.largest_distance_km, rates))
    first, second = flows_of(plan, batch, 1), flows_of(plan, batch, 2)
    leftover = prepared.leftover(first)
    return TwoIterations(
        IterationResult(prepared.strict, prepared.problem, first, plan.iterations[0]),
        IterationResult(prepared.relaxed, leftover, second, plan.iterations[1], tuple(_rounds(prepared, plan))),
        plan.largest_distance_km,
        tried=plan.rounds is not None,
    )


def judge_of(request: PlanRequest, plan: Plan, order_ids: Collection[OrderId] | None = None) -> Judge:
    """The judge of a finished plan: of all its orders, or of these."""
    return Judge(rebuild(request, plan, order_ids), Takings.of_plan(plan))


def _rounds(prepared: Prepared, plan: Plan) -> Iterator[IterationResult]:
    """The rounds of iteration 2, each under the rules that it kept."""
    problem = prepared.problem
    for number, dropped in enumerate(plan.rounds or (), start=1):
        flows = flows_of(plan, problem.batch, 2, number)
        found = in_round(prepared.relaxed, dropped)
        yield IterationResult(found, problem, flows, plan.iterations[1], dropped=dropped)


def flows_of(plan: Plan, batch: Batch, iteration: int, round: int | None = None) -> tuple[Flow, ...]:
    """What the plan moves in an iteration, or in one round of it, by positions."""
    lines, sources = line_positions(batch), source_positions(batch)
    return tuple(
        sorted(
            (lines[line.order_id, line.line_id], sources[assignment.source_id], assignment.units)
            for line in plan.lines
            for assignment in line.assignments
            if assignment.iteration == iteration and round in (None, assignment.round)
        )
    )


def line_positions(batch: Batch) -> Mapping[LineKey, int]:
    """Where each line stands in the batch."""
    return {(batch.order(row).id, line.id): row for row, line in enumerate(batch.lines)}


def source_positions(batch: Batch) -> Mapping[SourceId, int]:
    """Where each source stands in the batch."""
    return {source.id: column for column, source in enumerate(batch.sources)}


def line_position(batch: Batch, order_id: OrderId, line_id: LineId) -> int:
    """Where the line stands. Raises NotFound for one that the run did not take."""
    position = line_positions(batch).get((order_id, line_id))
    if position is None:
        raise NotFound("line in this plan", f"{order_id}/{line_id}")
    return position
