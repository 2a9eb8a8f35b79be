"""Whether the room that a plan counted on is still there: for plans that are applied later than they were made."""

from dom_core.domain.ids import OrderId
from dom_core.domain.plan import Plan
from dom_core.domain.request import PlanRequest
from dom_core.optimizer.audit.rules import breaches
from dom_core.optimizer.audit.subject import Subject


def orders_without_room(request: PlanRequest, plan: Plan) -> frozenset[OrderId]:
    """Orders of the plan that break a rule about room, with the loads of now. Without them the plan breaks none."""
    subject = Subject.of(request, plan)
    shared = (bound for bound in subject.rules if bound.rule.shares_room)
    return frozenset(
        violation.order_id for bound in shared for violation in breaches(subject, bound) if violation.order_id
    )
