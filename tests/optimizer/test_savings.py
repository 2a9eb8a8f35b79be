"""What lines of long orders are taken to save: it proves more than groups do, and never too much."""

from dataclasses import replace

import numpy as np
import pytest

from dom_core.domain.network import WRITE_IN_PRODUCT_ID
from dom_core.optimizer import pattern_costs
from dom_core.optimizer.prices import GRAIN, Prices
from dom_core.optimizer.pricing import PricedBest
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.savings import Raised, raised
from tests.builders import OrderBuilder, RequestBuilder, a_request, a_rule, a_source, an_order
from tests.optimizer.test_prices import best_total, pricer_of, random_prices, small_problems, total_below
from tests.optimizer.test_pricing import problem_of
from tests.optimizer.varied import varied_problems

CASES = 40

KM = {"A": 10, "B": 11, "C": 300}
"""Of twelve products A lacks the sixth and B the last; C, which is farther away, has all."""


def proven(one: Problem, prices: Prices, *, time_is_up: bool = False) -> tuple[PricedBest, Raised]:
    """What prices prove by groups alone, and with savings."""
    pricer = pricer_of(one)
    found = pricer.price(prices)
    by_groups = PricedBest(prices, found.bound, found)
    return by_groups, raised(pricer, by_groups, lambda: time_is_up)


def of_twelve_lines(*first: OrderBuilder, orders: int = 1, most: int = 1) -> RequestBuilder:
    """Orders of two groups, of which B could serve the first and A the second; C alone could serve both.

    A and B have enough for one order, C for all. Each may use so many sources.
    """
    begun = first or tuple(an_order(f"O{number}") for number in range(orders))
    stock: dict[tuple[str, str], int] = {}
    for number in range(12):
        begun = tuple(order.with_line(f"P{number:02}") for order in begun)
        stock |= {(f"P{number:02}", name): 1 for name, lacks in (("A", 5), ("B", 11)) if number != lacks}
        stock[f"P{number:02}", "C"] = len(begun)
    sources = [a_source(name, at=(km / 111.195, 0)) for name, km in KM.items()]
    split = {"max_sources": most, "partial_lines": False, "max_sources_per_line": 1}
    builder = a_request().with_sources(*sources).with_orders(*(order.shipping_to(0, 0) for order in begun))
    return builder.with_stock(stock).with_rules(a_rule("partial_orders", split))


@pytest.mark.parametrize("most", [1, 2, 3])
def test_savings_know_what_all_groups_of_an_order_need_together(most: int) -> None:
    one = problem_of(of_twelve_lines(most=most))
    by_groups, found = proven(one, Prices.none(one))
    total, here = best_total(one), found.here
    assert by_groups.bound < total - 100
    assert total - 1 <= here.bound <= total + 1e-6
    assert here.patterns.bound == here.bound
    assert (here.patterns.worth - by_groups.patterns.worth).sum() == pytest.approx(here.bound - by_groups.bound)
    assert found.savings.lines.tolist() == list(range(12))


def test_each_order_may_use_its_own_number_of_sources() -> None:
    one = problem_of(of_twelve_lines(orders=2))
    more, without_c = replace(one.split_limits[1], max_sources=2), np.array([9, 9, 0])
    one = replace(one, split_limits=(one.split_limits[0], more), stock=without_c * one.stock)
    found = proven(one, Prices.none(one))[1]
    assert found.here.patterns.worth[0] > found.here.patterns.worth[1] + 1000
    assert best_total(one) - 1 <= found.best.bound <= best_total(one) + 1e-6


def test_prices_that_groups_would_pay_and_nobody_else_are_given_up() -> None:
    """There is enough at C for both orders; groups would rather compete for A and B."""
    one = problem_of(of_twelve_lines(orders=2))
    prices = Prices.of_cells(np.where(one.stock == 1, 98.0, 0.0), np.zeros(0))
    found, total = proven(one, prices)[1], best_total(one)
    assert found.here.bound < total - 100
    assert found.here.prices is prices
    assert total - 1 <= found.best.bound <= total + 1e-6
    assert not len(found.best.prices.points)
    assert found.told(one).cells == ()
    assert len(found.told(one).savings) == 24


@pytest.mark.parametrize("first", range(0, 160, CASES))
def test_savings_never_prove_too_much(first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every order of more than one line counts as long here: so all rules meet savings."""
    monkeypatch.setattr(pattern_costs, "GROUP_LINES", 1)
    more = 0
    for seed, one in small_problems(first):
        total = best_total(one)
        for prices in (Prices.none(one), random_prices(one, seed)):
            by_groups, found = proven(one, prices)
            assert by_groups.bound <= found.here.bound <= found.best.bound, seed
            assert total_below(found.best.bound, total), seed
            more += found.here.bound > by_groups.bound
    assert more > 0


def test_nor_do_they_in_the_second_iteration_or_for_lines_in_parts() -> None:
    more = 0
    for seed, one, prices in varied_problems(4):
        by_groups, found = proven(one, prices)
        assert total_below(found.best.bound, best_total(one)), seed
        more += found.here.bound > by_groups.bound
    assert more > 1


def test_savings_can_be_told_exactly_and_each_line_has_one() -> None:
    told = 0
    for _, one, prices in varied_problems(12):
        savings = proven(one, prices)[1].savings
        assert (np.diff(savings.lines) > 0).all()
        assert (savings.points > 0).all()
        assert np.array_equal(savings.points * GRAIN, np.rint(savings.points * GRAIN))
        told += len(savings.told(one))
    assert told > 0


def test_short_orders_and_those_with_write_in_lines_have_none() -> None:
    one = problem_of(of_twelve_lines())
    short = replace(one, wanted=np.where(np.arange(12) < 6, one.wanted, 0))
    written = problem_of(of_twelve_lines(an_order().with_line(WRITE_IN_PRODUCT_ID)))
    for each in (short, written):
        by_groups, found = proven(each, Prices.none(each))
        assert found.best is found.here is by_groups
        assert not len(found.savings.lines)


def test_when_the_time_is_up_groups_have_to_do() -> None:
    one = problem_of(of_twelve_lines())
    by_groups, found = proven(one, Prices.none(one), time_is_up=True)
    assert found.best is found.here is by_groups
    assert not found.told(one).savings
