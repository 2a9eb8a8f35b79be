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
from dom_core.optimizer.pricing import PROVEN_WITHIN, PricedBest, Pricer, Prices
from dom_core.optimizer.working_set import WorkingSet
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.solving import Answer, Solver
from dom_core.optimizer.standing import Left, Standing

PRICE_ROUNDS = (150, 100)
"""Steps on the working set before each pass over all pairs."""


def solve_large(
    problem: Problem, part: IntArray, solver: Solver, limits: SolverLimits, start: Sequence[Flow] = ()
) -> Answer:
    """A good plan for one large part within the limits, and a proven bound. `start` is a plan to better, if any."""
    started = time.monotonic()
    problem = only(problem, part)
    pricer = Pricer(problem, part)
    plan = Standing(problem, start)
    priced = _priced(pricer, float(plan.total))
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


def _priced(pricer: Pricer, upper: float) -> PricedBest:
    """The best prices found on a working set that grows, each proven over all pairs."""
    working, prices = WorkingSet(pricer), Prices.none(pricer.problem)
    best = PricedBest(prices, float("-inf"), working.grow(prices))
    best = PricedBest(prices, best.patterns.bound, best.patterns)
    for rounds in PRICE_ROUNDS:
        walked = list(ascend(working, working.multipliers(best.prices), best.bound * 1.02, rounds))
        prices = working.prices(walked[-1].multipliers).rounded()
        found = working.grow(prices)
        if found.bound > best.bound:
            best = PricedBest(prices, found.bound, found)
    return best


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
