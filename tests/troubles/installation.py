"""An installation that several processes open: a store of either kind, queues, a small shop, and a host that works.

Processes come from a server that has everything imported, so that one starts in some milliseconds; they share nothing
but the store. `Killer` ends its process by SIGKILL at a chosen write: nothing is flushed, nothing released, no finally.
"""

import json
import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any

from dom_core.adapters.clock import FixedClock
from dom_core.adapters.cosmos import CosmosDocuments
from dom_core.adapters.geocoding.offline import OfflineGeocoder
from dom_core.adapters.patience import Patience
from dom_core.adapters.pulse import ThreadPulse
from dom_core.adapters.sqlite import Database, SqliteBlobs, SqliteDocuments, SqliteQueues
from dom_core.optimizer.solving import CbcSolver
from dom_core.ports import Clock, DocumentStore
from dom_core.settings import from_environment
from dom_core.use_cases import configure, set_stock
from dom_core.use_cases.clean_up import clean_up
from dom_core.use_cases.configure import ConfigKind
from dom_core.use_cases.context import Ports
from dom_core.use_cases.dead_letters import record_poisoned
from dom_core.use_cases.plan_batch import plan_batch, run_due
from dom_core.use_cases.take_order import take_order
from tests import azure_servers
from tests.passing_store import PassingStore
from tests.troubles.invariants import Expected, broken, decided, stored, unfinished

SEATTLE, PORTLAND, BOISE = ((47.6, -122.3), (45.5, -122.7), (43.6, -116.2))
SHOP: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "products": [{"id": "pen"}, {"id": "ink"}, {"id": "pad"}],
    "sources": [
        {"id": id, "type": "warehouse", "location": {"latitude": place[0], "longitude": place[1]}}
        for id, place in (("A", SEATTLE), ("B", PORTLAND), ("C", BOISE))
    ],
    "source-lists": [{"id": "all", "source_ids": ["A", "B", "C"]}],
    "strategies": [{"id": "standard", "source_list_id": "all", "rejection_period_days": 5, "max_attempts": 90}],
}
"""Three warehouses and three products."""

ON_HAND = {("pen", "A"): 30, ("pen", "B"): 20, ("pen", "C"): 10, ("ink", "A"): 8, ("ink", "C"): 9, ("pad", "B"): 12}

SHORT_PATIENCE = Patience(first_s=0.01, longest_s=0.1, limit_s=1.0)
"""Twenty seconds of patience in one, so that a minute away takes seconds here."""

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload([__name__])

DEADLINE_S = 60.0


@dataclass(frozen=True)
class Installation:
    """Where everything is. With an endpoint documents are in Cosmos DB; queues always in the file."""

    folder: Path
    endpoint: str = ""
    database: str = ""
    lease_s: int = 60

    @contextmanager
    def opened(
        self, clock: Clock, wrap: Callable[[DocumentStore], DocumentStore] = lambda store: store
    ) -> Iterator[Ports]:
        """The ports, as a process of its own has them."""
        with Database(self.folder / "dom.sqlite3") as file, self._documents(file) as documents:
            settings = from_environment({})
            if self.endpoint:
                settings = replace(settings, store="azure", requests_at_once=4)
            yield Ports(
                store=wrap(documents),
                queues=SqliteQueues(file, clock),
                blobs=SqliteBlobs(file, clock),
                clock=clock,
                geocoder=OfflineGeocoder(),
                settings=replace(settings, lease_s=self.lease_s),
                solver=CbcSolver(),
                pulse=ThreadPulse(),
            )

    @contextmanager
    def _documents(self, file: Database) -> Iterator[DocumentStore]:
        if not self.endpoint:
            yield SqliteDocuments(file)
            return
        with closing(azure_servers.connect(self.endpoint, self.database)) as connection:
            yield CosmosDocuments(connection, patience=SHORT_PATIENCE)


def open_shop(ports: Ports) -> Expected:
    """Save the configuration and the stock; nothing is ordered yet."""
    for kind, objects in SHOP.items():
        configure.save_many(ports, ConfigKind(kind), json.dumps(list(objects)).encode())
    levels = [{"product_id": p, "source_id": s, "on_hand": units} for (p, s), units in ON_HAND.items()]
    set_stock.set_many(ports, json.dumps(levels).encode())
    return Expected(delivered=dict(ON_HAND))


def an_order(id: str, at: datetime, **units: int) -> bytes:
    """The message of an order from Seattle: `pen=2` is a line of two pens."""
    lines = [{"id": str(n), "product_id": p, "units": u} for n, (p, u) in enumerate(sorted(units.items()), start=1)]
    location = {"latitude": SEATTLE[0], "longitude": SEATTLE[1]}
    order = {"id": id, "ordered_at": at.isoformat(), "ship_to": {"city": "Seattle"}, "location": location}
    return json.dumps(order | {"lines": lines}).encode()


def accept(ports: Ports, expected: Expected, message: bytes) -> None:
    """Queue an order: from now on it must not get lost."""
    ports.queues.send("orders", message)
    order = json.loads(message)
    units: Counter[str] = Counter()
    for line in order["lines"]:
        units[line["product_id"]] += line["units"]
    expected.orders[order["id"]] = units


def take_orders(ports: Ports) -> None:
    """Handle the queue of orders as a host does: delete what worked, poison what failed five times."""
    while received := ports.queues.receive("orders", limit=4, visibility_timeout_s=60):
        for message in received:
            if message.dequeue_count > 5:
                record_poisoned(ports, "orders", message.body, message.id)
            else:
                take_order(ports, message.body, message.id)
            ports.queues.delete("orders", message)


def do_runs(ports: Ports) -> None:
    """Handle the queue of runs."""
    while received := ports.queues.receive("plan-runs", visibility_timeout_s=60):
        plan_batch(ports, **json.loads(received[0].body))
        ports.queues.delete("plan-runs", received[0])


def work(ports: Ports) -> None:
    """Everything that a host does by itself: take orders, plan by the clock, plan what was asked for."""
    take_orders(ports)
    run_due(ports)
    do_runs(ports)


def require_sound(ports: Ports, expected: Expected) -> None:
    """What must hold at any moment holds."""
    found = broken(stored(ports.store), expected)
    assert found == [], found


def require_finished(ports: Ports, clock: FixedClock, expected: Expected, messages: Sequence[bytes] = ()) -> None:
    """After a while in which nobody was killed all is settled; and every message once more changes nothing."""
    for _ in range(2):
        clock.time += timedelta(minutes=20)
        work(ports)
    clock.time += timedelta(days=1)
    clean_up(ports)
    settled = stored(ports.store)
    found = [*broken(settled, expected), *unfinished(settled, expected)]
    assert found == [], found
    for message in messages:
        ports.queues.send("orders", message)
    take_orders(ports)
    assert decided(stored(ports.store)) == decided(settled)


@dataclass
class Killer(PassingStore):
    """Passes everything on, and kills this very process by SIGKILL at a write: before it, or after it."""

    writes_left: int
    after: bool
    _lock: Lock = field(default_factory=Lock)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A write that may be the last thing that happens here."""
        with self._lock:
            self.writes_left -= 1
            mine = self.writes_left == 0
        if mine and not self.after:
            os.kill(os.getpid(), signal.SIGKILL)
        yield
        if mine:
            os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def started(target: Callable[..., object], *arguments: object) -> Iterator[Any]:
    """A process that runs the target; killed at the end if it is still there."""
    process = processes.Process(target=target, args=arguments)
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join(DEADLINE_S)
        with suppress(ValueError):
            process.close()


def run_to_its_end(target: Callable[..., object], *arguments: object) -> int:
    """The exit code of a process; -9 of one that was killed."""
    with started(target, *arguments) as process:
        process.join(DEADLINE_S)
        assert process.exitcode is not None, "the process does not end"
        return int(process.exitcode)
