"""What the cheapest change of an order's best pattern costs, and whom a search frees for it."""

from dataclasses import replace

import numpy as np
import pytest

from dom_core.domain.plan import Level
from dom_core.domain.strategy import SolverLimits
from dom_core.optimizer import gap, neighbourhoods
from dom_core.optimizer.performing import LocalCrew
from dom_core.optimizer.prices import Prices
from dom_core.optimizer.pricing import PricedBest
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.solving import CbcSolver
from dom_core.optimizer.standing import Standing
from tests.builders import OrderBuilder, a_request, a_source, an_order
from tests.optimizer.test_prices import pricer_of
from tests.optimizer.test_pricing import problem_of
from tests.optimizer.test_whole_patterns import WHOLE_LINES

KM_OF_A_DEGREE = 111.195


def at_distances(km_of: dict[str, int], orders: list[OrderBuilder], stock: dict[tuple[str, str], int]) -> Problem:
    """All orders want to go to one place, which the sources are so many kilometres away from."""
    sources = [a_source(name, at=(km / KM_OF_A_DEGREE, 0)) for name, km in km_of.items()]
    orders = [order.shipping_to(0, 0) for order in orders]
    return problem_of(a_request().with_sources(*sources).with_rules(WHOLE_LINES).with_orders(*orders).with_stock(stock))


def test_a_detour_is_what_the_cheapest_change_costs() -> None:
    """P alone goes to B for one kilometre more; Q is at A only; where both are wanted they part for a shipment."""
    orders = [an_order("1").with_line("P"), an_order("2").with_line("Q"), an_order("3").with_line("P").with_line("Q")]
    one = at_distances({"A": 10, "B": 11}, orders, {("P", "A"): 9, ("P", "B"): 9, ("Q", "A"): 9})
    km, parted = one.rates[Level.DISTANCE_KM], one.rates[Level.SHIPMENTS] + 11 * one.rates[Level.DISTANCE_KM]
    assert gap.detour_of_orders(pricer_of(one), Prices.none(one)).tolist() == [km, np.inf, parted]
    half_a_km = Prices.of_cells(np.array([[km / 2, 0.0], [0.0, 0.0]]), np.zeros(0))
    assert gap.detour_of_orders(pricer_of(one), half_a_km).tolist() == [km / 2, np.inf, parted - km / 2]


def test_where_there_is_one_source_nobody_goes_elsewhere() -> None:
    one = at_distances({"A": 10}, [an_order("1").with_line("P")], {("P", "A"): 9})
    assert gap.detour_of_orders(pricer_of(one), Prices.none(one)).tolist() == [np.inf]


def test_of_those_who_hold_what_an_order_wants_the_one_is_freed_that_goes_elsewhere_for_least(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Orders 1 and 2 hold the units of A, which 3 wants. 1 would have to go to D, 2 to B. Only two lines are freed."""
    orders = [an_order(str(number)).with_line("P") for number in (1, 2, 3)]
    stock = {("P", "A"): 2, ("P", "B"): 1, ("P", "C"): 1, ("P", "D"): 1}
    one = at_distances({"A": 10, "B": 20, "C": 500, "D": 2000}, orders, stock)
    may = np.array([[True, False, False, True], [True, True, False, False], [True, False, True, False]])
    one = replace(one, allowed=one.allowed & may)
    monkeypatch.setattr(neighbourhoods, "WIDTHS", (neighbourhoods.Width(2, 4, 100, 50),))
    prices, limits = Prices.none(one), SolverLimits(solve_limit_s=60)
    found = pricer_of(one).price(prices)
    plan = Standing(one, ((0, 0, 1), (1, 0, 1), (2, 2, 1)))
    priced = PricedBest(prices, found.bound, found)
    better, _ = neighbourhoods.improve(one, plan, priced, LocalCrew(CbcSolver()), limits, float("inf"))
    assert sorted(better.flows) == [(0, 0, 1), (1, 1, 1), (2, 0, 1)]
