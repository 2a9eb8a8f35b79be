"""Plans for parts too large for one exact model: prices, a first plan, better plans (docs/optimizer.md).

1. *Prices* by subgradient steps from zero: a proven bound, and what scarce stock is worth.
2. A *first plan* in rounds: every order asks for its cheapest pattern at these prices over what is left, the most
   valuable orders first; what no longer fits asks again.
3. *Better plans*: neighbourhoods, solved exactly (`neighbourhoods.py`).

Everything runs over sorted positions and counts rounds before seconds, so the same problem gives the same plan; a
search that its time limit stops says so.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from dom_core.domain.plan import Ending
from dom_core.domain.reason import BoolArray, FloatArray, IntArray
from dom_core.domain.strategy import SolverLimits
from dom_core.optimizer import neighbourhoods
from dom_core.optimizer.costs import Flow
from dom_core.optimizer.ascent import ascend
from dom_core.optimizer.cheapest import NOWHERE
from dom_core.optimizer.generation import MEET_WITHIN, generate
from dom_core.optimizer.linear import LinearAnswer, LinearProgram
from dom_core.optimizer.patterns import PatternPool
from dom_core.optimizer.pricing import PROVEN_WITHIN, PricedBest, Pricer, Prices
from dom_core.optimizer.working_set import Pass, WorkingSet
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.solving import Answer, Solver
from dom_core.optimizer.standing import Left, Standing

PRICE_ROUNDS = 100
"""Steps on the working set before the master is asked."""

PRICE_GAP = 0.02
"""How far the steps believe the best plan to be above the bound."""

MASTER_ROUNDS = 30

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
    priced = _priced(pricer, solver, started + limits.solve_limit_s)
    greedy = Standing(problem, _first_plan(pricer, problem, priced))
    plan = greedy if greedy.total < plan.total else plan
    best, limit = neighbourhoods.improve(problem, plan, priced, solver, limits, deadline=started + limits.solve_limit_s)
    gap = (best.total - priced.bound) / best.total if best.total else 0.0
    ending = Ending.UNPROVEN
    if gap <= max(limits.relative_gap, PROVEN_WITHIN):
        ending, limit = (Ending.OPTIMAL, "") if gap <= PROVEN_WITHIN else (Ending.WITHIN_GAP, "gap")
    return Answer(best.flows, ending, min(priced.bound, float(best.total)), limit, time.monotonic() - started)


def only(problem: Problem, lines: IntArray) -> Problem:
    """The problem of these lines alone."""
    wanted = np.zeros_like(problem.wanted)
    wanted[lines] = problem.wanted[lines]
    return replace(problem, wanted=wanted, allowed=problem.allowed & (wanted > 0)[:, None])


def _priced(pricer: Pricer, solver: Solver, deadline: float) -> PricedBest:
    """The best prices found on a working set that grows, each proven over all pairs."""
    working, prices = WorkingSet(pricer), Prices.none(pricer.problem)
    found = working.grow(prices)
    best = PricedBest(prices, found.bound, found)
    pool = PatternPool(working)
    for _ in range(FULL_PASSES):
        priced = _on_working_set(working, pool, best, solver, deadline)
        prices = working.prices(priced.multipliers).rounded()
        found = working.grow(prices)
        meets = priced.value - found.bound <= MEET_WITHIN * abs(found.bound)
        best = PricedBest(prices, found.bound, found) if found.bound > best.bound else best
        if meets:
            break
    return best


def _on_working_set(
    working: WorkingSet, pool: PatternPool, best: PricedBest, solver: Solver, deadline: float
) -> Pass:
    """The best prices on the set as it is: by steps, then by the master's word."""
    found = working.price(working.multipliers(best.prices))
    pool.add(found)
    for found in ascend(working, found.multipliers, best.bound * (1 + PRICE_GAP), PRICE_ROUNDS):
        pool.add(found)

    def solve(program: LinearProgram) -> LinearAnswer:
        return solver.solve_linear(program, max(1.0, deadline - time.monotonic()))

    return generate(working, pool, found, solve, MASTER_ROUNDS).best


# A first plan.


def _first_plan(pricer: Pricer, problem: Problem, priced: PricedBest) -> list[Flow]:
    """Orders take their cheapest pattern over what is left, round by round, until nobody finds one that fits."""
    left = Left(problem, ())
    flows: list[Flow] = []
    waiting = problem.wanted > 0
    while True:
        allowed = problem.allowed & waiting[:, None]
        allowed &= left.stock[problem.batch.product_of] >= problem.wanted[:, None]
        patterns = pricer.price(priced.prices, allowed).chosen
        placed = False
        for order, pattern in _by_worth(problem, patterns, waiting):
            if _keeps_limits(problem, order, pattern) and left.fits(pattern):
                left.take(pattern)
                flows += pattern
                waiting[problem.batch.order_of == order] = False
                placed = True
        if not placed:
            return flows


def _by_worth(problem: Problem, chosen: IntArray, waiting: BoolArray) -> Iterator[tuple[int, list[Flow]]]:
    """Orders with their patterns: heaviest class first, then earliest."""
    patterns: dict[int, list[Flow]] = {}
    for line in np.flatnonzero((chosen != NOWHERE) & waiting).tolist():
        order = int(problem.batch.order_of[line])
        patterns.setdefault(order, []).append((line, int(chosen[line]), int(problem.wanted[line])))
    for order in sorted(patterns, key=lambda order: (-int(problem.weights[order]), order)):
        yield order, patterns[order]


def _keeps_limits(problem: Problem, order: int, flows: Sequence[Flow]) -> bool:
    """Whether a pattern of whole lines keeps what concerns the order alone, cut orders included."""
    limits = problem.split_limits[order]
    batch, used = problem.batch, problem.used
    ordinary = [(line, source) for line, source, _ in flows if not batch.is_write_in(line)]
    sources = {source for _, source in ordinary} | {source for o, source in used.limited_shipments if o == order}
    if limits.max_sources is not None and len(sources) > limits.max_sources:
        return False
    if limits.max_sources_per_line is not None:
        for line, source in ordinary:
            before = {s for used_line, s in used.limited_line_sources if used_line == line}
            if len(before | {source}) > limits.max_sources_per_line:
                return False
    members = np.flatnonzero((batch.order_of == order) & (problem.wanted > 0)).tolist()
    needed = [line for line in members if not batch.is_write_in(line)]
    return limits.partial_orders or not ordinary or len(ordinary) == len(needed)
