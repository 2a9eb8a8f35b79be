"""Whether a run must stop: because it lost its turn, or because somebody asked for it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from dom_core.domain.ids import RunId
from dom_core.errors import DomError
from dom_core.repositories.runs import Runs
from dom_core.use_cases.context import Ports
from dom_core.use_cases.planning_turn import Turn

LOOK_EVERY = timedelta(seconds=1)
"""How often the run's record is looked at: a point read, for as long as the run plans."""


@dataclass(slots=True)
class StopSign:
    """Asked several times a second, from several threads. A store that is away for a while stops nobody."""

    ports: Ports
    run_id: RunId
    turn: Turn | None
    _asked: bool = False
    _looked_at: datetime | None = None
    _lock: Lock = field(default_factory=Lock, repr=False)

    def __call__(self) -> bool:
        """Whether to stop."""
        if self.turn is not None and self.turn.is_lost:
            return True
        with self._lock:
            now = self.ports.clock.now()
            if not self._asked and (self._looked_at is None or now - self._looked_at >= LOOK_EVERY):
                self._looked_at, self._asked = now, self._look()
            return self._asked

    def _look(self) -> bool:
        try:
            run = Runs(self.ports.store).find(self.run_id)
        except DomError:
            return False
        return run is not None and bool(run.value.cancelled_by)
