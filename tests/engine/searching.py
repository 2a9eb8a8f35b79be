"""Planning by search, however small a batch is: as one part or part by part, one after another or side by side."""

import json
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from random import Random
from unittest.mock import patch

from dom_core.domain.plan import Plan
from dom_core.domain.request import PlanRequest
from dom_core.messages.reading import write_value
from dom_core.optimizer import decomposition, narrowing, neighbourhoods, performing, search, stepping
from dom_core.optimizer.course import Course
from dom_core.optimizer.pipeline import plan_once
from dom_core.optimizer.prices import Prices
from dom_core.optimizer.pricing import PricedBlock, Pricer
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.promising import Kept, Known, priced_here
from dom_core.optimizer.solving import Answer, Solver
from dom_core.optimizer.tasks import Task, Work

NARROW = ((6, 2), (16, 4))
"""Lines and sources of neighbourhoods that come before the usual ones, so that a small part needs many, too."""

FIRST_COLUMNS = 8
"""Patterns that are left for the first step."""


@dataclass(frozen=True, slots=True)
class Crew:
    """Performs tasks, so many at the same time; with a seed, begins them in another order than they came."""

    solver: Solver
    workers: int = 1
    seed: int | None = None

    @property
    def name(self) -> str:
        """The solver's name."""
        return self.solver.name

    def perform(self, tasks: Iterable[Task]) -> Iterator[Answer]:
        """The answers in the order of the tasks."""
        waiting = list(tasks)
        turns = list(range(len(waiting)))
        if self.seed is not None:
            Random(self.seed).shuffle(turns)
        with ThreadPoolExecutor(self.workers) as pool:
            found = {turn: pool.submit(self.performed, waiting[turn]) for turn in turns}
            return iter([found[number].result() for number in range(len(waiting))])

    def price_all(self, pricer: Pricer, prices: Prices, known: Known) -> Sequence[PricedBlock[Kept]]:
        """All blocks, here."""
        return priced_here(pricer, prices, known)

    def performed(self, task: Task) -> Answer:
        """The answer to one task."""
        return performing.perform(task, self.solver)


@dataclass(frozen=True, slots=True, eq=False)
class Searched:
    """A block, what the search says of it, and every bound that it took for proven on the way (of a crew of one)."""

    problem: Problem
    answer: Answer
    bounds: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class SearchingCrew(Crew):
    """Gives every block to the search, as if it were too large for the exact model."""

    searched: list[Searched] = field(default_factory=list)

    def performed(self, task: Task) -> Answer:
        """The answer to one task."""
        if task.work is not Work.BLOCK:
            return Crew.performed(self, task)
        within = Crew(self.solver, self.workers, self.seed)
        with _bounds_heard(alone=self.workers == 1) as bounds:
            answer = search.solve_large(task.problem, self.solver, within, task.limits)
        self.searched.append(Searched(task.problem, answer, (*bounds, answer.bound)))
        return answer


@contextmanager
def _bounds_heard(*, alone: bool) -> Iterator[list[float]]:
    """The bounds that a search proves meanwhile; none where it is not alone, because nobody knows whose they are."""
    heard: list[float] = []
    keep = Course.prove
    if not alone:
        yield heard
        return

    def prove(course: Course, bound: float) -> None:
        heard.append(bound)
        keep(course, bound)

    with patch.object(Course, "prove", prove):
        yield heard


def whole(request: PlanRequest, crew: SearchingCrew) -> Plan:
    """The plan with all parts in one block, as for a real batch of this size."""
    return plan_once(request, crew.solver, crew=crew)


def apart(request: PlanRequest, crew: SearchingCrew) -> Plan:
    """The plan with each part as a task of its own; at first, neighbourhoods are narrow and steps small.

    So many of them are needed, as for a large part.
    """
    widths = tuple(replace(neighbourhoods.WIDTHS[-1], lines=lines, sources=sources) for lines, sources in NARROW)
    with (
        patch.object(decomposition, "BLOCK_LINES", 1),
        patch.object(neighbourhoods, "WIDTHS", (*widths, *neighbourhoods.WIDTHS)),
        patch.object(narrowing, "FEW", 0),
        patch.object(stepping, "FIRST_COLUMNS", FIRST_COLUMNS),
    ):
        return plan_once(request, crew.solver, crew=crew)


def written(plan: Plan) -> bytes:
    """The plan as it is stored, but for the seconds that it took."""
    reports = tuple(replace(report, seconds=0.0) for report in plan.iterations)
    return json.dumps(write_value(replace(plan, seconds=0.0, iterations=reports), Plan)).encode()
