"""How fast orders are taken in: HTTP → queue → store, through a real host; and the use case alone."""

import json
import statistics
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.service_applying import timed
from dom_core.adapters import storage
from dom_core.adapters.clock import SystemClock
from dom_core.adapters.geocoding.offline import OfflineGeocoder
from dom_core.charges import ChargeTotals, charged_to
from dom_core.optimizer.solving import CbcSolver
from dom_core.settings import from_environment
from dom_core.use_cases.context import Ports
from dom_core.use_cases.submit_order import submit_order
from dom_core.use_cases.take_order import take_order
from examples.superstore.client import CallFailed, Client
from tests.e2e.hosting import host

CLIENTS = 4
COLLECTED_LIMIT_S = 600.0
SOURCE = {"id": "seattle", "type": "warehouse", "location": {"latitude": 47.6, "longitude": -122.3}}


@dataclass(frozen=True)
class Intake:
    """What was measured on one store. Times of calls in milliseconds."""

    place: str
    orders: int
    start_s: float
    orders_a_second: float
    http_p50_ms: float
    http_p99_ms: float
    use_case_p50_ms: float
    use_case_p99_ms: float
    requests_an_order: float


def intake(place: str, folder: Path, variables: Mapping[str, str], orders: int) -> Intake:
    """Start a host with these settings, post so many orders of two lines, and wait until all are stored."""
    began = time.perf_counter()
    with host(folder, variables) as client:
        client.wait_until_up()
        start_s = time.perf_counter() - began
        client.put("config/sources", [SOURCE])
        client.put("config/products", [{"id": "pen"}, {"id": "ink"}])
        http_s, elapsed_s = _post_all(client, orders)
    alone_s, requests = _use_case_alone({**variables, "DOM_STORE_PATH": str(folder / "dom.sqlite3")}, orders)
    return Intake(
        place,
        orders,
        start_s,
        orders / elapsed_s,
        1000 * statistics.median(http_s),
        1000 * _p99(http_s),
        1000 * statistics.median(alone_s),
        1000 * _p99(alone_s),
        requests / orders,
    )


def _post_all(client: Client, orders: int) -> tuple[list[float], float]:
    """Seconds for each call, and from the first call until the last order is stored."""

    def post(number: int) -> float:
        return timed(lambda: client.post("orders", _order(f"O-{number:06}")))[1]

    began = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as clients:
        seconds = list(clients.map(post, range(orders)))
    while _stored(client) < orders:
        if time.perf_counter() - began > COLLECTED_LIMIT_S:
            raise RuntimeError("not all orders were collected")
        time.sleep(0.1)
    return seconds, time.perf_counter() - began


def _stored(client: Client) -> int:
    """How many orders are stored; 0 where the server forgot the page at which a growing list was to go on."""
    try:
        return sum(1 for _ in client.pages("orders", limit="1000"))
    except CallFailed:
        return 0


def _use_case_alone(variables: Mapping[str, str], orders: int) -> tuple[list[float], int]:
    """Seconds of each call of the use case behind `post_order`, and requests to Cosmos DB to submit and take all."""
    settings, clock, charges = from_environment(variables), SystemClock(), ChargeTotals()
    with storage.opened(settings, clock, charges) as kept:
        ports = Ports(kept.documents, kept.queues, kept.blobs, clock, OfflineGeocoder(), settings, CbcSolver())
        messages = [json.dumps(_order(f"P-{number:06}")).encode() for number in range(orders)]
        submit_order(ports, messages[0])  # the client and its connections are there now, as in any host at work
        with charged_to("intake"):
            seconds = [timed(lambda message=message: submit_order(ports, message))[1] for message in messages]  # type: ignore[misc]  # bound loop variable
            for number, message in enumerate(messages):
                take_order(ports, message, f"M-{number}")
    used = charges.by_use_case_and_operation().items()
    return seconds, sum(total.requests for (use_case, _), total in used if use_case == "intake")


def _order(id: str) -> dict[str, Any]:
    lines = [{"id": str(n), "product_id": product, "units": 1} for n, product in enumerate(("pen", "ink"), start=1)]
    return {"id": id, "ordered_at": "2026-03-02T08:00:00Z", "ship_to": {"postal_code": "98101"}, "lines": lines}


def _p99(seconds: Sequence[float]) -> float:
    return statistics.quantiles(seconds, n=100, method="inclusive")[98]
