"""From fractions to a plan: take what the master takes whole, a few of the others, and ask again for what is left.

Where stock is scarce, whole patterns that draw on what others take in part stay open: whoever takes them too early
leaves single units that fit nobody, and the plan is up to five per cent worse for it. Every round prices the orders
that wait, over what is left, and solves their master anew: what a round takes may need patterns that nobody thought of
before.
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

LEAST_PART = 1e-6
"""So little of a pattern counts as nothing of it."""

TAKEN_ANYWAY, TAKEN_WHERE_SCARCE = 0.03, 0.5
"""The share of the groups with fractions that a round decides at least."""

SCARCE = 0.04
"""Where the first master takes patterns of so large a share of the groups in part, whole patterns stay open."""

MOST_OPEN = 5_000
"""Whole patterns that stay open at most, the most contested: with all of them masters of 100,000 lines take minutes."""

MASTER_COLUMNS, ROUND_COLUMNS = 2_000_000, 100_000
"""Columns that the masters of a dive, and of one of its rounds, may have in all. Then all whole ones are taken."""

MEET_WITHIN, MEET_SCARCE_WITHIN = 1e-5, 3e-4
"""The relative difference of the master's value and the bound at which a round decides."""


def dive(plan: FirstPlan, prices: Prices, pool: PatternPool, amounts: FloatArray, solve: Linear) -> None:
    """Place what masters take, round by round; greedy rounds must follow for what no master decides."""
    columns, scarce = MASTER_COLUMNS, _scarce(pool, amounts)
    while plan.place_patterns(pool.chosen(_taken(pool, amounts, scarce and columns > 0))) and columns > 0:
        left = plan.left_over()
        if left is None or not (amounts < WHOLE)[amounts > 0].any():
            return
        within = MEET_SCARCE_WITHIN if scarce else MEET_WITHIN
        next_pool, found = _next(left, plan, prices, solve, min(columns, ROUND_COLUMNS), within)
        if found.amounts is None:
            plan.place_patterns(pool.chosen(_taken(pool, amounts, stay_open=False)))
            return
        pool, columns = next_pool, columns - found.columns
        prices = pool.working.prices(found.best.multipliers)
        amounts = np.concatenate((found.amounts, np.zeros(len(pool) - len(found.amounts))))


def _scarce(pool: PatternPool, amounts: FloatArray) -> bool:
    """Whether the master takes patterns of many groups in part."""
    groups = pool.columns().groups
    parts = np.unique(groups[(amounts > LEAST_PART) & (amounts < WHOLE)])
    return len(parts) >= SCARCE * len(np.unique(groups[amounts > LEAST_PART]))


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


def _taken(pool: PatternPool, amounts: FloatArray, stay_open: bool) -> BoolArray:
    """Patterns to take now: whole ones, and the largest fractions, one a group.

    With `stay_open`, no whole ones of which others want something, up to the most that may stay open.
    """
    whole = amounts >= WHOLE
    parts = np.where(whole | (amounts <= LEAST_PART), 0.0, amounts)
    largest = _largest(pool.columns().groups, parts)
    share = TAKEN_WHERE_SCARCE if stay_open else TAKEN_ANYWAY
    nearly = int((amounts[largest] >= NEARLY_WHOLE).sum())
    taken = whole.copy()
    if stay_open:
        taken[_contested(pool, whole, parts)[:MOST_OPEN]] = False
    taken[largest[: max(nearly, int(np.ceil(len(largest) * share)))]] = True
    return taken


def _largest(groups: IntArray, amounts: FloatArray) -> IntArray:
    """The pattern of each group of which most is taken, the largest first."""
    ranked = np.lexsort((np.arange(len(amounts)), -amounts))
    ranked = ranked[amounts[ranked] > LEAST_PART]
    _, first = np.unique(groups[ranked], return_index=True)
    largest: IntArray = ranked[np.sort(first)]
    return largest


def _contested(pool: PatternPool, whole: BoolArray, parts: FloatArray) -> IntArray:
    """Of the `whole` patterns (N) those of which others, who get these `parts` (N), want something too.

    The most contested come first: those with a cell or a room of which others take the largest share.
    """
    entries = pool.columns().entries
    rows = int(entries.rows.max(initial=0)) + 1
    others = np.bincount(entries.rows, entries.amounts * parts[entries.patterns], rows)
    holders = np.bincount(entries.rows, entries.amounts * whole[entries.patterns], rows)
    shares = np.divide(others, others + holders, out=np.zeros(rows), where=others > 0)
    contested = np.zeros(len(whole))
    np.maximum.at(contested, entries.patterns, shares[entries.rows])
    mine = np.flatnonzero(whole & (contested > 0))
    ranked: IntArray = mine[np.argsort(-contested[mine], kind="stable")]
    return ranked
