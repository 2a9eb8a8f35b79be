"""A neighbourhood's best plan: by patterns where they express it, else by the compact model."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from dom_core.domain.plan import Ending
from dom_core.errors import SolverFailed
from dom_core.optimizer import decomposition, formulation
from dom_core.optimizer.cheapest import NOWHERE
from dom_core.optimizer.costs import Flow
from dom_core.optimizer.linear import LinearProgram, WholeAnswer
from dom_core.optimizer.pricing import Pricer
from dom_core.optimizer.solving import Answer, Solver
from dom_core.optimizer.standing import Standing
from dom_core.optimizer.tasks import Lead, Task
from dom_core.optimizer.whole_patterns import Choosable, KnownPatterns, choose
from dom_core.watch import watch_of

LEAST_PATTERNS = 1000
"""Patterns that a neighbourhood may have at least, however few lines it has."""

NOTHING = Answer((), Ending.NO_PLAN, float("-inf"), "", 0.0)


def best_of(task: Task, solver: Solver) -> Answer:
    """What the exact model finds within the task's limits, or nothing; a solver that fails finds nothing."""
    try:
        return _by_patterns(task, task.lead, solver) if task.lead else _by_pairs(task, solver)
    except SolverFailed:
        return NOTHING


def _by_pairs(task: Task, solver: Solver) -> Answer:
    parts = decomposition.independent_parts(task.problem)
    return solver.solve(formulation.build(task.problem, parts), task.limits) if parts else NOTHING


def _with_plan(known: KnownPatterns, pricer: Pricer, flows: Sequence[Flow]) -> KnownPatterns:
    """The patterns known, and those of these flows: so the best choice is never worse than the plan at hand."""
    source_of = np.full(len(pricer.problem.wanted), NOWHERE, dtype=np.int64)
    for line, source, _ in flows:
        source_of[line] = source
    every, costs = dict(known), pricer.costs
    for order, lines in zip(costs.orders.tolist(), np.split(costs.lines, costs.starts[1:]), strict=False):
        mine = source_of[lines][None, :]
        if (mine != NOWHERE).any():
            every[order] = np.concatenate((known[order], mine)) if order in known else mine
    return every


def _by_patterns(task: Task, lead: Lead, solver: Solver) -> Answer:
    """The best choice of patterns, if it is better than the flows at hand: totals are whole points."""
    problem = task.problem
    pricer = Pricer(problem, np.flatnonzero(problem.wanted > 0), watch_of(task.limits))
    choosable, total = Choosable(pricer, lead.prices), Standing(problem, lead.flows).total
    most = max(LEAST_PATTERNS, lead.patterns_per_line * len(pricer.costs.lines))
    known = _with_plan(lead.known, pricer, lead.flows)
    choices = choosable.nearest(max(0.0, total - choosable.bound), most, known)

    def solve(program: LinearProgram, below: float) -> WholeAnswer:
        return solver.solve_whole(program, task.limits, below)

    chosen = choose(choices, pricer.constant, solve, total - 0.5)
    if chosen.flows is None:
        return replace(NOTHING, bound=chosen.bound)
    return Answer(tuple(chosen.flows), chosen.ending, chosen.bound, "", 0.0)
