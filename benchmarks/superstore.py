"""All orders of the Superstore sample, by the example's strategies: real demand, every kind of rule.

The example keeps four weeks; this takes all four years as one batch, with the limits of orders raised as much as there
are more orders, and with the stock that every four weeks would get, all at once. Every rule is hard here, so that there
is one iteration and one bound. How to get the sample: examples/superstore/README.md.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dom_core.adapters.geocoding.offline import OfflineGeocoder
from dom_core.domain.network import Source, SourceType
from dom_core.domain.order import Order
from dom_core.domain.request import PlanRequest
from dom_core.domain.strategy import MAXIMUM_ORDERS, RuleRecord
from dom_core.messages.orders import IntakeOrder
from examples.superstore import demand, network, policy, stock

NOW = datetime(2018, 1, 2, 17, 0, tzinfo=UTC)
"""A Tuesday morning after the last order, at which every source is open."""

STRATEGIES = tuple(strategy.id for strategy in policy.strategies())

_WINDOW = timedelta(weeks=4)
_EXAMPLE_ORDERS = 245
"""Orders of the example, for which its limits are meant."""


def request_of(csv: Path, strategy_id: str) -> PlanRequest:
    """The whole sample for one of the example's strategies. Raises OSError, InvalidInput."""
    rows = demand.read_rows(csv)
    intake = demand.orders(rows)
    strategy = next(each for each in policy.strategies() if each.id == strategy_id)
    linked = [rule for rule in policy.rules() if rule.id in strategy.rule_ids]
    factor = max(1, round(len(intake) / _EXAMPLE_ORDERS))
    return PlanRequest(
        plan_id="plan",
        run_id="run",
        now=NOW,
        strategy=strategy,
        sources=network.sources(),
        source_lists=network.source_lists(),
        products={product.id: product for product in demand.products(rows)},
        rules=tuple(replace(_roomier(rule, factor), hard=True) for rule in linked),
        orders=_located(intake),
        available=_available(intake, network.sources()),
        loads={},
    )


def _roomier(rule: RuleRecord, factor: int) -> RuleRecord:
    if rule.kind != MAXIMUM_ORDERS:
        return rule
    lines: list[dict[str, Any]] = [line | {"limit": line["limit"] * factor} for line in rule.params["lines"]]
    return replace(rule, params=rule.params | {"lines": lines})


def _located(intake: Sequence[IntakeOrder]) -> tuple[Order, ...]:
    """The orders as they are stored, with the places of their ZIP codes; few of the sample's do not exist."""
    places = {address: None for order in intake for _, address in order.addresses_to_find()}
    found = {address: OfflineGeocoder().locate(address) for address in places}
    orders = (order.to_order(NOW, "benchmark") for order in intake)
    return tuple(
        replace(order, lines=tuple(replace(line, location=found.get(line.ship_to)) for line in order.lines))
        for order in orders
    )


def _available(intake: Sequence[IntakeOrder], sources: Sequence[Source]) -> dict[tuple[str, str], int]:
    """What the example's way of stocking makes of each four weeks of orders, added up."""
    of = {kind: [source.id for source in sources if source.type is kind] for kind in SourceType}
    by_window: dict[int, list[IntakeOrder]] = defaultdict(list)
    for order in intake:
        by_window[(order.ordered_at - intake[0].ordered_at) // _WINDOW].append(order)
    available: Counter[tuple[str, str]] = Counter()
    for orders in by_window.values():
        for level in stock.levels(orders, of[SourceType.WAREHOUSE], of[SourceType.STORE]):
            available[level.product_id, level.source_id] += level.on_hand
    return dict(available)
