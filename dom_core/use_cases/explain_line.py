"""Explain a line of a plan: each source's reason, what would place it, and what another choice would have changed."""

from collections.abc import Iterator
from dataclasses import replace

from dom_core.domain.explanation import LineExplanation, SourceExplanation, source_explanation
from dom_core.domain.ids import LineId, OrderId, PlanId, SourceId
from dom_core.domain.plan import Fulfillment, HeldLine, Plan
from dom_core.domain.request import PlanRequest
from dom_core.errors import Conflict, NotFound
from dom_core.optimizer.counterfactual import what_if
from dom_core.optimizer.explanation import Judge
from dom_core.optimizer.rebuilding import judge_of, line_position
from dom_core.optimizer.relief import smallest_relief
from dom_core.optimizer.solving import Solver
from dom_core.optimizer.takers import takers
from dom_core.use_cases.context import Ports
from dom_core.use_cases.replay_plan import require_own_request, stored_plan


def explain_line(
    ports: Ports, plan_id: PlanId, order_id: OrderId, line_id: LineId, force: SourceId | None = None
) -> LineExplanation:
    """Explain a line of a stored plan. Raises what `explain` raises, and NotFound for an unknown plan."""
    plan, request = stored_plan(ports, plan_id)
    return explain(plan, request, ports.solver, (order_id, line_id), force)


def explain(
    plan: Plan, request: PlanRequest, solver: Solver, line: tuple[OrderId, LineId], force: SourceId | None = None
) -> LineExplanation:
    """Everything there is to say about a line (order, line); with `force`, what that source would have changed.

    Raises NotFound for a line that the plan does not know, InvalidInput for a source that is not in the strategy's
    list, and Conflict for a plan of another request, or for a question about a line that the run did not take.
    """
    require_own_request(plan, request)
    position = plan.position(*line)
    if position is None:
        return _held(plan, request, line, force)
    explained = _planned(plan, request, solver, position)
    if force is None:
        return explained
    return replace(explained, counterfactual=what_if(request, plan, plan.lines[position], force, solver))


def _planned(plan: Plan, request: PlanRequest, solver: Solver, position: int) -> LineExplanation:
    line = plan.lines[position]
    judge = judge_of(request, plan, {line.order_id})
    sources = tuple(_sources(judge, line_position(judge.batch, line.order_id, line.line_id)))
    unfilled = line.filled_units < line.units
    return LineExplanation(
        plan_id=plan.id,
        order_id=line.order_id,
        line_id=line.line_id,
        product_id=line.product_id,
        units=line.units,
        filled_units=line.filled_units,
        fulfillment=line.fulfillment,
        exception=line.exception,
        assignments=line.assignments,
        sources=sources,
        relief=smallest_relief(request, plan, line, solver, judge) if unfilled else None,
    )


def _sources(judge: Judge, line: int) -> Iterator[SourceExplanation]:
    for column, source in enumerate(judge.batch.sources):
        reason = judge.reason(line, column)
        yield source_explanation(source.id, reason, takers(judge, line, column, reason))


def _held(plan: Plan, request: PlanRequest, line: tuple[OrderId, LineId], force: SourceId | None) -> LineExplanation:
    held = next((held for held in plan.held if (held.order_id, held.line_id) == line), None)
    if held is None:
        raise NotFound("line in this plan", "/".join(line))
    if force is not None:
        raise Conflict(
            f"the run did not take line '{'/'.join(line)}' ({held.reason.code}): "
            "nothing can be forced; ask without 'force'"
        )
    return _not_taken(plan, request, held)


def _not_taken(plan: Plan, request: PlanRequest, held: HeldLine) -> LineExplanation:
    demand = next(
        line for order in request.orders if order.id == held.order_id for line in order.lines if line.id == held.line_id
    )
    return LineExplanation(
        plan_id=plan.id,
        order_id=held.order_id,
        line_id=held.line_id,
        product_id=demand.product_id,
        units=demand.units,
        filled_units=0,
        fulfillment=Fulfillment.NOT_SOURCED,
        held=held.reason,
    )
