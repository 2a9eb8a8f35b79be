"""Rules of random cases: every kind, with every parameter, hard and soft, in and out of date."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from dom_core.domain.network import Source
from dom_core.domain.strategy import RuleRecord

LISTS = ("east", "west")


def some_dates(random: Random, today: date, days: tuple[int, ...]) -> dict[str, Any]:
    """Sometimes a start or an end so many days from today."""
    if random.random() < 0.75:
        return {}
    field = random.choice(("start_date", "end_date"))
    return {field: today + timedelta(days=random.choice(days))}


def some_rules(random: Random, sources: tuple[Source, ...], now: datetime) -> tuple[RuleRecord, ...]:
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


def some_room(random: Random, sources: tuple[Source, ...], now: datetime) -> RuleRecord:
    """A maximum-orders rule."""
    params = _maximum_orders(random, sources)
    record = RuleRecord("room", "maximum_orders", params, enabled=random.random() < 0.9, hard=random.random() < 0.6)
    return _dated(random, record, now.date())


def _dated(random: Random, record: RuleRecord, today: date) -> RuleRecord:
    """Sometimes dates that begin or end around today, so that the calendar of the source decides.

    A limit on the total of several sources has no calendar of its own: for it, only dates that are clear everywhere.
    """
    together = any(line.get("per") == "total" for line in record.params.get("lines", ()))
    return replace(record, **some_dates(random, today, (-3, 3) if together else (-1, 0, 0, 1)))


def place(random: Random, sources: tuple[Source, ...]) -> dict[str, str]:
    if random.random() < 0.6:
        return {"source_id": random.choice(sources).id}
    return {"source_list_id": random.choice(LISTS)}


def place_or_everywhere(random: Random, sources: tuple[Source, ...]) -> dict[str, str]:
    return {} if random.random() < 0.4 else place(random, sources)


def _scope(random: Random, sources: tuple[Source, ...]) -> dict[str, str]:
    items: tuple[dict[str, str], ...] = (
        {},
        {},
        {"product_id": random.choice(("A", "B", "B-red"))},
        {"supplementary_category": "heavy"},
        {"category": random.choice(("tools", "toys"))},
    )
    return {**place_or_everywhere(random, sources), **random.choice(items)}


def _scoped_lines(random: Random, sources: tuple[Source, ...], most: int, field: str, values: Any) -> dict[str, Any]:
    """Parameter lines, each scope once: the same scope twice would contradict itself."""
    scopes = {tuple(sorted(_scope(random, sources).items())) for _ in range(random.randint(1, most))}
    return {"lines": [{**dict(scope), field: random.choice(values)} for scope in sorted(scopes)]}


def _minimum_inventory(random: Random, sources: tuple[Source, ...]) -> dict[str, Any]:
    params = _scoped_lines(random, sources, 3, "units", (0, 1, 1, 2, 3))
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
    if random.random() < 0.35:
        params["max_sources_per_line"] = random.choice((1, 1, 2))
    if random.random() < 0.25:
        params["never_split_below_cents"] = random.choice((1_000, 5_000))
    if random.random() < 0.2:
        params["never_split_products"] = [random.choice(("A", "B", "B-red"))]
    if random.random() < 0.2:
        params["never_split_categories"] = [random.choice(("tools", "toys"))]
    return params


def _offline_location(random: Random, sources: tuple[Source, ...]) -> dict[str, Any]:
    return {"places": [place(random, sources)]}


def _maximum_rejects(random: Random, sources: tuple[Source, ...]) -> dict[str, Any]:
    return {"threshold": random.choice((1, 2, 3))}


def _maximum_distance(random: Random, sources: tuple[Source, ...]) -> dict[str, Any]:
    return _scoped_lines(random, sources, 2, "km", (50, 1_600, 2_500, 5_000, 15_000))


def _maximum_orders(random: Random, sources: tuple[Source, ...]) -> dict[str, Any]:
    places = {tuple(place_or_everywhere(random, sources).items()) for _ in range(random.randint(1, 2))}
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
