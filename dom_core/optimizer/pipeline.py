"""The whole run on one screen."""

from collections.abc import Callable

from dom_core.domain.plan import Plan
from dom_core.domain.request import PlanRequest
from dom_core.optimizer.solving import Solver

Progress = Callable[[str, float], None]
"""Told the stage's name and the share of the run that is done, 0 to 1."""


def silent(_stage: str, _share: float) -> None:
    """Report progress to nobody."""


def plan_once(request: PlanRequest, solver: Solver, progress: Progress = silent) -> Plan:
    """Plan every eligible line of the request."""
    raise NotImplementedError
