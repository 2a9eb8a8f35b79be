"""Measures every case in every way, keeps each result as soon as there is one, and leaves out what is known already."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import records
from benchmarks.cases import LITERATURE_WAYS, Case, Generated, Literature, Task
from benchmarks.goals import Goal
from benchmarks.measuring import Watch, measured
from benchmarks.records import Circumstances, Outcome, Record, Result
from benchmarks.ways import BY_KEY

Told = Callable[[str], None]
"""Told one line for each measurement."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """What to measure: `again` measures what is known already once more."""

    cases: Sequence[Case]
    ways: Sequence[str]
    limit_s: float
    memory_mb: int
    again: bool = False
    goals: Sequence[Goal] = ()

    def tasks(self) -> Iterator[Task]:
        """Every measurement, case by case, then every goal. The literature is for the engine only."""
        for case in self.cases:
            for way in self.ways:
                if not isinstance(case, Literature) or way in LITERATURE_WAYS:
                    yield Task(case, way, self.limit_s, self.memory_mb)
        for goal in self.goals:
            yield from (task for task in goal.tasks(self.memory_mb) if task.way in self.ways)


def run(campaign: Campaign, file: Path, made: Circumstances, watch: Watch, tell: Told) -> dict[tuple[str, str], Record]:
    """Measure what the file does not hold yet; everything that it holds then."""
    known = records.read(file)
    waiting = [task for task in campaign.tasks() if campaign.again or not _settled(known.get(task.key))]
    for number, task in enumerate(waiting, start=1):
        title = f"[{number}/{len(waiting)}] {task.case.name} · {BY_KEY[task.way].title}"
        record = _record(task, made, watch)
        known[record.key] = record
        records.write(file, in_order(known.values()))
        tell(f"{title}: {_in_words(record)}")
    return known


def _settled(record: Record | None) -> bool:
    """Whether nothing new can be expected: failures are tried again, and what has been installed meanwhile."""
    if record is None or record.result.outcome is Outcome.FAILED:
        return False
    return record.result.outcome is not Outcome.NOT_INSTALLED or not BY_KEY[record.way].installed


def in_order(found: Iterable[Record]) -> list[Record]:
    """Records by size, and in each case in the order of the ways: what was measured first does not matter."""
    ways = list(BY_KEY)

    def key(record: Record) -> tuple[object, ...]:
        shape = record.shape
        size = (shape.lines, shape.sources, -shape.cover, shape.seed) if shape else ()
        # cap104 before cap71 would be odd: of one family the shorter name comes first.
        family = record.case.partition("/")[0]
        return (record.kind, size, family, len(record.case), record.case, ways.index(record.way))

    return sorted(found, key=key)


def _record(task: Task, made: Circumstances, watch: Watch) -> Record:
    shape = task.case.shape if isinstance(task.case, Generated) else None
    return Record(task.case.name, task.case.kind, task.way, task.limit_s, _result(task, watch), made, shape)


def _result(task: Task, watch: Watch) -> Result:
    """The run with the middle seconds; the first without an answer, if there is one."""
    results: list[Result] = []
    for _ in range(task.runs):
        results.append(measured(task, watch))
        if results[-1].seconds is None:
            return results[-1]
    results.sort(key=lambda result: result.seconds or 0.0)
    every = tuple(result.seconds for result in results if result.seconds is not None)
    return replace(results[len(results) // 2], runs_s=every if task.runs > 1 else ())


def _in_words(record: Record) -> str:
    result, figures = record.result, record.figures
    if figures is None:
        return f"{result.outcome}{f' ({result.note})' if result.note else ''}"
    return f"{figures.value:,.0f} points in {result.seconds:,.1f} s, {result.peak_mb:,} MB"
