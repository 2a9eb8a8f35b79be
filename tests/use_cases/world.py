"""A small installation for tests: a real SQLite store and queues, a clock that stands still, three sources."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from dom_core.adapters.clock import FixedClock
from dom_core.adapters.geocoding.offline import OfflineGeocoder
from dom_core.adapters.sqlite import Database, SqliteBlobs, SqliteDocuments, SqliteQueues
from dom_core.domain.order import Line, Order
from dom_core.domain.plan import Plan
from dom_core.domain.stock import StockCell
from dom_core.messages.actions import Acceptance, Decision, Picking, Rejection, Reset, Shipping
from dom_core.optimizer.solving import CbcSolver
from dom_core.repositories.orders import Orders
from dom_core.repositories.plans import Plans
from dom_core.settings import from_environment
from dom_core.use_cases import configure, set_stock
from dom_core.use_cases.accept_line import accept_line
from dom_core.use_cases.apply_plan import Applied, apply_plan
from dom_core.use_cases.cancel_line import cancel_line
from dom_core.use_cases.cancel_order import cancel_order
from dom_core.use_cases.configure import ConfigKind
from dom_core.use_cases.context import Ports
from dom_core.use_cases.exclude_line import exclude_line
from dom_core.use_cases.hold_order import hold_order
from dom_core.use_cases.include_line import include_line
from dom_core.use_cases.pick_line import pick_line
from dom_core.use_cases.reject_line import reject_line
from dom_core.use_cases.release_order import release_order
from dom_core.use_cases.reset_line import reset_line
from dom_core.use_cases.ship_line import ship_line
from tests.builders import NOW, OrderBuilder

SOURCES: list[dict[str, Any]] = [
    {"id": "A", "type": "warehouse", "location": {"latitude": 47.6, "longitude": -122.3}},
    {"id": "B", "type": "store", "location": {"latitude": 45.5, "longitude": -122.7}, "manual_accept": True},
    {"id": "V", "type": "drop_ship", "location": {"latitude": 34.0, "longitude": -118.2}, "use_real_inventory": False},
]
STRATEGY: dict[str, Any] = {"id": "standard", "source_list_id": "all", "rejection_period_days": 5, "max_attempts": 3}
DECISION = Decision(who="Ada", why="the customer rang")
INTAKE: dict[str, Any] = {
    "id": "O1",
    "ordered_at": "2026-03-02T08:00:00Z",
    "ship_to": {"city": "Seattle", "region": "WA", "postal_code": "98101", "country": "US"},
    "lines": [{"id": "1", "product_id": "pen", "units": 4, "amount_cents": 1001, "tax_cents": 90}],
}


@dataclass
class World:
    """The ports of the installation, and short words for what tests do with it."""

    database: Database
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))

    def __post_init__(self) -> None:
        self.ports = Ports(
            store=SqliteDocuments(self.database),
            queues=SqliteQueues(self.database, self.clock),
            blobs=SqliteBlobs(self.database, self.clock),
            clock=self.clock,
            geocoder=OfflineGeocoder(),
            settings=from_environment({}),
            solver=CbcSolver(),
        )

    def configure(self, kind: str, *objects: Mapping[str, Any]) -> None:
        configure.save_many(self.ports, ConfigKind(kind), encoded(list(objects)))

    def strategy(self, **fields: Any) -> None:
        self.configure("strategies", STRATEGY | fields)

    def stock(self, **on_hand: int) -> None:
        """`pen_A=3` is three pens at A."""
        levels = [
            {"product_id": name.split("_")[0], "source_id": name.split("_")[1], "on_hand": units}
            for name, units in on_hand.items()
        ]
        set_stock.set_many(self.ports, encoded(levels))

    def cell(self, product_id: str, source_id: str) -> StockCell:
        return set_stock.get_stock(self.ports, product_id).cell(source_id)

    def store_order(self, order: OrderBuilder | Order) -> Order:
        built = order.build() if isinstance(order, OrderBuilder) else order
        return Orders(self.ports.store).create(built).value

    def order(self, order_id: str = "O1") -> Order:
        return Orders(self.ports.store).get(order_id).value

    def line(self, line_id: str = "1", order_id: str = "O1") -> Line:
        line = self.order(order_id).line(line_id)
        assert line is not None
        return line

    def store_plan(self, plan: Plan) -> Plan:
        Plans(self.ports.store).create(plan, attempt="1", to_apply=True)
        return plan

    def apply(self, plan: Plan, fence: int = 1) -> Applied:
        return apply_plan(self.ports, self.store_plan(plan), fence)

    def reject(self, source_id: str = "A", line_id: str = "1", order_id: str = "O1", **fields: Any) -> Order:
        given = {"source_id": source_id, "reason_code": "damaged", "who": "store clerk"} | fields
        return reject_line(self.ports, order_id, line_id, Rejection(**given))

    def accept(self, source_id: str = "A", line_id: str = "1", order_id: str = "O1") -> Order:
        return accept_line(self.ports, order_id, line_id, Acceptance(source_id=source_id, who="store clerk"))

    def pick(self, source_id: str = "A", line_id: str = "1", order_id: str = "O1") -> Order:
        return pick_line(self.ports, order_id, line_id, Picking(source_id=source_id, who="store clerk"))

    def ship(self, source_id: str = "A", line_id: str = "1", order_id: str = "O1") -> Order:
        return ship_line(self.ports, order_id, line_id, Shipping(source_id=source_id, who="store clerk"))

    def cancel(self, line_id: str | None = None, order_id: str = "O1") -> Order:
        """The line, or the whole order."""
        if line_id is None:
            return cancel_order(self.ports, order_id, DECISION)
        return cancel_line(self.ports, order_id, line_id, DECISION)

    def hold(self, order_id: str = "O1") -> Order:
        return hold_order(self.ports, order_id, DECISION)

    def release(self, order_id: str = "O1") -> Order:
        return release_order(self.ports, order_id, DECISION)

    def exclude(self, line_id: str = "1", order_id: str = "O1") -> Order:
        return exclude_line(self.ports, order_id, line_id, DECISION)

    def include(self, line_id: str = "1", order_id: str = "O1") -> Order:
        return include_line(self.ports, order_id, line_id, DECISION)

    def reset(self, line_id: str = "1", order_id: str = "O1") -> Order:
        return reset_line(self.ports, order_id, line_id, Reset(who="Ada", why="stock was counted"))

    def wait(self, **time: float) -> None:
        self.clock.time += timedelta(**time)

    def with_ports(self, **ports: Any) -> Ports:
        return replace(self.ports, **ports)


def encoded(value: object) -> bytes:
    return json.dumps(value).encode()


def intake(**fields: Any) -> bytes:
    return encoded(INTAKE | fields)


def a_world(folder: Path) -> World:
    """Sources A (real stock), B (accepts by hand), V (unlimited stock), products pen and ink, one strategy."""
    return furnished(World(Database(folder / "dom.sqlite3")))


def furnished(world: World) -> World:
    """The empty world, with that."""
    world.configure("sources", *SOURCES)
    world.configure("source-lists", {"id": "all", "source_ids": ["A", "B", "V"]})
    world.configure("products", {"id": "pen"}, {"id": "ink"})
    world.strategy()
    return world
