"""What becomes of orders that are freed: better flows if there are any, else nothing."""

from dataclasses import replace

import numpy as np
import pytest

from dom_core.domain.plan import Ending
from dom_core.domain.strategy import SolverLimits
from dom_core.errors import SolverFailed
from dom_core.optimizer import decomposition, formulation, freed, search
from dom_core.optimizer.costs import Flow
from dom_core.optimizer.linear import WholeAnswer
from dom_core.optimizer.performing import perform
from dom_core.optimizer.prices import Prices
from dom_core.optimizer.pricing import NOWHERE
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.solving import Answer, CbcSolver
from dom_core.optimizer.standing import Standing
from dom_core.optimizer.tasks import Lead, Task, Work
from tests.builders import an_order
from tests.optimizer.test_gap import at_distances
from tests.optimizer.test_prices import best_total, pricer_of
from tests.optimizer.test_pricing import problem_of
from tests.optimizer.test_search import rivals
from tests.optimizer.test_whole_patterns import WHOLE_LINES, broken_rules, scarce

LIMITS = SolverLimits(solve_limit_s=60)


class WithoutPairs(CbcSolver):
    """Chooses among patterns, and knows nothing of pairs."""

    def solve(self, *_: object) -> Answer:
        raise AssertionError("patterns express these orders")


class Broken(CbcSolver):
    """A solver that starts and fails."""

    def solve(self, *_: object) -> Answer:
        raise SolverFailed("broken")

    def solve_whole(self, *_: object) -> WholeAnswer:
        raise SolverFailed("broken")


class Bare(CbcSolver):
    """Must not be asked at all."""

    def solve_whole(self, *_: object) -> WholeAnswer:
        raise AssertionError("there is nothing to choose")


@pytest.fixture
def crowded() -> Problem:
    return problem_of(rivals(12).with_rules(WHOLE_LINES))


def best_flows(one: Problem) -> tuple[Flow, ...]:
    return CbcSolver().solve(formulation.build(one, decomposition.independent_parts(one)), LIMITS).flows


def a_task(one: Problem, flows: tuple[Flow, ...], prices: Prices | None = None, patterns_per_line: int = 100) -> Task:
    lead = Lead(Prices.none(one) if prices is None else prices, flows, {}, patterns_per_line)
    return Task(Work.NEIGHBOURHOOD, one, LIMITS, lead)


def good_prices(one: Problem) -> Prices:
    return search.priced_best(pricer_of(one), CbcSolver(), LIMITS, float("inf")).priced.prices


def test_where_the_flows_at_hand_are_best_nothing_is_found_and_that_is_proven(crowded: Problem) -> None:
    flows = best_flows(crowded)
    answer = freed.best_of(a_task(crowded, flows, good_prices(crowded)), WithoutPairs())
    assert (answer.flows, answer.ending) == ((), Ending.NO_PLAN)
    assert Standing(crowded, flows).total - 1 < answer.bound <= Standing(crowded, flows).total


def test_better_flows_are_found_and_are_the_best_that_there_are() -> None:
    """From a plan that gives nobody anything, at the prices that the search has."""
    for seed in range(8):
        one = problem_of(scarce(seed))
        answer = perform(a_task(one, (), good_prices(one)), WithoutPairs())
        if best_total(one) < Standing(one, ()).total:
            assert Standing(one, answer.flows).total == best_total(one), seed
            assert answer.ending is Ending.OPTIMAL, seed
            assert answer.bound == pytest.approx(best_total(one)), seed
            assert not broken_rules(one, answer.flows), seed


def test_a_plan_that_is_one_point_better_is_found_and_one_as_good_is_not() -> None:
    """Of three sources two are equally far."""
    one = at_distances({"A": 10, "B": 11, "C": 11}, [an_order().with_line("P")], {("P", name): 1 for name in "ABC"})
    assert freed.best_of(a_task(one, ((0, 1, 1),)), WithoutPairs()).flows == ((0, 0, 1),)
    near = replace(one, allowed=np.array([[False, True, True]]))
    assert freed.best_of(a_task(near, ((0, 2, 1),)), WithoutPairs()).flows == ()


def test_a_solver_that_fails_finds_nothing(crowded: Problem) -> None:
    assert freed.best_of(a_task(crowded, ()), Broken()) == freed.NOTHING
    assert freed.best_of(replace(a_task(crowded, ()), lead=None), Broken()) == freed.NOTHING


def test_with_few_patterns_a_plan_that_is_found_is_still_better_than_the_one_at_hand(
    crowded: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(freed, "LEAST_PATTERNS", 1)
    answer = freed.best_of(a_task(crowded, (), good_prices(crowded), patterns_per_line=1), WithoutPairs())
    assert best_total(crowded) <= Standing(crowded, answer.flows).total < Standing(crowded, ()).total
    assert not broken_rules(crowded, answer.flows)


def test_known_patterns_are_chosen_from_where_few_others_are(crowded: Problem, monkeypatch: pytest.MonkeyPatch) -> None:
    """All orders' patterns of the best plan are known, and no others fit: that plan is found."""
    monkeypatch.setattr(freed, "LEAST_PATTERNS", 1)
    at = np.full(len(crowded.wanted), NOWHERE)
    for line, source, _ in best_flows(crowded):
        at[line] = source
    order_of = crowded.batch.order_of
    known = {order: at[order_of == order][None, :] for order in np.unique(order_of[at >= 0]).tolist()}
    task = a_task(crowded, (), patterns_per_line=0)
    assert task.lead is not None
    answer = freed.best_of(replace(task, lead=replace(task.lead, known=known)), WithoutPairs())
    assert Standing(crowded, answer.flows).total == best_total(crowded)


def test_who_cannot_have_its_best_pattern_may_keep_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """Orders 1 and 3 want the only unit of B, and 1 is far away at C. With three patterns only 2 can come nearer."""
    orders = [an_order(str(number)).with_line("P") for number in (1, 2, 3)]
    one = at_distances({"A": 10, "B": 20, "C": 3000, "D": 500}, orders, {("P", name): 1 for name in "ABCD"})
    may = np.array([[False, True, True, False], [True, False, False, True], [False, True, False, False]])
    monkeypatch.setattr(freed, "LEAST_PATTERNS", 3)
    task = a_task(replace(one, allowed=may), ((0, 2, 1), (1, 3, 1), (2, 1, 1)), patterns_per_line=0)
    assert sorted(freed.best_of(task, WithoutPairs()).flows) == [(0, 2, 1), (1, 0, 1), (2, 1, 1)]


def test_where_nothing_may_serve_there_is_nothing_to_choose(crowded: Problem) -> None:
    closed = replace(crowded, allowed=np.zeros_like(crowded.allowed))
    assert freed.best_of(a_task(closed, ()), Bare()).flows == ()
    assert freed.best_of(replace(a_task(closed, ()), lead=None), Broken()) == freed.NOTHING
