"""What a request means, in plain dictionaries: read from docs/semantics.md, without the rules' or optimizer's code.

Scopes are in `scopes.py`, what cost factors charge in `pricing.py`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from functools import reduce
from itertools import combinations
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from dom_core.domain.network import WRITE_IN_PRODUCT_ID, Location, Product, Source
from dom_core.domain.order import PICKUP_MODES, Line, LineState, Order
from dom_core.domain.request import PlanRequest
from dom_core.domain.strategy import InventoryMode, LocationPriorityMode, MaximumOrdersAcross, RuleRecord, Strategy
from tests.oracle.distance import distance_m
from tests.oracle.pricing import Tariff, tariff_of
from tests.oracle.scopes import item_rank, matches, most_specific, place_rank

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

    def stricter(self, other: "Limits") -> "Limits":
        """Both limits together."""
        partial_orders = self.partial_orders and other.partial_orders
        return Limits(
            _least([self.max_sources, other.max_sources]),
            partial_orders,
            partial_orders and self.partial_lines and other.partial_lines,
            _least([self.max_sources_per_line, other.max_sources_per_line]),
        )


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
    """Points per unit of each level, most important first. By cost, a cent stands where a shipment does."""

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
    tariff: Tariff | None
    """What is charged when plans are compared by cost; None when they are compared by closeness."""

    def amount(self, levels: tuple[int, ...], *, strict: bool) -> tuple[int, ...]:
        """What is compared, most important first: the levels in strict mode, else the points.

        By cost, priority and kilometres have no points: they decide between equals. A step is worth any one way.
        """
        if strict:
            return levels
        _, _, steps, km = levels
        ties = (self.largest_distance_km * steps + km,) if self.tariff else ()
        return (self.rates.points(levels), *ties)


def of_iteration(request: PlanRequest, number: int) -> Meaning:
    """What iteration 1 (every rule hard) or 2 (soft rules gone) may do, before any assignment."""
    rules = _Rules(request, number)
    return _meaning(request, rules, rules.limits)


def of_round(request: PlanRequest, dropped: frozenset[str]) -> Meaning:
    """What iteration 2 may do in a round that drops only these of the soft rules.

    Rules that only rank do so in iteration 1 alone. No order may be torn farther apart than without any soft rule.
    """
    rules, relaxed = _Rules(request, 1), _Rules(request, 2)
    kept = [record for record in rules.records if record in relaxed.records or not _ranking_only(request, record)]
    rules.records = [record for record in kept if record.id not in dropped]
    return _meaning(request, rules, lambda order: rules.limits(order).stricter(relaxed.limits(order)))


def sets_to_relax(request: PlanRequest) -> list[frozenset[str]]:
    """The sets of soft rules that give way, round by round: the smallest first, equals by their sorted ids."""
    soft = sorted(
        record.id
        for record in request.rules
        if _binds_in(request, record, 1)
        and not _binds_in(request, record, 2)
        and not _ranking_only(request, record)
        and _in_force_somewhere(request, record)
    )
    return [frozenset(some) for size in range(1, len(soft) + 1) for some in combinations(soft, size)]


def _meaning(request: PlanRequest, rules: "_Rules", limits: Callable[[Order], Limits]) -> Meaning:
    orders = eligible_orders(request)
    largest_km = _largest_distance_km(request, orders)
    tariff = tariff_of(request)
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
        limits={order.id: limits(order) for order, _ in orders},
        rates=_cost_rates(request, tariff, orders) if tariff else _rates(request, largest_km),
        largest_distance_km=largest_km,
        tariff=tariff,
    )


def relaxes_something(request: PlanRequest) -> bool:
    """Whether some rule is in force in iteration 1 and not in iteration 2."""
    return any(
        record.enabled and not _binds_in(request, record, 2) and _in_force_somewhere(request, record)
        for record in request.rules
    )


def _in_force_somewhere(request: PlanRequest, record: RuleRecord) -> bool:
    return in_force(request, record) or any(in_force(request, record, source) for source in request.sources)


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
    return (
        not order.cancelled
        and not order.on_hold
        and _fits(request.strategy, order, line)
        and not any(_fits(claimant, order, line) for claimant in request.claimants)
        and line.mode_of_delivery not in PICKUP_MODES
        and not line.direct_delivery
        and line.state in (LineState.UNASSIGNED, LineState.EXCEPTION)
        and not (line.exception and line.exception.permanent)
        and line.attempts < request.strategy.max_attempts
        and line.location is not None
        and all(line.rejects < threshold for threshold in reject_thresholds)
    )


def _fits(strategy: Strategy, order: Order, line: Line) -> bool:
    """Whether a strategy takes lines of this legal entity, sales origin and mode of delivery."""
    origin_fits = (
        not strategy.sales_origins
        or order.sales_origin in strategy.sales_origins
        or (order.sales_origin is None and strategy.process_empty_sales_origin)
    )
    return (
        (not strategy.legal_entities or order.legal_entity in strategy.legal_entities)
        and origin_fits
        and (not strategy.modes_of_delivery or line.mode_of_delivery in strategy.modes_of_delivery)
    )


def _all_pairs(
    request: PlanRequest, orders: tuple[tuple[Order, tuple[Line, ...]], ...]
) -> Iterator[tuple[LineKey, Order, Line, Source]]:
    for order, lines in orders:
        for line in lines:
            for source in request.sources:
                yield (order.id, line.id), order, line, source


# Distances and rates


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


def _cost_rates(request: PlanRequest, tariff: Tariff, orders: tuple[tuple[Order, tuple[Line, ...]], ...]) -> Rates:
    """A cent is a point; a unit is worth four times the dearest shipment that iteration 2 would allow."""
    rules = _Rules(request, 2)
    dearest = max(
        (
            sum(tariff.charges(order.id, [line for line in lines if rules.allow(order, line, source)], source).values())
            for order, lines in orders
            for source in request.sources
        ),
        default=0,
    )
    given = request.strategy.rates.unfilled_unit
    return Rates(4 * max(1, dearest) if given is None else given, 1, 0, 0)


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
            place_rank(self.request, place, source) is not None
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
            for _, entry in matches(self.request, record, line, source)
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
        units = max((entry["units"] for entry in most_specific(self.request, record, line, source)), default=0)
        if record.params.get("mode", "subtract") == "subtract":
            return units
        return available if available < units else 0

    def _member(self, line: Line, source: Source) -> bool:
        """Whether every location-priority rule that speaks about the item names this source."""
        return all(
            most_specific(self.request, record, line, source) or not self._speaks_of(record, line)
            for record in self._of("location_priority", source)
            if not _ranking_only(self.request, record)
        )

    def _speaks_of(self, record: RuleRecord, line: Line) -> bool:
        return any(item_rank(self.request, entry, line) is not None for entry in record.params["lines"])

    def priority(self, line: Line, source: Source) -> int:
        """The worst priority that the rules give this pair; 0 when none does."""
        return max(
            (
                entry["priority"]
                for record in self._of("location_priority", source)
                for entry in most_specific(self.request, record, line, source)
            ),
            default=0,
        )

    def limits(self, order: Order) -> Limits:
        """How far the order may be torn apart, all rules together."""
        records = self._of("partial_orders")
        if not records:
            return Limits(partial_lines=False)
        return reduce(Limits.stricter, [self._limits_of(record.params, order) for record in records])

    def _limits_of(self, params: Mapping[str, Any], order: Order) -> Limits:
        below = params.get("never_split_below_cents")
        amount = sum(line.amount_cents for line in order.lines)
        whole = (below is not None and amount < below) or any(self._never_split(params, line) for line in order.lines)
        return Limits(
            1 if whole else params.get("max_sources"),
            params.get("partial_orders", True),
            params.get("partial_orders", True) and params.get("partial_lines", False),
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
        """Room at sources: per source and basis the lowest own limit, or a higher one of another strategy (C3)."""
        limits: dict[tuple[str, str], int] = {}
        for entry, sources in _entries_of_rooms(self.request, self.records, self.request.sources):
            basis, limit = entry.get("basis", "open_orders"), entry["limit"]
            if entry.get("per", "each") == "total":
                yield self._room(sorted({*sources, *self._of_other_strategies(entry)}), limit, basis)
                continue
            for id in sources:
                limits[id, basis] = min(limit, limits.get((id, basis), limit))
        for (id, basis), limit in limits.items():
            yield self._room([id], max([limit, *self._limits_elsewhere(id, basis)]), basis)

    def _limits_elsewhere(self, source_id: str, basis: str) -> Iterator[int]:
        """What each other strategy has for a limit of this source, if this one wants to know."""
        if self.request.strategy.maximum_orders_across is MaximumOrdersAcross.OWN:
            return
        for other in self.request.limits_elsewhere:
            here = [
                source for source in self.request.sources if source.id == source_id and source.id in other.source_ids
            ]
            enabled = [record for record in other.rules if record.enabled]
            limits = [
                entry["limit"]
                for entry, sources in _entries_of_rooms(self.request, enabled, here)
                if sources and entry.get("per", "each") == "each" and entry.get("basis", "open_orders") == basis
            ]
            yield from [min(limits)] if limits else []

    def _of_other_strategies(self, entry: Mapping[str, Any]) -> set[str]:
        """Members of a list that this run does not have: they count in the list's total."""
        own = {source.id for source in self.request.sources}
        lists = [found for found in self.request.source_lists if found.id == entry.get("source_list_id")]
        return {id for found in lists for id in found.source_ids} - own

    def _room(self, group: list[str], limit: int, basis: str) -> Room:
        loads = [(source_id, self.request.load(source_id)) for source_id in group]
        if basis == "lines_per_day":
            return Room(frozenset(group), limit, sum(load.lines_today for _, load in loads), True, frozenset())
        counted = {
            (order_id, source_id)
            for source_id, load in loads
            for order_id in (load.order_ids_today if basis == "calendar_day" else load.open_order_ids)
        }
        return Room(frozenset(group), limit, len(counted), False, frozenset(counted))


def _entries_of_rooms(
    request: PlanRequest, records: Iterable[RuleRecord], sources: Iterable[Source]
) -> Iterator[tuple[Mapping[str, Any], list[str]]]:
    """Parameter lines of maximum-orders rules, each with those of the sources that it limits today."""
    for record in records:
        if record.kind == "maximum_orders":
            for entry in record.params["lines"]:
                here = [source for source in sources if place_rank(request, entry, source) is not None]
                in_date = [source.id for source in here if in_force(request, record, source)]
                if in_date:
                    yield entry, in_date


def _ranking_only(request: PlanRequest, record: RuleRecord) -> bool:
    by_flag = request.strategy.location_priority_mode is LocationPriorityMode.FLAG_DECIDES
    return record.kind == "location_priority" and by_flag and not record.hard


def is_write_in(line: Line) -> bool:
    """A product outside the catalogue: only location priority holds for it, stock is assumed (C8)."""
    return line.product_id == WRITE_IN_PRODUCT_ID


def _least(values: Iterable[int | None]) -> int | None:
    return min((value for value in values if value is not None), default=None)
