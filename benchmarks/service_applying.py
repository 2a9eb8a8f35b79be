"""How long it takes to store a plan, to read it, and to apply it: on either store, and on one at a distance."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from benchmarks.service_distance import at_a_distance
from dom_core.adapters.cosmos import CosmosDocuments
from dom_core.charges import ChargeTotals, charged_to
from dom_core.domain.order import Order
from dom_core.domain.plan import Plan, PlanAssignment, PlanLine
from dom_core.domain.stock import ProductStock, StockCell
from dom_core.ports import DocumentStore
from dom_core.repositories.orders import Orders
from dom_core.repositories.plans import Plans
from dom_core.repositories.stock import Stock
from dom_core.use_cases.apply_plan import apply_plan
from dom_core.use_cases.context import Ports
from tests import azure_servers
from tests.builders import an_order
from tests.plan_builder import a_plan
from tests.use_cases.world import SOURCES, World, a_world

T = TypeVar("T")

WRITERS = 8
LINES_AN_ORDER = 2
LINES_A_PRODUCT = 20
UNITS = 10**6


@dataclass(frozen=True)
class Applying:
    """Seconds for a plan, and what applying it cost."""

    place: str
    lines: int
    requests_at_once: int
    store_s: float
    read_s: float
    apply_s: float
    requests: int = 0


def on_sqlite(folder: Path, lines: int) -> Applying:
    """In a file."""
    world = a_world(folder)
    try:
        _fill(world.ports.store, lines, writers=1)
        return _measured(world.ports, lines, "SQLite file", 1)
    finally:
        world.database.close()


def on_cosmos(folder: Path, endpoint: str, lines: int, at_once: int, delay_ms: float = 0) -> Applying:
    """On the Cosmos DB server of this machine, with so many requests at once; each answer comes that much later."""
    world = a_world(folder)
    place = "Cosmos DB server" + (f", answers {delay_ms:g} ms later" if delay_ms else "")
    with azure_servers.database(endpoint) as near, at_a_distance(urlsplit(endpoint).netloc, delay_ms) as port:
        _configure(world, CosmosDocuments(near))
        _fill(CosmosDocuments(near), lines, WRITERS)
        far = f"http://127.0.0.1:{port}/" if delay_ms else endpoint
        with closing(azure_servers.connect(far, near.database)) as connection:
            charges = ChargeTotals()
            settings = replace(world.ports.settings, store="azure", requests_at_once=at_once)
            ports = replace(world.ports, store=CosmosDocuments(connection, charges), settings=settings)
            measured = _measured(ports, lines, place, at_once)
    world.database.close()
    return replace(measured, requests=_requests(charges, "apply_plan"))


def _requests(charges: ChargeTotals, use_case: str) -> int:
    return sum(total.requests for (payer, _), total in charges.by_use_case_and_operation().items() if payer == use_case)


def _configure(world: World, store: DocumentStore) -> None:
    world.ports = replace(world.ports, store=store)
    world.configure("sources", *SOURCES)
    world.configure("source-lists", {"id": "all", "source_ids": [source["id"] for source in SOURCES]})
    world.strategy()


def _fill(store: DocumentStore, lines: int, writers: int) -> None:
    """The plan's orders, and plenty of every product."""
    with ThreadPoolExecutor(writers) as threads:
        list(threads.map(Orders(store).create, _orders(lines)))
        products = sorted({line.product_id for order in _orders(lines) for line in order.lines})
        list(threads.map(lambda id: Stock(store).save(ProductStock(id, (StockCell("A", UNITS),)), None), products))


def _orders(lines: int) -> list[Order]:
    products = max(1, lines // LINES_A_PRODUCT)
    return [
        an_order(f"O-{n:06}")
        .with_line(f"product-{n % products:05}")
        .with_line(f"product-{(7 * n + 3) % products:05}")
        .build()
        for n in range(lines // LINES_AN_ORDER)
    ]


def _plan(lines: int) -> Plan:
    """A plan that assigns every line to A."""
    plan = a_plan().build()
    assignments = (PlanAssignment("A", 1, 12_000, 1),)
    planned = tuple(
        PlanLine(order.id, line.id, order.version, line.product_id, 1, assignments, None)
        for order in _orders(lines)
        for line in order.lines
    )
    return replace(plan, lines=planned, reasons=replace(plan.reasons, codes=(bytes((0, 1)),) * len(planned)))


def _measured(ports: Ports, lines: int, place: str, at_once: int) -> Applying:
    plan, plans = _plan(lines), Plans(ports.store)
    _, store_s = timed(lambda: plans.create(plan, attempt="1", to_apply=True))
    _, read_s = timed(lambda: plans.get(plan.id))
    with charged_to("apply_plan"):
        applied, apply_s = timed(lambda: apply_plan(ports, plan, fence=1))
    if applied.confirmed_lines != len(plan.lines):
        raise RuntimeError(f"only {applied.confirmed_lines} of {len(plan.lines)} lines were applied")
    return Applying(place, len(plan.lines), at_once, store_s, read_s, apply_s)


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """What work gives, and the seconds that it took."""
    started = time.perf_counter()
    result = work()
    return result, time.perf_counter() - started


def plan_stored_and_read(endpoint: str, lines: int) -> tuple[float, float, int]:
    """Seconds to store a plan of so many lines on the Cosmos DB server and to read it, and the lines that come back."""
    with azure_servers.database(endpoint) as connection:
        plans = Plans(CosmosDocuments(connection))
        plan = _plan(lines)
        _, store_s = timed(lambda: plans.create(plan, attempt="1", to_apply=False))
        found, read_s = timed(lambda: plans.get(plan.id))
        if found != plan:
            raise RuntimeError("the plan that was read is not the one that was stored")
        return store_s, read_s, len(found.lines)
