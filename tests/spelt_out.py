"""Plans with their reasons spelt out: what a person reads who asks about every line."""

from dataclasses import replace

from dom_core.domain.plan import Plan
from dom_core.domain.request import PlanRequest
from dom_core.optimizer.expanding import expand
from dom_core.optimizer.pipeline import plan_once
from dom_core.optimizer.solving import CbcSolver


def plan_in_full(request: PlanRequest) -> Plan:
    """The request's plan, with every reason as it is told."""
    plan = plan_once(request, CbcSolver())
    return replace(plan, reasons=expand(request, plan))
