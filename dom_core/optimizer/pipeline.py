"""The whole run on one screen.

eligibility     which lines may be planned now; the others with a reason
columns         the eligible lines as arrays
relaxation      iteration 1 with every rule, iteration 2 without the soft ones; each one
                candidates → independent parts → formulation → solving
interpretation  flows -> plan, with a reason for every pair
audit           the plan checked again without looking at the model
"""

import time
from collections.abc import Callable
from dataclasses import replace

from dom_core.domain.batch import Batch
from dom_core.domain.plan import HeldLine, Plan
from dom_core.domain.request import PlanRequest
from dom_core.optimizer import activation, audit, columns, eligibility, interpretation, relaxation
from dom_core.optimizer.solving import Solver

Progress = Callable[[str, float], None]
"""Told the stage's name and the share of the run that is done, 0 to 1."""


def silent(_stage: str, _share: float) -> None:
    """Report progress to nobody."""


def plan_once(request: PlanRequest, solver: Solver, progress: Progress = silent) -> Plan:
    """Plan every eligible line of the request.

    Raises InvalidInput for a rule that cannot be understood, SolverFailed when there is no working solver, and
    PlanRejected when the audit finds that the plan breaks a rule.
    """
    started = time.monotonic()
    batch, held = open_lines(request)
    progress("candidates", 0.05)
    iterations = relaxation.two_iterations(batch, solver, lambda share: progress("solving", 0.1 + 0.7 * share))
    progress("reasons", 0.8)
    plan = interpretation.to_plan(batch, held, iterations)
    progress("audit", 0.95)
    audit.require_valid(request, plan)
    progress("done", 1.0)
    return replace(plan, seconds=round(time.monotonic() - started, 3))


def open_lines(request: PlanRequest) -> tuple[Batch, tuple[HeldLine, ...]]:
    """The lines that the run takes, in columns; and those that it leaves, each with its reason."""
    rules = [active.rule for active in activation.in_iteration(request, 1) if active.in_force(request)]
    eligible, held = eligibility.split(request, rules)
    return columns.to_batch(request, eligible), held
