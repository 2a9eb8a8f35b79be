"""What a better plan could still use, once a good one is known: often so little that it can be solved exactly.

A plan that is better than the one at hand uses no pair whose slack is larger than the gap. The pairs that are left
fall into many small parts. The best of these, or the plan at hand, is then the best of all.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dom_core.domain.reason import BoolArray, FloatArray, IntArray
from dom_core.domain.strategy import SolverLimits
from dom_core.optimizer import decomposition
from dom_core.optimizer.prices import Prices
from dom_core.optimizer.pricing import PricedBest, PricedGroups, Pricer
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.restriction import Restriction
from dom_core.optimizer.standing import Standing
from dom_core.optimizer.tasks import Crew, Task, Work

EXACT_PAIRS = 10_000
"""Pairs that a part may have for the exact model to be asked for its proof."""

LARGEST_SHARE = 0.5
"""The share of all pairs that may be left: with more, it is the same problem again."""

SMALLEST_GAIN = 1.0
"""Totals are whole points: a better plan is better by one at least."""


@dataclass(frozen=True, slots=True, eq=False)
class Proven:
    """A plan and what is proven about every plan."""

    plan: Standing
    bound: float


def pairs_worth_keeping(pricer: Pricer, prices: Prices, gap: float) -> BoolArray:
    """Pairs (L, S) that a plan better by a point could use, `gap` being that of the plan at hand at these prices."""
    kept = np.zeros(pricer.problem.batch.shape, dtype=bool)

    def look(priced: PricedGroups) -> tuple[IntArray, BoolArray]:
        slack: FloatArray = priced.slacks()
        # Of a line that comes in parts each pays its share; floating point gets half a point.
        parts = pricer.costs.parts_of(priced.groups.lines)[:, :, None]
        return priced.groups.lines, slack <= parts * (gap - SMALLEST_GAIN / 2)

    for block in pricer.blocks(prices, look):
        for lines, worth_it in block.seen:
            kept[lines] = worth_it
    return kept


def prove(pricer: Pricer, priced: PricedBest, plan: Standing, crew: Crew, limits: SolverLimits) -> Proven:
    """The best plan with its proof where what is left is small; else what there was, or something in between."""
    problem = pricer.problem
    before = Proven(plan, priced.bound)
    kept = problem.allowed & pairs_worth_keeping(pricer, priced.prices, plan.total - priced.bound)
    if int(kept.sum()) > LARGEST_SHARE * int(problem.allowed.sum()):
        return before
    left = replace(problem, allowed=kept)
    parts = decomposition.independent_parts(left)
    if any(int(kept[part].sum()) > EXACT_PAIRS for part in parts):
        return before
    restriction = Restriction.of(left)
    pieces = [restriction.to(lines, kept[lines]) for lines in map(_gathered, decomposition.blocks(parts))]
    shorter = replace(limits, solve_limit_s=max(1.0, limits.solve_limit_s / max(1, len(pieces))))
    answers = list(crew.perform(Task(Work.BLOCK, piece.problem, shorter) for piece in pieces))
    flows = [flow for piece, answer in zip(pieces, answers, strict=True) for flow in piece.outward(answer.flows)]
    best = Standing(problem, flows)
    least = _total_outside(problem, parts) + sum(answer.bound for answer in answers)
    bound = max(priced.bound, min(float(plan.total), least))
    return Proven(best if best.total < plan.total else plan, bound)


def _gathered(block: Sequence[IntArray]) -> IntArray:
    return np.sort(np.concatenate(block))


def _total_outside(problem: Problem, parts: Sequence[IntArray]) -> int:
    """Points of the lines that belong to no part: nobody can serve them in a better plan."""
    wanted = problem.wanted.copy()
    for part in parts:
        wanted[part] = 0
    return Standing(replace(problem, wanted=wanted), ()).total
