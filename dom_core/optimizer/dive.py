"""From fractions to a plan: take what the master takes whole, a few of the others, and ask again for what is left.

Every round prices the orders that wait, over what is left, and solves their master anew: what a round takes may need
patterns that nobody thought of before. What a round takes stays, so a dive finds a good plan, not the best one.
"""

import numpy as np

from dom_core.domain.reason import BoolArray, FloatArray, IntArray
from dom_core.optimizer.first_plan import FirstPlan
from dom_core.optimizer.generation import Linear, generate
from dom_core.optimizer.patterns import PatternPool
from dom_core.optimizer.prices import Prices
from dom_core.optimizer.pricing import Pricer
from dom_core.optimizer.working_set import WorkingSet

WHOLE, NEARLY_WHOLE = 0.999, 0.99
"""A round takes patterns of which the master takes at least so much: the whole ones, and the nearly whole."""

TAKEN_ANYWAY = 0.03
"""The share of the groups with fractions that a round decides at least."""

ROUNDS = 80

MASTER_COLUMNS = 100_000
"""Columns that the masters of one round may have in all."""


def dive(plan: FirstPlan, prices: Prices, pool: PatternPool, amounts: FloatArray, solve: Linear) -> None:
    """Place what masters take, round by round; greedy rounds must follow for what no master decides."""
    for _ in range(ROUNDS):
        if not plan.place(pool.chosen(_taken(pool, amounts))):
            return
        left = plan.left_over()
        if left is None or not (amounts < WHOLE)[amounts > 0].any():
            return
        pricer = Pricer(left, np.flatnonzero(left.wanted > 0), plan.pricer.watch)
        working = WorkingSet(pricer)
        working.grow(prices)
        begin = working.price(working.multipliers(prices))
        pool = PatternPool(working)
        pool.add(begin)
        found = generate(working, pool, begin, solve, MASTER_COLUMNS)
        if found.amounts is None:
            return
        prices = working.prices(found.best.multipliers)
        amounts = np.concatenate((found.amounts, np.zeros(len(pool) - len(found.amounts))))


def _taken(pool: PatternPool, amounts: FloatArray) -> BoolArray:
    """Patterns to take now: whole and nearly whole ones, and of the rest the largest, one for each group."""
    groups = pool.columns().groups
    ranked = np.lexsort((np.arange(len(amounts)), -amounts))
    ranked = ranked[amounts[ranked] > 1e-6]
    _, first = np.unique(groups[ranked], return_index=True)
    largest: IntArray = ranked[np.sort(first)]
    whole = int((amounts[largest] >= WHOLE).sum())
    nearly = int((amounts[largest] >= NEARLY_WHOLE).sum())
    count = max(nearly, whole + int(np.ceil((len(largest) - whole) * TAKEN_ANYWAY)))
    taken = np.zeros(len(amounts), dtype=bool)
    taken[largest[:count]] = True
    return taken
