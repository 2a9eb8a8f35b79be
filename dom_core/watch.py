"""Who follows a run: told how far it is, and asked whether to go on."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from typing import TypeVar

from dom_core.domain.strategy import SolverLimits
from dom_core.errors import Cancelled

T = TypeVar("T")

LOOK_EVERY = 1000
"""After so many orders or lines a loop over all of them looks whether to go on."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a run is: the stage's name, the share of the run that is done (0 to 1), and the gap proven so far, if any.

    The gap is that of the part that is being searched.
    """

    name: str
    share: float
    gap: float | None = None


def _tell_nobody(_stage: Stage) -> None:
    """Nobody watches."""


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Watch:
    """Told of each stage; `stop_asked` is looked at several times a second, also while a solver works."""

    tell: Callable[[Stage], None] = _tell_nobody
    stop_asked: Callable[[], bool] = _never

    def at(self, name: str, share: float, gap: float | None = None) -> None:
        """Tell of a stage. Raises Cancelled when the run is to stop."""
        self.go_on()
        self.tell(Stage(name, share, gap))

    def go_on(self) -> None:
        """Raises Cancelled when the run is to stop."""
        if self.stop_asked():
            raise Cancelled("the run was stopped on request")

    def each(self, items: Iterable[T]) -> Iterator[T]:
        """The items, for as long as the run is to go on. Raises Cancelled soon after it is not."""
        for number, item in enumerate(items):
            if number % LOOK_EVERY == 0:
                self.go_on()
            yield item

    def or_when(self, also: Callable[[], bool]) -> "Watch":
        """The same watch, which asks to stop then too."""
        return Watch(self.tell, lambda: also() or self.stop_asked())

    def part(self, begin: float, end: float) -> "Watch":
        """A watch for a part of the run, whose own share runs from 0 to 1."""

        def tell(stage: Stage) -> None:
            self.tell(Stage(stage.name, begin + (end - begin) * stage.share, stage.gap))

        return Watch(tell, self.stop_asked)


UNWATCHED = Watch()
"""Nobody is told, and nobody stops it."""


@dataclass(frozen=True, slots=True)
class WatchedLimits(SolverLimits):
    """Limits of a search that somebody watches, and may stop before any of them is reached."""

    watch: Watch = UNWATCHED

    @classmethod
    def of(cls, limits: SolverLimits, watch: Watch) -> "WatchedLimits":
        """The same limits, watched."""
        return cls(**{each.name: getattr(limits, each.name) for each in fields(SolverLimits)}, watch=watch)


def watch_of(limits: SolverLimits) -> Watch:
    """Who watches a search with these limits."""
    return limits.watch if isinstance(limits, WatchedLimits) else UNWATCHED
