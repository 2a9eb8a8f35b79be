"""Any prices give a bound that no plan can beat, and patterns at prices are what they cost."""

import numpy as np
import pytest

from dom_core.domain.network import Location
from dom_core.domain.plan import Ending, Level
from dom_core.domain.strategy import ObjectiveMode, SolverLimits
from dom_core.optimizer import (
    activation,
    candidates,
    columns,
    decomposition,
    eligibility,
    formulation,
    objective,
    problem,
    search,
)
from dom_core.optimizer.costs import pair_costs
from dom_core.optimizer.pricing import NOWHERE, Pricer, Prices
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.solving import CbcSolver
from tests.builders import RequestBuilder, a_request, a_rule, a_source, an_order
from tests.oracle.generation import generate

SEATTLE, PORTLAND, NEW_YORK = (47.6062, -122.3321), (45.5152, -122.6784), (40.7128, -74.006)


def problem_of(builder: RequestBuilder) -> Problem:
    request = builder.build()
    rules = activation.in_iteration(request, 1)
    batch = columns.to_batch(request, eligibility.split(request, [rule.rule for rule in rules])[0])
    found = candidates.generate(batch, rules)
    largest_km = problem.largest_distance_km(found)
    costs = pair_costs(batch)
    return problem.first_problem(found, problem.rates_of(request, found, costs, largest_km), largest_km, costs)


def no_prices(one: Problem) -> Prices:
    return Prices.none(one)


def every_line(one: Problem) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.flatnonzero(one.wanted > 0)


def west_and_east() -> RequestBuilder:
    return a_request().with_sources(a_source("EAST", at=NEW_YORK), a_source("WEST", at=PORTLAND))


def test_without_competition_the_bound_is_the_best_plan() -> None:
    order = an_order().shipping_to(*SEATTLE).with_line("P").with_line("Q")
    stock = {("P", "EAST"): 1, ("Q", "EAST"): 1, ("P", "WEST"): 1}
    one = problem_of(west_and_east().with_stock(stock).with_orders(order))
    found = Pricer(one, every_line(one)).price(no_prices(one))
    # Both from EAST: one shipment of 4,000 points and 3,866 km.
    assert found.bound == pytest.approx(7_866)
    assert found.chosen.tolist() == [0, 0]


def test_a_price_moves_demand_and_counts_what_there_is() -> None:
    orders = [an_order(f"O{number}").shipping_to(*SEATTLE).with_line("P") for number in range(2)]
    one = problem_of(west_and_east().with_stock({("P", "WEST"): 1, ("P", "EAST"): 5}).with_orders(*orders))
    table = np.zeros(one.stock.shape)
    table[0, 1] = 3_632  # what EAST is farther away than WEST: 3,866 - 234 km
    found = Pricer(one, every_line(one)).price(Prices.of_cells(table, np.zeros(0)))
    # At this price both are worth the same, and the bound is the best plan: one from each.
    assert found.bound == pytest.approx(2 * 4_000 + 234 + 3_866)


def test_at_most_one_source_keeps_patterns_in_one_place() -> None:
    order = an_order().shipping_to(*SEATTLE).with_line("P").with_line("Q")
    rule = a_rule("partial_orders", {"max_sources": 1, "partial_orders": True, "partial_lines": False})
    one = problem_of(
        west_and_east().with_stock({("P", "WEST"): 1, ("Q", "EAST"): 1}).with_orders(order).with_rules(rule)
    )
    assert sorted(Pricer(one, every_line(one)).price(no_prices(one)).chosen.tolist()).count(NOWHERE) == 1


def test_all_or_nothing_leaves_an_order_that_cannot_be_complete() -> None:
    order = an_order().shipping_to(*SEATTLE).with_line("P").with_line("Q")
    rule = a_rule("partial_orders", {"max_sources": None, "partial_orders": False})
    one = problem_of(west_and_east().with_stock({("P", "WEST"): 1}).with_orders(order).with_rules(rule))
    assert Pricer(one, every_line(one)).price(no_prices(one)).chosen.tolist() == [NOWHERE, NOWHERE]


def test_a_source_that_is_short_pays_for_its_helper() -> None:
    order = an_order().shipping_to(*SEATTLE).with_line("P", 3)
    one = problem_of(west_and_east().with_stock({("P", "EAST"): 2, ("P", "WEST"): 2}).with_orders(order))
    # The best plan ships from both: two shipments of 4,000 points, 3,866 and 234 km.
    assert Pricer(one, every_line(one)).price(no_prices(one)).bound == pytest.approx(2 * 4_000 + 3_866 + 234)


def test_who_leaves_a_dear_unit_out_of_a_short_source_saves_its_price() -> None:
    order = an_order().shipping_to(*SEATTLE).with_line("P", 2).with_line("Q")
    full = a_rule("maximum_orders", {"lines": [{"source_id": "EAST", "limit": 0}]})
    stock = {("P", "EAST"): 2, ("P", "WEST"): 1, ("Q", "WEST"): 1}
    one = problem_of(west_and_east().with_stock(stock).with_orders(order).with_rules(full))
    unit = one.rates[Level.UNFILLED_UNITS]
    table = np.zeros(one.stock.shape)
    table[:, 1] = (unit - 1_000, 0)
    found = Pricer(one, every_line(one)).price(Prices.of_cells(table, np.array([1_000_000.0])))
    # From WEST what there is; EAST, the other source of P, has no room: one unit of P stays out.
    assert found.bound == pytest.approx(unit + 4_000 + 234)


def test_lines_that_travel_together_share_their_way() -> None:
    seattle, portland = Location(*SEATTLE), Location(*PORTLAND)
    order = (
        an_order().with_line("P", location=seattle).with_line("Q", location=seattle).with_line("R", location=portland)
    )
    stock = {(product, "WEST"): 1 for product in "PQR"}
    one = problem_of(west_and_east().with_stock(stock).with_orders(order))
    # One shipment from Portland; 234 km to Seattle once for both lines, none within Portland. D is 1,000 km.
    assert Pricer(one, every_line(one)).price(no_prices(one)).bound == pytest.approx(1_000 + 234)


def test_what_iteration_one_ships_is_free_in_iteration_two() -> None:
    order = an_order().shipping_to(*SEATTLE).with_line("P").with_line("Q")
    rule = a_rule("minimum_inventory", {"lines": [{"product_id": "Q", "units": 1}]}, hard=False)
    builder = west_and_east().with_stock({("P", "WEST"): 1, ("Q", "WEST"): 1}).with_orders(order).with_rules(rule)
    first = problem_of(builder)
    relaxed = candidates.generate(first.batch, activation.in_iteration(builder.build(), 2))
    second = problem.next_problem(first, relaxed, [(0, 1, 1)])
    assert Pricer(second, every_line(second)).price(no_prices(second)).bound == pytest.approx(0)


@pytest.mark.parametrize("first", range(0, 240, 40))
def test_no_prices_ever_give_more_than_the_best_plan(first: int) -> None:
    for seed in range(first, first + 40):
        request = generate(seed)
        if request.strategy.objective_mode is ObjectiveMode.STRICT:
            continue
        one = problem_of(RequestBuilder(request))
        parts = decomposition.independent_parts(one)
        if not parts:
            continue
        lines = np.sort(np.concatenate(parts))
        best = CbcSolver().solve(formulation.build(one, parts), SolverLimits())
        assert best.ending is Ending.OPTIMAL
        total = objective.total_of(objective.levels_of(search.only(one, lines), best.flows))
        pricer, random = Pricer(one, lines), np.random.default_rng(seed)
        for scale in (0.0, 0.1, 1.0, 10.0):
            prices = Prices.of_cells(
                random.random(one.stock.shape) * scale * 1000 * (one.stock < 2**39),
                random.random(len(one.capacities)) * scale * 1000,
            )
            assert pricer.price(prices).bound <= total + 1e-6 * max(1, total), (seed, scale)
