"""What orders of many lines ask for: few sources for all lines, within every limit of the order."""

import time
from collections import Counter
from dataclasses import replace
from itertools import combinations
from random import Random

import numpy as np
import pytest

from benchmarks.judging import judge
from benchmarks.ways.fewest_splits import planned
from dom_core.domain.network import Location
from dom_core.domain.reason import FloatArray, IntArray
from dom_core.domain.strategy import SolverLimits
from dom_core.optimizer import blocks, first_plan, long_orders, neighbourhoods, search
from dom_core.optimizer.cheapest import NOWHERE
from dom_core.optimizer.first_plan import FirstPlan
from dom_core.optimizer.long_orders import Costs, choose
from dom_core.optimizer.pattern_costs import GROUP_LINES
from dom_core.optimizer.pipeline import open_lines, plan_once
from dom_core.optimizer.prices import Prices
from dom_core.optimizer.pricing import Pricer
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.relaxation import prepare
from dom_core.optimizer.solving import CbcSolver
from dom_core.optimizer.standing import Left
from tests.builders import RequestBuilder, a_request, a_rule, a_source, an_order
from tests.optimizer.varied import PLACES, varied_problems

LINES, SOURCES = 9, 6
DEAR = 1e6


def costs(seed: int, *, waiting: float = 0.0) -> Costs:
    """An order with random charges and a few pairs that cannot be."""
    chance = np.random.default_rng(seed)
    alone = -chance.integers(20, 100, (LINES, SOURCES)).astype(np.float64)
    alone[chance.random(alone.shape) < 0.3] = np.inf
    together = chance.integers(0, 120, SOURCES).astype(np.float64)
    none, plenty = np.zeros(SOURCES, dtype=bool), np.full(SOURCES, LINES)
    return Costs(together, alone, int(chance.integers(1, 5)), none, waiting, plenty)


def value(order: Costs, sources: tuple[int, ...]) -> float:
    """What the order costs from these sources, each line from the cheapest of them or not at all."""
    choices = np.column_stack([order.alone[:, list(sources)], np.full(LINES, order.waiting)])
    return float(choices.min(axis=1).sum() + order.together[list(sources)].sum())


def used(chosen: IntArray) -> tuple[int, ...]:
    return tuple(sorted(set(chosen.tolist()) - {NOWHERE}))


@pytest.mark.parametrize("waiting", [0.0, DEAR])
def test_no_exchange_of_a_source_betters_a_choice_and_most_choices_are_the_best(waiting: float) -> None:
    best = 0
    for seed in range(200):
        order = costs(seed, waiting=waiting)
        mine = used(choose(order))
        assert len(mine) <= order.most
        others = [one for count in range(order.most + 1) for one in combinations(range(SOURCES), count)]
        near = [one for one in others if len(set(mine) - set(one)) <= 1 and len(set(one) - set(mine)) <= 1]
        assert value(order, mine) <= min(value(order, one) for one in near) + 1e-6, seed
        best += value(order, mine) <= min(value(order, one) for one in others) + 1e-6
    assert best >= 180


def test_what_the_order_has_started_costs_no_further_source() -> None:
    alone: FloatArray = np.full((LINES, 2), -10.0)
    alone[:4, 1] = -50.0
    order = Costs(np.array([0.0, 20.0]), alone, 1, np.array([True, False]), 0.0, np.full(2, LINES))
    assert choose(order).tolist() == [1] * 4 + [0] * (LINES - 4)


def a_long_order(*, whole: bool = False, most: int = 2, last: int = 1) -> RequestBuilder:
    """Fourteen lines, two more than two groups, for products that lie apart: A with the first half, B with the others.

    C, the nearest, has the first line only. The `last` unit is in B, if anywhere.
    """
    order = an_order("O1").shipping_to(*PLACES[0])
    stock = {}
    for number in range(14):
        order = order.with_line(f"P{number:02}", 1)
        stock[f"P{number:02}", "A" if number < 7 else "B"] = 1 if number < 13 else last
    stock["P00", "C"] = 1
    split = {"max_sources": most, "partial_orders": not whole, "partial_lines": False, "max_sources_per_line": 1}
    sources = [a_source(id, at=PLACES[number]) for id, number in (("A", 1), ("B", 2), ("C", 0))]
    return (
        a_request()
        .with_sources(*sources)
        .with_orders(order)
        .with_stock(stock)
        .with_rules(a_rule("partial_orders", split))
    )


def problem_of(builder: RequestBuilder) -> Problem:
    return prepare(open_lines(builder.build())[0]).problem


def first(problem: Problem) -> list[tuple[int, int, int]]:
    pricer = Pricer(problem, np.flatnonzero(problem.wanted > 0))
    return first_plan.build(pricer, Prices.none(problem))


@pytest.mark.parametrize("whole", [False, True])
def test_a_long_order_gets_all_its_lines_from_as_few_sources_as_it_may_use(whole: bool) -> None:
    flows = first(problem_of(a_long_order(whole=whole)))
    assert [line for line, _, _ in sorted(flows)] == list(range(14))
    assert len({source for _, source, _ in flows}) == 2


def test_a_long_order_that_must_come_whole_waits_whole_when_a_line_is_nowhere() -> None:
    assert len(first(problem_of(a_long_order(last=0)))) == 13
    assert first(problem_of(a_long_order(whole=True, last=0))) == []


def wish(problem: Problem) -> IntArray:
    """What the only order asks for."""
    pricer = Pricer(problem, np.flatnonzero(problem.wanted > 0))
    ((_, chosen),) = long_orders.wishes(pricer, Prices.none(problem), Left(problem, ()))
    return chosen


def test_an_order_that_must_come_whole_asks_for_nothing_when_a_line_is_nowhere() -> None:
    assert (wish(problem_of(a_long_order(last=0))) != NOWHERE).sum() == 13
    assert (wish(problem_of(a_long_order(whole=True, last=0))) == NOWHERE).all()


def test_a_line_that_came_from_as_many_sources_as_it_may_asks_for_no_other() -> None:
    a, _, c = range(3)
    problem = problem_of(a_long_order())
    assert wish(problem)[0] == a
    before = replace(problem.used, limited_line_sources=frozenset({(0, c)}))
    assert wish(replace(problem, used=before))[0] in (c, NOWHERE)


def test_with_one_source_the_fuller_one_is_taken() -> None:
    flows = first(problem_of(a_long_order(most=1)))
    assert len(flows) == 7
    assert len({source for _, source, _ in flows}) == 1


def test_two_lines_of_one_order_do_not_ask_for_the_same_unit() -> None:
    order = an_order("O1").shipping_to(*PLACES[0])
    for number in range(8):
        order = order.with_line("twin" if number < 2 else f"P{number}", 1)
    builder = a_request().with_sources(a_source("A", at=PLACES[0]), a_source("B", at=PLACES[4])).with_orders(order)
    flows = first(
        problem_of(builder.with_stock({(f"P{n}", "A"): 1 for n in range(2, 8)} | {("twin", "A"): 1, ("twin", "B"): 1}))
    )
    assert len(flows) == 8
    assert {source for line, source, _ in flows if line < 2} == {0, 1}


def broke_its_limit_before(problem: Problem, order: int) -> bool:
    """Whether the invented flows of a first iteration already use too many sources."""
    limit = problem.split_limits[order].max_sources
    return limit is not None and sum(1 for other, _ in problem.used.limited_shipments if other == order) > limit


def test_wishes_keep_every_limit_of_their_orders() -> None:
    seen = 0
    for seed, problem, prices in varied_problems():
        pricer = Pricer(problem, np.flatnonzero(problem.wanted > 0))
        for lines, chosen in long_orders.wishes(pricer, prices, Left(problem, ())):
            assert len(lines) > GROUP_LINES
            if broke_its_limit_before(problem, int(problem.batch.order_of[lines[0]])):
                continue
            everything = np.full(len(problem.wanted), NOWHERE)
            everything[lines] = chosen
            assert not first_plan.unfit(pricer, everything).any(), seed
            assert problem.allowed[lines, chosen][chosen != NOWHERE].all(), seed
            seen += int((chosen != NOWHERE).any())
    assert seen > 50


def test_patterns_do_not_place_a_part_of_an_order_that_they_cut() -> None:
    problem = problem_of(a_long_order())
    plan = FirstPlan(Pricer(problem, np.flatnonzero(problem.wanted > 0)))
    one_group = np.full(14, NOWHERE)
    one_group[:GROUP_LINES] = 0
    assert not plan.place_patterns(one_group)
    assert plan.waiting.all()


def with_room(lines: int, *limits: tuple[str, int, str], orders: int = 1) -> Problem:
    """Orders of so many lines near A, farther from B; both hold everything, and have only so much room."""
    builder = a_request().with_sources(a_source("A", at=PLACES[0]), a_source("B", at=PLACES[4]))
    stock: dict[tuple[str, str], int] = {}
    for number in range(orders):
        order = an_order(f"O{number}").shipping_to(*PLACES[0])
        for line in range(lines):
            order = order.with_line(f"P{line}", 1)
            stock |= {(f"P{line}", source_id): 9 for source_id in "AB"}
        builder = builder.with_orders(order)
    rooms = {"lines": [{"source_id": id, "limit": limit, "basis": basis} for id, limit, basis in limits]}
    return problem_of(builder.with_stock(stock).with_rules(a_rule("maximum_orders", rooms)))


@pytest.mark.parametrize("lines", [4, 8])
def test_an_order_asks_each_source_for_no_more_lines_than_it_has_room_for(lines: int) -> None:
    flows = first(with_room(lines, ("A", 3, "lines_per_day"), ("B", lines - 3, "lines_per_day")))
    assert Counter(source for _, source, _ in flows) == {0: 3, 1: lines - 3}


@pytest.mark.parametrize(
    ("basis", "limit", "served"), [("lines_per_day", 5, 5), ("open_orders", 2, 8), ("open_orders", 1, 4)]
)
def test_room_that_sources_share_is_not_taken_twice(basis: str, limit: int, served: int) -> None:
    """Eight lines, of which each source has half; both together have room for five lines, or for so many shipments."""
    order = an_order("O1").shipping_to(*PLACES[0])
    for line in range(8):
        order = order.with_line(f"P{line}", 1)
    sources = a_source("A", at=PLACES[0]), a_source("B", at=PLACES[1])
    builder = a_request().with_sources(*sources).with_list("both", "A", "B").with_orders(order)
    builder = builder.with_stock({(f"P{line}", "A" if line < 4 else "B"): 1 for line in range(8)})
    room = {"source_list_id": "both", "per": "total", "basis": basis, "limit": limit}
    assert len(first(problem_of(builder.with_rules(a_rule("maximum_orders", {"lines": [room]}))))) == served


def test_who_finds_a_source_full_asks_another_one() -> None:
    flows = first(with_room(2, ("A", 1, "open_orders"), ("B", 2, "open_orders"), orders=4))
    assert Counter(source for _, source, _ in flows) == {0: 2, 1: 4}


def test_where_there_is_enough_for_everybody_a_long_order_is_not_cut_either() -> None:
    """Half of the lines go where A is, half to B, and both hold everything: two groups would use both."""
    order, stock = an_order("O1"), dict[tuple[str, str], int]()
    for number in range(12):
        place = Location(*PLACES[0 if number < 6 else 4])
        order = order.with_line(f"P{number:02}", 1, id=f"{number:02}", location=place)
        stock |= {(f"P{number:02}", source_id): 9 for source_id in "AB"}
    sources = [a_source("A", at=PLACES[0]), a_source("B", at=PLACES[4])]
    problem = problem_of(a_request().with_sources(*sources).with_orders(order).with_stock(stock))
    pricer = Pricer(problem, np.flatnonzero(problem.wanted > 0))
    assert len(set(pricer.price(Prices.none(problem)).chosen.tolist())) == 2
    found = search.priced_best(pricer, CbcSolver(), SolverLimits(), time.monotonic() + 60)
    assert len(found.flows) == 12
    assert len({source for _, source, _ in found.flows}) == 1


def many_long_orders(orders: int = 30) -> RequestBuilder:
    """Orders of twelve to twenty lines for sixty products, each of which three of six sources hold, and not for all."""
    chance = Random(7)
    builder = a_request().with_sources(*(a_source(f"S{number}", at=place) for number, place in enumerate(PLACES)))
    for number in range(orders):
        order = an_order(f"O{number:03}").shipping_to(*chance.choice(PLACES))
        for product in chance.sample(range(60), chance.randint(12, 20)):
            order = order.with_line(f"P{product}", 1)
        builder = builder.with_orders(order)
    stock = {(f"P{p}", f"S{s}"): chance.randint(1, 3) for p in range(60) for s in chance.sample(range(6), 3)}
    split = {"max_sources": 3, "partial_orders": True, "partial_lines": False, "max_sources_per_line": 1}
    return builder.with_stock(stock).with_rules(a_rule("partial_orders", split))


def test_the_search_fills_long_orders_better_than_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    request = many_long_orders().build()
    one_by_one = judge(request, planned(request, 1).served)
    greedy = first(problem_of(RequestBuilder(request)))
    assert sum(units for *_, units in greedy) >= 0.95 * one_by_one.filled_units
    monkeypatch.setattr(blocks, "EXACT_PAIRS", 0)
    monkeypatch.setattr(blocks, "EXACT_PAIRS_OF_LONG_ORDERS", 0)
    monkeypatch.setattr(neighbourhoods, "ROUNDS", 1)
    monkeypatch.setattr(neighbourhoods, "ROUNDS_PER_ORDER", 0)
    assert plan_once(request, CbcSolver()).iterations[0].total < one_by_one.value
