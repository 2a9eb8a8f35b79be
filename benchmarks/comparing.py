"""What the measurements say when they are laid side by side: gaps, ratios and differences, case by case."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from benchmarks.instances import Shape
from benchmarks.records import Figures, Record

SAME_WITHIN = 1e-9
"""The relative difference that floating point may make of equal amounts."""


@dataclass(frozen=True, slots=True)
class Compared:
    """All ways of planning one case."""

    case: str
    kind: str
    records: tuple[Record, ...]

    @property
    def is_batch(self) -> bool:
        """Whether this is a batch that every way plans: neither one of the literature, nor a goal of the engine."""
        return self.kind in ("generated", "superstore")

    @property
    def shape(self) -> Shape | None:
        """The shape of an invented batch."""
        return self.records[0].shape

    @property
    def best_bound(self) -> float | None:
        """The highest bound that any way has proven: no plan of this case can cost less."""
        return max((f.bound for f in self._answers() if f.bound is not None), default=None)

    @property
    def best_value(self) -> float | None:
        """The cheapest plan that any way has found."""
        return min((f.value for f in self._answers()), default=None)

    def record(self, way: str) -> Record | None:
        """The measurement of this way, if there is one."""
        return next((record for record in self.records if record.way == way), None)

    def figures(self, way: str) -> Figures | None:
        """What this way found, if it found something."""
        record = self.record(way)
        return record.figures if record else None

    def engine(self) -> Record | None:
        """This engine's measurement with CBC, or else with HiGHS: what others are compared with."""
        found = (self.record(way) for way in ("engine-cbc", "engine-highs"))
        return next((record for record in found if record and record.figures), None)

    def above_best_bound(self, figures: Figures) -> float | None:
        """By how much an answer may be dearer than the best plan, as a share of it; None when nothing is proven."""
        return None if self.best_bound is None else gap(figures.value, self.best_bound)

    def _answers(self) -> Iterator[Figures]:
        return (record.figures for record in self.records if record.figures)


def compared(records: Iterable[Record]) -> list[Compared]:
    """The measurements by case, in the order of the records."""
    return [
        Compared(case, kind, tuple(members))
        for (kind, case), members in groupby(records, key=lambda record: (record.kind, record.case))
    ]


def gap(value: float, bound: float) -> float:
    """(value - bound) / value; zero where they are the same."""
    if abs(value - bound) <= SAME_WITHIN * max(1.0, abs(value)):
        return 0.0
    return (value - bound) / value if value else 0.0


def above_optimum(figures: Figures) -> float | None:
    """By how much an answer is dearer than the known best, as a share of it. A cent of rounding is not counted."""
    if figures.optimum is None:
        return None
    difference = figures.value - figures.optimum
    return 0.0 if abs(difference) <= max(0.05, 1e-6 * figures.optimum) else difference / figures.optimum


@dataclass(frozen=True, slots=True)
class Growth:
    """From one batch to a ten times larger one of the same kind, by the same way."""

    way: str
    small: Record
    large: Record

    @property
    def times(self) -> float:
        """How many times the seconds."""
        return (self.large.result.seconds or 0.0) / max(self.small.result.seconds or 0.0, 1e-3)


def growths(cases: Sequence[Compared], small_lines: int, large_lines: int) -> Iterator[Growth]:
    """Every way that answered both sizes of a batch with the same sources and cover."""
    by_shape = {case.shape: case for case in cases if case.shape}
    for shape, small in by_shape.items():
        larger = replace(shape, lines=large_lines)
        if shape.lines != small_lines or larger not in by_shape:
            continue
        for record in small.records:
            other = by_shape[larger].record(record.way)
            if record.figures and other and other.figures:
                yield Growth(record.way, record, other)
