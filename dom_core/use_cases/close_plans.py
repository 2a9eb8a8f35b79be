"""Plans that wait for approval end: a newer plan takes their place, their time is over, or a person dismisses them."""

from datetime import datetime, timedelta

from dom_core.domain.ids import PlanId
from dom_core.domain.plan import Closing, Plan, PlanState
from dom_core.domain.plan_header import PlanHeader
from dom_core.errors import Conflict
from dom_core.messages.actions import Decision
from dom_core.repositories.plans import Plans
from dom_core.use_cases.context import Ports

_TIMER = "timer"


def dismiss_plan(ports: Ports, plan_id: PlanId, decision: Decision) -> PlanHeader:
    """The plan, expired; dismissing again changes nothing. Raises NotFound, and Conflict for a plan that cannot be."""
    closing = Closing(ports.clock.now(), decision.who, decision.why)
    return Plans(ports.store).dismiss(plan_id, PlanState.EXPIRED, closing)


def expire_overdue(ports: Ports) -> int:
    """Expire the plans that nobody approved in time, and say how many."""
    overdue = [header for header in Plans(ports.store).waiting() if is_overdue(ports, header.planned_at)]
    closing = Closing(ports.clock.now(), _TIMER, f"not approved within {ports.settings.plan_expiry_h} hours")
    return sum(_closed(ports, header.id, PlanState.EXPIRED, closing) for header in overdue)


def is_overdue(ports: Ports, planned_at: datetime) -> bool:
    """Whether a plan made then has waited for its approval too long."""
    return planned_at + timedelta(hours=ports.settings.plan_expiry_h) <= ports.clock.now()


def supersede_older(ports: Ports, plan: Plan) -> None:
    """The plans of the same strategy that still wait: what they know is old now."""
    closing = Closing(ports.clock.now(), f"strategy {plan.strategy_id}", f"plan '{plan.id}' is newer")
    for header in list(Plans(ports.store).waiting(plan.strategy_id)):
        if header.id != plan.id and header.planned_at <= plan.planned_at:
            _closed(ports, header.id, PlanState.SUPERSEDED, closing)


def _closed(ports: Ports, plan_id: PlanId, state: PlanState, closing: Closing) -> bool:
    """Whether the plan could be closed; somebody may have approved or dismissed it just now."""
    try:
        Plans(ports.store).dismiss(plan_id, state, closing)
    except Conflict:
        return False
    return True
