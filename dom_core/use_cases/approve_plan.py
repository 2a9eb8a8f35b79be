"""A person approves a proposed plan: it is applied as far as the world is still as the plan saw it."""

from dataclasses import dataclass, replace

from dom_core.configuration import request_for
from dom_core.domain.ids import OrderId, PlanId
from dom_core.domain.plan import Plan, PlanState
from dom_core.errors import Conflict
from dom_core.messages.actions import Approval
from dom_core.optimizer.audit.room import orders_without_room
from dom_core.repositories.configurations import Configurations
from dom_core.repositories.orders import Orders
from dom_core.repositories.plans import Plans
from dom_core.side_by_side import side_by_side
from dom_core.use_cases.apply_plan import Terms, apply_plan
from dom_core.use_cases.close_plans import is_overdue, supersede_older
from dom_core.use_cases.context import Ports
from dom_core.use_cases.gather_facts import facts_about
from dom_core.use_cases.planning_turn import Turn, taking_turn
from dom_core.use_cases.send_assignments import send_soon


@dataclass(frozen=True, slots=True)
class Approved:
    """What became of the plan's lines; the same when it is approved again."""

    plan_id: PlanId
    state: PlanState
    confirmed_lines: int
    conflicted_lines: int


def approve_plan(ports: Ports, plan_id: PlanId, approval: Approval) -> Approved:
    """Apply the plan. An order that changed, or for which stock or room is gone, waits for the next run.

    Raises NotFound, Conflict for a plan that may not be applied (any more), and Busy while somebody else plans.
    """
    plan = Plans(ports.store).get(plan_id)
    _require_approvable(ports, plan)
    with taking_turn(ports, f"approval of {plan_id}", plan_id) as turn:
        approved = _apply(ports, plan, approval, turn)
    send_soon(ports)
    return approved


def _require_approvable(ports: Ports, plan: Plan) -> None:
    if plan.state is PlanState.SIMULATED:
        raise Conflict(
            f"plan '{plan.id}' is a simulation: it is never applied; "
            f"switch off 'simulation' of strategy '{plan.strategy_id}', and plan anew"
        )
    if plan.state not in (PlanState.PROPOSED, PlanState.APPLIED):
        raise Conflict(f"plan '{plan.id}' is {plan.state}: it cannot be approved any more; plan anew")
    if plan.state is PlanState.PROPOSED and is_overdue(ports, plan.planned_at):
        hours = ports.settings.plan_expiry_h
        raise Conflict(f"plan '{plan.id}' waited longer than {hours} hours: plan anew")


def _apply(ports: Ports, plan: Plan, approval: Approval, turn: Turn) -> Approved:
    terms = Terms(
        who=approval.who,
        why=approval.why or f"approved plan '{plan.id}'",
        left_out=_without_room(ports, plan),
        keep_alive=turn.keep_in_time,
    )
    applied = apply_plan(ports, plan, turn.fence, terms)
    supersede_older(ports, plan)
    return Approved(plan.id, PlanState.APPLIED, applied.confirmed_lines, applied.conflicted_lines)


def _without_room(ports: Ports, plan: Plan) -> frozenset[OrderId]:
    """The orders for which other plans took the room since: of those that the plan could still be applied to."""
    orders = Orders(ports.store)
    seen = {line.order_id: line.order_version for line in plan.lines}
    found = side_by_side(orders.find, sorted(seen), at_once=ports.settings.requests_at_once_to_store)
    unchanged = {each.value.id: each.value for each in found if each and each.value.version == seen[each.value.id]}
    if not unchanged:
        return frozenset()
    configuration = Configurations(ports.store).load()
    facts = facts_about(ports, configuration, unchanged.values(), plan.id, plan.run_id, ports.clock.now())
    open_lines = tuple(line for line in plan.lines if line.order_id in unchanged)
    return orders_without_room(request_for(configuration, plan.strategy_id, facts), replace(plan, lines=open_lines))
