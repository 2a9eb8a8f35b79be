"""Problems of all sorts: generated cases in both iterations, orders of many lines, lines in parts, counted visits."""

from collections.abc import Iterator
from random import Random

import numpy as np

from dom_core.optimizer import relaxation
from dom_core.optimizer.costs import Flow
from dom_core.optimizer.pipeline import open_lines
from dom_core.optimizer.prices import Prices
from dom_core.optimizer.problem import Problem, next_problem
from tests.builders import RequestBuilder, a_request, a_rule, a_source, an_order
from tests.optimizer.test_prices import random_prices
from tests.oracle.generation import generate

PLACES = [(47.6, -122.3), (40.7, -74.0), (33.7, -84.4), (41.9, -87.6), (29.8, -95.4), (39.7, -105.0)]


def varied_problems(cases: int = 36) -> Iterator[tuple[int, Problem, Prices]]:
    """Problems with some prices each, and the number of the case: of each the first iteration, then the second."""
    for seed in range(cases):
        request = generate(seed) if seed % 3 else long_orders(seed).build()
        batch, _ = open_lines(request)
        prepared = relaxation.prepare(batch)
        second = next_problem(prepared.problem, prepared.relaxed, some_flows(prepared.problem, seed))
        for one in (prepared.problem, second):
            if (one.wanted > 0).any():
                yield seed, one, random_prices(one, seed)


def long_orders(seed: int) -> RequestBuilder:
    """Orders of one to sixteen lines of a few units, which some rules let come in parts, and room for a few."""
    chance = Random(seed)
    sources = [a_source(f"S{number}", at=place) for number, place in enumerate(PLACES)]
    builder = a_request().with_sources(*sources)
    for number in range(12):
        order = an_order(f"O{number:03}").shipping_to(*chance.choice(PLACES))
        for product in chance.sample(range(18), chance.choice((1, 1, 2, 3, 5, 9, 16))):
            order = order.with_line(f"P{product}", chance.randint(1, 4))
        builder = builder.with_orders(order)
    rules = [
        a_rule("partial_orders", chance.choice(({"max_sources": 3}, {"partial_lines": True, "partial_orders": True}))),
        a_rule("maximum_orders", {"lines": [{"limit": 4}]}),
        a_rule("maximum_orders", {"lines": [{"limit": 9, "basis": "lines_per_day"}]}, id="lines"),
    ]
    stock = {(f"P{p}", f"S{s}"): chance.randint(0, 9) for p in range(18) for s in range(6)}
    return builder.with_rules(*rules).with_stock(stock)


def some_flows(one: Problem, seed: int) -> list[Flow]:
    """A few units of some lines, each from a source that has them."""
    chance, stock = Random(seed), one.stock.copy()
    flows = []
    for line in np.flatnonzero(one.wanted > 0).tolist():
        product = int(one.batch.product_of[line])
        offered = np.flatnonzero(one.allowed[line] & (stock[product] > 0)).tolist()
        if offered and chance.random() < 0.4:
            source = chance.choice(offered)
            units = chance.randint(1, int(min(one.wanted[line], stock[product, source])))
            stock[product, source] -= units
            flows.append((line, source, units))
    return flows
