"""From a finished plan and its request back to the problems that it answers, without solving anything."""

from collections.abc import Mapping

from dom_core.domain.batch import Batch
from dom_core.domain.ids import LineId, OrderId, SourceId
from dom_core.domain.plan import Plan
from dom_core.domain.request import PlanRequest
from dom_core.errors import NotFound
from dom_core.optimizer.costs import Flow
from dom_core.optimizer.pipeline import open_lines
from dom_core.optimizer.relaxation import IterationResult, TwoIterations, prepare

LineKey = tuple[OrderId, LineId]


def rebuild(request: PlanRequest, plan: Plan) -> TwoIterations:
    """Both iterations as the plan answers them. The plan must be one of this request."""
    batch, _ = open_lines(request)
    prepared = prepare(batch)
    first_flows, second_flows = flows_of(plan, batch, 1), flows_of(plan, batch, 2)
    leftover = prepared.leftover(first_flows)
    return TwoIterations(
        IterationResult(prepared.strict, prepared.problem, first_flows, plan.iterations[0]),
        IterationResult(prepared.relaxed, leftover, second_flows, plan.iterations[1]),
        prepared.problem.largest_km,
    )


def flows_of(plan: Plan, batch: Batch, iteration: int) -> tuple[Flow, ...]:
    """What the plan moves in an iteration, by positions."""
    lines, sources = line_positions(batch), source_positions(batch)
    return tuple(
        sorted(
            (lines[line.order_id, line.line_id], sources[assignment.source_id], assignment.units)
            for line in plan.lines
            for assignment in line.assignments
            if assignment.iteration == iteration
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
