"""Many ways from an engine that takes few at a time: in parts, several at once, with patience and an end to it."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from math import isqrt
from threading import Lock
from typing import Protocol

from dom_core.adapters.distances.service import NoAnswer, Refused
from dom_core.adapters.patience import Patience
from dom_core.domain.network import Location
from dom_core.errors import Unavailable
from dom_core.ports import Journeys, Measured

Metres = list[list[int | None]]
"""A row per origin, a column per destination; None where there is no way."""

MAX_SNAP_M = 5_000
"""A point farther than this from any road is not on the engine's map. Engines take the nearest road, however far."""

PATIENCE = Patience(first_s=0.5, longest_s=4.0, limit_s=8.0)
AT_ONCE = 4
TIMEOUT_S = 20.0
"""How long one answer may take."""

REST_S = 15.0
"""How long an engine that was away is left alone: whoever comes next does not wait for it once more."""

MAX_REFUSALS = 500
"""Questions that an engine may refuse before it counts as away: each refusal is followed by two smaller questions."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one question may have: `points` counts origins and destinations, `cells` ways."""

    cells: int
    points: int = 2**31


class Engine(Protocol):
    """One question to a routing engine."""

    @property
    def name(self) -> str:
        """What measures, and for which vehicle."""
        ...

    @property
    def limits(self) -> Limits:
        """How large a question may be."""
        ...

    def ask(self, journeys: Journeys, timeout_s: float) -> Metres:
        """The answer. Raises NoAnswer, or Refused when a part of the question may be answerable."""
        ...


class PatientRoadDistances:
    """The port `RoadDistances`, by one engine."""

    def __init__(
        self,
        engine: Engine,
        patience: Patience = PATIENCE,
        at_once: int = AT_ONCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._patience = patience
        self._at_once = at_once
        self._clock = clock
        self._away: tuple[float, str] | None = None

    @property
    def name(self) -> str:
        """What measures, and for which vehicle."""
        return self._engine.name

    def measure(self, wanted: Iterable[Journeys], limit_s: float) -> Iterator[Measured]:
        """All answers in order. Raises Unavailable at the first question that stays without one."""
        self._require_rested()
        # Waiting may take half of the limit at most: an answer is worth more than another attempt.
        patience = replace(self._patience, limit_s=min(self._patience.limit_s, limit_s / 2))
        asking = _Asking(self._engine, patience, self._clock, self._clock() + limit_s)
        parts = (part for journeys in wanted for part in parts_of(journeys, self._engine.limits))
        try:
            yield from self._in_order(asking, parts)
        except NoAnswer as error:
            self._away = (self._clock() + REST_S, str(error))
            raise

    def _in_order(self, asking: "_Asking", parts: Iterable[Journeys]) -> Iterator[Measured]:
        with ThreadPoolExecutor(self._at_once, "roads") as pool:
            under_way: deque[Future[Measured]] = deque()
            try:
                for part in parts:
                    under_way.append(pool.submit(asking.measured, part))
                    if len(under_way) >= 2 * self._at_once:
                        yield under_way.popleft().result()
                while under_way:
                    yield under_way.popleft().result()
            finally:
                for future in under_way:
                    future.cancel()

    def _require_rested(self) -> None:
        if self._away and self._clock() < self._away[0]:
            raise Unavailable(f"{self._away[1]}, and is left alone for a while")


@dataclass(frozen=True, slots=True)
class _Asking:
    """One call: until when it asks, and how often it was refused."""

    engine: Engine
    patience: Patience
    clock: Callable[[], float]
    ends: float
    refusals: "_Refusals" = field(default_factory=lambda: _Refusals())

    def measured(self, journeys: Journeys) -> Measured:
        """The answer to a part."""
        return Measured(journeys, tuple(tuple(row) for row in self._divided(journeys)))

    def _divided(self, journeys: Journeys) -> Metres:
        """The answer; of a question that is refused, the answers to its halves. A way alone that is refused is none."""
        try:
            return self._answer(journeys)
        except Refused as error:
            self.refusals.count(error)
        one, other, side_by_side = halves(journeys)
        if other is None:
            return [[None]]
        first, second = self._divided(one), self._divided(other)
        if side_by_side:
            return [left + right for left, right in zip(first, second, strict=True)]
        return first + second

    def _answer(self, journeys: Journeys) -> Metres:
        for wait in self.patience.waits():
            left_s = self.ends - self.clock()
            if left_s <= 0:
                raise Unavailable(f"{self.engine.name} was too slow")
            try:
                return self.engine.ask(journeys, min(left_s, TIMEOUT_S))
            except NoAnswer as error:
                if error.again_after_s is None or not wait.take(error.again_after_s):
                    raise
        raise AssertionError("patience ends with an error")


class _Refusals:
    """Counts refusals of all threads of one call. An engine that refuses everything is away."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._left = MAX_REFUSALS

    def count(self, error: Refused) -> None:
        with self._lock:
            self._left -= 1
            if self._left < 0:
                raise Unavailable(f"{error}, and so {MAX_REFUSALS} others") from error


def parts_of(journeys: Journeys, limits: Limits) -> Iterator[Journeys]:
    """The ways in as few questions as limits allow, row by row of origins."""
    origins, destinations = journeys.origins, journeys.destinations
    if not origins or not destinations:
        return
    few = min(len(origins), len(destinations))
    short = min(few, limits.points // 2, isqrt(limits.cells))
    long = min(limits.points - short, limits.cells // short)
    by_origin, by_destination = (short, long) if few == len(origins) else (long, short)
    for some in _some(origins, by_origin):
        for others in _some(destinations, by_destination):
            yield Journeys(some, others)


def _some(points: Sequence[Location], most: int) -> Iterator[tuple[Location, ...]]:
    return (tuple(points[start : start + most]) for start in range(0, len(points), most))


def halves(journeys: Journeys) -> tuple[Journeys, Journeys | None, bool]:
    """Two questions instead of one, parted along its longer side; whether their answers stand side by side."""
    origins, destinations = journeys.origins, journeys.destinations
    if len(origins) == len(destinations) == 1:
        return journeys, None, False
    if len(destinations) >= len(origins):
        middle = len(destinations) // 2
        return Journeys(origins, destinations[:middle]), Journeys(origins, destinations[middle:]), True
    middle = len(origins) // 2
    return Journeys(origins[:middle], destinations), Journeys(origins[middle:], destinations), False
