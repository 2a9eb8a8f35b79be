"""Re-checks a finished plan without looking at how it was made.

Plain loops over domain objects, nothing shared with the model builder: what is wrong there does not hide itself here.
Structure comes first, because the other checks look things up by the ids in the plan; then eligibility, units, stock
and gates, every rule through its own `violations`, the distances, the objective (`recount.py`), reports and reasons.
"""

from dom_core.domain.plan import Plan
from dom_core.domain.request import PlanRequest
from dom_core.errors import PlanRejected
from dom_core.optimizer.audit import assignments, costs, eligibility, reports, rules, structure
from dom_core.optimizer.audit.subject import Subject
from dom_core.watch import UNWATCHED, Watch

_CONTENT = (*eligibility.CHECKS, *assignments.CHECKS, *rules.CHECKS, *costs.CHECKS, *reports.CHECKS)


def require_valid(request: PlanRequest, plan: Plan, watch: Watch = UNWATCHED) -> None:
    """Raise PlanRejected with every finding, if there is one."""
    found = findings(request, plan, watch)
    if found:
        raise PlanRejected(found)


def findings(request: PlanRequest, plan: Plan, watch: Watch = UNWATCHED) -> tuple[str, ...]:
    """Everything that is wrong with a plan, one sentence each. A plan of broken structure is not looked at further."""
    subject = Subject.of(request, plan, watch)
    broken = tuple(finding for check in structure.CHECKS for finding in check(subject))
    return broken or tuple(finding for check in _CONTENT for finding in check(subject))
