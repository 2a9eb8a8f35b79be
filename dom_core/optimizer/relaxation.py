"""The two iterations: first every rule as hard, then what is left without the soft rules: all at once, or in rounds."""

import math
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from dom_core.domain.batch import Batch
from dom_core.domain.ids import RuleId
from dom_core.domain.plan import Ending, IterationReport
from dom_core.domain.proof import IterationProof, PartProof, rounded_down
from dom_core.domain.reason import BoolArray, IntArray
from dom_core.domain.strategy import ObjectiveMode, Relaxation, SolverLimits
from dom_core.optimizer import activation, candidates, decomposition, search, shortage
from dom_core.optimizer.candidates import Candidates
from dom_core.optimizer.costs import Flow, flow_table, pair_costs
from dom_core.optimizer.objective import gap_of, levels_of, total_of
from dom_core.optimizer.problem import (
    Problem,
    Rates,
    first_problem,
    largest_distance_km,
    next_problem,
    rates_of,
)
from dom_core.optimizer.restriction import Restricted, Restriction
from dom_core.optimizer.solving import Answer
from dom_core.optimizer.tasks import Crew, Task, Work
from dom_core.watch import UNWATCHED, Watch, WatchedLimits

IDEAL_PAIRS = 1_000_000
"""Candidate pairs from which every order is offered its best pattern before anything else: parts are quick below."""

_WORST_FIRST = (Ending.NO_PLAN, Ending.INFEASIBLE, Ending.UNPROVEN, Ending.WITHIN_GAP, Ending.OPTIMAL)


@dataclass(frozen=True, slots=True, eq=False)
class IterationResult:
    """One iteration: the problem it solved, under which candidates, the flows, and the figures.

    `rounds` are those that placed something, in their order, where the iteration went in rounds; `dropped` are the soft
    rules that a round did without; `troubles` what a solver that failed had to say. A result that was read back from a
    plan has no `proof`.
    """

    candidates: Candidates
    problem: Problem
    flows: tuple[Flow, ...]
    report: IterationReport
    rounds: "tuple[IterationResult, ...]" = ()
    dropped: tuple[RuleId, ...] = ()
    troubles: tuple[str, ...] = ()
    proof: IterationProof | None = None


@dataclass(frozen=True, slots=True, eq=False)
class TwoIterations:
    """Both iterations of a run. The second is there even when it had nothing to try: `tried` says whether it had."""

    first: IterationResult
    second: IterationResult
    largest_distance_km: int
    tried: bool

    @property
    def results(self) -> tuple[IterationResult, IterationResult]:
        """Both, in order."""
        return (self.first, self.second)


@dataclass(frozen=True, slots=True)
class Scale:
    """What some orders of a run share with the others: the largest distance, and the rates that hang on it."""

    largest_km: int
    rates: Rates


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """Both iterations before anything is solved: the candidates of each, and the first one's problem."""

    strict: Candidates
    relaxed: Candidates
    problem: Problem

    def leftover(self, flows: Sequence[Flow]) -> Problem:
        """The second iteration's problem, after these flows of the first. Without soft rules there is nothing to do."""
        tried = bool(activation.soft_rules(self.problem.batch.request))
        return next_problem(self.problem, self.relaxed, flows, tried=tried)


def prepare(batch: Batch, scale: Scale | None = None, watch: Watch = UNWATCHED) -> Prepared:
    """Candidates of both iterations, and the first one's problem; in the scale of the whole run, or a given one."""
    request = batch.request
    every, kept = activation.in_iteration(request, 1), activation.in_iteration(request, 2)
    strict = candidates.generate(batch, every, watch)
    relaxed = strict if every == kept else candidates.generate(batch, kept, watch)
    watch.go_on()
    costs = pair_costs(batch)
    if scale is None:
        largest_km = largest_distance_km(relaxed)
        scale = Scale(largest_km, rates_of(request, relaxed, costs, largest_km))
    watch.go_on()
    return Prepared(strict, relaxed, first_problem(strict, scale.rates, scale.largest_km, costs, watch))


def two_iterations(batch: Batch, crew: Crew, watch: Watch = UNWATCHED) -> TwoIterations:
    """Plan the batch with every rule, then what is left without the soft ones."""
    return solve_both(prepare(batch, watch=watch), crew, watch)


def solve_both(prepared: Prepared, crew: Crew, watch: Watch = UNWATCHED) -> TwoIterations:
    """Solve the first iteration, then the second with what the first leaves."""
    first = _solve(1, prepared.strict, prepared.problem, crew, watch.part(0.0, 0.8))
    watch.go_on()
    second = second_iteration(prepared, first.flows, crew, watch.part(0.8, 1.0))
    return TwoIterations(first, second, prepared.problem.largest_km, bool(second.problem.allowed.any()))


def second_iteration(
    prepared: Prepared, flows: Sequence[Flow], crew: Crew, watch: Watch = UNWATCHED
) -> IterationResult:
    """The second iteration, after these flows of the first."""
    all_at_once = _solve(2, prepared.relaxed, prepared.leftover(flows), crew, watch)
    if prepared.problem.batch.request.strategy.relaxation is not Relaxation.MINIMAL:
        return all_at_once
    return _in_rounds(prepared.problem, flows, all_at_once, crew, Watch(stop_asked=watch.stop_asked))


def _in_rounds(
    first: Problem, before: Sequence[Flow], all_at_once: IterationResult, crew: Crew, watch: Watch
) -> IterationResult:
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
        flows = [*before, *(flow for result in made for flow in result.flows)]
        found = in_round(all_at_once.candidates, dropped)
        problem = next_problem(first, found, flows)
        if problem.wanted.any():
            solved = _solve(2, found, problem, crew, watch, share=1 / len(sets))
            made.append(replace(solved, dropped=tuple(sorted(dropped))))
    return _together(all_at_once, made)


def in_round(relaxed: Candidates, dropped: Collection[RuleId]) -> Candidates:
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
        gap=gap_of(total, bound),
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
    number: int, found: Candidates, problem: Problem, crew: Crew, watch: Watch, share: float = 1.0
) -> IterationResult:
    """Solve an iteration, or a round that has its share of the time."""
    started = time.monotonic()
    watch.go_on()
    parts, pieces, answers, flows = _ideal(problem, watch) or _by_parts(problem, crew, watch, share)
    watch.go_on()
    report = _report(number, problem, flows, answers, crew.name, parts, watch)
    troubles = tuple(sorted({answer.trouble for answer in answers if answer.trouble}))
    report = replace(report, seconds=round(time.monotonic() - started, 3))
    watch.go_on()
    proof = _proof(number, problem, pieces, answers, watch)
    return IterationResult(found, problem, flows, report, troubles=troubles, proof=proof)


class _Solved(NamedTuple):
    """The lines of each part, the problems that were solved, their answers, and the flows of all, sorted."""

    parts: Sequence[IntArray]
    pieces: Sequence[Restricted]
    answers: Sequence[Answer]
    flows: tuple[Flow, ...]


def _ideal(problem: Problem, watch: Watch) -> _Solved | None:
    """The plan in which every order has its best pattern, where that is possible and worth asking."""
    strategy = problem.batch.request.strategy
    strict = strategy.objective_mode is ObjectiveMode.STRICT
    if strict or problem.forced or int(problem.allowed.sum()) < IDEAL_PAIRS:
        return None
    answer = search.ideal(problem, WatchedLimits.of(strategy.limits, watch))
    if answer is None:
        return None
    lines = np.flatnonzero(problem.wanted > 0)
    piece = Restricted(problem, lines, np.arange(problem.batch.shape[1]))
    return _Solved([lines], [piece], [answer], answer.flows)


def _by_parts(problem: Problem, crew: Crew, watch: Watch, share: float) -> _Solved:
    """The answers of the crew to every block of parts."""
    parts = decomposition.independent_parts(problem)
    watch.go_on()
    pieces = list(_pieces(problem, decomposition.blocks(parts)))
    answers: list[Answer] = []
    decided, lines = 0, sum(map(len, parts))
    limits = problem.batch.request.strategy.limits
    strict = problem.batch.request.strategy.objective_mode is ObjectiveMode.STRICT
    tasks = (
        Task(
            Work.BLOCK_STRICTLY if strict else Work.BLOCK,
            piece.problem,
            WatchedLimits.of(_shared(limits, share * len(piece.lines) / lines), watch),
        )
        for piece in pieces
    )
    flows: list[Flow] = []
    for piece, answer in zip(pieces, crew.perform(tasks), strict=True):
        answers.append(answer)
        flows += piece.outward(answer.flows)
        decided += len(piece.lines)
        watch.at("solving", decided / lines)
    return _Solved(parts, pieces, answers, tuple(sorted(flows)))


def _proof(
    number: int, problem: Problem, pieces: Sequence[Restricted], answers: Sequence[Answer], watch: Watch
) -> IterationProof:
    """Which part each line belongs to, and what proves the parts' bounds."""
    part_of = np.full(len(problem.wanted), IterationProof.NO_PART)
    for part, piece in enumerate(pieces):
        part_of[piece.lines] = part
    parts = [_part_proof(answer) for answer in answers]
    return IterationProof.of(number, part_of.tolist(), parts, shortage.unfilled_at_least(problem, watch))


def _part_proof(answer: Answer) -> PartProof:
    priced = None if answer.priced is None else rounded_down(answer.priced)
    return PartProof(_proven(answer), priced, answer.prices)


def _proven(answer: Answer) -> float:
    """The bound of a part as it is told: rounded up it could be more than is proven."""
    return max(0.0, rounded_down(answer.bound)) if math.isfinite(answer.bound) else 0.0


def _pieces(problem: Problem, blocks: Sequence[Sequence[IntArray]]) -> Iterator[Restricted]:
    """Each block as a problem that stands alone. A block of all lines is the problem itself: nothing is copied."""
    every = np.arange(len(problem.wanted))
    if len(blocks) == 1 and sum(map(len, blocks[0])) == len(every):
        yield Restricted(problem, every, np.arange(problem.batch.shape[1]))
        return
    if not blocks:
        return
    restriction = Restriction.of(problem)
    for block in blocks:
        lines = np.sort(np.concatenate(block))
        yield restriction.to(lines, problem.allowed[lines])


def _shared(limits: SolverLimits, share: float) -> SolverLimits:
    return replace(limits, solve_limit_s=max(1.0, limits.solve_limit_s * share))


def _points_unfilled(problem: Problem, lines: BoolArray) -> int:
    """What it costs to fill none of these lines (L)."""
    return total_of(levels_of(replace(problem, wanted=np.where(lines, problem.wanted, 0)), ()))


def _report(
    number: int,
    problem: Problem,
    flows: Sequence[Flow],
    answers: Sequence[Answer],
    solver_name: str,
    parts: Sequence[IntArray],
    watch: Watch,
) -> IterationReport:
    levels = levels_of(problem, flows)
    watch.go_on()
    total = total_of(levels)
    hopeless = problem.wanted > 0
    for part in parts:
        hopeless[part] = False
    bound = _points_unfilled(problem, hopeless) + sum(map(_proven, answers))
    # The sum of what was rounded down may need it again. The gap is that of the bound as it is told.
    bound = rounded_down(min(float(total), bound))
    watch.go_on()
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
        gap=gap_of(total, bound),
        ending=ending,
        ending_limit=next((answer.limit for answer in answers if answer.limit), ""),
        solver=solver_name,
        seconds=0.0,
    )


def _filled(problem: Problem, flows: Sequence[Flow]) -> IntArray:
    filled = np.zeros_like(problem.wanted)
    line, _, units = flow_table(flows)
    np.add.at(filled, line, units)
    return filled
