"""What was last found out about the parts on which health depends. Anybody may ask for health, as often as they like.

Asking the solver starts a process, asking the store and the queue costs requests: neither may be had for nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

SOLVER_KEPT_FOR = timedelta(seconds=30)
"""How long a finding about the solver is given again. Longer than it takes to ask, short enough for whoever watches."""

SERVICE_KEPT_FOR = timedelta(seconds=5)
"""The same for the store and the queue, which cost less to ask and come and go more quickly."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must work, and what was found. The detail tells strangers nothing about the installation."""

    name: str
    healthy: bool
    detail: str


@dataclass(frozen=True, slots=True)
class _Finding:
    subject: object
    at: datetime
    check: Check


class Memory:
    """The last finding, good or bad, about one subject. Threads that ask at the same time wait for one finding."""

    def __init__(self, kept_for: timedelta) -> None:
        self._kept_for = kept_for
        self._lock = Lock()
        self._last: _Finding | None = None

    def find(self, subject: object, now: datetime, ask: Callable[[], Check]) -> Check:
        """What was found about this very subject a moment ago, else what asking finds now."""
        with self._lock:
            last = self._last
            # A clock that was set back would keep a finding for ever.
            if last is None or last.subject is not subject or not timedelta(0) <= now - last.at < self._kept_for:
                last = self._last = _Finding(subject, now, ask())
            return last.check


@dataclass(frozen=True, slots=True)
class HealthMemory:
    """What is remembered about each part. Each has its own: a slow one keeps nobody from hearing of the others."""

    store: Memory = field(default_factory=lambda: Memory(SERVICE_KEPT_FOR))
    queue: Memory = field(default_factory=lambda: Memory(SERVICE_KEPT_FOR))
    solver: Memory = field(default_factory=lambda: Memory(SOLVER_KEPT_FOR))
