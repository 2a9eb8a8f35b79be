"""The best plan of a part, with its proof: guess how far it is from the bound, look at all of that, and guess again.

A plan that is within a guess of what prices prove uses no pattern that costs more than the guess beyond its order's
best. As long as the guess is small there are few of these. An exact model that chooses among all of them finds the best
plan of all, or proves that every plan costs more than the guess; then the next guess is larger. So no good plan is
needed to begin with, and each answer is a proof.
"""

import math
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import replace
from threading import Event

from dom_core.domain.strategy import SolverLimits
from dom_core.errors import SolverFailed
from dom_core.optimizer import workers
from dom_core.optimizer.course import GUESSES, Course
from dom_core.optimizer.fixing import SMALLEST_GAIN, Proven
from dom_core.optimizer.linear import LinearAnswer, LinearProgram, WholeAnswer
from dom_core.optimizer.near_best import TooMany
from dom_core.optimizer.pricing import PROVEN_WITHIN, PricedBest, Pricer
from dom_core.optimizer.solving import Solver
from dom_core.optimizer.standing import Standing
from dom_core.optimizer.stepping import best_below
from dom_core.optimizer.whole_patterns import Choices, Choosable, Chosen, choose, expressed
from dom_core.watch import WatchedLimits, watch_of

LARGEST_LINES = 2_000
"""Lines of a part that is worth the attempt: the gap of any plan of a larger one holds too many patterns."""

FIRST_PATTERNS_PER_LINE, MOST_PATTERNS = 60, 600_000
"""Patterns a line that the first guess may hold; patterns that guesses may hold at a time, a kilobyte each."""

MOST_FOR_SOLVER, KB_OF_A_PATTERN = 80_000, 6
"""Patterns that one solver may have to choose from, and what CBC needs for each: so half a gigabyte is enough.

A strategy that says how much memory a solver may take has as many patterns as that holds.
"""

FACTOR, LEAST_FACTOR, GROWTH = 1.5, 1.2, 10.0
"""Each guess is so many times the one before; less, down to the second, where the patterns would grow by the third.

A guess that is far too large takes as long as several that are too small.
"""

NODES = 3_000
"""Nodes for each guess: a limit that is the same on every machine."""

UNTIL, LEAST_LIMIT_S = 0.7, 1.0
"""The share of the time after which neighbourhoods are the better use of it; seconds that a guess has at least."""


def deepen(pricer: Pricer, priced: PricedBest, plan: Standing, solver: Solver, course: Course) -> Proven:
    """The best plan with its proof where guesses get there; else the plan and the bound that they reached."""
    best, gap = Proven(plan, priced.bound), plan.total - priced.bound
    enough = max(course.limits.relative_gap, PROVEN_WITHIN) * plan.total
    large = len(pricer.costs.lines) > LARGEST_LINES
    if large or gap <= enough or not expressed(pricer)[pricer.costs.orders].all():
        return best
    course.stage_until(UNTIL)
    if course.time_is_up():
        return best
    course.begin(GUESSES)
    with closing(_answers(Choosable(pricer, priced.prices), plan, solver, course)) as answers, suppress(SolverFailed):
        for below, chosen in answers:
            found = plan if chosen.flows is None else Standing(pricer.problem, chosen.flows)
            proven = found.total - chosen.bound < SMALLEST_GAIN
            best = Proven(found, float(found.total) if proven else max(best.bound, chosen.bound))
            course.offer(best.plan)
            course.prove(best.bound)
            course.look()
            no_more = chosen.flows is not None or chosen.bound < below - SMALLEST_GAIN
            if course.time_is_up() or no_more or found.total - best.bound <= enough:
                return best
    course.time_is_up()
    return best


def _answers(
    choosable: Choosable, plan: Standing, solver: Solver, course: Course
) -> Generator[tuple[float, Chosen], None, None]:
    """The answer to each guess, and what it looked below; a guess is worked on while the one before is.

    As long as they are small enough together. Those that nobody asks for any more are stopped.
    """
    abandoned = Event()
    watch = watch_of(course.limits).or_when(abandoned.is_set)

    def limits(left_s: float) -> SolverLimits:
        watch.go_on()
        if left_s <= 0:
            raise SolverFailed("the time is up")
        exact = replace(course.limits, max_nodes=NODES, relative_gap=0.0, solve_limit_s=left_s)
        return WatchedLimits.of(exact, watch)

    def solve(program: LinearProgram, below: float) -> WholeAnswer:
        left_s = course.time_for(LEAST_LIMIT_S)

        def shares(some: LinearProgram) -> LinearAnswer:
            return solver.solve_linear(some, limits(left_s()))

        def whole(some: LinearProgram, step: float) -> WholeAnswer:
            return solver.solve_whole(some, limits(left_s()), step)

        return best_below(program, below, shares, whole, _most_for_solver(course))

    begun: deque[tuple[float, int, Future[Chosen]]] = deque()
    with ThreadPoolExecutor(workers.WORKERS) as threads:
        try:
            for guess, choices in _guesses(choosable, plan.total - choosable.bound, MOST_PATTERNS):
                size = len(choices.columns.costs)
                while begun and (len(begun) == workers.WORKERS or begun[0][1] + size > MOST_PATTERNS):
                    yield begun[0][0], begun.popleft()[2].result()
                below = min(plan.total - SMALLEST_GAIN / 2, choosable.bound + guess)
                begun.append((below, size, threads.submit(choose, choices, choosable.pricer.constant, solve, below)))
            while begun:
                yield begun[0][0], begun.popleft()[2].result()
        finally:
            abandoned.set()
            threads.shutdown(cancel_futures=True)


Guess = tuple[float, Choices]
"""How far from the bound a plan is taken to be at most, and all patterns within that."""


def _most_for_solver(course: Course) -> int:
    memory_mb = course.limits.memory_limit_mb
    return MOST_FOR_SOLVER if memory_mb is None else memory_mb * 1000 // KB_OF_A_PATTERN


def _guesses(choosable: Choosable, gap: float, most: int) -> Iterator[Guess]:
    """From a guess that holds few patterns to the largest that holds not too many, or to the gap."""
    guess = _first(choosable, gap, most)
    while guess is not None:
        yield guess
        guess = None if guess[0] >= gap else _next(choosable, *guess, gap, most)


def _first(choosable: Choosable, gap: float, most: int) -> Guess | None:
    few = min(most, FIRST_PATTERNS_PER_LINE * len(choosable.pricer.costs.lines))
    while gap >= SMALLEST_GAIN:
        with suppress(TooMany):
            return gap, choosable.within(gap + SMALLEST_GAIN / 2, few, {})
        gap /= FACTOR
    return None


def _next(choosable: Choosable, guess: float, choices: Choices, gap: float, most: int) -> Guess | None:
    more, factor = min(most, int(GROWTH * len(choices.columns.costs))), FACTOR
    while factor >= LEAST_FACTOR:
        larger = min(gap, factor * guess)
        with suppress(TooMany):
            return larger, choosable.within(larger + SMALLEST_GAIN / 2, more, {})
        factor = math.sqrt(factor)
    return None
