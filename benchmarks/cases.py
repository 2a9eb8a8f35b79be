"""What is measured: an instance and a way of planning it. Small enough to be handed to a process of its own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import TypeAdapter

from benchmarks.instances import Shape
from benchmarks.literature import instance_names


@dataclass(frozen=True, slots=True)
class Generated:
    """An invented batch."""

    shape: Shape
    kind: Literal["generated"] = "generated"

    @property
    def name(self) -> str:
        """What results call it."""
        return self.shape.name


@dataclass(frozen=True, slots=True)
class Aimed:
    """An invented batch that is planned until the gap is so small, as a share of the plan's value."""

    shape: Shape
    relative_gap: float
    kind: Literal["aimed"] = "aimed"

    @property
    def name(self) -> str:
        """What results call it."""
        return f"{self.shape.name}, to {100 * self.relative_gap:g} %"


@dataclass(frozen=True, slots=True)
class Superstore:
    """All orders of the Superstore sample, by one of the example's strategies."""

    csv: Path
    strategy_id: str
    kind: Literal["superstore"] = "superstore"

    @property
    def name(self) -> str:
        """What results call it."""
        return f"Superstore, {self.strategy_id}"


@dataclass(frozen=True, slots=True)
class Literature:
    """An instance of the literature, by the name that its folder gives it."""

    folder: Path
    instance: str
    kind: Literal["literature"] = "literature"

    @property
    def name(self) -> str:
        """What results call it."""
        return self.instance


Case: TypeAlias = Generated | Aimed | Superstore | Literature


@dataclass(frozen=True, slots=True)
class Task:
    """One measurement: this case, this way, with these seconds for the solver and at most so much memory.

    Of several `runs`, one after another, the one with the middle seconds counts.
    """

    case: Case
    way: str
    limit_s: float
    memory_mb: int
    runs: int = 1

    @property
    def key(self) -> tuple[str, str]:
        """What makes two measurements the same."""
        return (self.case.name, self.way)


TASK: TypeAdapter[Task] = TypeAdapter(Task)
"""Tasks as JSON."""

LINES, SOURCES, COVERS = (1_000, 10_000, 100_000), (50, 200, 1_000), (3.0, 1.5, 1.0)
QUICK_SHAPES = (Shape(100, 10, 3.0), Shape(100, 10, 1.0))
LITERATURE_WAYS = ("engine-cbc", "engine-highs")


def all_shapes() -> Iterator[Shape]:
    """Every size with every cover, small ones first."""
    for lines in LINES:
        for sources in SOURCES:
            yield from (Shape(lines, sources, cover) for cover in COVERS)


def shape_from(text: str) -> Shape:
    """`10000x200x1.5`, or with a seed `10000x200x1.5x7`. Raises ValueError."""
    lines, sources, cover, *seed = text.lower().split("x")
    if len(seed) > 1:
        raise ValueError(text)
    shape = Shape(int(lines), int(sources), float(cover), int(seed[0]) if seed else 1)
    if min(shape.lines, shape.sources) < 1 or shape.cover < 0 or shape.seed < 0:
        raise ValueError(text)
    return shape


def cases_of(shapes: Sequence[Shape], superstore_csv: Path | None, folder: Path | None) -> Iterator[Case]:
    """Invented batches, then the Superstore orders and the literature where their files are given."""
    yield from map(Generated, shapes)
    if superstore_csv:
        yield from (Superstore(superstore_csv.resolve(), id) for id in ("standard-delivery", "fast-delivery"))
    if folder:
        yield from (Literature(folder.resolve(), name) for name in instance_names(folder))
