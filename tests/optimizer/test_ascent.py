"""Prices by steps: how far they come in how many."""

from dataclasses import replace

import numpy as np

from dom_core.optimizer.ascent import ascend
from dom_core.optimizer.prices import Prices
from dom_core.optimizer.pricing import Pricer
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.working_set import Multipliers, Pass, WorkingSet
from dom_core.rules.base import CapacityLimit
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


class Rounding(WorkingSet):
    """Shares of visits that add up to a little more than one, as sevenths may."""

    def price(self, multipliers: Multipliers) -> Pass:
        found = super().price(multipliers)
        return replace(found, use=replace(found.use, room=found.use.room + 2**-54))


def test_rounding_raises_no_price() -> None:
    one = best_sellers_and_rare_products()
    everybody = frozenset((order, source) for order in range(len(one.batch.orders)) for source in range(2))
    full = replace(one, capacities=(CapacityLimit(sources=(0, 1), remaining=0, per_line=False, counted=everybody),))
    working = Rounding(Pricer(full, np.flatnonzero(full.wanted > 0)))
    working.grow(Prices.none(full))
    *_, last = ascend(working, working.nothing_scarce(), float(best_total(full)), 20)
    assert last.multipliers.room.tolist() == [0.0]
