"""Show plans and runs."""

from dom_core.domain.ids import PlanId, RunId
from dom_core.domain.plan import Plan
from dom_core.domain.plan_header import PlanHeader
from dom_core.domain.run import Run
from dom_core.repositories.plans import Plans
from dom_core.repositories.runs import Runs
from dom_core.use_cases.context import Ports, Slice


def get_plan(ports: Ports, plan_id: PlanId) -> Plan:
    """The whole plan. Raises NotFound."""
    return Plans(ports.store).get(plan_id)


def list_plans(ports: Ports, limit: int, continuation: str | None = None) -> Slice[PlanHeader]:
    """Plans at a glance."""
    return Plans(ports.store).page(limit, continuation)


def get_run(ports: Ports, run_id: RunId) -> Run:
    """The run. Raises NotFound."""
    return Runs(ports.store).get(run_id).value


def list_runs(ports: Ports, limit: int, continuation: str | None = None) -> Slice[Run]:
    """Some of the runs."""
    return Runs(ports.store).page(limit, continuation)
