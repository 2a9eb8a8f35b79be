"""Performing tasks, in this process."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Event

from dom_core.errors import Cancelled
from dom_core.optimizer import blocks, freed, workers
from dom_core.optimizer.solving import Answer, Solver
from dom_core.optimizer.tasks import Task, Work
from dom_core.optimizer.watch import WatchedLimits, watch_of


@dataclass(frozen=True, slots=True)
class LocalCrew:
    """Performs tasks side by side on this machine."""

    solver: Solver

    @property
    def name(self) -> str:
        """The solver's name and version."""
        return self.solver.name

    def perform(self, tasks: Iterable[Task]) -> Iterator[Answer]:
        """The answers, in the order of the tasks. When one fails, or nobody waits any more, the others are stopped."""
        abandoned, failures = Event(), list[Exception]()

        def performed(task: Task) -> Answer:
            watch = watch_of(task.limits).or_when(abandoned.is_set)
            try:
                return perform(replace(task, limits=WatchedLimits.of(task.limits, watch)), self.solver)
            except Exception as failure:
                failures.append(failure)
                abandoned.set()
                raise

        with ThreadPoolExecutor(workers.WORKERS) as threads:
            try:
                yield from threads.map(performed, tasks)
            except Cancelled:
                # The others were stopped because of the first failure: that one is worth telling.
                raise failures[0] from None
            finally:
                abandoned.set()
                threads.shutdown(wait=False, cancel_futures=True)


def perform(task: Task, solver: Solver) -> Answer:
    """The answer to one task. Raises SolverFailed, Cancelled."""
    crew = LocalCrew(solver)
    match task.work:
        case Work.BLOCK:
            return blocks.solve(task.problem, solver, crew, task.limits)
        case Work.BLOCK_STRICTLY:
            return blocks.solve_strictly(task.problem, solver, crew, task.limits)
        case Work.NEIGHBOURHOOD:
            return freed.best_of(task, solver)
