"""What was last found out about the solver. Asking it starts a process, and health may be asked by anybody."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from dom_core.optimizer.solving import Solver

KEPT_FOR = timedelta(seconds=30)
"""How long a finding is given again. Longer than it takes to ask, short enough for whoever watches."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must work, and what was found. The detail tells strangers nothing about the installation."""

    name: str
    healthy: bool
    detail: str


@dataclass(frozen=True, slots=True)
class _Finding:
    solver: Solver
    at: datetime
    check: Check


class SolverMemory:
    """The last finding, good or bad, about one solver. Threads that ask at the same time wait for one finding."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._last: _Finding | None = None

    def find(self, solver: Solver, now: datetime, ask: Callable[[], Check]) -> Check:
        """What was found about this solver in the last 30 seconds, else what asking finds now."""
        with self._lock:
            last = self._last
            # A clock that was set back would keep a finding for ever.
            if last is None or last.solver is not solver or not timedelta(0) <= now - last.at < KEPT_FOR:
                last = self._last = _Finding(solver, now, ask())
            return last.check
