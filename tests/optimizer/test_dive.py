"""What a dive takes of its first master: where stock is scarce, nothing that others still want a part of."""

from itertools import count

import numpy as np
import pytest

from dom_core.errors import SolverFailed
from dom_core.optimizer.dive import dive
from dom_core.optimizer.first_plan import FirstPlan
from dom_core.optimizer.linear import LinearAnswer, LinearProgram
from dom_core.optimizer.patterns import PatternPool
from dom_core.optimizer.pipeline import open_lines
from dom_core.optimizer.prices import Prices
from dom_core.optimizer.pricing import Pricer
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.relaxation import prepare
from dom_core.optimizer.working_set import WorkingSet
from tests.builders import a_request, a_source, an_order

SEATTLE = (47.6, -122.3)
LAMP, CHAIR = "lamp", "chair"
WHOLE, HALF = 1.0, 0.5


def one_line_orders(*product_ids: str, chairs: int = 100) -> Problem:
    """An order for a unit of each of these, in this order, and one source: with a single lamp, and so many chairs."""
    numbers = count()
    orders = [an_order(f"O{next(numbers):03}").shipping_to(*SEATTLE).with_line(id, 1) for id in product_ids]
    request = a_request().with_sources(a_source("S", at=SEATTLE)).with_orders(*orders)
    request = request.with_stock({(LAMP, "S"): 1, (CHAIR, "S"): chairs})
    return prepare(open_lines(request.build())[0]).problem


def no_master(_program: LinearProgram) -> LinearAnswer:
    raise SolverFailed("one round is enough")


def first_round(problem: Problem, amounts: list[float]) -> list[int]:
    """The orders that are placed when the master takes so much of the pattern of each."""
    pricer, prices = Pricer(problem, np.arange(len(problem.wanted))), Prices.none(problem)
    working = WorkingSet(pricer)
    working.grow(prices)
    pool = PatternPool(working)
    pool.add(working.price(working.multipliers(prices)))
    plan = FirstPlan(pricer)
    dive(plan, prices, pool, np.array(amounts), no_master)
    return sorted(line for line, _, _ in plan.flows)


def test_a_part_of_an_order_is_not_taken_for_the_order() -> None:
    """Eight lines are two groups; the master takes the first of them whole, and nothing of the other."""
    order = an_order("O1").shipping_to(*SEATTLE)
    for number in range(8):
        order = order.with_line(f"P{number}", 1)
    stock = {(f"P{number}", "S"): 1 for number in range(8)}
    request = a_request().with_sources(a_source("S", at=SEATTLE)).with_orders(order).with_stock(stock)
    assert first_round(prepare(open_lines(request.build())[0]).problem, [WHOLE, 0.0]) == []


def test_where_stock_is_scarce_a_whole_pattern_stays_open_beside_a_fraction_of_the_same_cell() -> None:
    problem = one_line_orders(LAMP, LAMP, CHAIR)
    # The earliest would get the lamp if all were taken that the master takes whole.
    assert first_round(problem, [WHOLE, HALF, WHOLE]) == [1, 2]


@pytest.mark.parametrize("chairs", [30])
def test_where_few_patterns_are_fractions_whole_ones_are_taken_beside_them(chairs: int) -> None:
    problem = one_line_orders(LAMP, LAMP, *[CHAIR] * chairs)
    assert first_round(problem, [WHOLE, HALF, *[WHOLE] * chairs]) == [0, *range(2, 2 + chairs)]


@pytest.mark.parametrize(("most_open", "placed"), [(0, [0, 1, 4]), (1, [0, 2, 4])])
def test_of_too_many_contested_patterns_the_most_contested_stay_open(
    monkeypatch: pytest.MonkeyPatch, most_open: int, placed: list[int]
) -> None:
    monkeypatch.setattr("dom_core.optimizer.dive.MOST_OPEN", most_open)
    problem = one_line_orders(CHAIR, LAMP, LAMP, CHAIR, CHAIR, chairs=2)
    # Half of a chair is wanted beside two that are held, half of a lamp beside one.
    assert first_round(problem, [WHOLE, WHOLE, HALF, HALF, WHOLE]) == placed


def test_without_another_master_what_stayed_open_is_taken_where_it_still_fits() -> None:
    problem = one_line_orders(CHAIR, CHAIR, CHAIR, chairs=2)
    assert first_round(problem, [WHOLE, HALF, WHOLE]) == [0, 1]
