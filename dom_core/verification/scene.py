"""What a run had before it: lines, sources, stock and room, read from the request once more.

The rules and cost factors say themselves what they take out and what they charge; everything else, the distances among
it, is worked out here and not taken from the engine. Lines come in slices of whole orders, so that memory stays small.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dom_core.costs import build as build_cost
from dom_core.domain.batch import UNKNOWN_DISTANCE_M, Batch, PlaceTable
from dom_core.domain.network import WRITE_IN_PRODUCT_ID, Location, Product, Source
from dom_core.domain.order import Line
from dom_core.domain.plan import PlanLine
from dom_core.domain.reason import BoolArray, FloatArray, IntArray
from dom_core.domain.roads import NOT_MEASURED, RoadTable, place_of
from dom_core.domain.strategy import InventoryMode, LocationPriorityMode
from dom_core.domain.units import UNLIMITED_UNITS
from dom_core.optimizer.audit.subject import BoundRule, Subject
from dom_core.rules.base import DEFAULT_SPLIT_LIMITS, CapacityLimit, SplitLimits

EARTH_RADIUS_M = 6_371_009.0

SLICE_LINES = 1000
"""About so many lines are looked at together."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What the rules of an iteration leave of a slice: pairs (L, S), units (P, S), steps (L, S), limits by order."""

    allowed: BoolArray
    stock: IntArray
    steps: IntArray
    limits: tuple[SplitLimits, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Charged:
    """What cost factors charge for each pair (L, S), in cents: the way, the shipment, the part."""

    way_cents: IntArray
    shipment_cents: IntArray
    part_cents: IntArray

    def of(self, rows: IntArray) -> "Charged":
        """The charges of these lines."""
        return Charged(self.way_cents[rows], self.shipment_cents[rows], self.part_cents[rows])


class Scene:
    """The request of a plan, ready to be read slice by slice."""

    def __init__(self, subject: Subject) -> None:
        self.subject, self.request = subject, subject.request
        self.sources: tuple[Source, ...] = tuple(sorted(self.request.sources, key=lambda source: source.id))
        self.source_at = {source.id: column for column, source in enumerate(self.sources)}
        self._costs = [build_cost(record) for record in self.request.costs_in_force()]
        self._roads = _Roads(self.request.roads, self.sources) if self.request.roads else None
        self._open = np.array([source.active for source in self.sources], dtype=bool)

    def slices(self) -> Iterator[list[int]]:
        """Positions of the plan's lines, whole orders together."""
        by_order: dict[str, list[int]] = {}
        for position, line in enumerate(self.subject.plan.lines):
            by_order.setdefault(line.order_id, []).append(position)
        some: list[int] = []
        for positions in by_order.values():
            if some and len(some) + len(positions) > SLICE_LINES:
                yield some
                some = []
            some = some + positions
        if some:
            yield some

    def batch(self, lines: Sequence[PlanLine]) -> Batch:
        """These lines in columns, as rules and cost factors read them."""
        order_ids = list(dict.fromkeys(line.order_id for line in lines))
        order_at = {order_id: row for row, order_id in enumerate(order_ids)}
        product_ids = sorted({line.product_id for line in lines})
        product_at = {product_id: row for row, product_id in enumerate(product_ids)}
        asked = [self.subject.lines[line.order_id, line.line_id] for line in lines]
        products = tuple(self.request.products.get(product_id, Product(product_id)) for product_id in product_ids)
        return Batch(
            request=self.request,
            orders=tuple(self.subject.orders[order_id] for order_id in order_ids),
            lines=tuple(asked),
            sources=self.sources,
            products=products,
            order_of=np.array([order_at[line.order_id] for line in lines], dtype=np.int64),
            product_of=np.array([product_at[line.product_id] for line in lines], dtype=np.int64),
            destination_of=_numbered([line.location for line in asked]),
            units=np.array([line.units for line in lines], dtype=np.int64),
            metres=self._metres([line.location for line in asked]),
            available=self._available([product.id for product in products]),
        )

    def rules(self, iteration: int) -> list[BoundRule]:
        """The rules that act in an iteration: in the second without the soft ones."""
        return [bound for bound in self.subject.rules if iteration == 1 or not bound.dropped]

    def has_second(self) -> bool:
        """Whether iteration 2 has any rule to do without, in force anywhere."""
        return any(bound.dropped and self._in_force(bound).any() for bound in self.subject.rules) or any(
            bound.dropped and self.request.in_force_at(bound.record) for bound in self.subject.rules
        )

    def read(self, batch: Batch, iteration: int) -> Reading:
        """What the rules of an iteration leave."""
        rules = self.rules(iteration)
        stock = self._stock(batch, rules)
        allowed = self._gates(batch) & (stock >= 1)[batch.product_of]
        for bound in rules:
            if not self._only_ranks(bound):
                allowed &= ~self._taken_out(batch, bound)
        return Reading(allowed, stock, self._steps(batch, rules), self._limits(batch, rules))

    def charged(self, batch: Batch) -> Charged | None:
        """What the cost factors charge; None where the strategy counts no cost."""
        if not self._costs:
            return None
        none = np.zeros(batch.shape, dtype=np.int64)
        ways, shipments, parts = none.copy(), none.copy(), none.copy()
        for factor in self._costs:
            for total, cents in (
                (ways, factor.leg_cents(batch)),
                (shipments, factor.shipment_cents(batch)),
                (parts, factor.part_cents(batch)),
            ):
                total += 0 if cents is None else cents
        return Charged(ways, shipments, parts)

    def rooms(self, iteration: int) -> Iterator[CapacityLimit]:
        """The limits of orders in force, rule by rule; orders at the positions of `order_ids`."""
        for bound in self.rules(iteration):
            yield from (room for room in self._rooms_of(bound) if self._counts(bound, room.sources))

    def order_ids(self) -> list[str]:
        """The orders of the plan."""
        return list(dict.fromkeys(line.order_id for line in self.subject.plan.lines))

    def is_write_in(self, line: PlanLine) -> bool:
        """Whether the line's product is not in the catalogue."""
        return line.product_id == WRITE_IN_PRODUCT_ID

    def _rooms_of(self, bound: BoundRule) -> Iterator[CapacityLimit]:
        nothing = self.batch(())
        orders = tuple(self.subject.orders[order_id] for order_id in self.order_ids())
        everybody = Batch(
            **{name: getattr(nothing, name) for name in Batch.__slots__ if name != "orders"}, orders=orders
        )
        yield from bound.rule.capacities(everybody)

    def _counts(self, bound: BoundRule, sources: Sequence[int]) -> bool:
        """A limit of one source has its dates on that source's calendar, one that sources share has them in UTC."""
        if len(sources) == 1:
            return bool(self._in_force(bound)[sources[0]])
        return bool(sources) and self.request.in_force_at(bound.record)

    def _in_force(self, bound: BoundRule) -> BoolArray:
        return np.array([self.request.in_force_at(bound.record, source) for source in self.sources], dtype=bool)

    def _only_ranks(self, bound: BoundRule) -> bool:
        flag_decides = self.request.strategy.location_priority_mode is LocationPriorityMode.FLAG_DECIDES
        return bound.record.kind == "location_priority" and flag_decides and not bound.record.hard

    def _gates(self, batch: Batch) -> BoolArray:
        """What is never relaxed: active, of the order's legal entity, with stock, and not barred."""
        ours = [[source.legal_entity == order.legal_entity for source in self.sources] for order in batch.orders]
        open_here = np.array(ours, dtype=bool).reshape(len(batch.orders), len(self.sources))[batch.order_of]
        open_here = open_here & self._open & (batch.available >= 1)[batch.product_of]
        for row, line in enumerate(batch.lines):
            for bar in line.bars:
                if bar.source_id in self.source_at and bar.until > self.request.now:
                    open_here[row, self.source_at[bar.source_id]] = False
        gates: BoolArray = open_here
        return gates

    def _taken_out(self, batch: Batch, bound: BoundRule) -> BoolArray:
        out = np.zeros(batch.shape, dtype=bool)
        for rejection in bound.rule.reject_candidates(batch):
            out |= rejection.pairs
        if not bound.rule.applies_to_write_in:
            out &= np.array([[line.product_id != WRITE_IN_PRODUCT_ID] for line in batch.lines], dtype=bool)
        taken_out: BoolArray = out & self._in_force(bound)
        return taken_out

    def _stock(self, batch: Batch, rules: Sequence[BoundRule]) -> IntArray:
        kept = np.zeros_like(batch.available)
        for bound in rules:
            own = bound.rule.units_kept_back(batch)
            if own is not None:
                kept = np.maximum(kept, own * self._in_force(bound))
        counted = batch.available < UNLIMITED_UNITS
        return np.where(counted, np.maximum(batch.available - kept, 0), UNLIMITED_UNITS)

    def _steps(self, batch: Batch, rules: Sequence[BoundRule]) -> IntArray:
        worst = np.zeros(batch.shape, dtype=np.int64)
        for bound in rules:
            priorities = bound.rule.priorities(batch)
            if priorities is not None:
                worst = np.maximum(worst, (priorities - 1) * self._in_force(bound))
        return worst

    def _limits(self, batch: Batch, rules: Sequence[BoundRule]) -> tuple[SplitLimits, ...]:
        found = [DEFAULT_SPLIT_LIMITS] * len(batch.orders)
        linked = (bound.rule.split_limits(batch) for bound in rules if self.request.in_force_at(bound.record))
        for number, limits in enumerate(own for own in linked if own is not None):
            found = [b if number == 0 else a.stricter(b) for a, b in zip(found, limits, strict=True)]
        return tuple(found)

    def _available(self, product_ids: Sequence[str]) -> IntArray:
        units = np.full((len(product_ids), len(self.sources)), UNLIMITED_UNITS, dtype=np.int64)
        mode = self.request.strategy.inventory_mode
        for column, source in enumerate(self.sources):
            if source.use_real_inventory if mode is InventoryMode.INHERIT else mode is InventoryMode.REAL:
                for row, product_id in enumerate(product_ids):
                    if product_id != WRITE_IN_PRODUCT_ID:
                        units[row, column] = self.request.available.get((product_id, source.id), 0)
        return units

    def _metres(self, destinations: Sequence[Location | None]) -> PlaceTable:
        """The distances that count, each destination once: along the great circle, or by the request's table."""
        places = list(dict.fromkeys(destinations))
        metres = self._great_circle_m(places)
        if self._roads is not None:
            metres = self._roads.metres(places, metres)
        return PlaceTable(_numbered(destinations), metres.astype(np.int32))

    def _great_circle_m(self, places: Sequence[Location | None]) -> IntArray:
        """The haversine formula, in whole metres (places, S)."""
        here, known_here = _radians(places)
        there, known_there = _radians([source.location for source in self.sources])
        rise = np.sin((here[:, None, 0] - there[None, :, 0]) / 2)
        turn = np.sin((here[:, None, 1] - there[None, :, 1]) / 2)
        across = np.cos(here[:, None, 0]) * np.cos(there[None, :, 0]) * turn * turn
        metres = 2 * EARTH_RADIUS_M * np.arcsin(np.minimum(1.0, np.sqrt(rise * rise + across)))
        known = known_here[:, None] & known_there[None, :]
        return np.where(known, np.rint(metres), UNKNOWN_DISTANCE_M).astype(np.int64)


class _Roads:
    """The request's table of ways by road, its columns the sources of the run."""

    def __init__(self, table: RoadTable, sources: Sequence[Source]) -> None:
        self._percent = table.circuity_percent
        self._row = {place: row for row, place in enumerate(table.places)}
        known = {source_id: column for column, source_id in enumerate(table.source_ids)}
        columns = [known.get(source.id, len(known)) for source in sources]
        self._metres = np.pad(table.metres(), ((0, 1), (0, 1)), constant_values=NOT_MEASURED)[:, columns]

    def metres(self, places: Sequence[Location | None], great_circle_m: IntArray) -> IntArray:
        """By road, never less than the great circle; where nothing was measured, so many percent of it."""
        rows = [len(self._row) if place is None else self._row.get(place_of(place), len(self._row)) for place in places]
        measured = self._metres[rows]
        guessed = (great_circle_m * self._percent + 50) // 100
        metres = np.where(measured == NOT_MEASURED, guessed, np.maximum(measured, great_circle_m))
        return np.where(great_circle_m == UNKNOWN_DISTANCE_M, UNKNOWN_DISTANCE_M, metres)


def travel_groups(lines: Sequence[Line]) -> IntArray:
    """Lines to one destination by one mode of delivery have one number."""
    return _numbered([(line.location, line.mode_of_delivery) for line in lines])


def _numbered(values: Sequence[object]) -> IntArray:
    numbers: dict[object, int] = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in values], dtype=np.int64)


def _radians(places: Sequence[Location | None]) -> tuple[FloatArray, BoolArray]:
    degrees = [(place.latitude, place.longitude) if place else (0.0, 0.0) for place in places]
    known = np.array([place is not None for place in places], dtype=bool)
    return np.radians(np.array(degrees, dtype=np.float64).reshape(-1, 2)), known
