"""Random cases, tiny or small, that mix every rule. The same seed gives the same case, on every machine."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from dom_core.domain.network import (
    WRITE_IN_PRODUCT_ID,
    Address,
    Location,
    Product,
    Source,
    SourceList,
    SourceType,
    Weekday,
    WorkingCalendar,
)
from dom_core.domain.order import PICKUP_MODES, Acceptance, Bar, ExceptionKind, Line, LineAssignment, LineState, Order
from dom_core.domain.request import LimitsElsewhere, PlanRequest, SourceLoad
from dom_core.domain.strategy import (
    MAX_RULES_TO_RELAX,
    CostFactorRecord,
    InventoryMode,
    LocationPriorityMode,
    MaximumOrdersAcross,
    Objective,
    ObjectiveMode,
    Rates,
    Relaxation,
    RuleRecord,
    Strategy,
)
from tests.oracle.generation_costs import some_cost_factors
from tests.oracle.generation_rules import LISTS, some_room, some_rules

PLACES: tuple[tuple[Location, str], ...] = (
    (Location(47.6, -122.3), "America/Los_Angeles"),
    (Location(47.25, -122.44), "America/Los_Angeles"),
    (Location(34.05, -118.24), "America/Los_Angeles"),
    (Location(39.74, -104.99), "America/Denver"),
    (Location(41.88, -87.63), "America/Chicago"),
    (Location(40.71, -74.01), "America/New_York"),
    (Location(21.31, -157.86), "Pacific/Honolulu"),
    (Location(-36.85, 174.76), "Pacific/Auckland"),
    (Location(51.51, -0.13), "UTC"),
)
"""Where sources and customers are, with the clock on the wall there."""

MOMENTS = (
    datetime(2026, 3, 2, 15, 0, tzinfo=UTC),
    datetime(2026, 3, 2, 2, 30, tzinfo=UTC),  # still Sunday in America
    datetime(2026, 3, 6, 20, 0, tzinfo=UTC),  # already Saturday in Auckland
    datetime(2026, 3, 8, 19, 30, tzinfo=UTC),  # clocks went forward in America this Sunday morning: past noon
)
ELSEWHERE = "S9"
"""A source of other strategies: lists name it, and it has orders, but this run cannot use it."""

PRODUCTS: Mapping[str, Product] = {
    "A": Product("A", categories=("tools",), supplementary_categories=("heavy",)),
    "B": Product("B", categories=("toys",)),
    "B-red": Product("B-red", parent_id="B", categories=("toys",), supplementary_categories=("heavy",)),
}


@dataclass(frozen=True, slots=True)
class Size:
    """How many sources and orders a case may have, and lines an order, with their weights; and of which products."""

    sources: tuple[int, ...]
    orders: tuple[int, ...]
    lines: Mapping[int, int]
    products: Mapping[str, Product]


TINY = Size((1, 2, 2, 3, 3, 3), (1, 2, 3, 3, 4, 4), {1: 5, 2: 4, 3: 1}, PRODUCTS)
"""At most 4 orders, 3 sources, a few units: brute force tries everything."""

SMALL = Size(
    (3, 4, 5, 6, 8),
    (8, 10, 12, 16, 20),
    {1: 8, 2: 6, 3: 4, 4: 2, 6: 1, 8: 1, 10: 1},
    {
        **PRODUCTS,
        "C": Product("C", categories=("tools",), supplementary_categories=("heavy",)),
        "D": Product("D", categories=("toys",)),
        "E": Product("E", categories=("tools",)),
    },
)
"""Some 20 to 60 lines, which compete for little stock; orders of more lines than a pattern has among them."""


def generate(seed: int, size: Size = TINY) -> PlanRequest:
    """The case of this seed."""
    random = Random(seed)
    now = random.choice(MOMENTS)
    sources = tuple(_source(random, f"S{number}", now) for number in range(1, random.choice(size.sources) + 1))
    orders = tuple(
        _order(random, f"O{number}", sources, now, size) for number in range(1, random.choice(size.orders) + 1)
    )
    shippers = [*(source.id for source in sources), ELSEWHERE]
    request = PlanRequest(
        plan_id=f"plan-{seed}",
        run_id=f"run-{seed}",
        now=now,
        strategy=_strategy(random),
        sources=sources,
        source_lists=_lists(random, sources),
        products=size.products,
        rules=some_rules(random, sources, now),
        orders=orders,
        available=_stock(random, sources, size.products),
        loads={id: _load(random, id, orders) for id in shippers if random.random() < 0.5},
        cost_factors=some_cost_factors(random, sources, now) if random.random() < 0.8 else (),
    )
    request = _open_to_all(request) if random.random() < 0.5 else request
    request = _with_leftovers(random, request) if random.random() < 0.25 else request
    request = _with_flat_costs(random, request) if random.random() < 0.15 else request
    request = _with_other_strategies(random, request) if random.random() < 0.25 else request
    return _sparing(request) if random.random() < 0.25 else request


def _with_other_strategies(random: Random, request: PlanRequest) -> PlanRequest:
    """A case in which other strategies limit the orders of sources, or take some of the lines."""
    elsewhere = []
    for number in range(random.randint(1, 2)):
        rules = (some_room(random, request.sources, request.now) for _ in range(random.randint(1, 2)))
        known = [*(source.id for source in request.sources if random.random() < 0.7), ELSEWHERE]
        elsewhere.append(LimitsElsewhere(f"other-{number}", frozenset(known), tuple(rules)))
    claimant = Strategy("claimant", "all", modes_of_delivery=("express",), sales_origins=random.choice(((), ("web",))))
    across = random.choice((MaximumOrdersAcross.HIGHEST, MaximumOrdersAcross.HIGHEST, MaximumOrdersAcross.OWN))
    room = some_room(random, request.sources, request.now) if random.random() < 0.5 else None
    return replace(
        request,
        strategy=replace(request.strategy, maximum_orders_across=across),
        rules=(*request.rules, replace(room, id="own-room")) if room else request.rules,
        limits_elsewhere=tuple(elsewhere),
        claimants=(claimant,) if random.random() < 0.3 else (),
    )


def _sparing(request: PlanRequest) -> PlanRequest:
    """A case in which as few soft rules as possible give way, where they are not too many to try.

    At the default rates, because a unit must be worth its way: otherwise it is open which round places it.
    """
    if sum(rule.enabled and not rule.hard for rule in request.rules) > MAX_RULES_TO_RELAX:
        return request
    return replace(request, strategy=replace(request.strategy, relaxation=Relaxation.MINIMAL, rates=Rates()))


def _with_leftovers(random: Random, request: PlanRequest) -> PlanRequest:
    """A case with much for iteration 2 to add to what iteration 1 sends: units that a soft rule keeps back."""
    fence = RuleRecord(
        "kept-back", "minimum_inventory", {"lines": [{"units": random.choice((1, 1, 2))}]}, hard=random.random() < 0.1
    )
    any_quantity = {"max_sources": None, "partial_orders": True, "partial_lines": True}
    parts = RuleRecord("any-quantity", "partial_orders", any_quantity, hard=random.random() < 0.8)
    others = tuple(rule for rule in request.rules if rule.kind not in (fence.kind, parts.kind))
    more = {cell: units + random.choice((0, 1, 1)) for cell, units in request.available.items()}
    rules = (*others, fence, parts) if random.random() < 0.6 else (*request.rules, fence)
    return replace(request, rules=rules, available=more)


def _with_flat_costs(random: Random, request: PlanRequest) -> PlanRequest:
    """A case where many plans cost the same, so that priority and kilometres decide."""
    ranks = [{"source_id": source.id, "priority": random.choice((1, 2, 3))} for source in request.sources]
    others = tuple(rule for rule in request.rules if rule.kind != "location_priority")
    return replace(
        request,
        strategy=replace(request.strategy, objective=Objective.COST),
        rules=(*others, RuleRecord("ranks", "location_priority", {"lines": ranks}, hard=random.random() < 0.7)),
        cost_factors=(CostFactorRecord("flat", "handling", {"lines": [{"per_order_cents": 100}]}),),
    )


def _open_to_all(request: PlanRequest) -> PlanRequest:
    """The case without most of what keeps lines and sources out: so more is left for limits and prices to decide."""

    def open_line(line: Line) -> Line:
        if line.assignment:
            return line
        mode = "standard" if line.mode_of_delivery in PICKUP_MODES else line.mode_of_delivery
        free = replace(line, mode_of_delivery=mode, direct_delivery=False, attempts=0)
        return free if line.bars else replace(free, state=LineState.UNASSIGNED, exception=None)

    return replace(
        request,
        strategy=replace(request.strategy, sales_origins=(), modes_of_delivery=(), legal_entities=()),
        sources=tuple(replace(source, active=True, legal_entity="default") for source in request.sources),
        orders=tuple(
            replace(order, legal_entity="default", on_hold=False, lines=tuple(map(open_line, order.lines)))
            for order in request.orders
        ),
    )


def _sometimes(random: Random, chance: float, value: Any, otherwise: Any = None) -> Any:
    return value if random.random() < chance else otherwise


def _source(random: Random, id: str, now: datetime) -> Source:
    location, zone = random.choice(PLACES)
    return Source(
        id,
        random.choice(list(SourceType)),
        location=_sometimes(random, 0.92, location),
        time_zone=_sometimes(random, 0.8, zone, "UTC"),
        legal_entity=_sometimes(random, 0.1, "other", "default"),
        use_real_inventory=random.random() < 0.88,
        active=random.random() < 0.94,
        calendar=random.choice((WorkingCalendar(), WorkingCalendar(tuple(Weekday)[:5]), _holidays(random, now.date()))),
        cut_off=_sometimes(
            random, 0.4, random.choice((time(7, 0), time(9, 0), time(12, 0), time(15, 0), time(23, 30)))
        ),
    )


def _holidays(random: Random, today: date) -> WorkingCalendar:
    """A calendar with a day off, or an extra day, about now."""
    days = (today + timedelta(days=random.choice((-1, 0))),)
    weekdays = tuple(Weekday)
    return WorkingCalendar(weekdays, closed_dates=days) if random.random() < 0.5 else WorkingCalendar((), (), days)


def _strategy(random: Random) -> Strategy:
    return Strategy(
        "strategy",
        "all",
        sales_origins=random.choice(((), (), (), ("web",))),
        process_empty_sales_origin=random.random() < 0.5,
        modes_of_delivery=random.choice(((), (), (), ("standard",))),
        legal_entities=random.choice(((), (), ("default",), ("default", "other"))),
        inventory_mode=random.choices(list(InventoryMode), (6, 3, 1))[0],
        local_radius_km=random.choice((0.0, 60.0, 1500.0, 2800.0, 4000.0)),
        objective=random.choice(list(Objective)),
        objective_mode=random.choices(list(ObjectiveMode), (2, 1))[0],
        rates=_sometimes(random, 0.2, _rates(random), Rates()),
        location_priority_mode=random.choice(list(LocationPriorityMode)),
        max_attempts=3,
    )


def _rates(random: Random) -> Rates:
    return Rates(
        unfilled_unit=random.choice((None, 0, 500, 20_000)),
        shipment=random.choice((None, 0, 700, 3_000)),
        priority_step=random.choice((None, 0, 40, 2_500)),
        kilometre=random.choice((None, 0, 1, 3)),
    )


def _lists(random: Random, sources: tuple[Source, ...]) -> tuple[SourceList, ...]:
    """Lists that also name a source of another strategy, which this run does not have."""
    return tuple(
        SourceList(id, (*(source.id for source in sources if random.random() < 0.6), ELSEWHERE)) for id in LISTS
    )


def _stock(random: Random, sources: tuple[Source, ...], products: Mapping[str, Product]) -> dict[tuple[str, str], int]:
    plenty = random.choice((1, 2, 3, 6))
    return {
        (product_id, source.id): random.randint(0, plenty)
        for product_id in products
        for source in sources
        if random.random() < 0.9
    }


def _load(random: Random, source_id: str, orders: tuple[Order, ...]) -> SourceLoad:
    """Orders that are already there: some of this case, with what was assigned before, and some of no matter."""
    ids = [order.id for order in orders] + ["O-earlier", "O-older"]
    earlier = {order.id for order in orders for line in order.lines if _is_at(line, source_id)}
    return SourceLoad(
        open_order_ids=frozenset(id for id in ids if id in earlier or random.random() < 0.25),
        order_ids_today=frozenset(id for id in ids if id in earlier or random.random() < 0.25),
        lines_today=random.choice((0, 0, 1, 2)),
    )


def _is_at(line: Line, source_id: str) -> bool:
    return line.assignment is not None and line.assignment.source_id == source_id


# Orders


def _order(random: Random, id: str, sources: tuple[Source, ...], now: datetime, size: Size) -> Order:
    home, _ = random.choice(PLACES)
    count = random.choices(tuple(size.lines), tuple(size.lines.values()))[0]
    product_ids = tuple(size.products)
    lines = tuple(_line(random, str(number), home, sources, now, product_ids) for number in range(1, count + 1))
    if random.random() < 0.18:
        lines = (*lines, _planned_earlier(random, lines[0], sources, now))
    return Order(
        id,
        1,
        now - timedelta(hours=random.choice((1, 1, 2, 30))),
        lines,
        sales_origin=random.choice((None, "web", "web", "phone")),
        legal_entity=_sometimes(random, 0.1, "other", "default"),
        priority_class=random.choice((None, None, None, 1, 2, 3, 4, 5)),
        on_hold=random.random() < 0.03,
        cancelled=random.random() < 0.02,
        version=random.randint(0, 3),
    )


def _line(
    random: Random, id: str, home: Location, sources: tuple[Source, ...], now: datetime, product_ids: tuple[str, ...]
) -> Line:
    elsewhere, _ = random.choice(PLACES)
    weights = (8, 5, 4, *(4 for _ in product_ids[3:]), 1, 1)
    product_id = random.choices((*product_ids, WRITE_IN_PRODUCT_ID, "unlisted"), weights)[0]
    line = Line(
        id,
        product_id,
        random.choices((1, 2, 3, 4), (7, 6, 3, 1))[0],
        Address(),
        _sometimes(random, 0.97, _sometimes(random, 0.2, elsewhere, home)),
        random.choices(("standard", "express", "pickup", "electronic"), (30, 10, 1, 1))[0],
        amount_cents=random.choice((0, 500, 2_000, 6_000)),
        direct_delivery=random.random() < 0.02,
        attempts=random.choices((0, 1, 2, 3), (10, 2, 2, 1))[0],
    )
    return _with_history(random, line, sources, now)


def _with_history(random: Random, line: Line, sources: tuple[Source, ...], now: datetime) -> Line:
    """Sometimes a line that was refused before, or that some state keeps out of the run."""
    throw = random.random()
    if throw < 0.12:
        until = now + random.choice((timedelta(days=3), timedelta(seconds=1), timedelta(0), -timedelta(days=1)))
        bars = tuple(Bar(source.id, until) for source in random.sample(sources, random.randint(1, len(sources))))
        kind = ExceptionKind.REJECTED
        return replace(line, state=LineState.EXCEPTION, exception=kind, rejects=random.randint(1, 4), bars=bars)
    if throw < 0.15:
        return replace(line, state=LineState.EXCEPTION, exception=random.choice(list(ExceptionKind)))
    if throw < 0.17:
        return replace(line, state=random.choice((LineState.CANCELLED, LineState.EXCLUDED)))
    return line


def _planned_earlier(random: Random, line: Line, sources: tuple[Source, ...], now: datetime) -> Line:
    """A line that a source has already: this run leaves it alone, but the order is worth more, and is there."""
    assignment = LineAssignment(
        random.choice(sources).id,
        "plan-earlier",
        "strategy",
        random.choice((1, 2)),
        None,
        random.choice(list(Acceptance)),
        now - timedelta(hours=5),
    )
    state = random.choice((LineState.ASSIGNED, LineState.ASSIGNED, LineState.PICKED, LineState.SHIPPED))
    return replace(line, id="done", state=state, exception=None, assignment=assignment, bars=(), amount_cents=9_000)
