"""Cost factors of random cases: every basis and band, by mode and place, active or not, in and out of date."""

from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from random import Random
from typing import Any

from dom_core.domain.network import Source
from dom_core.domain.strategy import CostFactorRecord
from tests.oracle.generation_rules import place_or_everywhere, some_dates

CENTS = (0, 1, 100, 100, 350, 795, 2_000)
"""Few different amounts, so that plans often cost the same and ties decide."""

CENTS_PER_KM = (0, 0.1, 0.0375, 1.25)
EDGES_KM = (0.0, 41.5, 60.0, 1638.238, 3000.0)
"""Ends of bands; one is exactly the way from Denver to Seattle."""


def some_cost_factors(random: Random, sources: tuple[Source, ...], now: datetime) -> tuple[CostFactorRecord, ...]:
    """Shipping and handling, each never, once or twice."""
    found = []
    for kind, line in (("shipping", _shipping_line), ("handling", _handling_line)):
        for number in range(1, random.choice((0, 1, 1, 2)) + 1):
            lines = [line(random, sources) for _ in range(random.randint(1, 3))]
            factor = CostFactorRecord(f"{kind}-{number}", kind, {"lines": lines}, active=random.random() < 0.9)
            found.append(replace(factor, **some_dates(random, now.date(), (-1, 0, 0, 1))))
    return tuple(found)


def _handling_line(random: Random, sources: tuple[Source, ...]) -> dict[str, Any]:
    amounts = random.choice((["per_order_cents"], ["per_line_cents"], ["per_order_cents", "per_line_cents"]))
    return {**place_or_everywhere(random, sources), **{amount: random.choice(CENTS) for amount in amounts}}


def _shipping_line(random: Random, sources: tuple[Source, ...]) -> dict[str, Any]:
    mode = random.choice(({}, {}, {"mode_of_delivery": "standard"}, {"mode_of_delivery": "express"}))
    basis = random.choice(("fixed", "per_km"))
    banded = random.random() < 0.5
    params: dict[str, Any] = {**place_or_everywhere(random, sources), **mode, "basis": basis}
    params |= {"bands": _bands(random, basis)} if banded else _amount(random, basis)
    return params | ({"default_cents": random.choice(CENTS)} if banded or basis == "per_km" else {})


def _bands(random: Random, basis: str) -> list[dict[str, Any]]:
    """Two or three distances in a row, and the amounts between them; the last band is often open."""
    edges: list[float | None] = [*sorted(random.sample(EDGES_KM, random.choice((2, 3))))]
    edges += [None] if random.random() < 0.5 else []
    return [{"from_km": near, "to_km": far, **_amount(random, basis)} for near, far in pairwise(edges)]


def _amount(random: Random, basis: str) -> dict[str, Any]:
    return {"cents": random.choice(CENTS)} if basis == "fixed" else {"cents_per_km": random.choice(CENTS_PER_KM)}
