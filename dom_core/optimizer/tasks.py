"""Pieces of a run that stand alone: whoever performs them, in any order, the answers are the same."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from dom_core.domain.reason import IntArray
from dom_core.domain.strategy import SolverLimits
from dom_core.optimizer.costs import Flow
from dom_core.optimizer.prices import Prices
from dom_core.optimizer.pricing import PricedBlock, Pricer
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.promising import Kept, Known
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
class Lead:
    """What a search knows about a neighbourhood that patterns express.

    `prices` are what is scarce, `flows` the plan as it stands, `known` patterns of its orders from masters, as sources
    of their lines (N, n). So many patterns a line are looked at besides.
    """

    prices: Prices
    flows: Sequence[Flow]
    known: Mapping[int, IntArray]
    patterns_per_line: int


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """A small problem, and what is to be done with it. A `lead` belongs to a neighbourhood, and is not sent away."""

    work: Work
    problem: Problem
    limits: SolverLimits
    lead: Lead | None = None


@dataclass(frozen=True, slots=True, eq=False)
class PriceTask:
    """Some blocks of orders of a huge part, as a problem of their own with all of its sources.

    What is asked for: blocks that end before these of its orders (those that want anything), at these prices, with
    promising sources besides those known.
    """

    problem: Problem
    ends: tuple[int, ...]
    prices: Prices
    known: Known
    limits: SolverLimits = field(default_factory=SolverLimits)


class Crew(Protocol):
    """Performs tasks, and makes passes over all pairs."""

    @property
    def name(self) -> str:
        """The solver's name and version, for the plan."""
        ...

    def perform(self, tasks: Iterable[Task]) -> Iterator[Answer]:
        """The answers, in the order of the tasks. Raises what the first failing task raises, and Cancelled."""
        ...

    def price_all(self, pricer: Pricer, prices: Prices, known: Known) -> Sequence[PricedBlock[Kept]]:
        """All blocks of a part's orders at these prices, with promising sources besides those known."""
        ...
