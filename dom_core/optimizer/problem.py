"""One iteration as a mathematical problem in arrays: what is wanted, what is there, what it costs.

The formulation builds a model of it, `objective.py` prices an answer to it; neither looks at rules or documents.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress

import numpy as np

from dom_core.domain.batch import UNKNOWN_DISTANCE_M, Batch, PlaceTable
from dom_core.domain.plan import Level
from dom_core.domain.reason import BoolArray, IntArray
from dom_core.domain.request import PlanRequest
from dom_core.domain.units import UNLIMITED_UNITS
from dom_core.optimizer.activation import ranks_by_priority
from dom_core.optimizer.candidates import Candidates, class_weight
from dom_core.optimizer.costs import Flow, Journey, PairCosts, flow_table
from dom_core.rules.base import CapacityLimit, SplitLimits
from dom_core.watch import UNWATCHED, Watch

_BLOCK_LINES = 5_000
"""Lines whose pairs are looked at together, to bound the memory."""

Rates = Mapping[Level, int]
"""The levels of the objective, most important first, each with its points per unit of amount."""


@dataclass(frozen=True, slots=True)
class Used:
    """What an earlier iteration of the same run already uses, and so has paid for.

    The *limited* pairs are those that count against split limits and capacities: write-in lines do not (C8).
    """

    paid_steps: Mapping[tuple[int, int], int] = field(default_factory=dict)
    legs: frozenset[Journey] = frozenset()
    cost_legs: frozenset[Journey] = frozenset()
    line_sources: frozenset[tuple[int, int]] = frozenset()
    limited_shipments: frozenset[tuple[int, int]] = frozenset()
    limited_line_sources: frozenset[tuple[int, int]] = frozenset()

    @property
    def shipments(self) -> frozenset[tuple[int, int]]:
        """(order, source) pairs already shipping."""
        return frozenset(self.paid_steps)

    def sources_by_order(self) -> Mapping[int, set[int]]:
        """The sources that count against each order's limit."""
        return _sources_by_first(self.limited_shipments)

    def sources_by_line(self) -> Mapping[int, set[int]]:
        """The sources that count against each line's limit."""
        return _sources_by_first(self.limited_line_sources)


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """One iteration.

    Shapes: `wanted` (L) units to fill, zero for lines that do not take part; `allowed`, `km`, `steps` (L, S);
    `stock` (P, S); `weights` (O); `split_limits` per order, as the rules say it: what `used` already takes of them is
    subtracted where they are applied. `forced` (line, source) pairs must serve at least a unit: what a question "what
    if" presupposes.
    """

    batch: Batch
    wanted: IntArray
    allowed: BoolArray
    km: IntArray | PlaceTable
    steps: IntArray
    stock: IntArray
    weights: IntArray
    split_limits: tuple[SplitLimits, ...]
    capacities: tuple[CapacityLimit, ...]
    rates: Rates
    largest_km: int
    costs: PairCosts | None = None
    used: Used = field(default_factory=Used)
    forced: tuple[tuple[int, int], ...] = ()

    def leg(self, line: int, source: int) -> Journey:
        """The journey of a line from a source: lines of one order to one destination travel together."""
        return (int(self.batch.order_of[line]), int(self.batch.destination_of[line]), source)


def largest_distance_km(candidates: Candidates) -> int:
    """D: the largest distance of any pair that may serve, rounded up to the next 1,000 km, at least 1,000."""
    metres, allowed = candidates.batch.metres, candidates.allowed
    farthest_m = 0
    for start in range(0, len(allowed), _BLOCK_LINES):
        rows = slice(start, start + _BLOCK_LINES)
        farthest_m = int(metres[rows].max(where=allowed[rows], initial=farthest_m))
    return max(1000, -(-farthest_m // 1_000_000) * 1000)


def rates_of(request: PlanRequest, candidates: Candidates, costs: PairCosts | None, largest_km: int) -> Rates:
    """The strategy's rates, with the defaults of docs/semantics.md section 5 where it sets none."""
    given = request.strategy.rates
    if costs is not None:
        dearest = max(1, costs.dearest_shipment_cents(candidates))
        unfilled = _given_or(given.unfilled_unit, 4 * dearest)
        return {Level.UNFILLED_UNITS: unfilled, Level.COST_CENTS: 1, Level.PRIORITY_STEPS: 0, Level.DISTANCE_KM: 0}
    ranked = ranks_by_priority(request)
    shipment = _given_or(given.shipment, largest_km * (10 if ranked else 1))
    return {
        Level.UNFILLED_UNITS: _given_or(given.unfilled_unit, 4 * shipment),
        Level.SHIPMENTS: shipment,
        Level.PRIORITY_STEPS: _given_or(given.priority_step, largest_km if ranked else 0),
        Level.DISTANCE_KM: _given_or(given.kilometre, 1),
    }


def _given_or(given: int | None, default: int) -> int:
    return default if given is None else given


def first_problem(
    candidates: Candidates,
    rates: Rates,
    largest_km: int,
    costs: PairCosts | None = None,
    watch: Watch = UNWATCHED,
) -> Problem:
    """Iteration 1: everything eligible is wanted and nothing is used yet. Raises Cancelled."""
    batch = candidates.batch
    return Problem(
        batch=batch,
        wanted=batch.units.copy(),
        allowed=candidates.allowed,
        km=objective_km(batch, largest_km, watch),
        steps=candidates.steps,
        stock=candidates.stock,
        weights=np.array([class_weight(order) for order in batch.orders], dtype=np.int64),
        split_limits=candidates.split_limits,
        capacities=candidates.capacities,
        rates=rates,
        largest_km=largest_km,
        costs=costs,
    )


def next_problem(first: Problem, relaxed: Candidates, flows: Sequence[Flow], *, tried: bool = True) -> Problem:
    """Iteration 2: what is still unfilled, under fewer rules, with what the flows of iteration 1 left.

    `tried` is whether there is anything to try: else nothing is allowed. What is used is told of orders that want more.
    """
    batch = first.batch
    wanted, stock = first.wanted.copy(), relaxed.stock.copy()
    line, source, units = flow_table(flows)
    cells = (batch.product_of[line], source)
    np.subtract.at(wanted, line, units)
    np.subtract.at(stock, cells, units)
    stock[cells] = np.where(relaxed.stock[cells] >= UNLIMITED_UNITS, UNLIMITED_UNITS, np.maximum(stock[cells], 0))
    wants_more = np.zeros(len(first.weights), dtype=bool)
    wants_more[batch.order_of[wanted > 0]] = True
    waiting = wants_more[batch.order_of[line]]
    return replace(
        first,
        wanted=wanted,
        allowed=relaxed.allowed & (wanted > 0)[:, None] if tried else np.broadcast_to(np.False_, batch.shape),
        steps=relaxed.steps,
        stock=stock,
        split_limits=relaxed.split_limits,
        capacities=tuple(_after(relaxed.capacities, batch, line, source)),
        used=use_of(first, line[waiting], source[waiting]),
        forced=(),
    )


def use_of(problem: Problem, line: IntArray, source: IntArray) -> Used:
    """What flows of these lines from these sources (n) use: shipments with the priority steps paid for, legs, and each
    line's sources.
    """
    batch = problem.batch
    shipments, line_sources = list(_pairs(batch.order_of[line], source)), list(_pairs(line, source))
    paid: dict[tuple[int, int], int] = {}
    for shipment, steps in zip(shipments, problem.steps[line, source].tolist(), strict=True):
        paid[shipment] = max(paid.get(shipment, 0), steps)
    legs = frozenset(_journeys(batch.destination_of, problem, line, source))
    # Cost factors charge journeys of one mode of delivery.
    groups = problem.costs.travel_group_of if problem.costs else None
    limited = _is_limited(batch, line)
    return Used(
        paid_steps=paid,
        legs=legs,
        cost_legs=legs if groups is None else frozenset(_journeys(groups, problem, line, source)),
        line_sources=frozenset(line_sources),
        limited_shipments=frozenset(compress(shipments, limited)),
        limited_line_sources=frozenset(compress(line_sources, limited)),
    )


def _is_limited(batch: Batch, line: IntArray) -> BoolArray:
    """Which of these lines count against split limits and capacities."""
    return np.array([not batch.is_write_in(one) for one in line.tolist()], dtype=bool)


def _pairs(first: IntArray, source: IntArray) -> Iterator[tuple[int, int]]:
    """A million pairs are taken from arrays at once, not number by number."""
    return zip(first.tolist(), source.tolist(), strict=True)


def _journeys(group_of: IntArray, problem: Problem, line: IntArray, source: IntArray) -> Iterator[Journey]:
    """The journeys of these lines from these sources, where lines of a group (L) travel together."""
    return zip(problem.batch.order_of[line].tolist(), group_of[line].tolist(), source.tolist(), strict=True)


def _after(
    capacities: Sequence[CapacityLimit], batch: Batch, line: IntArray, source: IntArray
) -> Iterator[CapacityLimit]:
    """The room that flows of these lines from these sources leave."""
    if not capacities:
        return
    limited = _is_limited(batch, line)
    line, source = line[limited], source[limited]
    visits, shipments = _by_source(set(_pairs(line, source))), _by_source(set(_pairs(batch.order_of[line], source)))
    for capacity in capacities:
        if capacity.per_line:
            taken = sum(len(visits[source]) for source in capacity.sources)
            yield replace(capacity, remaining=max(0, capacity.remaining - taken))
        else:
            new = {shipment for source in capacity.sources for shipment in shipments[source]} - capacity.counted
            left = max(0, capacity.remaining - len(new))
            yield replace(capacity, remaining=left, counted=capacity.counted | new)


def _sources_by_first(pairs: Iterable[tuple[int, int]]) -> Mapping[int, set[int]]:
    """(line or order, source) pairs by their line or order. Whoever has none has nothing."""
    found: dict[int, set[int]] = defaultdict(set)
    for first, source in pairs:
        found[first].add(source)
    return found


def _by_source(pairs: Iterable[tuple[int, int]]) -> Mapping[int, list[tuple[int, int]]]:
    """(line or order, source) pairs by their source."""
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for pair in pairs:
        found[pair[1]].append(pair)
    return found


def objective_km(batch: Batch, largest_km: int, watch: Watch = UNWATCHED) -> PlaceTable:
    """Whole kilometres as the objective counts them: zero within the local radius, D where unknown.

    Raises Cancelled.
    """
    table = np.empty_like(batch.metres.rows)
    for start in range(0, len(table), _BLOCK_LINES):
        watch.go_on()
        metres = batch.metres.rows[start : start + _BLOCK_LINES]
        km = (metres + 500) // 1000
        km[metres <= batch.request.strategy.local_radius_km * 1000] = 0
        km[metres == UNKNOWN_DISTANCE_M] = largest_km
        table[start : start + _BLOCK_LINES] = km
    return replace(batch.metres, rows=table)
