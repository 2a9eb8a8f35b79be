"""How much is freed at once: little while that helps, more when it does not."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

import numpy as np
import pytest

from dom_core.domain.plan import Ending
from dom_core.domain.strategy import SolverLimits
from dom_core.optimizer import decomposition, first_plan, formulation, neighbourhoods
from dom_core.optimizer import workers as worker_count
from dom_core.optimizer.costs import Flow
from dom_core.optimizer.performing import LocalCrew
from dom_core.optimizer.pipeline import open_lines
from dom_core.optimizer.prices import Prices
from dom_core.optimizer.pricing import PricedBest, PricedBlock, Pricer
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.promising import Kept, Known, priced_here
from dom_core.optimizer.relaxation import prepare
from dom_core.optimizer.solving import Answer, CbcSolver
from dom_core.optimizer.standing import Left, Standing
from dom_core.optimizer.tasks import Task
from dom_core.optimizer.whole_patterns import expressed
from dom_core.rules.base import SplitLimits
from tests.optimizer.test_search import rivals

LIMITS = SolverLimits(solve_limit_s=600)
ORDERS = 60
WIDTHS = tuple(neighbourhoods.Width(lines, 6, lines) for lines in (4, 40))
"""Two widths; the nodes that a task may have tell which of them it has."""


@dataclass(slots=True)
class Crew:
    """Finds nothing, for lack of a `limit` if any, unless another crew does its work; remembers what it was asked."""

    worker: LocalCrew | None = None
    limit: str = ""
    rounds: list[Sequence[Task]] = field(default_factory=list)
    name = "a crew of the test"

    def perform(self, tasks: Iterable[Task]) -> Iterator[Answer]:
        self.rounds.append(list(tasks))
        if self.worker:
            return self.worker.perform(self.rounds[-1])
        return iter([Answer((), Ending.NO_PLAN, float("-inf"), self.limit, 0.0)] * len(self.rounds[-1]))

    def price_all(self, pricer: Pricer, prices: Prices, known: Known) -> Sequence[PricedBlock[Kept]]:
        return priced_here(pricer, prices, known)

    def rounds_by_width(self) -> list[tuple[int | None, int]]:
        """The nodes that tasks may have, and how many rounds in a row had so many."""
        return [(nodes, len(list(some))) for nodes, some in groupby(tasks[0].limits.max_nodes for tasks in self.rounds)]


def in_twos(orders: int) -> Problem:
    """Twice of everything, wanted and in stock: a single unit cannot be split."""
    one = prepare(open_lines(rivals(orders).build())[0]).problem
    return replace(one, wanted=one.wanted * 2, stock=one.stock * 2)


@pytest.fixture
def problem() -> Problem:
    return in_twos(ORDERS)


def improve(
    problem: Problem,
    crew: Crew,
    monkeypatch: pytest.MonkeyPatch,
    widths: tuple[neighbourhoods.Width, ...] = WIDTHS,
    start: Sequence[Flow] = (),
) -> tuple[Standing, str]:
    """Begin with a plan that gives nobody anything, so that every order is worth a neighbourhood; or with this one."""
    monkeypatch.setattr(neighbourhoods, "WIDTHS", widths)
    monkeypatch.setattr(neighbourhoods, "AT_ONCE", 1)
    prices = Prices.none(problem)
    found = Pricer(problem, np.arange(len(problem.wanted))).price(prices)
    priced = PricedBest(prices, found.bound, found)
    return neighbourhoods.improve(problem, Standing(problem, start), priced, crew, LIMITS, deadline=float("inf"))


@pytest.mark.parametrize("limit", ["seconds", "nodes", ""])
def test_a_neighbourhood_without_time_is_said_to_have_ended_the_search(
    limit: str, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert improve(problem, Crew(limit=limit), monkeypatch)[1] == ("seconds" if limit == "seconds" else "rounds")


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


# Orders that patterns express, and others.

BY_PATTERNS = neighbourhoods.Width(20, 6, 20, 50)
BY_PAIRS = neighbourhoods.Width(20, 6, 21)


def mixed(orders: int = 24) -> Problem:
    """Orders of which every third may be split: the others are whole, line by line, and patterns express them."""
    one = in_twos(orders)
    whole = SplitLimits(partial_lines=False, max_sources_per_line=1)
    limits = tuple(old if order % 3 == 0 else whole for order, old in enumerate(one.split_limits))
    return replace(one, split_limits=limits)


def all_whole(orders: int = 24) -> Problem:
    one = mixed(orders)
    return replace(one, split_limits=(one.split_limits[1],) * orders)


def expressed_in(problem: Problem) -> list[bool]:
    return [bool(one) for one in expressed(Pricer(problem, np.arange(len(problem.wanted))))]


def best_total(problem: Problem) -> int:
    model = formulation.build(problem, decomposition.independent_parts(problem))
    return Standing(problem, CbcSolver().solve(model, LIMITS).flows).total


@pytest.mark.parametrize("lines", [20, 1000])
def test_by_patterns_only_orders_are_freed_that_patterns_express(lines: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where all could be freed at once, and where others hold what a freed order could use."""
    problem = mixed()
    assert expressed_in(problem) == [order % 3 > 0 for order in range(24)]
    crew = Crew()
    start = first_plan.build(Pricer(problem, np.arange(len(problem.wanted))), Prices.none(problem))
    improve(problem, crew, monkeypatch, (replace(BY_PATTERNS, lines=lines),), start)
    tasks = [task for some in crew.rounds for task in some]
    assert max(len(task.problem.weights) for task in tasks) > 2
    for task in tasks:
        assert task.lead is not None
        assert len(task.lead.flows) > 0
        assert all(expressed_in(task.problem))
        assert len(task.problem.wanted) <= lines


def test_by_pairs_the_others_have_their_turn_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = mixed()
    crew = Crew()
    improve(problem, crew, monkeypatch, (neighbourhoods.Width(1, 6, 21),))
    tasks = [task for some in crew.rounds for task in some]
    assert len(tasks) == 8, "only every third order is a seed"
    assert not any(task.lead or any(expressed_in(task.problem)) for task in tasks)


def test_where_nobody_is_expressed_no_task_has_a_lead(problem: Problem, monkeypatch: pytest.MonkeyPatch) -> None:
    crew = Crew()
    improve(problem, crew, monkeypatch, (BY_PATTERNS, BY_PAIRS))
    assert crew.rounds
    assert not any(task.lead for tasks in crew.rounds for task in tasks)


@pytest.mark.parametrize("width", [BY_PATTERNS, BY_PAIRS], ids=["by patterns", "by pairs"])
def test_when_all_are_freed_at_once_and_nothing_is_better_they_are_not_freed_again(
    width: neighbourhoods.Width, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = all_whole() if width.patterns else in_twos(24)
    crew = Crew()
    improve(problem, crew, monkeypatch, (replace(width, lines=1000),))
    assert [len(task.problem.wanted) for tasks in crew.rounds for task in tasks] == [len(problem.wanted)]


def test_orders_of_both_kinds_get_better_each_in_their_way(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = mixed()
    nothing = Standing(problem, ()).total
    for widths, filled in (((BY_PATTERNS,), {1, 2}), ((BY_PATTERNS, BY_PAIRS), {0, 1, 2})):
        crew = Crew(LocalCrew(CbcSolver()))
        plan, _ = improve(problem, crew, monkeypatch, widths)
        assert {int(problem.batch.order_of[line]) % 3 for line, *_ in plan.flows} == filled
        assert best_total(problem) <= plan.total < nothing
        assert Left(problem, ()).fits(plan.flows)
        nothing = plan.total
    assert nothing <= 1.01 * best_total(problem)


def test_where_patterns_express_all_and_there_is_room_for_all_the_best_plan_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    problem = all_whole()
    plan, _ = improve(problem, Crew(LocalCrew(CbcSolver())), monkeypatch, (replace(BY_PATTERNS, lines=1000),))
    assert plan.total == best_total(problem)


def test_the_plan_of_both_kinds_does_not_depend_on_how_many_tasks_run_side_by_side(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plans = []
    for workers in (1, 2):
        monkeypatch.setattr(worker_count, "WORKERS", workers)
        crew = Crew(LocalCrew(CbcSolver()))
        prices = Prices.none(mixed(30))
        found = Pricer(mixed(30), np.arange(len(mixed(30).wanted))).price(prices)
        monkeypatch.setattr(neighbourhoods, "WIDTHS", (BY_PATTERNS, BY_PAIRS))
        priced = PricedBest(prices, found.bound, found)
        standing = Standing(mixed(30), ())
        plans.append(neighbourhoods.improve(mixed(30), standing, priced, crew, LIMITS, float("inf"))[0].flows)
        assert any(len(tasks) > 1 for tasks in crew.rounds)
    assert plans[0] == plans[1]


def test_what_masters_knew_goes_along_in_positions_of_the_neighbourhood(monkeypatch: pytest.MonkeyPatch) -> None:
    """Order 1 has two lines; the second of its known patterns names a source that may serve nobody here."""
    problem = all_whole()
    closed = problem.allowed.copy()
    closed[:, 0] = False
    problem = replace(problem, allowed=closed)
    monkeypatch.setattr(neighbourhoods, "WIDTHS", (replace(BY_PATTERNS, lines=1000),))
    prices = Prices.none(problem)
    found = Pricer(problem, np.arange(len(problem.wanted))).price(prices)
    priced, crew = PricedBest(prices, found.bound, found), Crew()
    known = {1: np.array([[1, -1], [0, 2], [3, 5]])}
    neighbourhoods.improve(problem, Standing(problem, ()), priced, crew, LIMITS, float("inf"), known)
    (lead,) = (task.lead for tasks in crew.rounds for task in tasks)
    assert lead is not None
    assert {order: patterns.tolist() for order, patterns in lead.known.items()} == {1: [[0, -1], [2, 4]]}
