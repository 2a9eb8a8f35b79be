"""Clocks: the machine's, and one that stands still."""

from dataclasses import dataclass
from datetime import UTC, datetime


class SystemClock:
    """The machine's clock, in UTC."""

    def now(self) -> datetime:
        """The current moment."""
        return datetime.now(UTC)


@dataclass(slots=True)
class FixedClock:
    """A clock that stands still until it is moved: for tests, replays and offline planning."""

    time: datetime

    def now(self) -> datetime:
        """The moment it was set to."""
        return self.time
