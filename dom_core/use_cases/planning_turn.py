"""Taking turns: whoever plans what will be applied, or applies a plan, does it alone, whatever the strategy.

Only so can a source's maximum of orders hold exactly: everybody counts what everybody before has assigned. Who takes a
turn first undoes what somebody who was killed left half applied, so that nobody goes on with it later.

A turn is kept by a pulse, however long the solver works: who holds it shows life three times before others may take it.
Who lost it all the same notices at the latest when asking to keep it, which everybody does before a plan is stored and
between storing and applying it; and nothing can be written with its old fence.
"""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from dom_core.domain.ids import PlanId
from dom_core.domain.run import Lease, Run, RunState
from dom_core.errors import DomError, LeaseLost, NotFound
from dom_core.repositories.configurations import Configurations
from dom_core.repositories.plans import Plans
from dom_core.repositories.runs import Runs
from dom_core.use_cases.apply_plan import Terms, expire_plan
from dom_core.use_cases.context import Ports
from dom_core.use_cases.end_run import end_run

BEATS = 3
"""Signs of life while a lease lasts: one that is missed is not the end."""

CLOCKS_AGREE_WITHIN = timedelta(seconds=10)
"""Clocks of the cloud differ less. A lease of the future is worth a line in the log."""

_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Turn:
    """The right to plan and to apply, as long as it is kept. The pulse and its holder may keep it at the same time."""

    ports: Ports
    lease: Lease
    _lock: Lock = field(default_factory=Lock, repr=False)
    _lost: str = ""

    @property
    def fence(self) -> int:
        """A number higher than that of every turn before."""
        return self.lease.fence

    @property
    def is_lost(self) -> bool:
        """Whether it is known that somebody took over. The store is not asked."""
        return bool(self._lost)

    def keep(self) -> None:
        """Go on for another while. Raises LeaseLost when somebody took over, now or before."""
        with self._lock:
            self._require_not_lost()
            now, lease_s = self.ports.clock.now(), self.ports.settings.lease_s
            try:
                self.lease = Runs(self.ports.store).renew_lease(self.lease, now, lease_s)
            except LeaseLost as error:
                self._lost = str(error)
                _log("turn_lost", holder=self.lease.holder, fence=self.fence)
                raise

    def keep_in_time(self) -> None:
        """The same, but the store is asked only when a sign of life is due: cheap enough for each of many steps."""
        self._require_not_lost()
        lease_s = self.ports.settings.lease_s
        if self.lease.expires_at - self.ports.clock.now() <= timedelta(seconds=lease_s * (1 - 1 / BEATS)):
            self.keep()

    def beat(self) -> bool:
        """Show life. False once somebody took over: the holder hears of it at its next step."""
        try:
            self.keep()
        except LeaseLost:
            return False
        except DomError as error:
            # The store is away, for others too. Until somebody took a higher fence the turn can still be kept.
            _log("turn_not_kept", holder=self.lease.holder, fence=self.fence, error=type(error).__name__)
        return True

    def _require_not_lost(self) -> None:
        if self._lost:
            raise LeaseLost(self._lost)


@contextmanager
def taking_turn(ports: Ports, holder: str, plan_id: PlanId) -> Iterator[Turn]:
    """A turn for whoever makes or applies this plan. Raises Busy while somebody else has one."""
    runs, now, lease_s = Runs(ports.store), ports.clock.now(), ports.settings.lease_s
    before = runs.lease()
    turn = Turn(ports, runs.take_lease(holder, now, lease_s))
    try:
        with ports.pulse.every(lease_s / BEATS, turn.beat):
            if before is not None:
                _compare_clocks(before, now)
            _close_abandoned(ports, turn)
            _undo_unfinished(ports, turn, plan_id)
            yield turn
    finally:
        with suppress(LeaseLost):
            runs.release_lease(turn.lease, ports.clock.now())


def _close_abandoned(ports: Ports, turn: Turn) -> None:
    """Runs that had a turn before and did not end were killed, or lost it: say so in their records.

    All of them, not only the last: who took over from one may have been killed before it could say so. Simulations need
    no turn, and may be under way.
    """
    for run in list(Runs(ports.store).in_state(RunState.RUNNING)):
        if run.id != turn.lease.holder and not _is_simulation(ports, run):
            end_run(ports, run.id, f"stopped without ending; '{turn.lease.holder}' took over", turn.fence)


def _is_simulation(ports: Ports, run: Run) -> bool:
    try:
        return Configurations(ports.store).strategy(run.strategy_id).simulation
    except NotFound:
        return False


def _compare_clocks(before: Lease, now: datetime) -> None:
    """A lease taken in the future shows that another host's clock is ahead of this one's, or this one's is behind."""
    ahead = before.taken_at - now
    if ahead > CLOCKS_AGREE_WITHIN:
        _log("clocks_differ", holder=before.holder, seconds=round(ahead.total_seconds()))


def _log(event: str, **fields: object) -> None:
    _logger.warning(json.dumps({"event": event, **fields}))


def _undo_unfinished(ports: Ports, turn: Turn, own_plan_id: PlanId) -> None:
    """Plans that somebody left half applied: what they still wanted is planned anew."""
    plans = Plans(ports.store)
    for header in list(plans.being_applied()):
        if header.id != own_plan_id:
            terms = Terms(
                turn.lease.holder, f"'{header.run_id}' stopped while applying it", keep_alive=turn.keep_in_time
            )
            expire_plan(ports, plans.get(header.id), terms)
