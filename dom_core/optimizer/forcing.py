"""Iteration 1 of a finished plan with a choice made: what the choice takes is planned anew, the rest stays.

Orders compete with those of their part alone, so the others need not be asked again. A part that the exact model can
solve is solved as a whole; in a larger one the order and its rivals are, and nobody else moves.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dom_core.domain.plan import Ending, Plan
from dom_core.domain.prices import PriceTable
from dom_core.domain.strategy import ObjectiveMode, SolverLimits
from dom_core.optimizer import decomposition, offers
from dom_core.optimizer.costs import Flow
from dom_core.optimizer.objective import levels_of, total_of
from dom_core.optimizer.prices import Prices
from dom_core.optimizer.pricing import PricedBest, Pricer
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.rebuilding import flows_of
from dom_core.optimizer.restriction import Restricted, Restriction
from dom_core.optimizer.rivals import Rivals
from dom_core.optimizer.solving import Answer
from dom_core.optimizer.tasks import Crew, Task, Work

WHOLE_PAIRS = 50_000
"""Candidate pairs up to which a part is solved as a whole: seconds, as far as we saw, where stock is not too scarce."""

WHOLE_SHARE = 0.25
"""The share of the strategy's seconds that this may take, before the order and its rivals are asked alone."""

RIVAL_LINES, RIVALS_AT = 300, 24
"""Lines of the order and its rivals together; rivals are looked for, and offered to, at so many sources of a line."""

_PROVEN = (Ending.OPTIMAL, Ending.WITHIN_GAP)


@dataclass(frozen=True, slots=True)
class Forced:
    """All flows of iteration 1; how the solve ended; how many lines were planned anew, and if they are all of a part.

    With all of a part, an ending that is proven holds for the whole plan. `is_kept`: whether the choice was kept to.
    """

    flows: tuple[Flow, ...]
    ending: Ending
    lines: int
    whole: bool
    is_kept: bool

    @property
    def is_impossible(self) -> bool:
        """Whether no flows keep to the choice; not so where there was no time to find any."""
        return not self.is_kept and self.ending is not Ending.NO_PLAN


def solve(problem: Problem, plan: Plan, crew: Crew) -> Forced:
    """The plan's first iteration with the problem's one forced pair; as it is where it has the pair already.

    Raises SolverFailed.
    """
    (pair,) = problem.forced
    before, limits = flows_of(plan, problem.batch, 1), problem.batch.request.strategy.limits
    if any((line, source) == pair for line, source, _ in before):
        return Forced(before, plan.iterations[0].ending, 0, whole=True, is_kept=True)
    part = next(lines for lines in decomposition.independent_parts(problem) if pair[0] in lines)
    found: list[Forced] = []
    if int(problem.allowed[part].sum()) <= WHOLE_PAIRS:
        whole = Restriction.of(problem).to(part, problem.allowed[part])
        made = _anew(whole, before, crew, limits.part(WHOLE_SHARE), whole=True)
        if made.is_impossible or (made.is_kept and made.ending in _PROVEN):
            return made
        found.append(made)
    found.append(_anew(_with_rivals(problem, plan, before), before, crew, limits, whole=False))
    kept = [made for made in found if made.is_kept]
    return min(kept, key=lambda made: total_of(levels_of(problem, made.flows)), default=found[-1])


def _anew(freed: Restricted, before: Sequence[Flow], crew: Crew, limits: SolverLimits, *, whole: bool) -> Forced:
    """The best flows of what is freed, beside those that the others had before."""
    strict = freed.problem.batch.request.strategy.objective_mode is ObjectiveMode.STRICT
    task = Task(Work.BLOCK_STRICTLY if strict else Work.BLOCK, freed.problem, limits)
    answers: list[Answer] = list(crew.perform([task]))
    mine = set(freed.lines.tolist())
    kept = [flow for flow in before if flow[0] not in mine]
    found = freed.outward(answers[0].flows)
    # Where the order's own limits leave the choice no variable, the model has an answer without it.
    is_kept = any((line, source) in freed.problem.forced for line, source, _ in answers[0].flows)
    return Forced(tuple(sorted([*kept, *found])), answers[0].ending, len(mine), whole, is_kept)


def _with_rivals(problem: Problem, plan: Plan, before: Sequence[Flow]) -> Restricted:
    """The order of the forced pair and its rivals, at the plan's own prices of what is scarce.

    Those who have what the order would need at that source come before all others.
    """
    ((line, source),) = problem.forced
    order = int(problem.batch.order_of[line])
    prices = Prices.of_table(problem, _prices_of(plan))
    pricer = Pricer(problem, np.flatnonzero(problem.wanted > 0))
    patterns = pricer.price(prices)
    offered = offers.cheapest(problem, prices, RIVALS_AT)
    rivals = Rivals(pricer, before, PricedBest(prices, patterns.bound, patterns), offered)
    if rivals.count_lines(rivals.lines_of) <= RIVAL_LINES:
        return rivals.restricted(rivals.lines_of, RIVALS_AT)
    orders = rivals.around(order, RIVAL_LINES, RIVALS_AT, before=rivals.displaced(order, source))
    return rivals.restricted(orders, RIVALS_AT)


def _prices_of(plan: Plan) -> PriceTable:
    """What the first iteration says of prices, of all its parts."""
    parts = [part.prices for proof in plan.proofs if proof.number == 1 for part in proof.parts]
    return PriceTable(
        cells=tuple(cell for part in parts for cell in part.cells),
        rooms=tuple(room for part in parts for room in part.rooms),
    )
