"""What flows leave: taken, given back, and whether more fits."""

import pytest

from dom_core.domain.units import UNLIMITED_UNITS
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.standing import Left
from tests.builders import a_request, a_rule, a_source, an_order
from tests.optimizer.test_pricing import problem_of


def two_orders_one_place(per: str = "each", basis: str = "open_orders") -> Problem:
    """Two orders of two lines; sources A and B with room for one order (or line), B without counted stock."""
    orders = [an_order(f"O{number}").shipping_to(47.6, -122.3).with_line("P", 2).with_line("Q", 2) for number in (1, 2)]
    room = a_rule("maximum_orders", {"lines": [{"source_id": "A", "limit": 1, "per": per, "basis": basis}]})
    stock = {("P", "A"): 3, ("Q", "A"): 9, ("P", "B"): 9, ("Q", "B"): 9}
    sources = (a_source("A", at=(47.0, -122.0)), a_source("B", at=(45.0, -122.0)))
    return problem_of(a_request().with_sources(*sources).with_stock(stock).with_orders(*orders).with_rules(room))


def test_stock_that_is_taken_does_not_fit_again_until_it_is_given_back() -> None:
    left = Left(two_orders_one_place(), [(0, 0, 2)])
    assert left.stock[0, 0] == 1
    assert not left.fits([(2, 0, 2)])
    left.give_back([(0, 0, 2)])
    assert left.fits([(2, 0, 2)])


def test_two_lines_together_may_want_too_much() -> None:
    problem = two_orders_one_place()
    left = Left(problem, ())
    assert left.fits([(0, 1, 5)])
    assert left.fits([(2, 1, 5)])
    assert not left.fits([(0, 1, 5), (2, 1, 5)])


def test_an_order_takes_one_place_with_all_its_lines() -> None:
    left = Left(two_orders_one_place(), [(0, 0, 1)])
    assert left.room == [0]
    assert left.fits([(1, 0, 2)])
    assert not left.fits([(3, 0, 2)])
    assert left.room_without([(0, 0, 1)]) == [1]


def test_each_line_takes_a_place_where_lines_are_counted() -> None:
    left = Left(two_orders_one_place(basis="lines_per_day"), [(0, 0, 1)])
    assert not left.fits([(1, 0, 2)])


@pytest.mark.parametrize("flows", [[(0, 0, 2), (1, 0, 2)], [(0, 1, 2)], [(0, 0, 1), (0, 1, 1)]])
def test_giving_back_undoes_taking(flows: list[tuple[int, int, int]]) -> None:
    left = Left(two_orders_one_place(), ())
    stock, room = left.stock.copy(), list(left.room)
    left.take(flows)
    left.give_back(flows)
    assert (left.stock == stock).all()
    assert (left.room, left.visits) == (room, [set()])


def test_stock_that_is_not_counted_never_ends() -> None:
    source = a_source("A", at=(47.0, -122.0), use_real_inventory=False)
    order = an_order("O").shipping_to(47.6, -122.3).with_line("P", 2)
    left = Left(problem_of(a_request().with_sources(source).with_orders(order)), [(0, 0, 2)])
    assert left.stock[0, 0] >= UNLIMITED_UNITS
