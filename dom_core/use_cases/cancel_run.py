"""Stop a run: one that waits at once, one that plans within seconds. What it has begun to apply it finishes."""

from dataclasses import replace

from dom_core.domain.ids import RunId
from dom_core.domain.run import Run, RunState
from dom_core.errors import IllegalTransition
from dom_core.repositories.runs import Runs
from dom_core.use_cases.context import Ports
from dom_core.use_cases.report_run import run_ended


def cancel_run(ports: Ports, run_id: RunId, who: str, why: str = "") -> Run:
    """The run after it: cancelled if it waited, else asked to stop. Safe to repeat.

    Raises NotFound, and IllegalTransition for a run that has ended otherwise.
    """
    now = ports.clock.now()

    def stopped(run: Run) -> Run:
        if run.state is RunState.CANCELLED or (run.state is RunState.RUNNING and run.cancelled_by):
            return run
        if run.has_ended:
            raise IllegalTransition("cancel", run.state, (), "run")
        asked = replace(run, cancelled_by=who, cancelled_why=why)
        return asked if run.state is RunState.RUNNING else replace(asked, state=RunState.CANCELLED, finished_at=now)

    run = Runs(ports.store).change(run_id, stopped)
    if run.state is RunState.CANCELLED and run.finished_at == now:
        ports.telemetry.tell(run_ended(run))
    return run
