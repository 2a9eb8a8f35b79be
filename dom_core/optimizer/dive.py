"""From fractions to a plan: take what the master takes whole, a few of the others, and ask again for what is left.

Whole patterns that draw on what others take in part stay open: whoever takes them too early leaves single units that
fit nobody, and where stock is scarce the plan is two per cent worse for it. Every round prices the orders that wait,
over what is left, and solves their master anew: what a round takes may need patterns that nobody thought of before.
"""

import numpy as np

from dom_core.domain.reason import BoolArray, FloatArray, IntArray
from dom_core.optimizer.first_plan import FirstPlan
from dom_core.optimizer.generation import Generated, Linear, generate
from dom_core.optimizer.patterns import PatternPool
from dom_core.optimizer.prices import Prices
from dom_core.optimizer.pricing import Pricer
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.working_set import WorkingSet

WHOLE, NEARLY_WHOLE = 0.999, 0.99
"""So much of a pattern counts as all of it; what is nearly whole is decided first."""

TAKEN_ANYWAY = 0.5
"""The share of the groups with fractions that a round decides at least."""

MASTER_COLUMNS, ROUND_COLUMNS = 2_000_000, 100_000
"""Columns that the masters of a dive, and of one of its rounds, may have in all. Then all whole ones are taken."""

MEET_WITHIN = 3e-4
"""The relative difference of the master's value and the bound at which a round decides."""


def dive(plan: FirstPlan, prices: Prices, pool: PatternPool, amounts: FloatArray, solve: Linear) -> None:
    """Place what masters take, round by round; greedy rounds must follow for what no master decides."""
    columns = MASTER_COLUMNS
    while plan.place(pool.chosen(_taken(pool, amounts, columns > 0))) and columns > 0:
        left = plan.left_over()
        if left is None or not (amounts < WHOLE)[amounts > 0].any():
            return
        pool, found = _next(left, prices, solve, min(columns, ROUND_COLUMNS))
        if found.amounts is None:
            return
        columns -= found.columns
        prices = pool.working.prices(found.best.multipliers)
        amounts = np.concatenate((found.amounts, np.zeros(len(pool) - len(found.amounts))))


def _next(left: Problem, prices: Prices, solve: Linear, columns: int) -> tuple[PatternPool, Generated]:
    """Patterns of the orders that wait, and how much of each their master takes."""
    working = WorkingSet(Pricer(left, np.flatnonzero(left.wanted > 0)))
    working.grow(prices)
    begin = working.price(working.multipliers(prices))
    pool = PatternPool(working)
    pool.add(begin)
    return pool, generate(working, pool, begin, solve, columns, MEET_WITHIN)


def _taken(pool: PatternPool, amounts: FloatArray, go_on: bool) -> BoolArray:
    """Patterns to take now: whole ones that share nothing with fractions, and the largest fractions, one a group.

    All whole ones when nothing is in fractions, or no round follows.
    """
    whole = amounts >= WHOLE
    largest = _largest(pool.columns().groups, np.where(whole, 0.0, amounts))
    if not go_on or not len(largest):
        return whole
    taken = whole & ~_beside_fractions(pool, (amounts > 1e-6) & ~whole)
    nearly = int((amounts[largest] >= NEARLY_WHOLE).sum())
    taken[largest[: max(nearly, int(np.ceil(len(largest) * TAKEN_ANYWAY)))]] = True
    return taken


def _largest(groups: IntArray, amounts: FloatArray) -> IntArray:
    """The pattern of each group of which most is taken, the largest first."""
    ranked = np.lexsort((np.arange(len(amounts)), -amounts))
    ranked = ranked[amounts[ranked] > 1e-6]
    _, first = np.unique(groups[ranked], return_index=True)
    largest: IntArray = ranked[np.sort(first)]
    return largest


def _beside_fractions(pool: PatternPool, parts: BoolArray) -> BoolArray:
    """Patterns (N) that draw on a cell or a room of which one of these `parts` (N) takes something."""
    entries = pool.columns().entries
    shared = np.isin(entries.rows, np.unique(entries.rows[parts[entries.patterns]]))
    beside = np.zeros(len(parts), dtype=bool)
    beside[entries.patterns[shared]] = True
    return beside
