"""Better plans: free a few orders, solve them exactly with everybody else fixed, keep what improves.

The orders that pay most above their best pattern at prices go first, with their rivals for the same cells.
"""

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from dom_core.domain.plan import Level
from dom_core.domain.reason import BoolArray, FloatArray
from dom_core.domain.strategy import SolverLimits
from dom_core.errors import SolverFailed
from dom_core.optimizer import decomposition, formulation
from dom_core.optimizer.costs import Flow
from dom_core.optimizer.prices import DIVISORS, Prices
from dom_core.optimizer.pricing import PROVEN_WITHIN, PricedBest
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.solving import Solver
from dom_core.optimizer.standing import Left, Standing
from dom_core.rules.base import CapacityLimit

NEIGHBOURHOOD_LINES = 40
"""Lines freed at once: small enough for the exact model to answer in a fraction of a second."""

NEIGHBOURHOOD_SOURCES = 12
"""Sources offered to a freed line: where it is now, and the cheapest at prices."""

NEIGHBOURHOOD_LIMITS = SolverLimits(solve_limit_s=5.0, max_nodes=500)

TRIES_PER_ORDER = 1
"""How often an order may be the seed of a neighbourhood that changes nothing, until one of its rivals moves."""

SEARCH_ROUNDS = 400
"""Neighbourhoods solved at most: a limit that is the same on every machine, before the seconds are."""


def improve(
    problem: Problem, plan: Standing, priced: PricedBest, solver: Solver, limits: SolverLimits, deadline: float
) -> tuple[Standing, str]:
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
    units = [problem.wanted if divisor == 1 else np.zeros_like(problem.wanted) for divisor in DIVISORS]
    cost = cost + prices.charges(batch.product_of, units, batch.shape[1])
    return np.where(problem.allowed, cost, np.inf)


def _seed(problem: Problem, plan: Standing, priced: PricedBest, tried: dict[int, int]) -> int | None:
    """The order that pays most above its best pattern at prices, among those not tried too often."""
    excess = _excess(problem, plan, priced)
    open_orders = [order for order in sorted(excess) if tried.get(order, 0) < TRIES_PER_ORDER]
    return max(open_orders, key=lambda order: excess[order] / (1 + tried.get(order, 0)), default=None)


def _excess(problem: Problem, plan: Standing, priced: PricedBest) -> dict[int, float]:
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
        sources = np.arange(batch.shape[1])
        weight = (shared * (1.0 + prices.at(np.full(len(sources), product), sources, 1))).sum(axis=1)
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
    problem: Problem, plan: Standing, freed: Sequence[int], worth: FloatArray, solver: Solver
) -> Standing | None:
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
    better = Standing(problem, [*fixed, *answer.flows])
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
    left = Left(problem, fixed)
    wanted = np.where(free, problem.wanted, 0)
    capacities = tuple(
        replace(capacity, remaining=max(0, left.room[number]), counted=_counted(capacity, left.visits[number]))
        for number, capacity in enumerate(problem.capacities)
    )
    allowed = problem.allowed & offered & free[:, None]
    return replace(problem, wanted=wanted, allowed=allowed, stock=left.stock, capacities=capacities)


def _counted(capacity: CapacityLimit, visits: set[tuple[int, int]]) -> frozenset[tuple[int, int]]:
    return capacity.counted if capacity.per_line else frozenset(visits)
