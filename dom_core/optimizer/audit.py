"""Placeholder until the audit lands."""

from dom_core.domain.plan import Plan
from dom_core.domain.request import PlanRequest


def require_valid(request: PlanRequest, plan: Plan) -> None:
    """Nothing yet."""
