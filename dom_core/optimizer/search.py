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
from dataclasses import dataclass, field, replace

import numpy as np

from dom_core.domain.plan import Ending
from dom_core.domain.reason import FloatArray, IntArray
from dom_core.domain.strategy import SolverLimits
from dom_core.errors import SolverFailed
from dom_core.optimizer import deepening, first_plan, fixing, neighbourhoods, savings
from dom_core.optimizer.ascent import ascend
from dom_core.optimizer.costs import Flow
from dom_core.optimizer.course import FIRST_PLAN, MASTERS, PROOF, Course
from dom_core.optimizer.dive import dive
from dom_core.optimizer.generation import MEET_LATER_WITHIN, generate
from dom_core.optimizer.giving_way import give_way
from dom_core.optimizer.linear import Linear, LinearAnswer, LinearProgram
from dom_core.optimizer.master import Corner
from dom_core.optimizer.patterns import PatternPool
from dom_core.optimizer.prices import Prices
from dom_core.optimizer.pricing import NOWHERE, PROVEN_WITHIN, Priced, PricedBest, Pricer
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.promising import PriceAll, priced_here
from dom_core.optimizer.solving import Answer, Solver
from dom_core.optimizer.standing import Standing
from dom_core.optimizer.tasks import Crew
from dom_core.optimizer.topping_up import top_up
from dom_core.optimizer.whole_patterns import KnownPatterns, expressed
from dom_core.optimizer.working_set import Pass, WorkingSet
from dom_core.watch import watch_of

PRICE_ROUNDS, PRICE_ROUNDS_WHERE_SCARCE, SCARCE = 40, 120, 0.07
"""Steps on the working set before the master is asked: more where a rough plan is so far above the first bound.

There masters are large, and good prices spare more of them than the steps take.
"""

CLIMBS, MISSED_AT_MOST = 6, 1e-2
"""Climbs at most; another one follows where the sources that a working set lacked were worth more than this share."""

MASTER_COLUMNS = 1_200_000
"""Columns that masters may have in all, from one pass over all pairs to the next: what bounds their time everywhere."""

PRICES_UNTIL, FIRST_PLAN_UNTIL = 0.6, 0.85
"""The shares of the time after which prices, and then the first plan, are good enough as they are."""

FOR_SAVINGS = 0.1
"""The share of the time that savings of long orders may take."""

FULL_PASSES = 4
"""Passes over all pairs after masters, at most."""


def solve_large(
    problem: Problem, solver: Solver, crew: Crew, limits: SolverLimits, start: Sequence[Flow] = ()
) -> Answer:
    """A good plan for a large problem within the limits, and a proven bound. `start` is a plan to better, if any."""
    started = time.monotonic()
    deadline = started + limits.solve_limit_s
    pricer = Pricer(problem, np.flatnonzero(problem.wanted > 0), watch_of(limits))
    found = priced_best(pricer, solver, limits, deadline, Standing(problem, start), crew.price_all)
    priced, plan = found.priced, Standing(problem, found.flows)
    course = Course(limits, deadline, plan, priced.bound)
    course.stage_until(min(1.0, course.share + FOR_SAVINGS))
    raised = savings.raised(pricer, priced, course.time_is_up)
    course.prove(raised.best.bound)
    course.stage_until(1.0)
    proven = deepening.deepen(pricer, priced, plan, solver, course)
    proven = replace(proven, bound=max(proven.bound, raised.best.bound))
    above = replace(raised.here, bound=proven.bound)
    best, limit = neighbourhoods.improve(problem, proven.plan, above, crew, limits, deadline, found.known)
    left_s = deadline - time.monotonic()
    proven = replace(proven, plan=best)
    if limit and left_s > 0:
        course.offer(best)
        course.begin(PROOF)
        fixed = fixing.prove(pricer, priced, best, crew, replace(limits, solve_limit_s=left_s))
        proven, best = fixing.Proven(fixed.plan, max(proven.bound, fixed.bound)), fixed.plan
    limit = "seconds" if found.was_cut or course.was_cut else limit
    seconds, table = time.monotonic() - started, raised.told(problem)
    answer = Answer(best.flows, Ending.UNPROVEN, proven.bound, limit, seconds, prices=table, priced=raised.best.bound)
    return proven_by(answer, proven.bound, best.total, limits)


def proven_by(answer: Answer, bound: float, total: int, limits: SolverLimits) -> Answer:
    """The answer, whose flows cost this `total`, with the better of its own and this bound, and the ending of both."""
    bound = min(max(answer.bound, bound), float(total))
    gap = (total - bound) / total if total else 0.0
    if gap > max(limits.relative_gap, PROVEN_WITHIN):
        return replace(answer, bound=bound)
    if gap > PROVEN_WITHIN:
        return replace(answer, bound=bound, ending=Ending.WITHIN_GAP, limit="gap")
    return replace(answer, bound=_bound_of_best(bound, total), ending=Ending.OPTIMAL, limit="")


def _bound_of_best(bound: float, total: int) -> float:
    """The bound of a plan that is proven best: its total. What float arithmetic lacks would be told as a gap."""
    return float(total) if total - bound < 1 else bound


def ideal(problem: Problem, limits: SolverLimits) -> Answer | None:
    """The best plan where every order can have its best pattern beside all others; None where orders compete.

    One pass over all pairs, no solver: the common case of ample stock, at any size.
    """
    started = time.monotonic()
    pricer = Pricer(problem, np.flatnonzero(problem.wanted > 0), watch_of(limits))
    prices = Prices.none(problem)
    pricer.watch.go_on()
    found = pricer.price(prices)
    if over(pricer, found):
        return None
    pricer.watch.go_on()
    lines = np.flatnonzero(found.chosen != NOWHERE)
    flows = zip(lines.tolist(), found.chosen[lines].tolist(), problem.wanted[lines].tolist(), strict=True)
    plan = Standing(problem, list(flows))
    if plan.total - found.bound > PROVEN_WITHIN * plan.total:
        return None
    bound, seconds = _bound_of_best(found.bound, plan.total), time.monotonic() - started
    return Answer(plan.flows, Ending.OPTIMAL, bound, "", seconds, prices=prices.told(problem), priced=found.bound)


def only(problem: Problem, lines: IntArray) -> Problem:
    """The problem of these lines alone."""
    wanted = np.zeros_like(problem.wanted)
    wanted[lines] = problem.wanted[lines]
    return replace(problem, wanted=wanted, allowed=problem.allowed & (wanted > 0)[:, None])


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The best prices, a first plan, and the patterns that masters looked at, of orders that patterns express.

    `was_cut`: whether there would have been better ones with more time.
    """

    priced: PricedBest
    flows: Sequence[Flow]
    known: KnownPatterns = field(default_factory=dict)
    was_cut: bool = False


def priced_best(
    pricer: Pricer,
    solver: Solver,
    limits: SolverLimits,
    deadline: float,
    start: Standing | None = None,
    price_all: PriceAll = priced_here,
) -> Found:
    """The best prices found on a working set that grows, each proven over all pairs, and the best plan on the way.

    What the deadline, a monotonic second, cuts short is finished roughly: a pass over all pairs and a greedy round.
    """
    course = Course(limits, deadline, start)
    working, prices = WorkingSet(pricer, price_all), Prices.none(pricer.problem)
    found = working.grow(prices)
    best = PricedBest(prices, found.bound, found)
    if not over(pricer, found):
        plan = first_plan.FirstPlan(pricer)
        plan.place_long(prices, course.time_is_up)
        plan.place_patterns(found.chosen)
        return Found(best, _completed(plan, prices, course).flows)
    course.prove(best.bound)
    pool = PatternPool(working)
    course.stage_until(PRICES_UNTIL)
    best = _climb(working, pool, best, course)
    course.begin(MASTERS)
    best, amounts = _generated(working, pool, best, solver, course)
    course.stage_until(FIRST_PLAN_UNTIL)
    course.begin(FIRST_PLAN)
    course.offer(_planned(working, pool, amounts, best.prices, solver, course))
    known = pool.by_order(expressed(pricer))
    return Found(best, () if course.plan is None else course.plan.flows, known, course.was_cut)


def _generated(
    working: WorkingSet, pool: PatternPool, best: PricedBest, solver: Solver, course: Course
) -> tuple[PricedBest, FloatArray | None]:
    """Better prices by masters, and how much of each pattern the last of them takes, if any was solved."""
    amounts: FloatArray | None = None
    corner: Corner | None = None
    for _ in range(FULL_PASSES):
        if course.time_is_up():
            break
        begin = working.price(working.multipliers(best.prices))
        pool.add(begin)
        generated = generate(working, pool, begin, _in_time(solver, course), MASTER_COLUMNS, corner=corner)
        corner = generated.corner
        amounts = generated.amounts if generated.amounts is not None else amounts
        value, best = generated.best.value, _proven(working, generated.best, best, course)
        if value - best.bound <= MEET_LATER_WITHIN * abs(best.bound):
            break
    return best, amounts


def _planned(
    working: WorkingSet, pool: PatternPool, amounts: FloatArray | None, prices: Prices, solver: Solver, course: Course
) -> Standing:
    """A first plan: by a dive from the last master, then greedily."""
    plan = first_plan.FirstPlan(working.pricer)
    if amounts is not None:
        amounts = np.concatenate((amounts, np.zeros(len(pool) - len(amounts))))
        plan.place_long(prices, course.time_is_up)
        dive(plan, prices, pool, amounts, _in_time(solver, course))
    return _completed(plan, prices, course)


def _completed(plan: first_plan.FirstPlan, prices: Prices, course: Course) -> Standing:
    """The plan with all that still finds what it wants, whole or in parts."""
    plan.complete(prices, course.time_is_up)
    give_way(plan, prices, course.time_is_up)
    top_up(plan, course.time_is_up)
    return Standing(plan.problem, plan.flows)


def _proven(working: WorkingSet, found: Pass, best: PricedBest, course: Course) -> PricedBest:
    """What the prices of a pass prove over all pairs, if that is better; the working set grows."""
    prices = working.prices(found.multipliers).rounded()
    priced = working.grow(prices)
    course.prove(priced.bound)
    course.look()
    return PricedBest(prices, priced.bound, priced) if priced.bound > best.bound else best


def _climb(working: WorkingSet, pool: PatternPool, best: PricedBest, course: Course) -> PricedBest:
    """Prices by steps. What they prove over all pairs shows which sources were missing: then the steps go on."""
    rough = _completed(first_plan.FirstPlan(working.pricer), best.prices, course)
    course.offer(rough)
    scarce = rough.total - best.bound > SCARCE * rough.total
    rounds = PRICE_ROUNDS_WHERE_SCARCE if scarce else PRICE_ROUNDS
    for _ in range(CLIMBS):
        found = begin = working.price(working.multipliers(best.prices))
        pool.add(begin)
        for found in ascend(working, begin.multipliers, float(rough.total), rounds):
            pool.add(found)
            course.look()
            if course.time_is_up():
                break
        best = _proven(working, found, best, course)
        if course.time_is_up() or found.value - best.bound <= MISSED_AT_MOST * abs(found.value):
            break
    return best


def _in_time(solver: Solver, course: Course) -> Linear:
    """Linear programs by this solver, until the course's time is up; each is a moment to tell how far it is."""

    def solve(program: LinearProgram) -> LinearAnswer:
        course.look()
        if course.time_is_up():
            raise SolverFailed("the time is up")
        return solver.solve_linear(program, replace(course.limits, solve_limit_s=min(course.left_s, 600.0)))

    return solve


def over(pricer: Pricer, found: Priced) -> bool:
    """Whether patterns together ask for more than there is of anything, or hide what they cannot express."""
    return bool(first_plan.unfit(pricer, found.chosen).any()) or bool((found.capacity_use > pricer.rooms.room).any())
