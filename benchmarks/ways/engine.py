"""This engine, as a run uses it: candidates, reasons and audit included."""

from benchmarks.answers import Answer, served_by, within
from dom_core.domain.request import PlanRequest
from dom_core.optimizer.pipeline import plan_once
from dom_core.optimizer.solving import CbcSolver, Solver
from dom_core.optimizer.solving_highs import HighsSolver


def with_cbc(request: PlanRequest, limit_s: float) -> Answer:
    """The engine with nothing but what it is installed with."""
    return _planned(request, CbcSolver(), limit_s)


def with_highs(request: PlanRequest, limit_s: float) -> Answer:
    """The engine with the faster solver, an extra."""
    return _planned(request, HighsSolver(), limit_s)


def _planned(request: PlanRequest, solver: Solver, limit_s: float) -> Answer:
    plan = plan_once(within(request, limit_s), solver)
    report = plan.iterations[0]
    return Answer(served_by(plan), report.bound, report.ending, plan)
