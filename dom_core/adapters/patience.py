"""How long an adapter repeats a request that a service did not serve, before its caller hears of it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """Waits that double from the first to the longest, as long as together they stay within the limit."""

    first_s: float = 0.1
    longest_s: float = 4.0
    limit_s: float = 20.0
    pause: Callable[[float], None] = time.sleep

    def waits(self) -> Iterator["Wait"]:
        """One wait per attempt. The last one cannot be taken."""
        delay_s, left_s = self.first_s, self.limit_s
        while True:
            wait = Wait(self, delay_s, left_s)
            yield wait
            left_s -= wait.taken_s
            delay_s = min(2 * delay_s, self.longest_s)


@dataclass(slots=True)
class Wait:
    """The pause after one failed attempt."""

    _patience: Patience
    _delay_s: float
    _left_s: float
    taken_s: float = 0.0

    def take(self, at_least_s: float = 0.0) -> bool:
        """Pause, for as long as the service asks or longer. False, at once, when patience has run out."""
        delay_s = max(self._delay_s, at_least_s)
        if delay_s > self._left_s:
            return False
        self._patience.pause(delay_s)
        self.taken_s = delay_s
        return True
