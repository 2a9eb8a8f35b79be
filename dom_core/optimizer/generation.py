"""Column generation: the restricted master says what scarce things are worth, pricing finds patterns that it lacks.

Prices of a master that lacks patterns swing. So orders are priced between the best prices so far and the master's, at
a few points; every point gives patterns, and may give a better bound. It ends when value and bound meet.
"""

from dataclasses import dataclass

import numpy as np

from dom_core.domain.reason import FloatArray, IntArray
from dom_core.errors import SolverFailed
from dom_core.optimizer.linear import Linear, LinearAnswer, LinearProgram
from dom_core.optimizer.master import Corner, Master, restricted
from dom_core.optimizer.patterns import PatternPool
from dom_core.optimizer.working_set import Multipliers, Pass, WorkingSet

MEET_WITHIN = 1e-5
"""The relative difference of the master's value and the bound at which nothing is left to find."""

ROUNDS_TO_MEET, MEET_LATER_WITHIN, MEET_SCARCE_WITHIN = 8, 1e-4, 3e-4
"""After so many rounds the second difference is small enough; the third where masters are large and stock is scarce.

There the last rounds win little, and each takes long.
"""

BETWEEN = (0.5, 0.2, 0.0)
"""Where orders are priced: so much of the best prices, the rest of the master's."""


@dataclass(frozen=True, slots=True, eq=False)
class Generated:
    """The best pass; the last master's value and how much of each pattern it takes, if it was ever solved.

    `columns` is how many the masters had in all, `corner` where the last one ended.
    """

    best: Pass
    value: float
    amounts: FloatArray | None
    columns: int
    corner: Corner | None


def generate(
    working: WorkingSet,
    pool: PatternPool,
    best: Pass,
    solve: Linear,
    columns: int,
    within: float = MEET_WITHIN,
    corner: Corner | None = None,
) -> Generated:
    """Patterns and prices in turn, until they agree, or masters had so many columns in all, or the solver fails.

    The first master begins at the corner, where one of the same pool ended before the working set grew.
    """
    value, amounts, left, rounds = float("inf"), None, columns, 0
    names = working.row_names()
    while left > 0:
        left, rounds = left - len(pool), rounds + 1
        try:
            master, answer = _solved(working, pool, solve, corner, names)
        except SolverFailed:
            break
        value = working.pricer.constant + master.constant + answer.value
        amounts, corner = master.amounts(answer, len(pool)), master.corner(answer, names)
        meet = max(within, _small_enough(rounds, master.program))
        if value - best.value <= meet * abs(value):
            break
        target, new = master.prices(answer, working.rows()), 0
        start = best.multipliers
        for share in BETWEEN:
            found = working.price(_between(working, start, target, share))
            new += pool.add(found)
            best = found if found.value > best.value else best
        if not new and value - best.value > meet * abs(value):
            break
    return Generated(best, value, amounts, columns - left, corner)


def _small_enough(rounds: int, program: LinearProgram) -> float:
    if program.much_choice:
        return MEET_SCARCE_WITHIN
    return MEET_WITHIN if rounds <= ROUNDS_TO_MEET else MEET_LATER_WITHIN


def limits_of(working: WorkingSet) -> FloatArray:
    """What there is of each row: scarce cells by divisor, then capacities."""
    return np.concatenate((working.stock.ravel(), working.pricer.rooms.room))


def _solved(
    working: WorkingSet, pool: PatternPool, solve: Linear, corner: Corner | None, names: IntArray
) -> tuple[Master, LinearAnswer]:
    master = restricted(pool.columns(), limits_of(working), pool.first_groups()[-1]).starting(corner, names)
    if not len(master.columns):
        return master, LinearAnswer(0.0, np.zeros(0), np.zeros(0))
    return master, solve(master.program)


def _between(working: WorkingSet, start: Multipliers, target: FloatArray, share: float) -> Multipliers:
    there = working.shaped(target)
    return Multipliers(share * start.cells + (1 - share) * there.cells, share * start.room + (1 - share) * there.room)
