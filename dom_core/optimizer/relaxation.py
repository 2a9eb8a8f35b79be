"""The two iterations: first every rule as hard, then what is left without the soft rules."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dom_core.domain.batch import Batch
from dom_core.domain.plan import Ending, IterationReport
from dom_core.domain.reason import IntArray
from dom_core.domain.request import PlanRequest
from dom_core.domain.strategy import ObjectiveMode, SolverLimits
from dom_core.optimizer import activation, candidates, decomposition, formulation
from dom_core.optimizer.candidates import Candidates
from dom_core.optimizer.costs import Flow, pair_costs
from dom_core.optimizer.problem import (
    Problem,
    first_problem,
    largest_distance_km,
    levels_of,
    next_problem,
    rates_of,
    total_of,
)
from dom_core.optimizer.solving import Answer, Solver

Step = Callable[[float], None]
"""Told the share of an iteration's lines that is decided, 0 to 1."""

_WORST_FIRST = (Ending.NO_PLAN, Ending.INFEASIBLE, Ending.UNPROVEN, Ending.WITHIN_GAP, Ending.OPTIMAL)


@dataclass(frozen=True, slots=True, eq=False)
class IterationResult:
    """One iteration: the problem it solved, under which candidates, the flows, and the figures."""

    candidates: Candidates
    problem: Problem
    flows: tuple[Flow, ...]
    report: IterationReport


@dataclass(frozen=True, slots=True, eq=False)
class TwoIterations:
    """Both iterations of a run. The second is there even when there was nothing to relax."""

    first: IterationResult
    second: IterationResult
    largest_distance_km: int

    @property
    def results(self) -> tuple[IterationResult, IterationResult]:
        """Both, in order."""
        return (self.first, self.second)


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """Both iterations before anything is solved: the candidates of each, and the first one's problem."""

    strict: Candidates
    relaxed: Candidates
    problem: Problem

    def leftover(self, flows: Sequence[Flow]) -> Problem:
        """The second iteration's problem, after these flows of the first. Without soft rules there is nothing to do."""
        left = next_problem(self.problem, self.relaxed, flows)
        if activation.soft_rules(self.problem.batch.request):
            return left
        return replace(left, allowed=np.zeros_like(left.allowed))


def prepare(batch: Batch) -> Prepared:
    """Candidates and rates of both iterations, and the first one's problem."""
    request = batch.request
    strict = candidates.generate(batch, activation.in_iteration(request, 1))
    relaxed = candidates.generate(batch, activation.in_iteration(request, 2))
    largest_km = largest_distance_km(relaxed)
    costs = pair_costs(batch)
    rates = rates_of(request, relaxed, costs, largest_km)
    return Prepared(strict, relaxed, first_problem(strict, rates, largest_km, costs))


def two_iterations(batch: Batch, solver: Solver, step: Step) -> TwoIterations:
    """Plan the batch with every rule, then what is left without the soft ones."""
    return solve_both(prepare(batch), solver, step)


def solve_both(prepared: Prepared, solver: Solver, step: Step) -> TwoIterations:
    """Solve the first iteration, then the second with what the first leaves."""
    first = _solve(1, prepared.strict, prepared.problem, solver, lambda share: step(share * 0.8))
    leftover = prepared.leftover(first.flows)
    second = _solve(2, prepared.relaxed, leftover, solver, lambda share: step(0.8 + share * 0.2))
    return TwoIterations(first, second, prepared.problem.largest_km)


def _solve(number: int, found: Candidates, problem: Problem, solver: Solver, step: Step) -> IterationResult:
    started = time.monotonic()
    parts = decomposition.independent_parts(problem)
    answers = []
    decided, lines = 0, sum(map(len, parts))
    for block in decomposition.blocks(parts):
        answers.append(_solve_block(problem, block, solver, lines))
        decided += sum(map(len, block))
        step(decided / lines)
    flows = tuple(sorted(flow for answer in answers for flow in answer.flows))
    report = _report(number, problem, flows, answers, solver.name, parts)
    return IterationResult(found, problem, flows, replace(report, seconds=round(time.monotonic() - started, 3)))


def _solve_block(problem: Problem, block: Sequence[IntArray], solver: Solver, lines: int) -> Answer:
    """Solve one block. When the search is complete, what was found is the bound: totals are whole points."""
    model = formulation.build(problem, block)
    limits = _share_of_limits(problem.batch.request, sum(map(len, block)) / lines)
    if problem.batch.request.strategy.objective_mode is ObjectiveMode.STRICT:
        answer = solver.solve_strictly(model, limits)
    else:
        answer = solver.solve(model, limits)
    if answer.ending is Ending.OPTIMAL:
        return replace(answer, bound=float(_total_of_lines(problem, np.concatenate(block), answer.flows)))
    return answer


def _share_of_limits(request: PlanRequest, share: float) -> SolverLimits:
    limits = request.strategy.limits
    return replace(limits, solve_limit_s=max(1.0, limits.solve_limit_s * share))


def _total_of_lines(problem: Problem, lines: IntArray, flows: Sequence[Flow]) -> int:
    """Points of an answer that concerns only these lines."""
    wanted = np.zeros_like(problem.wanted)
    wanted[lines] = problem.wanted[lines]
    return total_of(levels_of(replace(problem, wanted=wanted), flows))


def _report(
    number: int,
    problem: Problem,
    flows: Sequence[Flow],
    answers: Sequence[Answer],
    solver_name: str,
    parts: Sequence[IntArray],
) -> IterationReport:
    levels = levels_of(problem, flows)
    total = total_of(levels)
    hopeless = np.setdiff1d(np.flatnonzero(problem.wanted > 0), np.concatenate([*parts, np.array([], dtype=np.int64)]))
    bound = _total_of_lines(problem, hopeless, ()) + sum(max(0.0, answer.bound) for answer in answers)
    bound = min(float(total), bound)
    filled = _filled(problem, flows)
    taking_part = problem.wanted > 0
    ending = min((answer.ending for answer in answers), key=_WORST_FIRST.index, default=Ending.OPTIMAL)
    return IterationReport(
        number=number,
        lines=int(taking_part.sum()),
        filled_lines=int((taking_part & (filled == problem.wanted)).sum()),
        units=int(problem.wanted.sum()),
        filled_units=int(filled.sum()),
        levels=levels,
        total=total,
        bound=round(bound, 3),
        gap=(total - bound) / total if total else 0.0,
        ending=ending,
        ending_limit=next((answer.limit for answer in answers if answer.limit), ""),
        solver=solver_name,
        seconds=0.0,
    )


def _filled(problem: Problem, flows: Sequence[Flow]) -> IntArray:
    filled = np.zeros_like(problem.wanted)
    for line, _, units in flows:
        filled[line] += units
    return filled
