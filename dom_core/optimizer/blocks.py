"""One block of a problem: by the exact model while it is small, by search when it is not or when the model fails."""

import time
from dataclasses import replace

import numpy as np

from dom_core.domain.plan import Ending
from dom_core.domain.strategy import SolverLimits
from dom_core.errors import SolverFailed
from dom_core.optimizer import decomposition, formulation, search
from dom_core.optimizer.objective import levels_of, total_of
from dom_core.optimizer.pattern_costs import GROUP_LINES
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.solving import Answer, Solver
from dom_core.optimizer.standing import Standing
from dom_core.optimizer.tasks import Crew

EXACT_PAIRS = 8000
"""Candidate pairs up to which a block is given to the exact model; beyond, its first LP alone can take minutes."""

EXACT_PAIRS_OF_LONG_ORDERS = 100_000
"""The same where most lines belong to orders too long for patterns: the bound by prices is weak for them."""

EXACT_SECONDS = 32
"""Where most lines may come in parts, a limit of twice as many seconds allows twice as many pairs, and so on.

There, too, the bound by prices is weak. Of the 23,000 pairs of all Superstore orders the exact model makes a plan with
a hundredth of the gap in a minute, and none in 15 seconds.
"""

EXACT_SHARE = 0.5
"""The share of a block's seconds that the exact model may use before the search takes over."""

MOST = 0.5
"""The share of the lines above which they are most of them."""

LEAST_S = 1.0
"""Seconds that the search has at least, however long the exact model took."""

SOLVER_FAILED = "solver_failed"
"""The `ending_limit` of a plan that the search made without a working solver."""


def solve(problem: Problem, solver: Solver, crew: Crew, limits: SolverLimits) -> Answer:
    """Solve a problem by rates: exactly while it is small, else by search, which also betters what a limit cut short.

    A search knows nothing of forced pairs: with them the exact model is asked alone. Where the solver fails, what the
    search finds without it is the plan: it keeps every rule, its bound holds, and its ending says what happened.
    """
    if problem.forced:
        return _exactly(problem, solver, limits)
    if int(problem.allowed.sum()) > _most_exact_pairs(problem, limits):
        return search.solve_large(problem, solver, crew, limits)
    started = time.monotonic()
    try:
        answer = _exactly(problem, solver, limits.part(EXACT_SHARE))
    except SolverFailed as failure:
        return _without_solver(problem, solver, crew, limits, failure)
    if answer.ending in (Ending.OPTIMAL, Ending.WITHIN_GAP):
        return answer
    searched = search.solve_large(problem, solver, crew, _left_of(limits, started), answer.flows)
    total = Standing(problem, searched.flows).total
    proven = search.proven_by(searched, answer.bound, total, limits)
    return replace(proven, seconds=searched.seconds + answer.seconds)


def solve_strictly(problem: Problem, solver: Solver, crew: Crew, limits: SolverLimits) -> Answer:
    """Solve a problem level by level; by search where the solver finds nothing, or fails."""
    started = time.monotonic()
    try:
        answer = _exactly(problem, solver, limits, strict=True)
    except SolverFailed as failure:
        if problem.forced:
            raise
        return _without_solver(problem, solver, crew, limits, failure)
    proven = answer.ending in (Ending.OPTIMAL, Ending.WITHIN_GAP)
    if proven or answer.flows or problem.forced:
        return answer
    searched = search.solve_large(problem, solver, crew, _left_of(limits, started))
    return replace(searched, bound=max(searched.bound, answer.bound), seconds=searched.seconds + answer.seconds)


def _without_solver(
    problem: Problem, solver: Solver, crew: Crew, limits: SolverLimits, failure: SolverFailed
) -> Answer:
    searched = search.solve_large(problem, solver, crew, limits)
    return replace(searched, limit=searched.limit and SOLVER_FAILED, trouble=str(failure))


def _exactly(problem: Problem, solver: Solver, limits: SolverLimits, *, strict: bool = False) -> Answer:
    """Solve the compact model. When the search is complete, what was found is the bound: totals are whole points.

    The limit holds for making the model, too, which takes seconds for ten thousands of pairs.
    """
    started = time.monotonic()
    parts = decomposition.independent_parts(problem)
    model = formulation.build(problem, parts)
    answer = (solver.solve_strictly if strict else solver.solve)(model, _left_of(limits, started))
    if answer.ending is Ending.OPTIMAL:
        taking_part = search.only(problem, np.concatenate(parts))
        return replace(answer, bound=float(total_of(levels_of(taking_part, answer.flows))))
    return answer


def _most_exact_pairs(problem: Problem, limits: SolverLimits) -> int:
    """How many candidate pairs are given to the exact model: more where the search could prove little."""
    lines = np.flatnonzero(problem.wanted > 0)
    orders = problem.batch.order_of[lines]
    if not len(lines):
        return EXACT_PAIRS
    if (np.bincount(orders)[orders] > GROUP_LINES).mean() > MOST:
        return EXACT_PAIRS_OF_LONG_ORDERS
    may_split = np.array(
        [one.max_sources_per_line != 1 or one.partial_lines for one in problem.split_limits], dtype=bool
    )
    if (may_split[orders] & (problem.wanted[lines] > 1)).mean() > MOST:
        return int(EXACT_PAIRS * max(1.0, limits.solve_limit_s / EXACT_SECONDS))
    return EXACT_PAIRS


def _left_of(limits: SolverLimits, started: float) -> SolverLimits:
    """The limits of what follows on something that `started` at this monotonic second.

    Whole seconds are taken off: with any fraction a solver could decide otherwise when nothing was cut short.
    """
    left_s = limits.solve_limit_s - int(time.monotonic() - started)
    return replace(limits, solve_limit_s=max(min(LEAST_S, limits.solve_limit_s), left_s))
