"""Tiny random cases that mix every rule. The same seed gives the same case, on every machine."""

from collections.abc import Callable, Mapping
from dataclasses import replace
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
from dom_core.domain.order import Bar, ExceptionKind, Line, LineState, Order
from dom_core.domain.request import PlanRequest, SourceLoad
from dom_core.domain.strategy import (
    InventoryMode,
    LocationPriorityMode,
    ObjectiveMode,
    Rates,
    RuleRecord,
    Strategy,
)

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
)
PRODUCTS: Mapping[str, Product] = {
    "A": Product("A", categories=("tools",), supplementary_categories=("heavy",)),
    "B": Product("B", categories=("toys",)),
    "B-red": Product("B-red", parent_id="B", categories=("toys",), supplementary_categories=("heavy",)),
}
LISTS = ("east", "west")


def generate(seed: int) -> PlanRequest:
    """The case of this seed: at most 4 orders, 3 sources, a few units."""
    random = Random(seed)
    now = random.choice(MOMENTS)
    sources = tuple(_source(random, f"S{number}") for number in range(1, random.choice((1, 2, 2, 3, 3, 3)) + 1))
    orders = tuple(
        _order(random, f"O{number}", sources, now) for number in range(1, random.choice((1, 2, 3, 3, 4, 4)) + 1)
    )
    return PlanRequest(
        plan_id=f"plan-{seed}",
        run_id=f"run-{seed}",
        now=now,
        strategy=_strategy(random),
        sources=sources,
        source_lists=_lists(random, sources),
        products=PRODUCTS,
        rules=_rules(random, sources, now),
        orders=orders,
        available=_stock(random, sources),
        loads={source.id: _load(random, orders) for source in sources if random.random() < 0.4},
    )


def _sometimes(random: Random, chance: float, value: Any, otherwise: Any = None) -> Any:
    return value if random.random() < chance else otherwise


def _source(random: Random, id: str) -> Source:
    location, zone = random.choice(PLACES)
    return Source(
        id,
        random.choice(list(SourceType)),
        location=_sometimes(random, 0.92, location),
        time_zone=_sometimes(random, 0.8, zone, "UTC"),
        legal_entity=_sometimes(random, 0.06, "other", "default"),
        use_real_inventory=random.random() < 0.88,
        active=random.random() < 0.94,
        calendar=random.choice((WorkingCalendar(), WorkingCalendar(tuple(Weekday)[:5]))),
        cut_off=_sometimes(random, 0.4, random.choice((time(9, 0), time(12, 0), time(18, 0), time(23, 30)))),
    )


def _strategy(random: Random) -> Strategy:
    return Strategy(
        "strategy",
        "all",
        sales_origins=random.choice(((), (), (), ("web",))),
        process_empty_sales_origin=random.random() < 0.5,
        modes_of_delivery=random.choice(((), (), (), ("standard",))),
        legal_entities=random.choice(((), (), ("default",))),
        inventory_mode=random.choices(list(InventoryMode), (6, 3, 1))[0],
        local_radius_km=random.choice((0.0, 0.0, 60.0, 1500.0)),
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
    return tuple(SourceList(id, (*(source.id for source in sources if random.random() < 0.6), "S9")) for id in LISTS)


def _stock(random: Random, sources: tuple[Source, ...]) -> dict[tuple[str, str], int]:
    plenty = random.choice((2, 4, 6))
    return {
        (product_id, source.id): random.randint(0, plenty)
        for product_id in PRODUCTS
        for source in sources
        if random.random() < 0.9
    }


def _load(random: Random, orders: tuple[Order, ...]) -> SourceLoad:
    ids = [order.id for order in orders] + ["O-earlier", "O-older"]
    return SourceLoad(
        open_order_ids=frozenset(id for id in ids if random.random() < 0.3),
        order_ids_today=frozenset(id for id in ids if random.random() < 0.3),
        lines_today=random.choice((0, 0, 1, 2)),
    )


# Orders


def _order(random: Random, id: str, sources: tuple[Source, ...], now: datetime) -> Order:
    home, _ = random.choice(PLACES)
    count = random.choices((1, 2, 3), (5, 4, 1))[0]
    lines = tuple(_line(random, str(number), home, sources, now) for number in range(1, count + 1))
    if random.random() < 0.05:
        lines = (*lines, replace(lines[0], id="done", state=LineState.SHIPPED, amount_cents=9_000))
    return Order(
        id,
        1,
        now - timedelta(hours=random.choice((1, 1, 2, 30))),
        lines,
        sales_origin=random.choice((None, "web", "web", "phone")),
        legal_entity=_sometimes(random, 0.04, "other", "default"),
        priority_class=random.choice((None, None, None, 1, 2, 3, 4, 5)),
        on_hold=random.random() < 0.03,
        cancelled=random.random() < 0.02,
        version=random.randint(0, 3),
    )


def _line(random: Random, id: str, home: Location, sources: tuple[Source, ...], now: datetime) -> Line:
    elsewhere, _ = random.choice(PLACES)
    product_id = random.choices((*PRODUCTS, WRITE_IN_PRODUCT_ID, "unlisted"), (8, 5, 4, 1, 1))[0]
    line = Line(
        id,
        product_id,
        random.choices((1, 2, 3, 4), (8, 5, 2, 1))[0],
        Address(),
        _sometimes(random, 0.97, _sometimes(random, 0.2, elsewhere, home)),
        random.choices(("standard", "express", "pickup"), (20, 3, 1))[0],
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
        return replace(line, state=random.choice((LineState.CANCELLED, LineState.EXCLUDED, LineState.PICKED)))
    return line


# Rules


def _rules(random: Random, sources: tuple[Source, ...], now: datetime) -> tuple[RuleRecord, ...]:
    """Each kind never, once or twice; hard or soft, enabled or not, in and out of date."""
    found = []
    for kind, (chance, params) in _KINDS.items():
        number = 0
        while random.random() < chance and number < 2:
            number += 1
            record = RuleRecord(
                f"{kind}-{number}",
                kind,
                params(random, sources),
                enabled=random.random() < 0.92,
                hard=random.random() < 0.45,
            )
            found.append(_dated(random, record, now.date()))
    return tuple(found)


def _dated(random: Random, record: RuleRecord, today: date) -> RuleRecord:
    """Sometimes dates that begin or end around today, so that the calendar of the source decides.

    A limit on the total of several sources has no calendar of its own: for it, only dates that are clear everywhere.
    """
    if random.random() < 0.75:
        return record
    together = any(line.get("per") == "total" for line in record.params.get("lines", ()))
    days = random.choice((-3, 3) if together else (-1, 0, 0, 1))
    if random.random() < 0.5:
        return replace(record, start_date=today + timedelta(days=days))
    return replace(record, end_date=today + timedelta(days=days))


def _place(random: Random, sources: tuple[Source, ...]) -> dict[str, str]:
    if random.random() < 0.6:
        return {"source_id": random.choice(sources).id}
    return {"source_list_id": random.choice(LISTS)}


def _place_or_everywhere(random: Random, sources: tuple[Source, ...]) -> dict[str, str]:
    return {} if random.random() < 0.4 else _place(random, sources)


def _scope(random: Random, sources: tuple[Source, ...]) -> dict[str, str]:
    items: tuple[dict[str, str], ...] = (
        {},
        {},
        {"product_id": random.choice(("A", "B", "B-red"))},
        {"supplementary_category": "heavy"},
        {"category": random.choice(("tools", "toys"))},
    )
    return {**_place_or_everywhere(random, sources), **random.choice(items)}


def _scoped_lines(random: Random, sources: tuple[Source, ...], most: int, field: str, values: Any) -> dict[str, Any]:
    """Parameter lines, each scope once: the same scope twice would contradict itself."""
    scopes = {tuple(sorted(_scope(random, sources).items())) for _ in range(random.randint(1, most))}
    return {"lines": [{**dict(scope), field: random.choice(values)} for scope in sorted(scopes)]}


def _minimum_inventory(random: Random, sources: tuple[Source, ...]) -> dict[str, Any]:
    params = _scoped_lines(random, sources, 3, "units", (1, 1, 2, 3))
    return params if random.random() < 0.4 else {**params, "mode": random.choice(("subtract", "exclude_if_below"))}


def _location_priority(random: Random, sources: tuple[Source, ...]) -> dict[str, Any]:
    params = _scoped_lines(random, sources, 5, "priority", (1, 2, 3, 10))
    everybody = [{"priority": random.choice((1, 4))}] if random.random() < 0.6 else []
    return {"lines": [line for line in params["lines"] if len(line) > 1] + everybody or [{"priority": 2}]}


def _partial_orders(random: Random, sources: tuple[Source, ...]) -> dict[str, Any]:
    """All nine combinations of the matrix, sometimes with the further limits."""
    partial_orders = random.random() < 0.7
    params: dict[str, Any] = {
        "max_sources": random.choice((1, 2, None)),
        "partial_orders": partial_orders,
        "partial_lines": partial_orders and random.random() < 0.5,
    }
    if random.random() < 0.25:
        params["max_sources_per_line"] = random.choice((1, 2))
    if random.random() < 0.2:
        params["never_split_below_cents"] = random.choice((1_000, 5_000))
    if random.random() < 0.15:
        params["never_split_products"] = [random.choice(("A", "B", "B-red"))]
    if random.random() < 0.15:
        params["never_split_categories"] = [random.choice(("tools", "toys"))]
    return params


def _offline_location(random: Random, sources: tuple[Source, ...]) -> dict[str, Any]:
    return {"places": [_place(random, sources)]}


def _maximum_rejects(random: Random, sources: tuple[Source, ...]) -> dict[str, Any]:
    return {"threshold": random.choice((1, 2, 3))}


def _maximum_distance(random: Random, sources: tuple[Source, ...]) -> dict[str, Any]:
    return _scoped_lines(random, sources, 2, "km", (50, 1_600, 2_500, 5_000, 15_000))


def _maximum_orders(random: Random, sources: tuple[Source, ...]) -> dict[str, Any]:
    places = {tuple(_place_or_everywhere(random, sources).items()) for _ in range(random.randint(1, 2))}
    return {"lines": [{**dict(place), **_capacity(random)} for place in sorted(places)]}


def _capacity(random: Random) -> dict[str, Any]:
    return {
        "limit": random.choice((0, 1, 1, 2, 2, 3, 4)),
        "basis": random.choice(("open_orders", "calendar_day", "lines_per_day")),
        "per": random.choice(("each", "total")),
    }


def _working_hours(random: Random, sources: tuple[Source, ...]) -> dict[str, Any]:
    return {}


_Params = Callable[[Random, tuple[Source, ...]], dict[str, Any]]

_KINDS: Mapping[str, tuple[float, _Params]] = {
    "minimum_inventory": (0.22, _minimum_inventory),
    "location_priority": (0.3, _location_priority),
    "partial_orders": (0.55, _partial_orders),
    "offline_location": (0.1, _offline_location),
    "maximum_rejects": (0.15, _maximum_rejects),
    "maximum_distance": (0.15, _maximum_distance),
    "maximum_orders": (0.3, _maximum_orders),
    "working_hours": (0.1, _working_hours),
}
