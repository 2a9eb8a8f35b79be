"""Prices by steps: how far they come in how many."""

import numpy as np

from dom_core.optimizer.ascent import ascend
from dom_core.optimizer.prices import Prices
from dom_core.optimizer.pricing import Pricer
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.working_set import WorkingSet
from tests.builders import a_request, a_source, an_order
from tests.optimizer.test_prices import best_total
from tests.optimizer.test_pricing import problem_of

NEAR, FAR = (47.6, -122.3), (45.5, -122.7)
ORDERS_OF_PRODUCTS = (256, 64, 32, 16, 8, 8, *[4] * 6, *[2] * 40)


def best_sellers_and_rare_products() -> Problem:
    """The near source has one of every product, the far one has all; most products two orders want, one 256."""
    builder = a_request().with_sources(a_source("A", at=NEAR), a_source("B", at=FAR))
    stock: dict[tuple[str, str], int] = {}
    for number, orders in enumerate(ORDERS_OF_PRODUCTS):
        product = f"P{number:02}"
        stock |= {(product, "A"): 1, (product, "B"): 1000}
        for copy in range(orders):
            builder = builder.with_orders(an_order(f"{product}-{copy:03}").shipping_to(*NEAR).with_line(product))
    return problem_of(builder.with_stock(stock))


def test_best_sellers_do_not_set_the_pace_of_rare_products() -> None:
    """Of one product 255 units are asked for too many, of most one: with one pace for all the steps reach 94 %."""
    one = best_sellers_and_rare_products()
    working = WorkingSet(Pricer(one, np.flatnonzero(one.wanted > 0)))
    begin, best = working.grow(Prices.none(one)).bound, best_total(one)
    *_, last = ascend(working, working.nothing_scarce(), float(best), 20)
    assert last.value <= best
    assert last.value - begin > 0.96 * (best - begin)
