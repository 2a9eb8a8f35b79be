"""The two iterations: first every rule as hard, then what is left without the soft rules: all at once, or in rounds."""

import math
import time
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from dom_core.domain.batch import Batch
from dom_core.domain.ids import RuleId
from dom_core.domain.plan import Ending, IterationReport
from dom_core.domain.reason import IntArray
from dom_core.domain.request import PlanRequest
from dom_core.domain.strategy import ObjectiveMode, Relaxation, SolverLimits
from dom_core.errors import SolverFailed
from dom_core.optimizer import activation, candidates, decomposition, formulation, search
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
from dom_core.optimizer.watch import UNWATCHED, Watch, WatchedLimits

EXACT_PAIRS = 8000
"""Candidate pairs up to which a block is given to the exact model; beyond, its first LP alone can take minutes."""

EXACT_SHARE = 0.5
"""The share of a block's seconds that the exact model may use before the search takes over."""

WORKERS = 2
"""Blocks solved at the same time. Each has its own solver process; the answers do not depend on how many there are."""

SOLVER_FAILED = "solver_failed"
"""The `ending_limit` of a plan that the search made without a working solver."""

_WORST_FIRST = (Ending.NO_PLAN, Ending.INFEASIBLE, Ending.UNPROVEN, Ending.WITHIN_GAP, Ending.OPTIMAL)


@dataclass(frozen=True, slots=True, eq=False)
class IterationResult:
    """One iteration: the problem it solved, under which candidates, the flows, and the figures.

    `rounds` are those that placed something, in their order, where the iteration went in rounds; `troubles` what a
    solver that failed had to say.
    """

    candidates: Candidates
    problem: Problem
    flows: tuple[Flow, ...]
    report: IterationReport
    rounds: "tuple[IterationResult, ...]" = ()
    troubles: tuple[str, ...] = ()


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


def two_iterations(batch: Batch, solver: Solver, watch: Watch = UNWATCHED) -> TwoIterations:
    """Plan the batch with every rule, then what is left without the soft ones."""
    return solve_both(prepare(batch), solver, watch)


def solve_both(prepared: Prepared, solver: Solver, watch: Watch = UNWATCHED) -> TwoIterations:
    """Solve the first iteration, then the second with what the first leaves."""
    first = _solve(1, prepared.strict, prepared.problem, solver, watch.part(0.0, 0.8))
    leftover = prepared.leftover(first.flows)
    second = _solve(2, prepared.relaxed, leftover, solver, watch.part(0.8, 1.0))
    if prepared.problem.batch.request.strategy.relaxation is Relaxation.MINIMAL:
        second = _in_rounds(first, second, solver, Watch(stop_asked=watch.stop_asked))
    return TwoIterations(first, second, prepared.problem.largest_km)


def _in_rounds(first: IterationResult, all_at_once: IterationResult, solver: Solver, watch: Watch) -> IterationResult:
    """Iteration 2 again, set by set of soft rules, the smallest first: what a round places stays where it is.

    What all soft rules together could do at best is no plan then, but the bound of one. Raises InvalidInput for more
    soft rules than can be tried.
    """
    batch = all_at_once.problem.batch
    sets = activation.sets_to_relax(batch.request)
    if len(sets) < 2 or not all_at_once.flows:
        return all_at_once
    made: list[IterationResult] = []
    for dropped in sets:
        flows = [flow for result in (first, *made) for flow in result.flows]
        found = _in_round(all_at_once.candidates, dropped)
        problem = next_problem(first.problem, found, flows)
        if problem.wanted.any():
            made.append(_solve(2, found, problem, solver, watch, share=1 / len(sets)))
    return _together(all_at_once, made)


def _in_round(relaxed: Candidates, dropped: Collection[RuleId]) -> Candidates:
    """What the rules of a round leave, and never more than all soft rules dropped at once would."""
    batch = relaxed.batch
    found = candidates.generate(batch, activation.in_round(batch.request, dropped))
    # Without any partial-orders rule lines are filled in full: that is stricter than a soft rule that asks for less.
    limits = zip(found.split_limits, relaxed.split_limits, strict=True)
    return replace(found, split_limits=tuple(one.stricter(other) for one, other in limits))


def _together(all_at_once: IterationResult, made: Sequence[IterationResult]) -> IterationResult:
    """One iteration of several rounds, measured against what dropping all soft rules at once could reach."""
    problem, flows = all_at_once.problem, tuple(sorted(flow for result in made for flow in result.flows))
    filled = _filled(problem, flows)
    levels = levels_of(problem, flows)
    total = total_of(levels)
    bound = min(float(total), all_at_once.report.bound)
    reports = [result.report for result in made]
    ending, limit = _ending_of_rounds([all_at_once.report, *reports], total > bound)
    report = replace(
        all_at_once.report,
        filled_lines=int(((problem.wanted > 0) & (filled == problem.wanted)).sum()),
        filled_units=int(filled.sum()),
        levels=levels,
        total=total,
        bound=bound,
        gap=(total - bound) / total if total else 0.0,
        ending=ending,
        ending_limit=limit,
        seconds=round(all_at_once.report.seconds + sum(report.seconds for report in reports), 3),
    )
    troubles = sorted({trouble for result in (all_at_once, *made) for trouble in result.troubles})
    rounds = tuple(result for result in made if result.flows)
    return replace(all_at_once, flows=flows, report=report, rounds=rounds, troubles=tuple(troubles))


def _ending_of_rounds(reports: Sequence[IterationReport], more_is_possible: bool) -> tuple[Ending, str]:
    """The worst ending, and what ended it: also a proven plan is not the best one when sparing rules costs points."""
    worst = min((report.ending for report in reports), key=_WORST_FIRST.index)
    limit = next((report.ending_limit for report in reports if report.ending_limit), "")
    if worst is Ending.OPTIMAL and more_is_possible:
        return Ending.UNPROVEN, Relaxation.MINIMAL.value
    return worst, limit


def _solve(
    number: int, found: Candidates, problem: Problem, solver: Solver, watch: Watch, share: float = 1.0
) -> IterationResult:
    """Solve an iteration, or a round that has its share of the time."""
    started = time.monotonic()
    parts = decomposition.independent_parts(problem)
    blocks = decomposition.blocks(parts)
    answers: list[Answer] = []
    decided, lines = 0, sum(map(len, parts))

    def solved(block: Sequence[IntArray]) -> Answer:
        limits = _share_of_limits(problem.batch.request, share * sum(map(len, block)) / lines)
        return _solve_block(problem, block, solver, WatchedLimits.of(limits, watch))

    with ThreadPoolExecutor(WORKERS) as workers:
        for block, answer in zip(blocks, workers.map(solved, blocks), strict=True):
            answers.append(answer)
            decided += sum(map(len, block))
            watch.at("solving", decided / lines)
    flows = tuple(sorted(flow for answer in answers for flow in answer.flows))
    report = _report(number, problem, flows, answers, solver.name, parts)
    troubles = tuple(sorted({answer.trouble for answer in answers if answer.trouble}))
    report = replace(report, seconds=round(time.monotonic() - started, 3))
    return IterationResult(found, problem, flows, report, troubles=troubles)


def _solve_block(problem: Problem, block: Sequence[IntArray], solver: Solver, limits: SolverLimits) -> Answer:
    """Solve one block: exactly while it is small, else by search; a search also betters what a limit cut short.

    A search knows nothing of forced pairs: with them the exact model is asked alone. Where the solver fails, what the
    search finds without it is the plan: it keeps every rule, its bound holds, and its ending says what happened.
    """
    members = np.sort(np.concatenate(block))
    pairs = int(problem.allowed[members].sum())
    strict = problem.batch.request.strategy.objective_mode is ObjectiveMode.STRICT
    if problem.forced:
        return _solve_exactly(problem, block, solver, limits)
    if pairs > EXACT_PAIRS and not strict:
        return search.solve_large(problem, members, solver, limits)
    try:
        answer = _solve_exactly(problem, block, solver, limits if strict else _part_of(limits, EXACT_SHARE))
    except SolverFailed as failure:
        searched = search.solve_large(problem, members, solver, limits)
        return replace(searched, limit=searched.limit and SOLVER_FAILED, trouble=str(failure))
    if answer.ending in (Ending.OPTIMAL, Ending.WITHIN_GAP) or (strict and answer.flows):
        return answer
    searched = search.solve_large(problem, members, solver, _part_of(limits, 1 - EXACT_SHARE), answer.flows)
    return replace(searched, bound=max(searched.bound, answer.bound), seconds=searched.seconds + answer.seconds)


def _solve_exactly(problem: Problem, block: Sequence[IntArray], solver: Solver, limits: SolverLimits) -> Answer:
    """Solve the compact model. When the search is complete, what was found is the bound: totals are whole points."""
    model = formulation.build(problem, block)
    strict = problem.batch.request.strategy.objective_mode is ObjectiveMode.STRICT
    answer = (solver.solve_strictly if strict else solver.solve)(model, limits)
    if answer.ending is Ending.OPTIMAL:
        return replace(answer, bound=float(_total_of_lines(problem, np.concatenate(block), answer.flows)))
    return answer


def _part_of(limits: SolverLimits, share: float) -> SolverLimits:
    return replace(limits, solve_limit_s=limits.solve_limit_s * share)


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
    # Rounded down: rounded up it could be more than is proven. The gap is that of the bound as it is told.
    bound = math.floor(min(float(total), bound) * 1000) / 1000
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
        bound=bound,
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
