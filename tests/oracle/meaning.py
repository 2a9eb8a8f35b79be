"""What a request means, in plain dictionaries: read from docs/semantics.md, without the rules' or optimizer's code."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from math import asin, ceil, cos, radians, sin, sqrt
from typing import Any
from zoneinfo import ZoneInfo

from dom_core.domain.network import WRITE_IN_PRODUCT_ID, Location, Product, Source
from dom_core.domain.order import PICKUP_MODES, Line, LineState, Order
from dom_core.domain.request import PlanRequest
from dom_core.domain.strategy import InventoryMode, LocationPriorityMode, RuleRecord

EARTH_RADIUS_M = 6_371_009.0
CLASS_WEIGHTS = {None: 1, 1: 16, 2: 8, 3: 4, 4: 2, 5: 1}
UNLIMITED = 10**9

LineKey = tuple[str, str]
"""Order id, line id."""

Use = Mapping[tuple[LineKey, str], int]
"""Units per (line, source)."""


@dataclass(frozen=True)
class Pair:
    """One allowed (line, source) pair: its priority (0 for none), kilometres of the objective, and its leg."""

    priority: int
    km: int
    leg: Location | None


@dataclass(frozen=True)
class Limits:
    """How far one order may be torn apart; `None` is any number."""

    max_sources: int | None = None
    partial_orders: bool = True
    partial_lines: bool = True
    max_sources_per_line: int | None = None


@dataclass(frozen=True)
class Room:
    """At most `limit` orders (or lines) at these sources together; `already` of them were there before the run.

    `counted` holds the (order id, source id) pairs that are among those already there.
    """

    sources: frozenset[str]
    limit: int
    already: int
    per_line: bool
    counted: frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Rates:
    """Points per unit of each level, most important first."""

    unfilled_unit: int
    shipment: int
    priority_step: int
    kilometre: int

    def points(self, levels: tuple[int, ...]) -> int:
        """The total of these amounts."""
        rates = (self.unfilled_unit, self.shipment, self.priority_step, self.kilometre)
        return sum(amount * rate for amount, rate in zip(levels, rates, strict=True))


@dataclass(frozen=True)
class Meaning:
    """One iteration: what is allowed, what there is, and what it costs, before anything is assigned."""

    orders: tuple[tuple[Order, tuple[Line, ...]], ...]
    pairs: Mapping[tuple[LineKey, str], Pair]
    stock: Mapping[tuple[str, str], int]
    rooms: tuple[Room, ...]
    limits: Mapping[str, Limits]
    rates: Rates
    largest_distance_km: int


def of_iteration(request: PlanRequest, number: int) -> Meaning:
    """What iteration 1 (every rule hard) or 2 (soft rules gone) may do, before any assignment."""
    orders = eligible_orders(request)
    rules = _Rules(request, number)
    largest_km = _largest_distance_km(request, orders)
    return Meaning(
        orders=orders,
        pairs={
            (key, source.id): Pair(
                rules.priority(line, source), _objective_km(request, line, source, largest_km), line.location
            )
            for key, order, line, source in _all_pairs(request, orders)
            if rules.allow(order, line, source)
        },
        stock={
            (line.product_id, source.id): rules.allocatable(line, source)
            for _, _, line, source in _all_pairs(request, orders)
        },
        rooms=tuple(rules.rooms()),
        limits={order.id: rules.limits(order) for order, _ in orders},
        rates=_rates(request, largest_km),
        largest_distance_km=largest_km,
    )


def relaxes_something(request: PlanRequest) -> bool:
    """Whether some rule is in force in iteration 1 and not in iteration 2."""
    return any(
        record.enabled
        and not _binds_in(request, record, 2)
        and (in_force(request, record) or any(in_force(request, record, source) for source in request.sources))
        for record in request.rules
    )


# Lines


def eligible_orders(request: PlanRequest) -> tuple[tuple[Order, tuple[Line, ...]], ...]:
    """Orders with the lines that the run takes (section 6)."""
    thresholds = [
        record.params["threshold"]
        for record in request.rules
        if record.kind == "maximum_rejects" and record.enabled and in_force(request, record)
    ]
    taken = (
        (order, tuple(line for line in order.lines if _eligible(request, order, line, thresholds)))
        for order in request.orders
    )
    return tuple((order, lines) for order, lines in taken if lines)


def _eligible(request: PlanRequest, order: Order, line: Line, reject_thresholds: list[int]) -> bool:
    strategy = request.strategy
    origin_fits = (
        not strategy.sales_origins
        or order.sales_origin in strategy.sales_origins
        or (order.sales_origin is None and strategy.process_empty_sales_origin)
    )
    return (
        not order.cancelled
        and not order.on_hold
        and (not strategy.legal_entities or order.legal_entity in strategy.legal_entities)
        and origin_fits
        and (not strategy.modes_of_delivery or line.mode_of_delivery in strategy.modes_of_delivery)
        and line.mode_of_delivery not in PICKUP_MODES
        and not line.direct_delivery
        and line.state in (LineState.UNASSIGNED, LineState.EXCEPTION)
        and not (line.exception and line.exception.permanent)
        and line.attempts < strategy.max_attempts
        and line.location is not None
        and all(line.rejects < threshold for threshold in reject_thresholds)
    )


def _all_pairs(
    request: PlanRequest, orders: tuple[tuple[Order, tuple[Line, ...]], ...]
) -> Iterator[tuple[LineKey, Order, Line, Source]]:
    for order, lines in orders:
        for line in lines:
            for source in request.sources:
                yield (order.id, line.id), order, line, source


# Distances and rates


def distance_m(one: Location | None, other: Location | None) -> int | None:
    """Whole metres along the great circle (haversine); None where a place has no coordinates."""
    if one is None or other is None:
        return None
    north, south = radians(one.latitude), radians(other.latitude)
    east = radians(one.longitude - other.longitude)
    half = sin((north - south) / 2) ** 2 + cos(north) * cos(south) * sin(east / 2) ** 2
    return round(2 * EARTH_RADIUS_M * asin(sqrt(min(1.0, half))))


def _objective_km(request: PlanRequest, line: Line, source: Source, largest_km: int) -> int:
    metres = distance_m(line.location, source.location)
    if metres is None:
        return largest_km
    if metres <= request.strategy.local_radius_km * 1000:
        return 0
    return (metres + 500) // 1000


def _largest_distance_km(request: PlanRequest, orders: tuple[tuple[Order, tuple[Line, ...]], ...]) -> int:
    rules = _Rules(request, 2)
    metres = [
        distance_m(line.location, source.location) or 0
        for _, order, line, source in _all_pairs(request, orders)
        if rules.allow(order, line, source)
    ]
    return max(1000, 1000 * ceil(max(metres, default=0) / 1_000_000))


def _rates(request: PlanRequest, largest_km: int) -> Rates:
    ranked = any(
        record.kind == "location_priority" and record.enabled and in_force(request, record) for record in request.rules
    )
    given = request.strategy.rates
    shipment = (10 * largest_km if ranked else largest_km) if given.shipment is None else given.shipment
    step = (largest_km if ranked else 0) if given.priority_step is None else given.priority_step
    return Rates(
        unfilled_unit=4 * shipment if given.unfilled_unit is None else given.unfilled_unit,
        shipment=shipment,
        priority_step=step,
        kilometre=1 if given.kilometre is None else given.kilometre,
    )


# Rules


def in_force(request: PlanRequest, record: RuleRecord, source: Source | None = None) -> bool:
    """Whether the rule's dates, both inclusive, cover today: on the source's calendar, or in UTC without one."""
    today = request.now.astimezone(ZoneInfo(source.time_zone) if source else UTC).date()
    return (record.start_date or today) <= today <= (record.end_date or today)


def _binds_in(request: PlanRequest, record: RuleRecord, iteration: int) -> bool:
    """Whether this rule acts as a constraint at all in the iteration, dates aside."""
    if not record.enabled:
        return False
    always = record.kind == "location_priority" and (
        request.strategy.location_priority_mode is LocationPriorityMode.ALWAYS_HARD
    )
    return iteration == 1 or record.hard or always or record.kind == "maximum_rejects"


class _Rules:
    """The rules that act in one iteration."""

    def __init__(self, request: PlanRequest, iteration: int) -> None:
        self.request = request
        self.records = [record for record in request.rules if _binds_in(request, record, iteration)]

    def _of(self, kind: str, source: Source | None = None) -> list[RuleRecord]:
        return [r for r in self.records if r.kind == kind and in_force(self.request, r, source)]

    def allow(self, order: Order, line: Line, source: Source) -> bool:
        """Whether the gates and the rules leave this pair."""
        barred = any(bar.source_id == source.id and bar.until > self.request.now for bar in line.bars)
        return (
            source.active
            and source.legal_entity == order.legal_entity
            and not barred
            and self._member(line, source)
            and self.allocatable(line, source) >= 1
            and (is_write_in(line) or not self._ruled_out(line, source))
        )

    def _ruled_out(self, line: Line, source: Source) -> bool:
        return self._offline(source) or self._closed(source) or self._too_far(line, source)

    def _offline(self, source: Source) -> bool:
        return any(
            _place_rank(self.request, place, source) is not None
            for record in self._of("offline_location", source)
            for place in record.params["places"]
        )

    def _closed(self, source: Source) -> bool:
        local = source.local_time(self.request.now)
        open_now = source.calendar.is_working_day(local.date()) and (
            source.cut_off is None or local.time() < source.cut_off
        )
        return bool(self._of("working_hours", source)) and not open_now

    def _too_far(self, line: Line, source: Source) -> bool:
        metres = distance_m(line.location, source.location)
        limits_km = [
            entry["km"]
            for record in self._of("maximum_distance", source)
            for _, entry in _matches(self.request, record, line, source)
        ]
        return any(metres is None or metres > km * 1000 for km in limits_km)

    def allocatable(self, line: Line, source: Source) -> int:
        """Units of the line's product that this source may promise."""
        mode = self.request.strategy.inventory_mode
        counted = mode is InventoryMode.REAL or (mode is InventoryMode.INHERIT and source.use_real_inventory)
        if is_write_in(line) or not counted:
            return UNLIMITED
        available = self.request.available.get((line.product_id, source.id), 0)
        kept = [self._kept(record, line, source, available) for record in self._of("minimum_inventory", source)]
        return max(0, available - max(kept, default=0))

    def _kept(self, record: RuleRecord, line: Line, source: Source, available: int) -> int:
        units = max((entry["units"] for entry in _most_specific(self.request, record, line, source)), default=0)
        if record.params.get("mode", "subtract") == "subtract":
            return units
        return available if available < units else 0

    def _member(self, line: Line, source: Source) -> bool:
        """Whether every location-priority rule that speaks about the item names this source."""
        return all(
            _most_specific(self.request, record, line, source) or not self._speaks_of(record, line)
            for record in self._of("location_priority", source)
            if not _ranking_only(self.request, record)
        )

    def _speaks_of(self, record: RuleRecord, line: Line) -> bool:
        return any(_item_rank(self.request, entry, line) is not None for entry in record.params["lines"])

    def priority(self, line: Line, source: Source) -> int:
        """The worst priority that the rules give this pair; 0 when none does."""
        return max(
            (
                entry["priority"]
                for record in self._of("location_priority", source)
                for entry in _most_specific(self.request, record, line, source)
            ),
            default=0,
        )

    def limits(self, order: Order) -> Limits:
        """How far the order may be torn apart, all rules together."""
        records = self._of("partial_orders")
        if not records:
            return Limits(partial_lines=False)
        each = [self._limits_of(record.params, order) for record in records]
        partial_orders = all(one.partial_orders for one in each)
        return Limits(
            max_sources=_least(one.max_sources for one in each),
            partial_orders=partial_orders,
            partial_lines=partial_orders and all(one.partial_lines for one in each),
            max_sources_per_line=_least(one.max_sources_per_line for one in each),
        )

    def _limits_of(self, params: Mapping[str, Any], order: Order) -> Limits:
        below = params.get("never_split_below_cents")
        amount = sum(line.amount_cents for line in order.lines)
        whole = (below is not None and amount < below) or any(self._never_split(params, line) for line in order.lines)
        return Limits(
            1 if whole else params.get("max_sources"),
            params.get("partial_orders", True),
            params.get("partial_lines", False),
            params.get("max_sources_per_line"),
        )

    def _never_split(self, params: Mapping[str, Any], line: Line) -> bool:
        product = self.request.products.get(line.product_id, Product(line.product_id))
        names = {product.id, product.parent_id}
        categories = {*product.categories, *product.supplementary_categories}
        return bool(
            names & set(params.get("never_split_products", ()))
            or categories & set(params.get("never_split_categories", ()))
        )

    def rooms(self) -> Iterator[Room]:
        """Room at sources, per rule and parameter line."""
        for record in self.records:
            if record.kind == "maximum_orders":
                for entry in record.params["lines"]:
                    yield from self._rooms_of(record, entry)

    def _rooms_of(self, record: RuleRecord, entry: Mapping[str, Any]) -> Iterator[Room]:
        here = [
            source
            for source in self.request.sources
            if _place_rank(self.request, entry, source) is not None and in_force(self.request, record, source)
        ]
        together = entry.get("per", "each") == "total"
        for group in [here] if together else [[source] for source in here]:
            yield self._room(group, entry["limit"], entry.get("basis", "open_orders"))

    def _room(self, group: list[Source], limit: int, basis: str) -> Room:
        loads = [(source.id, self.request.load(source.id)) for source in group]
        if basis == "lines_per_day":
            return Room(frozenset(s for s, _ in loads), limit, sum(x.lines_today for _, x in loads), True, frozenset())
        counted = {
            (order_id, source_id)
            for source_id, load in loads
            for order_id in (load.order_ids_today if basis == "calendar_day" else load.open_order_ids)
        }
        return Room(frozenset(s for s, _ in loads), limit, len(counted), False, frozenset(counted))


def _ranking_only(request: PlanRequest, record: RuleRecord) -> bool:
    return request.strategy.location_priority_mode is LocationPriorityMode.FLAG_DECIDES and not record.hard


def is_write_in(line: Line) -> bool:
    """A product outside the catalogue: only location priority holds for it, stock is assumed (C8)."""
    return line.product_id == WRITE_IN_PRODUCT_ID


def _least(values: Iterator[int | None]) -> int | None:
    return min((value for value in values if value is not None), default=None)


# Scopes


def _place_rank(request: PlanRequest, entry: Mapping[str, Any], source: Source) -> int | None:
    """How specifically a parameter line names this source: 2 itself, 1 a list, 0 everywhere, None not at all."""
    if "source_id" in entry:
        return 2 if entry["source_id"] == source.id else None
    if "source_list_id" in entry:
        lists = [found for found in request.source_lists if found.id == entry["source_list_id"]]
        return 1 if any(source.id in found.source_ids for found in lists) else None
    return 0


def _item_rank(request: PlanRequest, entry: Mapping[str, Any], line: Line) -> int | None:
    """How specifically a parameter line names this product: variant 4, product 3, categories 2 and 1, all 0."""
    product = request.products.get(line.product_id, Product(line.product_id))
    if "product_id" in entry:
        if entry["product_id"] == product.id:
            return 4 if product.parent_id else 3
        return 3 if entry["product_id"] == product.parent_id else None
    if "supplementary_category" in entry:
        return 2 if entry["supplementary_category"] in product.supplementary_categories else None
    if "category" in entry:
        return 1 if entry["category"] in product.categories else None
    return 0


def _matches(
    request: PlanRequest, record: RuleRecord, line: Line, source: Source
) -> list[tuple[tuple[int, int], Mapping[str, Any]]]:
    """Parameter lines that speak about this pair, each with how specific it is: item first, then place."""
    found = []
    for entry in record.params["lines"]:
        item, place = _item_rank(request, entry, line), _place_rank(request, entry, source)
        if item is not None and place is not None:
            found.append(((item, place), entry))
    return found


def _most_specific(request: PlanRequest, record: RuleRecord, line: Line, source: Source) -> list[Mapping[str, Any]]:
    """The most specific parameter lines for this pair: several when they tie."""
    found = _matches(request, record, line, source)
    best = max((rank for rank, _ in found), default=None)
    return [entry for rank, entry in found if rank == best]
