"""The best choice of patterns is the best plan, where patterns say everything about a plan."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random

import numpy as np
import pytest

from dom_core.domain.network import WRITE_IN_PRODUCT_ID, Location
from dom_core.domain.plan import Ending, Level
from dom_core.domain.strategy import Objective, RuleRecord, SolverLimits
from dom_core.optimizer import objective, problem, search
from dom_core.optimizer.costs import Flow
from dom_core.optimizer.linear import LinearProgram, WholeAnswer
from dom_core.optimizer.master import restricted
from dom_core.optimizer.patterns import PatternPool
from dom_core.optimizer.prices import Prices
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.solving import CbcSolver
from dom_core.optimizer.standing import Left, Standing
from dom_core.optimizer.whole_patterns import Choices, Choosable, Chosen, choose, expressed
from dom_core.optimizer.working_set import WorkingSet
from tests.builders import RequestBuilder, a_cost_factor, a_request, a_rule, a_source, an_order
from tests.optimizer.test_prices import best_total, pricer_of, random_prices
from tests.optimizer.test_pricing import problem_of
from tests.optimizer.test_search import PLACES, rivals
from tests.oracle.generation import generate

CASES, CHUNK, PLENTY, EVERYTHING = 40, 20, 10**6, 1e9

WHOLE = {"max_sources": None, "partial_orders": True, "partial_lines": False, "max_sources_per_line": 1}
WHOLE_LINES = a_rule("partial_orders", WHOLE)
"""Without such a rule a line may come from several sources, which no pattern says."""


def scarce(seed: int) -> RequestBuilder:
    """A few orders of whole lines for a few units: some with limits on their sources, some sources with little room."""
    random = Random(seed)
    sources = [a_source(f"S{number}", at=PLACES[number]) for number in range(random.randint(2, 4))]
    builder = a_request().with_sources(*sources)
    for number in range(random.randint(3, 7)):
        order = an_order(f"O{number}").shipping_to(*random.choice(PLACES))
        for line in random.sample("PQR", random.randint(1, 3)):
            order = order.with_line(line, random.randint(1, 4))
        builder = builder.with_orders(order)
    builder = builder.with_stock(
        {(product, source.id): random.randint(0, 6) for product in "PQR" for source in sources}
    )
    split = {"max_sources": random.choice([None, None, 1, 2]), "partial_orders": random.random() < 0.6}
    builder = builder.with_rules(a_rule("partial_orders", {**WHOLE, **split}))
    if random.random() < 0.5:
        lines = [{"source_id": source.id, "limit": random.randint(0, 3)} for source in sources]
        builder = builder.with_rules(a_rule("maximum_orders", {"lines": lines}))
    if random.random() < 0.4:
        ranks = [{"source_id": source.id, "priority": random.randint(1, 3)} for source in sources]
        builder = builder.with_rules(a_rule("location_priority", {"lines": ranks}))
    return builder


def problems(first: int) -> Iterator[tuple[int, Problem]]:
    """Problems with their seeds that patterns express altogether, of this file's generator and of the oracle's."""
    for seed in range(first, first + CHUNK):
        one = problem_of(scarce(seed))
        yield seed, one
    for seed in range(10 * first, 10 * (first + CHUNK)):
        one = problem_of(RequestBuilder(generate(seed)))
        if expressed(pricer_of(one)).all() and one.allowed.any():
            yield seed, one


def cbc(program: LinearProgram, below: float) -> WholeAnswer:
    return CbcSolver().solve_whole(program, SolverLimits(), below)


def best_of(one: Problem, choices: Choices, below: float) -> Chosen:
    return choose(choices, pricer_of(one).constant, cbc, below)


def total_of(one: Problem, flows: Sequence[Flow]) -> int:
    return objective.total_of(objective.levels_of(one, flows))


def broken_rules(one: Problem, flows: Sequence[Flow]) -> list[str]:
    """What these flows do that no plan may."""
    found = [] if Left(one, ()).fits(flows) else ["more than there is, or no room"]
    found += [f"line {line} is split" for line, count in Counter(flow[0] for flow in flows).items() if count > 1]
    found += [f"line {line} is not whole" for line, _, units in flows if units != one.wanted[line]]
    found += [f"line {line} may not come from {source}" for line, source, _ in flows if not one.allowed[line, source]]
    sources, lines = defaultdict(set), defaultdict(set)
    for line, source, _ in flows:
        sources[int(one.batch.order_of[line])].add(source)
        lines[int(one.batch.order_of[line])].add(line)
    for order, limits in enumerate(one.split_limits):
        wanted = set(np.flatnonzero((one.batch.order_of == order) & (one.wanted > 0)).tolist())
        if limits.max_sources is not None and len(sources[order]) > limits.max_sources:
            found.append(f"order {order} has too many sources")
        if not limits.partial_orders and lines[order] not in (set(), wanted):
            found.append(f"order {order} is not whole")
    return found


@pytest.mark.parametrize("first", range(0, CASES, CHUNK))
def test_among_all_patterns_within_the_gap_is_the_best_plan_and_its_bound_is_its_worth(first: int) -> None:
    """At any prices: the gap is what they fail to prove, not a point more."""
    checked = Counter[str]()
    for seed, one in problems(first):
        total = best_total(one)
        for kind, prices in (("none", Prices.none(one)), ("random", random_prices(one, seed))):
            choosable = Choosable(pricer_of(one), prices)
            assert choosable.bound <= total + 1e-6, seed
            choices = choosable.within(total - choosable.bound + 1e-6, PLENTY, {})
            chosen = best_of(one, choices, total + 0.5)
            assert chosen.flows is not None, (seed, kind)
            assert total_of(one, chosen.flows) == total, (seed, kind)
            assert chosen.ending is Ending.OPTIMAL, (seed, kind)
            assert chosen.bound == pytest.approx(total), (seed, kind)
            assert not broken_rules(one, chosen.flows), (seed, kind)
            checked[kind] += 1
    assert checked["random"] > CHUNK


def test_nothing_better_than_the_best_plan_is_chosen_and_that_is_proven() -> None:
    for seed, one in problems(0):
        total = best_total(one)
        chosen = best_of(one, Choosable(pricer_of(one), random_prices(one, seed)).within(EVERYTHING, PLENTY, {}), total)
        assert chosen.flows is None, seed
        assert chosen.bound == pytest.approx(total), seed


@pytest.mark.parametrize("most", [4, 12, 30])
def test_with_few_patterns_it_is_still_a_plan_that_keeps_all_rules(most: int) -> None:
    fewer = 0
    for seed, one in problems(20):
        total, choosable = best_total(one), Choosable(pricer_of(one), random_prices(one, seed))
        choices = choosable.nearest(EVERYTHING, most, {})
        assert len(choices.columns.costs) <= max(most, len(one.weights)), seed
        chosen = best_of(one, choices, EVERYTHING)
        assert chosen.flows is not None, seed
        assert not broken_rules(one, chosen.flows), seed
        assert total <= total_of(one, chosen.flows), seed
        assert chosen.bound == pytest.approx(total_of(one, chosen.flows)), seed
        fewer += total < total_of(one, chosen.flows)
    assert fewer


def test_the_cases_have_limits_of_every_kind() -> None:
    every = [one for first in range(0, CASES, CHUNK) for _, one in problems(first)]
    assert any(one.capacities for one in every)
    assert any(one.steps.any() for one in every)
    assert any(one.costs for one in every)
    assert {limits.partial_orders for one in every for limits in one.split_limits} == {False, True}
    assert {limits.max_sources for one in every for limits in one.split_limits} >= {None, 1, 2}
    room = [best_total(one) < best_total(replace(one, capacities=())) for one in every if one.capacities]
    assert not any(room)
    assert any(best_total(one) > best_total(replace(one, capacities=())) for one in every if one.capacities)


def test_a_larger_case_than_anybody_could_try_has_the_plan_of_the_exact_model() -> None:
    one = problem_of(rivals(16).with_rules(WHOLE_LINES))
    found = search.priced_best(pricer_of(one), CbcSolver(), SolverLimits(), float("inf"))
    total, choosable = best_total(one), Choosable(pricer_of(one), found.priced.prices)
    gap = Standing(one, found.flows).total - choosable.bound
    chosen = best_of(one, choosable.within(gap, PLENTY, found.known), total + 0.5)
    assert chosen.flows is not None
    assert total_of(one, chosen.flows) == total


@pytest.mark.parametrize("most", [1, 50])
def test_where_far_too_many_patterns_are_equally_good_one_of_each_order_is_looked_at(most: int) -> None:
    """Sixty sources without coordinates are all as far: thirty orders of one line have 1,800 best patterns."""
    sources = [a_source(f"S{number:02}", at=None) for number in range(60)]
    orders = [an_order(f"O{number:02}").with_line("P") for number in range(30)]
    builder = a_request().with_sources(*sources).with_rules(WHOLE_LINES).with_orders(*orders)
    one = problem_of(builder.with_stock({("P", source.id): 99 for source in sources}))
    choices = Choosable(pricer_of(one), Prices.none(one)).nearest(1000.0, most, {3: np.array([[7]])})
    assert len(choices.columns.costs) == 31
    flows = best_of(one, choices, EVERYTHING).flows
    assert flows is not None
    assert total_of(one, flows) == best_total(one)


@pytest.mark.parametrize(("units", "stock", "fit"), [(2, 3, 1), (2, 5, 2), (3, 5, 1), (3, 8, 2)])
def test_rounded_parts_of_a_cell_keep_fractions_of_patterns_out(units: int, stock: int, fit: int) -> None:
    """Lines of two units do not share three, nor lines of three five: even fractions of patterns cannot."""
    orders = [an_order(f"O{number}").with_line("P", units) for number in range(4)]
    builder = a_request().with_sources(a_source()).with_stock({("P", "S1"): stock}).with_rules(WHOLE_LINES)
    one = problem_of(builder.with_orders(*orders))
    choices = Choosable(pricer_of(one), Prices.none(one)).within(EVERYTHING, PLENTY, {})
    assert choices.limits.tolist() == [stock, 2 * stock // 3, stock // 2, stock // 3]
    master = restricted(choices.columns, choices.limits, choices.groups)
    answer = CbcSolver().solve_linear(master.program, SolverLimits())
    assert answer.amounts.sum() == pytest.approx(fit)


def test_beside_a_line_of_three_units_no_part_of_a_line_of_two_fits_into_four() -> None:
    """The price on one and a half units says so: the three would leave half of the two otherwise."""
    orders = [an_order("three").with_line("P", 3), an_order("two").with_line("P", 2)]
    builder = a_request().with_sources(a_source()).with_stock({("P", "S1"): 4}).with_rules(WHOLE_LINES)
    one = problem_of(builder.with_orders(*orders))
    choices = Choosable(pricer_of(one), Prices.none(one)).within(EVERYTHING, PLENTY, {})
    worth = np.where(one.wanted[choices.lines] == 3, 7.0, 3.0)
    program = restricted(replace(choices.columns, costs=-worth), choices.limits, choices.groups).program
    assert CbcSolver().solve_linear(program, SolverLimits()).value == pytest.approx(-7.0)


def test_patterns_take_room_once_an_order_at_a_source_and_not_where_they_are_counted_already() -> None:
    rules = (WHOLE_LINES, a_rule("maximum_orders", {"lines": [{"limit": 1}]}))
    orders = [an_order(f"O{number}").with_line("P").with_line("Q") for number in range(3)]
    stock = {("P", "S1"): 9, ("Q", "S1"): 9}
    one = problem_of(a_request().with_sources(a_source()).with_stock(stock).with_orders(*orders).with_rules(*rules))
    known = replace(one, capacities=tuple(replace(each, counted=frozenset({(1, 0)})) for each in one.capacities))
    for each, served in ((one, 1), (known, 2)):
        choices = Choosable(pricer_of(each), Prices.none(each)).within(EVERYTHING, PLENTY, {})
        flows = best_of(each, choices, EVERYTHING).flows
        assert flows is not None
        assert len({int(each.batch.order_of[flow[0]]) for flow in flows}) == served
        assert len(flows) == 2 * served


def two_sources(stock: dict[tuple[str, str], int]) -> Problem:
    sources = (a_source("A", at=PLACES[0]), a_source("B", at=PLACES[1]))
    order = an_order().shipping_to(*PLACES[0]).with_line("P").with_line("Q")
    builder = a_request().with_sources(*sources).with_stock(stock).with_rules(WHOLE_LINES)
    return problem_of(builder.with_orders(order))


def patterns_in(choices: Choices) -> list[list[tuple[int, int]]]:
    """The flows of each pattern, without units."""
    number = range(len(choices.columns.costs))
    return [[flow[:2] for flow in choices.flows(np.arange(len(number)) == each)] for each in number]


def test_known_patterns_are_among_the_choices_however_small_the_gap_each_once() -> None:
    one = two_sources({(product, source): 1 for product in "PQ" for source in "AB"})
    choosable = Choosable(pricer_of(one), Prices.none(one))
    assert patterns_in(choosable.within(0.0, PLENTY, {})) == [[(0, 0), (1, 0)]]
    known = {0: np.array([[0, 0], [1, 1], [-1, 1], [1, 1]])}
    assert patterns_in(choosable.within(0.0, PLENTY, known)) == [[(1, 1)], [(0, 0), (1, 0)], [(0, 1), (1, 1)]]
    assert patterns_in(choosable.within(0.0, 1, known)) == patterns_in(choosable.within(0.0, PLENTY, known))


def test_known_patterns_that_stock_no_longer_allows_are_left_out() -> None:
    one = two_sources({("P", "A"): 1, ("Q", "A"): 1, ("Q", "B"): 1})
    choices = Choosable(pricer_of(one), Prices.none(one)).within(0.0, PLENTY, {0: np.array([[1, 1], [0, 1]])})
    assert patterns_in(choices) == [[(0, 0), (1, 0)], [(0, 0), (1, 1)]]


def test_patterns_of_a_pool_come_by_order_as_sources_of_its_lines() -> None:
    one = problem_of(rivals(7).with_rules(WHOLE_LINES))
    pricer = pricer_of(one)
    working, prices = WorkingSet(pricer), Prices.none(one)
    working.grow(prices)
    pool = PatternPool(working)
    pool.add(working.price(working.multipliers(prices)))
    everybody = pool.by_order(np.ones(7, dtype=bool))
    chosen = pricer.price(prices).chosen
    served = np.unique(one.batch.order_of[chosen >= 0]).tolist()
    assert sorted(everybody) == served
    for order, patterns in everybody.items():
        assert patterns.tolist() == [chosen[one.batch.order_of == order].tolist()]
    assert sorted(pool.by_order(np.arange(7) % 2 == 0)) == [order for order in served if order % 2 == 0]
    assert pool.by_order(np.zeros(7, dtype=bool)) == {}


# Where patterns do not say everything.

FREIGHT = {"lines": [{"basis": "per_km", "cents_per_km": 3.7, "default_cents": 100}]}
IN_PARTS = a_rule("partial_orders", {**WHOLE, "partial_lines": True})
FROM_TWO = a_rule("partial_orders", {**WHOLE, "max_sources_per_line": 2})


def a_pair(*rules: RuleRecord, units: int = 1) -> RequestBuilder:
    """An order of two lines at two sources that have enough of everything; of the second it wants so many units."""
    sources = (a_source("A", at=PLACES[0]), a_source("B", at=PLACES[1]))
    stock = {(product, source): 5 for product in "PQRSTUV" for source in "AB"}
    order = an_order("one").with_line("P").with_line("Q", units)
    return a_request().with_sources(*sources).with_stock(stock).with_rules(*rules).with_orders(order)


def several_lines(count: int) -> RequestBuilder:
    order = an_order("other")
    for product in "PQRSTUV"[:count]:
        order = order.with_line(product)
    return a_pair(WHOLE_LINES).with_orders(order)


def says(one: Problem) -> list[bool]:
    return [bool(each) for each in expressed(pricer_of(one))]


def test_orders_of_up_to_six_whole_lines_to_one_place_are_expressed() -> None:
    assert says(problem_of(several_lines(6))) == [True, True]


def test_longer_orders_are_not() -> None:
    assert says(problem_of(several_lines(7))) == [True, False]


@pytest.mark.parametrize("rules", [(), (IN_PARTS,), (FROM_TWO,)], ids=["no rule", "in parts", "from two"])
def test_lines_that_may_be_split_are_not(rules: tuple[RuleRecord, ...]) -> None:
    assert says(problem_of(a_pair(*rules, units=2))) == [False]


def test_a_single_unit_always_comes_whole() -> None:
    assert says(problem_of(a_pair())) == [True]


def test_write_in_lines_which_may_always_be_split_are_not() -> None:
    for order in (an_order("other").with_line(WRITE_IN_PRODUCT_ID), an_order("other").with_line("P")):
        mixed = order.with_line(WRITE_IN_PRODUCT_ID)
        assert says(problem_of(a_pair(WHOLE_LINES).with_orders(mixed))) == [True, False]


def test_an_order_to_several_places_is_not() -> None:
    order = an_order("other").with_line("P").with_line("Q", location=Location(40.0, -74.0))
    assert says(problem_of(a_pair(WHOLE_LINES).with_orders(order))) == [True, False]


def test_an_order_of_which_something_came_before_is_not() -> None:
    one = problem_of(several_lines(2))
    wanted = one.wanted.copy()
    wanted[2] = 0
    used = problem.use_of(one, np.array([2]), np.array([0]))
    assert says(replace(one, wanted=wanted, used=used)) == [True, False]


def test_an_order_whose_lines_have_other_priorities_at_a_source_is_not() -> None:
    ranks = [{"source_id": source, "priority": rank} for source, rank in (("A", 1), ("B", 2))]
    one = problem_of(several_lines(3).with_rules(a_rule("location_priority", {"lines": ranks})))
    assert says(one) == [True, True]
    steps = one.steps.copy()
    steps[4, 1] += 1
    assert says(replace(one, steps=steps)) == [True, False]
    assert says(replace(one, steps=steps, rates={**one.rates, Level.PRIORITY_STEPS: 0})) == [True, True]


def test_an_order_whose_lines_are_delivered_in_two_ways_is_not_where_that_costs() -> None:
    order = an_order("other").with_line("P").with_line("Q", mode_of_delivery="express")
    builder = a_pair(WHOLE_LINES).with_orders(order)
    assert says(problem_of(builder)) == [True, True]
    costly = builder.with_strategy(objective=Objective.COST).with_cost_factors(a_cost_factor("shipping", FREIGHT))
    assert says(problem_of(costly)) == [True, False]
