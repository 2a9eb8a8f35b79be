"""Plans for parts too large for one exact model: prices, a first plan, better plans (docs/optimizer.md).

1. *Prices* by subgradient steps from zero: a proven bound, and what scarce stock is worth.
2. A *first plan* in rounds: every order asks for its cheapest pattern at these prices over what is left, the most
   valuable orders first; what no longer fits asks again.
3. *Better plans*: neighbourhoods, solved exactly (`neighbourhoods.py`).

Everything runs over sorted positions and counts rounds before seconds, so the same problem gives the same plan; a
search that its time limit stops says so.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dom_core.domain.plan import Ending
from dom_core.domain.reason import IntArray
from dom_core.domain.strategy import SolverLimits
from dom_core.errors import SolverFailed
from dom_core.optimizer import first_plan, neighbourhoods
from dom_core.optimizer.ascent import ascend
from dom_core.optimizer.cheapest import NOWHERE
from dom_core.optimizer.costs import Flow
from dom_core.optimizer.generation import MEET_WITHIN, Generated, generate
from dom_core.optimizer.linear import LinearAnswer, LinearProgram
from dom_core.optimizer.patterns import PatternPool
from dom_core.optimizer.prices import Prices
from dom_core.optimizer.pricing import PROVEN_WITHIN, Priced, PricedBest, Pricer
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.solving import Answer, Solver
from dom_core.optimizer.standing import Standing
from dom_core.optimizer.watch import watch_of
from dom_core.optimizer.working_set import WorkingSet

PRICE_ROUNDS = 100
"""Steps on the working set before the master is asked."""

PRICE_GAP = 0.02
"""How far the steps believe the best plan to be above the bound."""

MASTER_ROUNDS = 30

TAKEN_WHOLE = 0.999

FULL_PASSES = 4
"""Passes over all pairs after the first."""


def solve_large(
    problem: Problem, part: IntArray, solver: Solver, limits: SolverLimits, start: Sequence[Flow] = ()
) -> Answer:
    """A good plan for one large part within the limits, and a proven bound. `start` is a plan to better, if any."""
    started = time.monotonic()
    problem = only(problem, part)
    pricer = Pricer(problem, part)
    plan = Standing(problem, start)
    found = priced_best(pricer, solver, limits, started + limits.solve_limit_s)
    first = Standing(problem, first_plan.build(pricer, found.priced.prices, found.whole))
    plan, priced = first if first.total < plan.total else plan, found.priced
    best, limit = neighbourhoods.improve(problem, plan, priced, solver, limits, deadline=started + limits.solve_limit_s)
    gap = (best.total - priced.bound) / best.total if best.total else 0.0
    ending = Ending.UNPROVEN
    if gap <= max(limits.relative_gap, PROVEN_WITHIN):
        ending, limit = (Ending.OPTIMAL, "") if gap <= PROVEN_WITHIN else (Ending.WITHIN_GAP, "gap")
    bound, table = min(priced.bound, float(best.total)), priced.prices.told(problem)
    return Answer(best.flows, ending, bound, limit, time.monotonic() - started, prices=table)


def only(problem: Problem, lines: IntArray) -> Problem:
    """The problem of these lines alone."""
    wanted = np.zeros_like(problem.wanted)
    wanted[lines] = problem.wanted[lines]
    return replace(problem, wanted=wanted, allowed=problem.allowed & (wanted > 0)[:, None])


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The best prices, and the source of each line (L) in patterns that the last master took whole."""

    priced: PricedBest
    whole: IntArray


def priced_best(pricer: Pricer, solver: Solver, limits: SolverLimits, deadline: float) -> Found:
    """The best prices found on a working set that grows, each proven over all pairs."""
    working, prices = WorkingSet(pricer), Prices.none(pricer.problem)
    found = working.grow(prices)
    best, whole = PricedBest(prices, found.bound, found), np.full(pricer.problem.batch.shape[0], NOWHERE)
    if not over(pricer, found):
        return Found(best, found.chosen)
    pool = PatternPool(working)
    for _ in range(FULL_PASSES):
        generated = _on_working_set(working, pool, best, solver, limits, deadline)
        if generated.amounts is not None:
            whole = pool.chosen(generated.amounts > TAKEN_WHOLE)
        prices = working.prices(generated.best.multipliers).rounded()
        found = working.grow(prices)
        best = PricedBest(prices, found.bound, found) if found.bound > best.bound else best
        if generated.best.value - found.bound <= MEET_WITHIN * abs(found.bound) or time.monotonic() >= deadline:
            break
    return Found(best, whole)


def over(pricer: Pricer, found: Priced) -> bool:
    """Whether patterns together ask for more than there is of anything, or hide what they cannot express."""
    return bool(first_plan.unfit(pricer, found.chosen).any()) or bool((found.capacity_use > pricer.rooms.room).any())


def _on_working_set(
    working: WorkingSet, pool: PatternPool, best: PricedBest, solver: Solver, limits: SolverLimits, deadline: float
) -> Generated:
    """The best prices on the set as it is: by steps, then by the master's word."""
    watch_of(limits).go_on()
    found = begin = working.price(working.multipliers(best.prices))
    pool.add(begin)
    for found in ascend(working, begin.multipliers, best.bound * (1 + PRICE_GAP), PRICE_ROUNDS):
        pool.add(found)

    def solve(program: LinearProgram) -> LinearAnswer:
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            raise SolverFailed("the time is up")
        return solver.solve_linear(program, replace(limits, solve_limit_s=left_s))

    return generate(working, pool, found, solve, MASTER_ROUNDS)
