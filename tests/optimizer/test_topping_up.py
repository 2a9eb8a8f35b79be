"""Lines that no single source can fill, put together from what is left, within every limit."""

from random import Random
from typing import Any

import numpy as np
import pytest

from benchmarks.judging import judge
from benchmarks.ways.fewest_splits import planned
from dom_core.optimizer import blocks, neighbourhoods
from dom_core.optimizer.first_plan import FirstPlan
from dom_core.optimizer.pipeline import open_lines, plan_once
from dom_core.optimizer.prices import Prices
from dom_core.optimizer.pricing import Pricer
from dom_core.optimizer.relaxation import prepare
from dom_core.optimizer.solving import CbcSolver
from dom_core.optimizer.topping_up import top_up
from tests.builders import RequestBuilder, a_request, a_rule, a_source, an_order
from tests.optimizer.varied import PLACES

A, B, C = range(3)
Filled = dict[tuple[int, int], int]
"""Units by line and source."""


def filled(
    stock: dict[tuple[str, str], int], *lines: tuple[str, int], room: tuple[str, int, str] | None = None, **split: Any
) -> Filled:
    """What an order for these lines gets from the nearest source, A, and from B and C, each farther than the last."""
    order = an_order("O1").shipping_to(47.6, -122.3)
    for product_id, units in lines:
        order = order.with_line(product_id, units)
    places = {"A": (47.6, -122.3), "B": (44.0, -121.0), "C": (40.0, -110.0)}
    builder = a_request().with_sources(*(a_source(id, at=place) for id, place in places.items()))
    any_split = {"max_sources": None, "partial_orders": True, "partial_lines": True, "max_sources_per_line": None}
    rules = [a_rule("partial_orders", any_split | split, id="split")]
    if room is not None:
        source_id, limit, basis = room
        limits = {"lines": [{"source_id": source_id, "limit": limit, "basis": basis}]}
        rules.append(a_rule("maximum_orders", limits, id="room"))
    request = builder.with_orders(order).with_stock(stock).with_rules(*rules).build()
    problem = prepare(open_lines(request)[0]).problem
    plan = FirstPlan(Pricer(problem, np.flatnonzero(problem.wanted > 0)))
    plan.complete(Prices.none(problem))
    top_up(plan, lambda: False)
    got: Filled = {}
    for line, source, units in plan.flows:
        assert (line, source) not in got
        got[line, source] = units
    assert (plan.left.stock >= 0).all()
    return got


SCATTERED = {("P", "A"): 5, ("P", "B"): 3, ("P", "C"): 1}


def test_a_line_is_put_together_from_the_sources_that_hold_most() -> None:
    assert filled(SCATTERED, ("P", 8)) == {(0, A): 5, (0, B): 3}
    assert filled(SCATTERED, ("P", 9)) == {(0, A): 5, (0, B): 3, (0, C): 1}


def test_what_is_nowhere_stays_unfilled() -> None:
    assert sum(filled(SCATTERED, ("P", 12)).values()) == 9


def test_a_line_comes_from_no_more_sources_than_it_may() -> None:
    assert filled(SCATTERED, ("P", 9), max_sources_per_line=2) == {(0, A): 5, (0, B): 3}
    assert filled(SCATTERED, ("P", 9), max_sources_per_line=1) == {(0, A): 5}
    assert filled(SCATTERED, ("P", 9), max_sources_per_line=1, partial_lines=False) == {}


def test_an_order_comes_from_no_more_sources_than_it_may() -> None:
    # The first line comes whole from C; one more source is allowed, and C has a unit of the second line, too.
    stock = {**SCATTERED, ("Q", "C"): 1}
    assert filled(stock, ("Q", 1), ("P", 9), max_sources=2) == {(0, C): 1, (1, A): 5, (1, C): 1}


def test_where_lines_must_be_whole_a_part_is_not_kept() -> None:
    assert filled(SCATTERED, ("P", 12), partial_lines=False) == {}
    assert filled(SCATTERED, ("P", 8), partial_lines=False) == {(0, A): 5, (0, B): 3}


def test_where_orders_must_be_whole_all_lines_are_filled_or_none() -> None:
    lines, everything = [("P", 8), ("Q", 1)], {**SCATTERED, ("Q", "C"): 1}
    assert filled(SCATTERED, *lines, partial_orders=False, partial_lines=False) == {}
    got = filled(everything, *lines, partial_orders=False, partial_lines=False)
    assert got == {(0, A): 5, (0, B): 3, (1, C): 1}


def test_a_source_without_room_is_left_out() -> None:
    assert filled(SCATTERED, ("P", 9), room=("B", 1, "open_orders")) == {(0, A): 5, (0, B): 3, (0, C): 1}
    assert filled(SCATTERED, ("P", 9), room=("B", 0, "open_orders")) == {(0, A): 5, (0, C): 1}


def test_a_source_with_room_for_one_line_gets_the_line_that_is_worth_most() -> None:
    stock = {("P", "A"): 5, ("P", "B"): 3, ("Q", "A"): 6, ("Q", "B"): 3}
    got = filled(stock, ("P", 9), ("Q", 9), room=("A", 1, "lines_per_day"))
    assert got == {(1, A): 6, (0, B): 3, (1, B): 3}


def test_two_lines_of_one_product_do_not_take_the_same_units() -> None:
    got = filled(SCATTERED, ("P", 6), ("P", 7))
    assert sum(got.values()) == 9
    assert sum(units for (_, source), units in got.items() if source == A) == 5


def many_units(orders: int = 40) -> RequestBuilder:
    """Orders of a few lines of up to eight units, in parts if need be; of each product a few units at most sources."""
    chance = Random(5)
    builder = a_request().with_sources(*(a_source(f"S{number}", at=place) for number, place in enumerate(PLACES)))
    for number in range(orders):
        order = an_order(f"O{number:03}").shipping_to(*chance.choice(PLACES))
        for product in chance.sample(range(20), chance.choice((1, 1, 2, 3))):
            order = order.with_line(f"P{product}", chance.randint(1, 8))
        builder = builder.with_orders(order)
    stock = {(f"P{p}", f"S{s}"): chance.randint(0, 4) for p in range(20) for s in range(6)}
    split = {"max_sources": 4, "partial_orders": True, "partial_lines": True, "max_sources_per_line": None}
    return builder.with_stock(stock).with_rules(a_rule("partial_orders", split))


def test_the_search_fills_split_lines_better_than_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    request = many_units().build()
    one_by_one = judge(request, planned(request, 1).served)
    monkeypatch.setattr(blocks, "EXACT_PAIRS", 0)
    monkeypatch.setattr(neighbourhoods, "ROUNDS", 1)
    monkeypatch.setattr(neighbourhoods, "ROUNDS_PER_ORDER", 0)
    assert plan_once(request, CbcSolver()).iterations[0].total < one_by_one.value
