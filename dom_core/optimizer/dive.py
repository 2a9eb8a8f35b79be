"""From fractions to a plan: take what the master takes whole, a few of the others, and ask again for what is left.

Where stock is scarce, whole patterns that draw on what others take in part stay open: whoever takes them too early
leaves single units that fit nobody, and the plan is two per cent worse for it. Every round prices the orders that wait,
over what is left, and solves their master anew: what a round takes may need patterns that nobody thought of before.
"""

import numpy as np

from dom_core.domain.reason import BoolArray, FloatArray, IntArray
from dom_core.optimizer.first_plan import FirstPlan
from dom_core.optimizer.generation import Generated, generate
from dom_core.optimizer.linear import Linear
from dom_core.optimizer.patterns import PatternPool
from dom_core.optimizer.prices import Prices
from dom_core.optimizer.pricing import Pricer
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.working_set import WorkingSet

WHOLE, NEARLY_WHOLE = 0.999, 0.99
"""So much of a pattern counts as all of it; what is nearly whole is decided first."""

TAKEN_ANYWAY, TAKEN_WHERE_SCARCE = 0.03, 0.5
"""The share of the groups with fractions that a round decides at least."""

SCARCE = 0.1
"""Where the first master takes patterns of so large a share of the groups in part, whole patterns stay open."""

MASTER_COLUMNS, ROUND_COLUMNS = 2_000_000, 100_000
"""Columns that the masters of a dive, and of one of its rounds, may have in all. Then all whole ones are taken."""

MEET_WITHIN, MEET_SCARCE_WITHIN = 1e-5, 3e-4
"""The relative difference of the master's value and the bound at which a round decides."""


def dive(plan: FirstPlan, prices: Prices, pool: PatternPool, amounts: FloatArray, solve: Linear) -> None:
    """Place what masters take, round by round; greedy rounds must follow for what no master decides."""
    columns, scarce = MASTER_COLUMNS, _scarce(pool, amounts)
    while plan.place(pool.chosen(_taken(pool, amounts, scarce and columns > 0))) and columns > 0:
        left = plan.left_over()
        if left is None or not (amounts < WHOLE)[amounts > 0].any():
            return
        within = MEET_SCARCE_WITHIN if scarce else MEET_WITHIN
        pool, found = _next(left, plan, prices, solve, min(columns, ROUND_COLUMNS), within)
        if found.amounts is None:
            return
        columns -= found.columns
        prices = pool.working.prices(found.best.multipliers)
        amounts = np.concatenate((found.amounts, np.zeros(len(pool) - len(found.amounts))))


def _scarce(pool: PatternPool, amounts: FloatArray) -> bool:
    """Whether the master takes patterns of many groups in part."""
    groups = pool.columns().groups
    parts = np.unique(groups[(amounts > 1e-6) & (amounts < WHOLE)])
    return len(parts) >= SCARCE * len(np.unique(groups[amounts > 1e-6]))


def _next(
    left: Problem, plan: FirstPlan, prices: Prices, solve: Linear, columns: int, within: float
) -> tuple[PatternPool, Generated]:
    """Patterns of the orders that wait, and how much of each their master takes."""
    working = WorkingSet(Pricer(left, np.flatnonzero(left.wanted > 0), plan.pricer.watch))
    working.grow(prices)
    begin = working.price(working.multipliers(prices))
    pool = PatternPool(working)
    pool.add(begin)
    return pool, generate(working, pool, begin, solve, columns, within)


def _taken(pool: PatternPool, amounts: FloatArray, open_beside: bool) -> BoolArray:
    """Patterns to take now: whole ones, and the largest fractions, one a group.

    With `open_beside`, no whole ones that share a cell or a room with fractions.
    """
    whole = amounts >= WHOLE
    parts = (amounts > 1e-6) & ~whole
    largest = _largest(pool.columns().groups, np.where(parts, amounts, 0.0))
    share = TAKEN_WHERE_SCARCE if open_beside else TAKEN_ANYWAY
    nearly = int((amounts[largest] >= NEARLY_WHOLE).sum())
    taken = whole & ~_beside(pool, parts) if open_beside else whole.copy()
    taken[largest[: max(nearly, int(np.ceil(len(largest) * share)))]] = True
    return taken


def _largest(groups: IntArray, amounts: FloatArray) -> IntArray:
    """The pattern of each group of which most is taken, the largest first."""
    ranked = np.lexsort((np.arange(len(amounts)), -amounts))
    ranked = ranked[amounts[ranked] > 1e-6]
    _, first = np.unique(groups[ranked], return_index=True)
    largest: IntArray = ranked[np.sort(first)]
    return largest


def _beside(pool: PatternPool, parts: BoolArray) -> BoolArray:
    """Patterns (N) that draw on a cell or a room of which one of these `parts` (N) takes something."""
    entries = pool.columns().entries
    shared = np.isin(entries.rows, np.unique(entries.rows[parts[entries.patterns]]))
    beside = np.zeros(len(parts), dtype=bool)
    beside[entries.patterns[shared]] = True
    return beside
