"""Pieces of a run that stand alone: whoever performs them, in any order, the answers are the same."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from dom_core.domain.strategy import SolverLimits
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.solving import Answer


class Work(StrEnum):
    """What a task asks for.

    `block`: a plan with a bound, by the exact model or by search. `block_strictly`: level by level. `neighbourhood`:
    what the exact model finds within small limits, or nothing; a solver that fails finds nothing.
    """

    BLOCK = "block"
    BLOCK_STRICTLY = "block_strictly"
    NEIGHBOURHOOD = "neighbourhood"


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """A small problem, and what is to be done with it."""

    work: Work
    problem: Problem
    limits: SolverLimits


class Crew(Protocol):
    """Performs tasks."""

    @property
    def name(self) -> str:
        """The solver's name and version, for the plan."""
        ...

    def perform(self, tasks: Iterable[Task]) -> Iterator[Answer]:
        """The answers, in the order of the tasks. Raises what the first failing task raises, and Cancelled."""
        ...
