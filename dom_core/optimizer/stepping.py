"""The best choice of whole columns in a large program: in steps above the bound that its shares and cuts prove.

A step looks at choices that cost less than a value a little above the bound: few columns are left for these. Where
there is none the next step goes further. So the solver sees small programs only, and the first choice that it finds is
the best of all.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from dom_core.domain.plan import Ending
from dom_core.optimizer.linear import Choose, Linear, LinearProgram, WholeAnswer
from dom_core.optimizer.narrowing import Narrowing

FIRST_COLUMNS, GROWTH = 2_500, 1.35
"""Columns that are left for the first step; each further step has so many times those of the one before."""

LAST_SHARE = 0.8
"""A step that goes so far goes all the way."""

LEAST_STEP = 1.0
"""Points between two steps at least: what differs by less is float arithmetic's doing, or ties."""


def best_below(program: LinearProgram, value: float, solve: Linear, choose: Choose, most: int) -> WholeAnswer:
    """The best choice that costs less than the value. Raises SolverFailed.

    Where a step is left with more than `most` columns, the solver is not asked: the answer is the bound.
    """
    left, bound = Narrowing(program).below(value, solve), float("-inf")
    for step in _steps(left, value):
        narrow = left.below(step, solve) if step < value else left
        answer = _asked(narrow, step, choose, most)
        if answer.taken is not None:
            return _outward(answer, narrow, max(bound, answer.bound, narrow.bound), len(program.costs))
        bound = max(bound, min(step, max(narrow.bound, answer.bound)))
        if bound < step:
            return replace(answer, bound=bound)
    return WholeAnswer(None, float("inf"), Ending.INFEASIBLE)


def _steps(left: Narrowing, value: float) -> Iterator[float]:
    """Values, each larger than the one before: with the first few columns are left, with the last all."""
    distances, far = np.sort(left.reduced), LAST_SHARE * (value - left.bound)
    columns, before = float(FIRST_COLUMNS), 0.0
    while columns < len(distances) and distances[int(columns)] < far:
        if distances[int(columns)] > before + LEAST_STEP:
            before = float(distances[int(columns)])
            yield left.bound + before
        columns *= GROWTH
    if len(distances):
        yield value


def _asked(narrow: Narrowing, step: float, choose: Choose, most: int) -> WholeAnswer:
    if not len(narrow.positions):
        return WholeAnswer(None, float("inf"), Ending.INFEASIBLE)
    if len(narrow.positions) > most:
        return WholeAnswer(None, narrow.bound, Ending.NO_PLAN)
    return choose(narrow.program, step)


def _outward(answer: WholeAnswer, narrow: Narrowing, bound: float, count: int) -> WholeAnswer:
    """The answer as one to the whole program, which has so many columns and this bound."""
    taken = np.zeros(count, dtype=bool)
    taken[narrow.positions[answer.taken]] = True
    return replace(answer, taken=taken, bound=bound)
