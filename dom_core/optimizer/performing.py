"""Performing tasks, in this process."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from threading import Event

import numpy as np

from dom_core.errors import Cancelled, InvalidInput
from dom_core.errors import Problem as Fault
from dom_core.optimizer import blocks, freed, price_wire, task_wire, workers
from dom_core.optimizer.prices import Prices
from dom_core.optimizer.pricing import PricedBlock, Pricer
from dom_core.optimizer.promising import Kept, Known, priced_blocks, priced_here
from dom_core.optimizer.solving import Answer, Solver
from dom_core.optimizer.tasks import Crew, PriceTask, Task, Work
from dom_core.watch import WatchedLimits, watch_of


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

    def price_all(self, pricer: Pricer, prices: Prices, known: Known) -> Sequence[PricedBlock[Kept]]:
        """All blocks, in threads of this process."""
        return priced_here(pricer, prices, known)


def perform(task: Task, solver: Solver, crew: Crew | None = None) -> Answer:
    """The answer to one task; what comes up within it goes to the crew. Raises SolverFailed, Cancelled."""
    crew = crew or LocalCrew(solver)
    match task.work:
        case Work.BLOCK:
            return blocks.solve(task.problem, solver, crew, task.limits)
        case Work.BLOCK_STRICTLY:
            return blocks.solve_strictly(task.problem, solver, crew, task.limits)
        case Work.NEIGHBOURHOOD:
            return freed.best_of(task, solver)


def answered(task: Task | PriceTask, solver: Solver) -> bytes:
    """The answer to a task that somebody sent, as bytes. Raises SolverFailed, Cancelled, InvalidInput."""
    if isinstance(task, Task):
        return task_wire.answer_bytes(perform(task, solver))
    pricer = Pricer(task.problem, np.flatnonzero(task.problem.wanted > 0), watch_of(task.limits))
    groups = {kind: len(rows) for kind, rows in pricer.costs.tables.items()}
    if any(groups.get(kind) != len(sources) for kind, sources in task.known.items()):
        raise InvalidInput([Fault("", "knows sources of other groups")], "plan task")
    ranges = list(pairwise((0, *task.ends)))
    return price_wire.answer_bytes(priced_blocks(pricer, task.prices, task.known, ranges))
