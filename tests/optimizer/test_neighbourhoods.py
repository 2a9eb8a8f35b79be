"""How much is freed at once: little while that helps, more when it does not."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np
import pytest

from dom_core.domain.plan import Ending
from dom_core.domain.strategy import SolverLimits
from dom_core.optimizer import neighbourhoods
from dom_core.optimizer.performing import LocalCrew
from dom_core.optimizer.pipeline import open_lines
from dom_core.optimizer.prices import Prices
from dom_core.optimizer.pricing import PricedBest, Pricer
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.relaxation import prepare
from dom_core.optimizer.solving import Answer, CbcSolver
from dom_core.optimizer.standing import Standing
from dom_core.optimizer.tasks import Task
from tests.optimizer.test_search import rivals

LIMITS = SolverLimits(solve_limit_s=600)
ORDERS = 60
WIDTHS = tuple(neighbourhoods.Width(lines, 6, 60.0, lines) for lines in (4, 40))
"""Two widths; the nodes that a task may have tell which of them it has."""


@dataclass(slots=True)
class Crew:
    """Finds nothing, unless another crew does its work; remembers round by round what it was asked."""

    worker: LocalCrew | None = None
    rounds: list[Sequence[Task]] = field(default_factory=list)
    name = "a crew of the test"

    def perform(self, tasks: Iterable[Task]) -> Iterator[Answer]:
        self.rounds.append(list(tasks))
        if self.worker:
            return self.worker.perform(self.rounds[-1])
        return iter([Answer((), Ending.NO_PLAN, float("-inf"), "", 0.0)] * len(self.rounds[-1]))

    def rounds_by_width(self) -> list[tuple[int | None, int]]:
        """The nodes that tasks may have, and how many rounds in a row had so many."""
        return [(nodes, len(list(some))) for nodes, some in groupby(tasks[0].limits.max_nodes for tasks in self.rounds)]


@pytest.fixture
def problem() -> Problem:
    return prepare(open_lines(rivals(ORDERS).build())[0]).problem


def improve(problem: Problem, crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin with a plan that gives nobody anything, so that every order is worth a neighbourhood."""
    monkeypatch.setattr(neighbourhoods, "WIDTHS", WIDTHS)
    monkeypatch.setattr(neighbourhoods, "AT_ONCE", 1)
    prices = Prices.none(problem)
    found = Pricer(problem, np.arange(len(problem.wanted))).price(prices)
    priced = PricedBest(prices, found.bound, found)
    neighbourhoods.improve(problem, Standing(problem, ()), priced, crew, LIMITS, deadline=float("inf"))


def test_when_some_rounds_close_next_to_nothing_of_the_gap_more_is_freed_at_once(
    problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbourhoods, "SLOW_ROUNDS", 7)
    crew = Crew()
    improve(problem, crew, monkeypatch)
    assert crew.rounds_by_width()[0] == (WIDTHS[0].nodes, 7)
    assert crew.rounds_by_width()[1][0] == WIDTHS[1].nodes


def test_until_then_every_order_has_its_turn_at_the_first_width(
    problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbourhoods, "SLOW_ROUNDS", 10 * ORDERS)
    crew = Crew()
    improve(problem, crew, monkeypatch)
    assert crew.rounds_by_width()[0] == (WIDTHS[0].nodes, ORDERS)


def test_while_rounds_close_some_of_the_gap_no_more_is_freed_at_once(
    problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbourhoods, "SLOW_ROUNDS", 3)
    monkeypatch.setattr(neighbourhoods, "ROUNDS", 8)
    monkeypatch.setattr(neighbourhoods, "ROUNDS_PER_ORDER", 0)
    crew = Crew(LocalCrew(CbcSolver()))
    improve(problem, crew, monkeypatch)
    assert crew.rounds_by_width() == [(WIDTHS[0].nodes, 8)]
