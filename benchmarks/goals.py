"""What the engine is to reach on two cores: so small a gap, in so many seconds, with so much memory.

Each is a whole run that ends as soon as its gap is proven. Where the goal is a part of what the compact model takes,
that runs in the same campaign.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf

from benchmarks.cases import Aimed, Task
from benchmarks.comparing import gap
from benchmarks.instances import Shape
from benchmarks.records import Record

COMPACT, COMPACT_LIMIT_S = "compact-cbc", 600.0

RUNS = 3
"""Runs of the goals that also show growth: short ones differ by a fifth from one to the next."""

GROWTH_FROM, GROWTH_TO, MOST_GROWTH = 10_000, 100_000, 1.3
"""From so many lines to so many others, the seconds are to grow by at most so many times the factor of the lines."""


@dataclass(frozen=True, slots=True)
class Goal:
    """A run of the engine and what it is to reach: the case's gap, within seconds or a part of the compact model's.

    `seconds` are also the run's limit, so that none takes longer to fall short.
    """

    case: Aimed
    way: str
    seconds: float = COMPACT_LIMIT_S
    memory_mb: int | None = None
    part_of_compact: float | None = None
    runs: int = 1

    def tasks(self, memory_mb: int) -> Iterator[Task]:
        """The run, and the compact model where the goal is a part of its seconds."""
        yield Task(self.case, self.way, self.seconds, memory_mb, self.runs)
        if self.part_of_compact is not None:
            yield Task(self.case, COMPACT, COMPACT_LIMIT_S, memory_mb)

    def is_reached(self, record: Record, compact: Record | None) -> bool:
        """Whether the run reached it; `compact` is the compact model's, where the goal is a part of that."""
        figures, seconds = record.figures, record.result.seconds
        if figures is None or figures.bound is None or seconds is None:
            return False
        most_s = self.seconds
        if self.part_of_compact is not None:
            most_s = self.part_of_compact * (compact.result.seconds or 0.0 if compact else 0.0)
        small = gap(figures.value, figures.bound) <= self.case.relative_gap
        return small and seconds <= most_s and (record.result.peak_mb or 0) <= (self.memory_mb or inf)


def _goals(
    shape: Shape, cbc: tuple[float, float], highs: tuple[float, float], most_mb: int | None = None, runs: int = 1
) -> Iterator[Goal]:
    """The same batch with either solver, each with its gap and its seconds."""
    yield Goal(Aimed(shape, cbc[0]), "engine-cbc", cbc[1], runs=runs)
    yield Goal(Aimed(shape, highs[0]), "engine-highs", highs[1], most_mb, runs=runs)


def growing(goals: Sequence[Goal]) -> Iterator[tuple[Goal, Goal]]:
    """Goals by the same way for batches that differ in their lines only, the smaller one first."""
    for small in goals:
        larger = replace(small.case.shape, lines=GROWTH_TO)
        if small.case.shape.lines == GROWTH_FROM:
            yield from ((small, each) for each in goals if (each.case.shape, each.way) == (larger, small.way))


GOALS: Sequence[Goal] = (
    Goal(Aimed(Shape(1_000, 200, 1.0), 0.0), "engine-cbc", part_of_compact=1 / 20),
    *_goals(Shape(10_000, 200, 3.0), (0.001, 15.0), (0.001, 4.0), runs=RUNS),
    *_goals(Shape(10_000, 200, 1.0), (0.005, 120.0), (0.003, 60.0)),
    *_goals(Shape(100_000, 200, 3.0), (0.002, 120.0), (0.0015, 60.0), runs=RUNS),
    *_goals(Shape(100_000, 1_000, 3.0), (0.003, 240.0), (0.0025, 100.0), 4 * 1024),
    Goal(Aimed(Shape(1_000_000, 200, 1.0, ample=True), 0.0), "engine-cbc", 300.0),
)
