"""One exact model of the whole batch, as the formulation writes it, given to a solver with a limit.

That formulation is already the good one: line by line, with the smallest factors, and without rows that cannot bind.
"""

import resource
from dataclasses import dataclass

import numpy as np

from benchmarks.answers import Answer, NoAnswer, in_ids
from dom_core.domain.batch import Batch
from dom_core.domain.plan import Ending, Level
from dom_core.domain.request import PlanRequest
from dom_core.domain.strategy import SolverLimits
from dom_core.optimizer import decomposition, formulation, pipeline, relaxation
from dom_core.optimizer.objective import levels_of, total_of
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.solving import CbcSolver, Solver
from dom_core.optimizer.solving_highs import HighsSolver

KB_PER_PAIR = 7
"""What a candidate pair takes in PuLP's model and in the solver, at least: measured at 1,000 lines."""


def with_cbc(request: PlanRequest, limit_s: float) -> Answer:
    """The model by CBC."""
    return _solved(request, CbcSolver(), limit_s)


def with_highs(request: PlanRequest, limit_s: float) -> Answer:
    """The model by HiGHS."""
    return _solved(request, HighsSolver(), limit_s)


@dataclass(frozen=True, slots=True, eq=False)
class Modelled:
    """The model of a whole batch; `outside_points` is what lines cost that nobody can serve, and so are not in it."""

    batch: Batch
    problem: Problem
    model: formulation.Model
    outside_points: int


def modelled(request: PlanRequest) -> Modelled:
    """Write the model. Raises NoAnswer where there is nothing to decide, MemoryError where it could not be held."""
    batch, _ = pipeline.open_lines(request)
    problem = relaxation.prepare(batch).problem
    _require_memory(int(problem.allowed.sum()))
    parts = decomposition.independent_parts(problem)
    if not parts:
        raise NoAnswer
    outside = np.setdiff1d(np.flatnonzero(problem.wanted > 0), np.concatenate(parts))
    return Modelled(batch, problem, formulation.build(problem, parts), _points_unfilled(problem, outside))


def _require_memory(pairs: int) -> None:
    needed_mb, (allowed, _) = pairs * KB_PER_PAIR // 2**10, resource.getrlimit(resource.RLIMIT_AS)
    if allowed != resource.RLIM_INFINITY and needed_mb > allowed // 2**20:
        raise MemoryError(f"{pairs:,} candidate pairs need {needed_mb:,} MB at least")


def _points_unfilled(problem: Problem, lines: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> int:
    units = problem.wanted[lines] * problem.weights[problem.batch.order_of[lines]]
    return int(units.sum()) * problem.rates[Level.UNFILLED_UNITS]


def _solved(request: PlanRequest, solver: Solver, limit_s: float) -> Answer:
    made = modelled(request)
    answer = solver.solve(made.model, SolverLimits(solve_limit_s=limit_s))
    if answer.ending in (Ending.NO_PLAN, Ending.INFEASIBLE):
        raise NoAnswer
    proven = answer.ending is Ending.OPTIMAL
    # The solver's own bound is a little lower: what decides between equal plans is taken off it.
    bound = total_of(levels_of(made.problem, answer.flows)) if proven else answer.bound + made.outside_points
    return Answer(in_ids(made.batch, answer.flows), bound, answer.ending)
