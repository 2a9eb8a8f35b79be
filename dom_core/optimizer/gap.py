"""Where the gap of a plan sits: value − bound = Σ excess of orders + Σ prices · what is left unused.

The *excess* of an order is what its part of the plan costs at prices beyond its best pattern. Its *detour* is what the
cheapest change of its best pattern costs: who could make room for others at little cost.
"""

from collections.abc import Sequence

import numpy as np

from dom_core.domain.reason import FloatArray, IntArray
from dom_core.optimizer.costs import Flow, flow_table
from dom_core.optimizer.objective import points_by_order
from dom_core.optimizer.prices import DIVISORS, Prices, rounded_parts
from dom_core.optimizer.pricing import Priced, PricedGroups, Pricer


def excess_of_orders(pricer: Pricer, prices: Prices, best: Priced, flows: Sequence[Flow]) -> FloatArray:
    """What each order (O) pays at prices beyond its best pattern: zero where the plan gives it that pattern."""
    problem = pricer.problem
    points = points_by_order(problem, flows) - points_by_order(problem, ())
    excess: FloatArray = points + rent_of_orders(pricer, prices, flows) - best.worth
    return excess


def detour_of_orders(pricer: Pricer, prices: Prices) -> FloatArray:
    """What each order (O) pays at prices beyond its best pattern when some line of it goes elsewhere: the least.

    Zero for orders that have two best patterns; infinite where every line has one source at most.
    """
    problem = pricer.problem
    second = np.full(problem.batch.shape[0], np.inf)

    def look(priced: PricedGroups) -> tuple[IntArray, FloatArray]:
        slacks = priced.slacks()
        if slacks.shape[2] < 2:
            return priced.groups.lines, np.full(slacks.shape[:2], np.inf)
        return priced.groups.lines, np.partition(slacks, 1, axis=2)[:, :, 1]

    for lines, points in pricer.seen(prices, look):
        second[lines] = points
    least = np.full(len(problem.batch.orders), np.inf)
    np.minimum.at(least, problem.batch.order_of, second)
    return least


def _columns(flows: Sequence[Flow]) -> tuple[IntArray, IntArray, IntArray]:
    line, source, units = flow_table(sorted(flows))
    return line, source, units


def rent_of_orders(pricer: Pricer, prices: Prices, flows: Sequence[Flow]) -> FloatArray:
    """What the flows of each order (O) pay at prices for their cells and for new visits."""
    problem = pricer.problem
    lines, sources, units = _columns(flows)
    orders = problem.batch.order_of[lines]
    rows = np.searchsorted(pricer.costs.lines, lines)
    paid = np.zeros(len(problem.batch.orders))
    for divisor in DIVISORS:
        taken = units if divisor == 1 else np.where(pricer.costs.whole[rows], rounded_parts(units, divisor), 0)
        at = prices.at(problem.batch.product_of[lines], sources, divisor)
        paid += np.bincount(orders, weights=at * taken, minlength=len(paid))
    return paid + pricer.rooms.paid(prices.capacity, lines, sources)
