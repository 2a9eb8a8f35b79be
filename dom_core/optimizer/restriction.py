"""A problem made small: some of its lines, some of their pairs, in arrays that hold nothing else.

What is left is a problem like any other, and it stands alone: it can be formulated, solved, or sent to another machine.
Positions are those of the small problem; `Restricted` translates its flows back.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeGuard, TypeVar

import numpy as np

from dom_core.domain.batch import Batch, PlaceTable
from dom_core.domain.reason import BoolArray, IntArray
from dom_core.optimizer.costs import FactorCharges, Flow, Journey, PairCosts
from dom_core.optimizer.prices import Prices
from dom_core.optimizer.problem import Problem, Used
from dom_core.rules.base import CapacityLimit

LINES_BY_PLACE = 2_000
"""Lines from which kilometres are kept by place, in less memory; fewer are quicker to look up line by line."""

T = TypeVar("T")

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Restricted:
    """A small problem, and the positions that its `lines` (n) and `sources` (k) have in the whole one."""

    problem: Problem
    lines: IntArray
    sources: IntArray

    def outward(self, flows: Iterable[Flow]) -> list[Flow]:
        """Flows of the small problem in positions of the whole one."""
        return [(int(self.lines[line]), int(self.sources[source]), units) for line, source, units in flows]

    def inward(self, flows: Iterable[Flow]) -> list[Flow]:
        """Flows of the whole problem in positions of the small one, which must have their lines and sources."""
        line_of, source_of = _positions(self.lines), _positions(self.sources)
        return [(line_of[line], source_of[source], units) for line, source, units in flows]

    def inward_sources(self, patterns: IntArray) -> IntArray:
        """Patterns as sources (N, n; -1: nowhere) in positions of the small problem, without those that it lacks."""
        place = np.searchsorted(self.sources, patterns)
        known = (np.append(self.sources, -1)[place] == patterns) | (patterns < 0)
        inward: IntArray = np.where(patterns < 0, -1, place)[known.all(axis=1)]
        return inward

    def prices(self, whole: Problem, prices: Prices) -> Prices:
        """Prices of the whole problem in positions of the small one, without those of cells that it has not."""
        return narrowed(prices, np.unique(whole.batch.product_of[self.lines]), self.sources)


def narrowed(prices: Prices, products: IntArray, sources: IntArray) -> Prices:
    """The prices of these cells alone (both ascending), in positions among them."""
    mine = np.isin(prices.products, products) & np.isin(prices.sources, sources)
    return Prices.of(
        np.searchsorted(products, prices.products[mine]),
        np.searchsorted(sources, prices.sources[mine]),
        prices.divisors[mine],
        prices.points[mine],
        prices.capacity,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Restriction:
    """Makes small problems of one large one.

    By order: what an earlier iteration uses, and the (capacity, source) places that earlier plans count for it.
    """

    problem: Problem
    used_by_order: Mapping[int, Used]
    counted_by_order: Mapping[int, Sequence[Pair]]

    @classmethod
    def of(cls, problem: Problem) -> "Restriction":
        """For this problem. Building it is linear in what is used, making a small problem in what it holds."""
        counted: dict[int, list[Pair]] = defaultdict(list)
        for number, capacity in enumerate(problem.capacities):
            for order, source in capacity.counted:
                counted[order].append((number, source))
        return cls(problem, _by_order(problem.used, problem.batch), counted)

    def to(self, lines: IntArray, offered: BoolArray, *, all_sources: bool = False) -> Restricted:
        """Only these lines (n, ascending), and of their pairs only those offered (n, S).

        Sources that their orders use already stay in the picture, offered or not: limits count them. With
        `all_sources` all of them stay, in their positions. Distances in metres, which no solver looks at, are left out
        of the small batch.
        """
        whole, batch = self.problem, self.problem.batch
        pairs = whole.allowed[lines] & offered
        orders, order_of = np.unique(batch.order_of[lines], return_inverse=True)
        products, product_of = np.unique(batch.product_of[lines], return_inverse=True)
        used = [self.used_by_order[order] for order in orders.tolist() if order in self.used_by_order]
        sources = np.flatnonzero(all_sources | pairs.any(axis=0) | _used_sources(used, batch.shape[1]))
        cells, table = np.ix_(products, sources), np.ix_(lines, sources)
        small = replace(
            batch,
            orders=_picked(batch.orders, orders),
            lines=_picked(batch.lines, lines),
            sources=_picked(batch.sources, sources),
            products=_picked(batch.products, products),
            order_of=order_of,
            product_of=product_of,
            destination_of=batch.destination_of[lines],
            units=batch.units[lines],
            metres=PlaceTable(np.empty(0, dtype=np.int64), np.empty((0, len(sources)), dtype=np.int32)),
            available=batch.available[cells],
        )
        at = _Places(_positions(lines), _positions(orders), _positions(sources))
        problem = replace(
            whole,
            batch=small,
            wanted=whole.wanted[lines],
            allowed=pairs[:, sources],
            km=whole.km.of(lines, sources) if _is_large(whole.km, lines) else whole.km[table],
            steps=whole.steps[table],
            stock=whole.stock[cells],
            weights=whole.weights[orders],
            split_limits=_picked(whole.split_limits, orders),
            capacities=self._capacities(orders.tolist(), at),
            costs=_narrowed(whole.costs, small, lines, table) if whole.costs else None,
            used=at.used(used),
            forced=at.pairs(whole.forced),
        )
        return Restricted(problem, lines, sources)

    def _capacities(self, orders: Sequence[int], at: "_Places") -> tuple[CapacityLimit, ...]:
        """The same room, at the sources that are left. Each keeps its number, even where no source is left."""
        counted: dict[int, set[Pair]] = defaultdict(set)
        for order in orders:
            for number, source in self.counted_by_order.get(order, ()):
                if source in at.source:
                    counted[number].add((at.order[order], at.source[source]))
        return tuple(
            replace(
                capacity,
                sources=tuple(at.source[source] for source in capacity.sources if source in at.source),
                counted=frozenset(counted[number]),
            )
            for number, capacity in enumerate(self.problem.capacities)
        )


@dataclass(frozen=True, slots=True)
class _Places:
    """Where lines, orders and sources of the whole problem stand in the small one."""

    line: Mapping[int, int]
    order: Mapping[int, int]
    source: Mapping[int, int]

    def stops(self, stops: Iterable[tuple[int, int]]) -> frozenset[tuple[int, int]]:
        return frozenset((self.order[o], self.source[s]) for o, s in stops if o in self.order and s in self.source)

    def visits(self, visits: Iterable[tuple[int, int]]) -> frozenset[tuple[int, int]]:
        return frozenset((self.line[line], self.source[s]) for line, s in visits if line in self.line)

    def pairs(self, pairs: Iterable[Pair]) -> tuple[Pair, ...]:
        return tuple((self.line[line], self.source[s]) for line, s in pairs if line in self.line and s in self.source)

    def legs(self, legs: Iterable[Journey]) -> frozenset[Journey]:
        return frozenset((self.order[order], group, self.source[source]) for order, group, source in legs)

    def used(self, parts: Sequence[Used]) -> Used:
        """What the orders use, in positions of the small problem."""
        return Used(
            paid_steps={
                (self.order[order], self.source[source]): steps
                for used in parts
                for (order, source), steps in used.paid_steps.items()
            },
            legs=self.legs(leg for used in parts for leg in used.legs),
            cost_legs=self.legs(leg for used in parts for leg in used.cost_legs),
            line_sources=self.visits(visit for used in parts for visit in used.line_sources),
            limited_shipments=self.stops(stop for used in parts for stop in used.limited_shipments),
            limited_line_sources=self.visits(visit for used in parts for visit in used.limited_line_sources),
        )


def _is_large(km: IntArray | PlaceTable, lines: IntArray) -> TypeGuard[PlaceTable]:
    """Whether a table of all lines would be worth sparing."""
    return isinstance(km, PlaceTable) and len(lines) >= LINES_BY_PLACE


def _positions(kept: IntArray) -> dict[int, int]:
    return {position: number for number, position in enumerate(kept.tolist())}


def _picked(values: tuple[T, ...], kept: IntArray) -> tuple[T, ...]:
    return tuple(values[position] for position in kept.tolist())


def _used_sources(used: Iterable[Used], sources: int) -> BoolArray:
    at = np.zeros(sources, dtype=bool)
    for part in used:
        at[[source for _, source in part.shipments]] = True
    return at


def _narrowed(costs: PairCosts, small: Batch, lines: IntArray, table: tuple[IntArray, ...]) -> PairCosts:
    factors = tuple(
        FactorCharges(each.factor_id, each.leg_cents[table], each.shipment_cents[table], each.part_cents[table])
        for each in costs.factors
    )
    return PairCosts(small, factors, costs.travel_group_of[lines])


def _by_order(used: Used, batch: Batch) -> dict[int, Used]:
    """What is used, order by order."""
    parts: dict[int, _Parts] = defaultdict(_Parts)
    for stop, steps in used.paid_steps.items():
        parts[stop[0]].paid_steps[stop] = steps
    for leg in used.legs:
        parts[leg[0]].legs.append(leg)
    for leg in used.cost_legs:
        parts[leg[0]].cost_legs.append(leg)
    for stop in used.limited_shipments:
        parts[stop[0]].limited_shipments.append(stop)
    for visit in used.line_sources:
        parts[int(batch.order_of[visit[0]])].line_sources.append(visit)
    for visit in used.limited_line_sources:
        parts[int(batch.order_of[visit[0]])].limited_line_sources.append(visit)
    return {order: part.frozen() for order, part in parts.items()}


@dataclass(slots=True)
class _Parts:
    """What one order uses, while it is gathered."""

    paid_steps: dict[Pair, int] = field(default_factory=dict)
    legs: list[Journey] = field(default_factory=list)
    cost_legs: list[Journey] = field(default_factory=list)
    limited_shipments: list[Pair] = field(default_factory=list)
    line_sources: list[Pair] = field(default_factory=list)
    limited_line_sources: list[Pair] = field(default_factory=list)

    def frozen(self) -> Used:
        return Used(
            self.paid_steps,
            frozenset(self.legs),
            frozenset(self.cost_legs),
            frozenset(self.line_sources),
            frozenset(self.limited_shipments),
            frozenset(self.limited_line_sources),
        )
