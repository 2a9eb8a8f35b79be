"""This engine, as a run uses it: candidates, reasons and audit included."""

import time
from collections import defaultdict

from benchmarks.answers import Answer, served_by, within
from dom_core.domain.request import PlanRequest
from dom_core.optimizer.pipeline import plan_once
from dom_core.optimizer.solving import CbcSolver, Solver
from dom_core.optimizer.solving_highs import HighsSolver
from dom_core.watch import Stage, Watch

FIRST_STAGE = "lines"
"""What a run does before it tells of anything: it finds out which lines it takes."""


def with_cbc(request: PlanRequest, limit_s: float) -> Answer:
    """The engine with nothing but what it is installed with."""
    return _planned(request, CbcSolver(), limit_s)


def with_highs(request: PlanRequest, limit_s: float) -> Answer:
    """The engine with the faster solver, an extra."""
    return _planned(request, HighsSolver(), limit_s)


def _planned(request: PlanRequest, solver: Solver, limit_s: float) -> Answer:
    clock = StageClock()
    plan = plan_once(within(request, limit_s), solver, Watch(clock.tell))
    report = plan.iterations[0]
    return Answer(served_by(plan), report.bound, report.ending, plan, clock.seconds)


class StageClock:
    """Follows a run and adds up the seconds of each of its stages."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._stage, self._since = FIRST_STAGE, time.monotonic()

    def tell(self, stage: Stage) -> None:
        """The time until now belongs to the stage before."""
        now = time.monotonic()
        self.seconds[self._stage] += now - self._since
        self._stage, self._since = stage.name, now
