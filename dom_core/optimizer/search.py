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
from dom_core.domain.reason import FloatArray, IntArray
from dom_core.domain.strategy import SolverLimits
from dom_core.errors import SolverFailed
from dom_core.optimizer import first_plan, fixing, neighbourhoods
from dom_core.optimizer.ascent import ascend
from dom_core.optimizer.costs import Flow
from dom_core.optimizer.dive import dive
from dom_core.optimizer.generation import MEET_LATER_WITHIN, Linear, generate
from dom_core.optimizer.linear import LinearAnswer, LinearProgram
from dom_core.optimizer.patterns import PatternPool
from dom_core.optimizer.prices import Prices
from dom_core.optimizer.pricing import PROVEN_WITHIN, Priced, PricedBest, Pricer
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.solving import Answer, Solver
from dom_core.optimizer.standing import Standing
from dom_core.optimizer.tasks import Crew
from dom_core.optimizer.watch import watch_of
from dom_core.optimizer.working_set import Pass, WorkingSet

PRICE_ROUNDS = 120
"""Steps on the working set before the master is asked."""

CLIMBS, MISSED_AT_MOST = 6, 2e-3
"""Climbs at most; another one follows where the sources that a working set lacked were worth more than this share."""

MASTER_COLUMNS = 1_200_000
"""Columns that masters may have in all, from one pass over all pairs to the next: what bounds their time everywhere."""

FULL_PASSES = 4
"""Passes over all pairs after masters, at most."""


def solve_large(
    problem: Problem, solver: Solver, crew: Crew, limits: SolverLimits, start: Sequence[Flow] = ()
) -> Answer:
    """A good plan for a large problem within the limits, and a proven bound. `start` is a plan to better, if any."""
    started = time.monotonic()
    part = np.flatnonzero(problem.wanted > 0)
    pricer = Pricer(problem, part)
    plan = Standing(problem, start)
    found = priced_best(pricer, solver, limits, started + limits.solve_limit_s)
    first = Standing(problem, found.flows)
    plan, priced = first if first.total < plan.total else plan, found.priced
    best, limit = neighbourhoods.improve(problem, plan, priced, crew, limits, deadline=started + limits.solve_limit_s)
    left_s = started + limits.solve_limit_s - time.monotonic()
    proven = fixing.Proven(best, priced.bound)
    if limit == "rounds" and left_s > 0:
        proven = fixing.prove(pricer, priced, best, crew, replace(limits, solve_limit_s=left_s))
        best = proven.plan
    gap = (best.total - proven.bound) / best.total if best.total else 0.0
    ending = Ending.UNPROVEN
    if gap <= max(limits.relative_gap, PROVEN_WITHIN):
        ending, limit = (Ending.OPTIMAL, "") if gap <= PROVEN_WITHIN else (Ending.WITHIN_GAP, "gap")
    bound, table = min(proven.bound, float(best.total)), priced.prices.told(problem)
    return Answer(best.flows, ending, bound, limit, time.monotonic() - started, prices=table)


def only(problem: Problem, lines: IntArray) -> Problem:
    """The problem of these lines alone."""
    wanted = np.zeros_like(problem.wanted)
    wanted[lines] = problem.wanted[lines]
    return replace(problem, wanted=wanted, allowed=problem.allowed & (wanted > 0)[:, None])


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The best prices, and a first plan."""

    priced: PricedBest
    flows: Sequence[Flow]


def priced_best(pricer: Pricer, solver: Solver, limits: SolverLimits, deadline: float) -> Found:
    """The best prices found on a working set that grows, each proven over all pairs."""
    working, prices = WorkingSet(pricer), Prices.none(pricer.problem)
    found = working.grow(prices)
    best = PricedBest(prices, found.bound, found)
    if not over(pricer, found):
        plan = first_plan.FirstPlan(pricer)
        plan.place(found.chosen)
        return Found(best, plan.flows)
    pool = PatternPool(working)
    amounts: FloatArray | None = None
    best = _climb(working, pool, best)
    for _ in range(FULL_PASSES):
        watch_of(limits).go_on()
        begin = working.price(working.multipliers(best.prices))
        pool.add(begin)
        generated = generate(working, pool, begin, _in_time(solver, limits, deadline), MASTER_COLUMNS)
        amounts = generated.amounts if generated.amounts is not None else amounts
        value, best = generated.best.value, _proven(working, generated.best, best)
        if value - best.bound <= MEET_LATER_WITHIN * abs(best.bound) or time.monotonic() >= deadline:
            break
    solve = _in_time(solver, limits, deadline)
    return Found(best, _planned(working, pool, amounts, best.prices, solve))


def _planned(
    working: WorkingSet, pool: PatternPool, amounts: FloatArray | None, prices: Prices, solve: Linear
) -> list[Flow]:
    """A first plan: by a dive from the last master, then greedily."""
    plan = first_plan.FirstPlan(working.pricer)
    if amounts is not None:
        amounts = np.concatenate((amounts, np.zeros(len(pool) - len(amounts))))
        dive(plan, prices, pool, amounts, solve)
    plan.complete(prices)
    return plan.flows


def _proven(working: WorkingSet, found: Pass, best: PricedBest) -> PricedBest:
    """What the prices of a pass prove over all pairs, if that is better; the working set grows."""
    prices = working.prices(found.multipliers).rounded()
    priced = working.grow(prices)
    return PricedBest(prices, priced.bound, priced) if priced.bound > best.bound else best


def _climb(working: WorkingSet, pool: PatternPool, best: PricedBest) -> PricedBest:
    """Prices by steps. What they prove over all pairs shows which sources were missing: then the steps go on."""
    ceiling = _rough_total(working.pricer, best.prices)
    for _ in range(CLIMBS):
        found = begin = working.price(working.multipliers(best.prices))
        pool.add(begin)
        for found in ascend(working, begin.multipliers, ceiling, PRICE_ROUNDS):
            pool.add(found)
        best = _proven(working, found, best)
        if found.value - best.bound <= MISSED_AT_MOST * abs(found.value):
            break
    return best


def _rough_total(pricer: Pricer, prices: Prices) -> float:
    """The points of a plan that is made in a moment: how far up the bound could be."""
    return float(Standing(pricer.problem, first_plan.build(pricer, prices)).total)


def _in_time(solver: Solver, limits: SolverLimits, deadline: float) -> Linear:
    """Linear programs by this solver, until the deadline."""

    def solve(program: LinearProgram) -> LinearAnswer:
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            raise SolverFailed("the time is up")
        return solver.solve_linear(program, replace(limits, solve_limit_s=min(left_s, 600.0)))

    return solve


def over(pricer: Pricer, found: Priced) -> bool:
    """Whether patterns together ask for more than there is of anything, or hide what they cannot express."""
    return bool(first_plan.unfit(pricer, found.chosen).any()) or bool((found.capacity_use > pricer.rooms.room).any())
