"""The whole run on one screen.

eligibility     which lines may be planned now; the others with a reason
columns         the eligible lines as arrays
relaxation      iteration 1 with every rule, iteration 2 without the soft ones; each one
                candidates → independent parts → formulation → solving
interpretation  flows -> plan, with a reason for every pair
audit           the plan checked again without looking at the model
"""

import time
from dataclasses import replace

from dom_core.domain.batch import Batch
from dom_core.domain.plan import HeldLine, Plan
from dom_core.domain.request import PlanRequest
from dom_core.optimizer import activation, audit, columns, eligibility, interpretation, relaxation
from dom_core.optimizer.garbage import seldom_collected
from dom_core.optimizer.performing import LocalCrew
from dom_core.optimizer.solving import Solver
from dom_core.optimizer.tasks import Crew
from dom_core.watch import UNWATCHED, Watch


@seldom_collected()
def plan_once(request: PlanRequest, solver: Solver, watch: Watch = UNWATCHED, crew: Crew | None = None) -> Plan:
    """Plan every eligible line of the request. The pieces that stand alone go to the crew; without one, they stay here.

    Raises InvalidInput for a rule that cannot be understood, SolverFailed when there is no working solver, and
    PlanRejected when the audit finds that the plan breaks a rule. Raises Cancelled soon after the watch asks to stop.
    """
    started = time.monotonic()
    batch, held = open_lines(request, watch)
    watch.at("candidates", 0.05)
    iterations = relaxation.two_iterations(batch, crew or LocalCrew(solver), watch.part(0.1, 0.8))
    watch.at("reasons", 0.8)
    plan = interpretation.to_plan(batch, held, iterations, watch)
    watch.at("audit", 0.95)
    audit.require_valid(request, plan, watch)
    watch.at("done", 1.0)
    return replace(plan, seconds=round(time.monotonic() - started, 3))


def open_lines(request: PlanRequest, watch: Watch = UNWATCHED) -> tuple[Batch, tuple[HeldLine, ...]]:
    """The lines that the run takes, in columns; and those that it leaves, each with its reason."""
    rules = [active.rule for active in activation.in_iteration(request, 1) if active.in_force(request)]
    eligible, held = eligibility.split(request, rules, watch)
    return columns.to_batch(request, eligible, watch), held
