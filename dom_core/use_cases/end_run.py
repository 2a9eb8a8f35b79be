"""Call a run failed that can no longer end by itself."""

from dataclasses import replace

from dom_core.domain.ids import RunId
from dom_core.domain.run import Run, RunState
from dom_core.repositories.runs import Runs
from dom_core.use_cases.context import Ports
from dom_core.use_cases.report_run import run_ended


def end_run(ports: Ports, run_id: RunId, error: str, fence: int) -> Run:
    """The run after it: failed, unless it has ended, or somebody with this fence or a higher one goes on with it."""
    now = ports.clock.now()

    def failed(run: Run) -> Run:
        if run.has_ended or (run.fence or 0) >= fence:
            return run
        return replace(run, state=RunState.FAILED, finished_at=now, error=error)

    stored = Runs(ports.store).change(run_id, failed)
    if stored.finished_at == now:
        ports.telemetry.tell(run_ended(stored))
    return stored
