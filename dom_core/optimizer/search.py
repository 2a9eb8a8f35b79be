"""Plans for parts too large for one exact model: prices, a first plan, better plans (docs/optimizer.md).

1. *Prices* by subgradient steps from zero: a proven bound, and what scarce stock is worth.
2. A *first plan* in rounds: every order asks for its cheapest pattern at these prices over what is left, the most
   valuable orders first; what no longer fits asks again.
3. *Better plans*: free the orders that pay most above their best pattern, with their rivals for the same cells, solve
   that neighbourhood exactly with everybody else fixed, keep what improves.

Everything runs over sorted positions and counts rounds before seconds, so the same problem gives the same plan; a
search that its time limit stops says so.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dom_core.domain.plan import Ending, Level
from dom_core.domain.reason import BoolArray, FloatArray, IntArray
from dom_core.domain.strategy import SolverLimits
from dom_core.domain.units import UNLIMITED_UNITS
from dom_core.errors import SolverFailed
from dom_core.optimizer import decomposition, formulation
from dom_core.optimizer.costs import Flow
from dom_core.optimizer.pricing import NOWHERE, Priced, Pricer, Prices
from dom_core.optimizer.problem import Problem, levels_of, total_of
from dom_core.optimizer.solving import Answer, Solver
from dom_core.rules.base import CapacityLimit

PRICE_ROUNDS = 150
"""Subgradient steps; each is one pass over all pairs."""

STEP_ROUNDS = 6
"""Rounds without a better bound after which the step shrinks."""

NEIGHBOURHOOD_LINES = 40
"""Lines freed at once: small enough for the exact model to answer in a fraction of a second."""

NEIGHBOURHOOD_SOURCES = 12
"""Sources offered to a freed line: where it is now, and the cheapest at prices."""

NEIGHBOURHOOD_LIMITS = SolverLimits(solve_limit_s=5.0, max_nodes=500)

PROVEN_WITHIN = 1e-9
"""The relative gap that floating point may leave of a plan that is proven best."""

TRIES_PER_ORDER = 1
"""How often an order may be the seed of a neighbourhood that changes nothing, until one of its rivals moves."""

SEARCH_ROUNDS = 400
"""Neighbourhoods solved at most: a limit that is the same on every machine, before the seconds are."""


@dataclass(frozen=True, slots=True, eq=False)
class _Priced:
    """The best prices found, what they prove, and the patterns at them."""

    prices: Prices
    bound: float
    patterns: Priced


def solve_large(
    problem: Problem, part: IntArray, solver: Solver, limits: SolverLimits, start: Sequence[Flow] = ()
) -> Answer:
    """A good plan for one large part within the limits, and a proven bound. `start` is a plan to better, if any."""
    started = time.monotonic()
    problem = only(problem, part)
    pricer = Pricer(problem, part)
    plan = _Plan(problem, start)
    priced = _ascend(pricer, problem, upper=float(plan.total))
    greedy = _Plan(problem, _first_plan(pricer, problem, priced))
    if greedy.total < plan.total:
        plan = greedy
        priced = _better(priced, _ascend(pricer, problem, upper=float(plan.total), begin=priced.prices))
    best, limit = _improve(problem, plan, priced, solver, limits, deadline=started + limits.solve_limit_s)
    gap = (best.total - priced.bound) / best.total if best.total else 0.0
    ending = Ending.UNPROVEN
    if gap <= max(limits.relative_gap, PROVEN_WITHIN):
        ending, limit = (Ending.OPTIMAL, "") if gap <= PROVEN_WITHIN else (Ending.WITHIN_GAP, "gap")
    return Answer(best.flows, ending, min(priced.bound, float(best.total)), limit, time.monotonic() - started)


class _Plan:
    """Flows with their total."""

    def __init__(self, problem: Problem, flows: Sequence[Flow]) -> None:
        self.flows = tuple(sorted(flows))
        self.total = total_of(levels_of(problem, self.flows))


def only(problem: Problem, lines: IntArray) -> Problem:
    """The problem of these lines alone."""
    wanted = np.zeros_like(problem.wanted)
    wanted[lines] = problem.wanted[lines]
    return replace(problem, wanted=wanted, allowed=problem.allowed & (wanted > 0)[:, None])


# Prices.


def _ascend(pricer: Pricer, problem: Problem, upper: float, begin: Prices | None = None) -> _Priced:
    """Raise prices where more is asked for than there is, lower them where less, towards the best bound."""
    stock = np.minimum(problem.stock, UNLIMITED_UNITS).astype(np.float64)
    room = np.array([float(capacity.remaining) for capacity in problem.capacities])
    scarce = decomposition.cell_binds(problem)
    prices = begin or Prices(np.zeros(problem.stock.shape), np.zeros(len(room)))
    best = _Priced(prices, float("-inf"), pricer.price(prices))
    step, stale = 1.0, 0
    for _ in range(PRICE_ROUNDS):
        found = pricer.price(prices)
        if found.bound > best.bound:
            stale = 0 if found.bound > best.bound + 1e-5 * abs(found.bound) else stale + 1
            best = _Priced(prices, found.bound, found)
        else:
            stale += 1
        if stale >= STEP_ROUNDS:
            step, stale, prices, found = step * 0.6, 0, best.prices, best.patterns
        over_stock = _direction(found.stock_use - stock, prices.stock) * scarce
        over_room = _direction(found.capacity_use - room, prices.capacity)
        length = float((over_stock**2).sum() + (over_room**2).sum())
        if length == 0.0 or step < 1e-3:
            break
        scale = step * max(upper - found.bound, 1.0) / length
        prices = Prices(
            np.maximum(prices.stock + scale * over_stock, 0.0), np.maximum(prices.capacity + scale * over_room, 0.0)
        )
    return best


def _direction(excess: FloatArray, prices: FloatArray) -> FloatArray:
    """A price of zero cannot fall."""
    return np.where((excess < 0) & (prices <= 0), 0.0, excess)


def _better(one: _Priced, other: _Priced) -> _Priced:
    return other if other.bound > one.bound else one


# A first plan.


class _Left:
    """Stock and room that flows leave, and whether an order's pattern still fits."""

    def __init__(self, problem: Problem, flows: Sequence[Flow]) -> None:
        self.problem = problem
        self.stock = problem.stock.copy()
        self.room = [capacity.remaining for capacity in problem.capacities]
        self.visits: list[set[tuple[int, int]]] = [set(capacity.counted) for capacity in problem.capacities]
        self.take(flows)

    def fits(self, flows: Sequence[Flow]) -> bool:
        product_of = self.problem.batch.product_of
        if any(self.stock[product_of[line], source] < units for line, source, units in flows):
            return False
        asked: dict[tuple[int, int], int] = {}
        for line, source, units in flows:
            cell = (int(product_of[line]), source)
            asked[cell] = asked.get(cell, 0) + units
        enough = all(self.stock[cell] >= units for cell, units in asked.items())
        return enough and all(len(self._new(number, flows)) <= room for number, room in enumerate(self.room))

    def take(self, flows: Sequence[Flow]) -> None:
        for number in range(len(self.room)):
            new = self._new(number, flows)
            self.room[number] -= len(new)
            self.visits[number] |= new
        for line, source, units in flows:
            product = self.problem.batch.product_of[line]
            if self.stock[product, source] < UNLIMITED_UNITS:
                self.stock[product, source] -= units

    def _new(self, number: int, flows: Sequence[Flow]) -> set[tuple[int, int]]:
        """What these flows add to the visits that a capacity counts."""
        capacity, batch = self.problem.capacities[number], self.problem.batch
        pairs = [
            (line if capacity.per_line else int(batch.order_of[line]), source)
            for line, source, _ in flows
            if source in capacity.sources and not batch.is_write_in(line)
        ]
        return set(pairs) - self.visits[number]


def _first_plan(pricer: Pricer, problem: Problem, priced: _Priced) -> list[Flow]:
    """Orders take their cheapest pattern over what is left, round by round, until nobody finds one that fits."""
    left = _Left(problem, ())
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


# Better plans.


def _improve(
    problem: Problem, plan: _Plan, priced: _Priced, solver: Solver, limits: SolverLimits, deadline: float
) -> tuple[_Plan, str]:
    """Free and solve neighbourhoods until the gap is closed, nothing moves, or time is up."""
    tried: dict[int, int] = {}
    worth = _pair_worth(problem, priced.prices)
    for _ in range(SEARCH_ROUNDS):
        if plan.total - priced.bound <= max(limits.relative_gap, PROVEN_WITHIN) * plan.total:
            return plan, ""
        seed = _seed(problem, plan, priced, tried)
        if seed is None:
            return plan, "rounds"
        if time.monotonic() >= deadline:
            return plan, "seconds"
        freed = _neighbourhood(problem, seed, priced.prices)
        better = _solve_freed(problem, plan, freed, worth, solver)
        if better is None:
            tried[seed] = tried.get(seed, 0) + 1
        else:
            plan = better
            tried = {order: times for order, times in tried.items() if order not in freed}
    return plan, "rounds"


def _pair_worth(problem: Problem, prices: Prices) -> FloatArray:
    """What serving a line from a source costs at prices (L, S), shipment included; infinite where not allowed."""
    batch, rates = problem.batch, problem.rates
    cost = problem.km.astype(np.float64) * rates[Level.DISTANCE_KM] + problem.steps * rates[Level.PRIORITY_STEPS]
    if problem.costs:
        cost = cost + problem.costs.leg_cents + problem.costs.shipment_cents + problem.costs.part_cents
    cost = cost + prices.stock[batch.product_of] * problem.wanted[:, None]
    return np.where(problem.allowed, cost, np.inf)


def _seed(problem: Problem, plan: _Plan, priced: _Priced, tried: dict[int, int]) -> int | None:
    """The order that pays most above its best pattern at prices, among those not tried too often."""
    excess = _excess(problem, plan, priced)
    open_orders = [order for order in sorted(excess) if tried.get(order, 0) < TRIES_PER_ORDER]
    return max(open_orders, key=lambda order: excess[order] / (1 + tried.get(order, 0)), default=None)


def _excess(problem: Problem, plan: _Plan, priced: _Priced) -> dict[int, float]:
    """By order, roughly what its lines pay at prices beyond their cheapest place: unfilled lines pay their rate."""
    batch = problem.batch
    worth = _pair_worth(problem, priced.prices)
    cheapest = worth.min(axis=1, initial=np.inf)
    gain = problem.rates[Level.UNFILLED_UNITS] * problem.weights[batch.order_of] * problem.wanted
    filled = np.zeros(len(problem.wanted), dtype=np.int64)
    paid = np.zeros(len(problem.wanted))
    for line, source, units in plan.flows:
        filled[line] += units
        paid[line] += worth[line, source]
    paid += gain * (1 - filled / np.maximum(problem.wanted, 1))
    excess = np.where(np.isfinite(cheapest) & (problem.wanted > 0), paid - np.minimum(cheapest, gain), 0.0)
    by_order: dict[int, float] = {}
    for line in np.flatnonzero(excess > 0).tolist():
        order = int(batch.order_of[line])
        by_order[order] = by_order.get(order, 0.0) + float(excess[line])
    sources_of: dict[int, set[int]] = {}
    for line, source, _ in plan.flows:
        sources_of.setdefault(int(batch.order_of[line]), set()).add(source)
    for order, sources in sources_of.items():
        if len(sources) > 1:
            by_order[order] = by_order.get(order, 0.0) + problem.rates.get(Level.SHIPMENTS, 0) * (len(sources) - 1)
    return by_order


def _neighbourhood(problem: Problem, seed: int, prices: Prices) -> list[int]:
    """The seed and its rivals: orders that hold or want units of the cells that the seed could use, dearest first."""
    batch = problem.batch
    mine = np.flatnonzero((batch.order_of == seed) & (problem.wanted > 0))
    ranked: dict[int, float] = {}
    for line in mine.tolist():
        product = int(batch.product_of[line])
        rivals = np.flatnonzero((batch.product_of == product) & (problem.wanted > 0))
        shared = problem.allowed[rivals] & problem.allowed[line]
        weight = (shared * (1.0 + prices.stock[product])).sum(axis=1)
        for rival, value in zip(rivals.tolist(), weight.tolist(), strict=True):
            order = int(batch.order_of[rival])
            ranked[order] = ranked.get(order, 0.0) + value
    ranked.pop(seed, None)
    chosen, lines = [seed], len(mine)
    for order in sorted(ranked, key=lambda order: (-ranked[order], order)):
        size = int(((batch.order_of == order) & (problem.wanted > 0)).sum())
        if lines + size <= NEIGHBOURHOOD_LINES:
            chosen.append(order)
            lines += size
    return chosen


def _solve_freed(
    problem: Problem, plan: _Plan, freed: Sequence[int], worth: FloatArray, solver: Solver
) -> _Plan | None:
    """The exact best of a neighbourhood with everybody else fixed; None when it is no better than what there is."""
    batch = problem.batch
    free = np.isin(batch.order_of, freed) & (problem.wanted > 0)
    fixed = [flow for flow in plan.flows if not free[flow[0]]]
    mine = [flow for flow in plan.flows if free[flow[0]]]
    around = _around(problem, fixed, free, _offered(mine, free, worth))
    parts = decomposition.independent_parts(around)
    if not parts:
        return None
    try:
        answer = solver.solve(formulation.build(around, parts), NEIGHBOURHOOD_LIMITS)
    except SolverFailed:
        return None
    better = _Plan(problem, [*fixed, *answer.flows])
    return better if better.total < plan.total else None


def _offered(mine: Sequence[Flow], free: BoolArray, worth: FloatArray) -> BoolArray:
    """The pairs of a neighbourhood: the cheapest sources at prices, and where the lines are now."""
    offered = np.zeros(worth.shape, dtype=bool)
    rows = np.flatnonzero(free)
    if worth.shape[1] > NEIGHBOURHOOD_SOURCES:
        nearest = np.argpartition(worth[rows], NEIGHBOURHOOD_SOURCES, axis=1)[:, :NEIGHBOURHOOD_SOURCES]
        offered[rows[:, None], nearest] = True
    else:
        offered[rows] = True
    for line, source, _ in mine:
        offered[line, source] = True
    return offered


def _around(problem: Problem, fixed: Sequence[Flow], free: BoolArray, offered: BoolArray) -> Problem:
    """The problem of the freed lines, with what the fixed flows leave."""
    left = _Left(problem, fixed)
    wanted = np.where(free, problem.wanted, 0)
    capacities = tuple(
        replace(capacity, remaining=max(0, left.room[number]), counted=_counted(capacity, left.visits[number]))
        for number, capacity in enumerate(problem.capacities)
    )
    allowed = problem.allowed & offered & free[:, None]
    return replace(problem, wanted=wanted, allowed=allowed, stock=left.stock, capacities=capacities)


def _counted(capacity: CapacityLimit, visits: set[tuple[int, int]]) -> frozenset[tuple[int, int]]:
    return capacity.counted if capacity.per_line else frozenset(visits)
