"""The best plan of a part, with its proof: guess how far it is from the bound, look at all of that, and guess again.

A plan that is within a guess of what prices prove uses no pattern that costs more than the guess beyond its order's
best. As long as the guess is small there are few of these. An exact model that chooses among all of them finds the best
plan of all, or proves that every plan costs more than the guess; then the next guess is larger. So no good plan is
needed to begin with, and each answer is a proof.
"""

import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from dom_core.errors import SolverFailed
from dom_core.optimizer.course import Course
from dom_core.optimizer.fixing import SMALLEST_GAIN, Proven
from dom_core.optimizer.linear import LinearProgram, WholeAnswer
from dom_core.optimizer.near_best import TooMany
from dom_core.optimizer.pricing import PROVEN_WITHIN, PricedBest, Pricer
from dom_core.optimizer.solving import Solver
from dom_core.optimizer.standing import Standing
from dom_core.optimizer.whole_patterns import Choices, Choosable, Choose, choose, expressed

LARGEST_LINES = 2_000
"""Lines of a part that is worth the attempt: the gap of any plan of a larger one holds too many patterns."""

FIRST_PATTERNS_PER_LINE, MOST_PATTERNS = 12, 300_000
"""Patterns a line that the first guess may hold, and patterns that any guess may hold: CBC needs 6 KB for each."""

FACTOR, LEAST_FACTOR, GROWTH = 1.5, 1.05, 2.5
"""Each guess is so many times the one before; less, down to the second, where the patterns would grow by the third.

A guess that is far too large takes as long as several that are too small.
"""

NODES = 3_000
"""Nodes for each guess: a limit that is the same on every machine."""

UNTIL, LEAST_LIMIT_S = 0.7, 1.0
"""The share of the time after which neighbourhoods are the better use of it; seconds that a guess has at least."""


def deepen(pricer: Pricer, priced: PricedBest, plan: Standing, solver: Solver, course: Course) -> Proven:
    """The best plan with its proof where guesses get there; else the plan and the bound that they reached."""
    best = Proven(plan, priced.bound)
    if len(pricer.costs.lines) > LARGEST_LINES or not expressed(pricer)[pricer.costs.orders].all():
        return best
    enough = max(course.limits.relative_gap, PROVEN_WITHIN)
    course.stage_until(UNTIL)
    choosable = Choosable(pricer, priced.prices)
    for guess, choices in _guesses(choosable, plan.total - priced.bound):
        if best.plan.total - best.bound <= enough * best.plan.total or course.time_is_up():
            break
        below = min(best.plan.total - SMALLEST_GAIN / 2, choosable.bound + guess)
        try:
            chosen = choose(choices, pricer.constant, _in_time(solver, course), below)
        except SolverFailed:
            break
        found = best.plan if chosen.flows is None else Standing(pricer.problem, chosen.flows)
        proven = found.total - chosen.bound < SMALLEST_GAIN
        best = Proven(found, float(found.total) if proven else max(best.bound, chosen.bound))
        course.offer(found)
        course.prove(best.bound)
        if chosen.bound < below - SMALLEST_GAIN:
            break
    return best


Guess = tuple[float, Choices]
"""How far from the bound a plan is taken to be at most, and all patterns within that."""


def _guesses(choosable: Choosable, gap: float) -> Iterator[Guess]:
    """From a guess that holds few patterns to the largest that holds not too many."""
    guess = _first(choosable, gap)
    while guess is not None:
        yield guess
        guess = _next(choosable, *guess)


def _first(choosable: Choosable, gap: float) -> Guess | None:
    most = FIRST_PATTERNS_PER_LINE * len(choosable.pricer.costs.lines)
    while gap >= SMALLEST_GAIN:
        with suppress(TooMany):
            return gap, choosable.within(gap + SMALLEST_GAIN / 2, most, {})
        gap /= FACTOR
    return None


def _next(choosable: Choosable, guess: float, choices: Choices) -> Guess | None:
    most, factor = min(MOST_PATTERNS, int(GROWTH * len(choices.columns.costs))), FACTOR
    while factor >= LEAST_FACTOR:
        with suppress(TooMany):
            return factor * guess, choosable.within(factor * guess + SMALLEST_GAIN / 2, most, {})
        factor = math.sqrt(factor)
    return None


def _in_time(solver: Solver, course: Course) -> Choose:
    """Choices by this solver, as long as the course has time; each is a moment to tell how far it is."""

    def solve(program: LinearProgram, below: float) -> WholeAnswer:
        course.look()
        limit_s = max(course.left_s, LEAST_LIMIT_S)
        limits = replace(course.limits, solve_limit_s=limit_s, max_nodes=NODES, relative_gap=0.0)
        return solver.solve_whole(program, limits, below)

    return solve
