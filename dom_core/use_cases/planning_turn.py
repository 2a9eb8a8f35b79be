"""Taking turns: whoever plans what will be applied, or applies a plan, does it alone, whatever the strategy.

Only so can a source's maximum of orders hold exactly: everybody counts what everybody before has assigned. Who takes a
turn first undoes what somebody who was killed left half applied, so that nobody goes on with it later. Who lost the
turn notices at the latest when asking to keep it, which everybody does between storing a plan and applying it.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from dom_core.domain.ids import PlanId
from dom_core.domain.run import Lease, Run, RunState
from dom_core.errors import LeaseLost
from dom_core.repositories.plans import Plans
from dom_core.repositories.runs import Runs
from dom_core.use_cases.apply_plan import Terms, expire_plan
from dom_core.use_cases.context import Ports
from dom_core.use_cases.report_run import run_ended


@dataclass(slots=True)
class Turn:
    """The right to plan and to apply, as long as it is kept."""

    ports: Ports
    lease: Lease

    @property
    def fence(self) -> int:
        """A number higher than that of every turn before."""
        return self.lease.fence

    def keep(self) -> None:
        """Go on for another while. Raises LeaseLost when somebody took over."""
        now, lease_s = self.ports.clock.now(), self.ports.settings.lease_s
        self.lease = Runs(self.ports.store).renew_lease(self.lease, now, lease_s)


@contextmanager
def taking_turn(ports: Ports, holder: str, plan_id: PlanId) -> Iterator[Turn]:
    """A turn for whoever makes or applies this plan. Raises Busy while somebody else has one."""
    runs = Runs(ports.store)
    before = runs.lease()
    turn = Turn(ports, runs.take_lease(holder, ports.clock.now(), ports.settings.lease_s))
    try:
        if before is not None and before.holder != holder:
            _close_abandoned(ports, before, holder)
        _undo_unfinished(ports, turn, plan_id)
        yield turn
    finally:
        with suppress(LeaseLost):
            runs.release_lease(turn.lease, ports.clock.now())


def _close_abandoned(ports: Ports, before: Lease, holder: str) -> None:
    """A run that lost its turn without ending was killed: say so in its record."""
    if Runs(ports.store).find(before.holder) is None:
        return
    now = ports.clock.now()

    def closed(run: Run) -> Run:
        if run.state is not RunState.RUNNING or (run.fence or 0) > before.fence:
            return run
        error = f"stopped without ending; '{holder}' took over"
        return replace(run, state=RunState.FAILED, finished_at=now, error=error)

    stored = Runs(ports.store).change(before.holder, closed)
    if stored.finished_at == now:
        ports.telemetry.tell(run_ended(stored))


def _undo_unfinished(ports: Ports, turn: Turn, own_plan_id: PlanId) -> None:
    """Plans that somebody left half applied: what they still wanted is planned anew."""
    plans = Plans(ports.store)
    for header in list(plans.being_applied()):
        if header.id != own_plan_id:
            terms = Terms(turn.lease.holder, f"'{header.run_id}' stopped while applying it", keep_alive=turn.keep)
            expire_plan(ports, plans.get(header.id), terms)
