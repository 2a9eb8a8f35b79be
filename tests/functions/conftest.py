"""A function app that serves from a SQLite file of its own, with a small shop configured through its own routes."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dom_core import settings
from dom_core.adapters.clock import FixedClock
from dom_core.adapters.sqlite import Database, SqliteBlobs, SqliteDocuments, SqliteQueues
from dom_core.adapters.telemetry.event_log import EventLog
from dom_core.domain.network import Address, Location
from dom_core.errors import Unavailable
from dom_core.optimizer.solving import CbcSolver
from dom_core.use_cases.context import Ports
from functions import bootstrap
from tests.builders import NOW
from tests.functions.app import call
from tests.functions.shop import SHOP, an_intake, deliver


@dataclass(slots=True)
class PlaceBook:
    """A geocoder that knows some ZIP codes, and may be out of order."""

    places: dict[str, Location] = field(
        default_factory=lambda: {"98101": Location(47.61, -122.34), "10001": Location(40.75, -73.99)}
    )
    silent: bool = False

    def locate(self, address: Address) -> Location | None:
        if self.silent:
            raise Unavailable("the geocoder does not answer")
        return self.places.get(address.postal_code)


@pytest.fixture
def geocoder() -> PlaceBook:
    return PlaceBook()


@pytest.fixture
def ports(tmp_path: Path, geocoder: PlaceBook) -> Iterator[Ports]:
    """An empty installation, from which the app serves."""
    clock = FixedClock(NOW)
    with Database(tmp_path / "dom.sqlite3") as database:
        installed = Ports(
            store=SqliteDocuments(database),
            queues=SqliteQueues(database, clock),
            blobs=SqliteBlobs(database, clock),
            clock=clock,
            geocoder=geocoder,
            settings=settings.from_environment({"DOM_STORE_PATH": str(tmp_path / "dom.sqlite3")}),
            solver=CbcSolver(),
            telemetry=EventLog(),
        )
        bootstrap.use(installed)
        yield installed
        bootstrap.use(None)


@pytest.fixture
def shop(ports: Ports) -> Ports:
    """The installation with a configured shop and some stock."""
    for kind, objects in SHOP.items():
        if objects:
            answer = call("PUT", f"config/{kind}", objects)
            assert answer.status_code == 200, answer.get_body()
    for source_id, on_hand in (("seattle", 3), ("portland", 5)):
        assert call("PUT", f"stock/SKU-1/{source_id}", {"on_hand": on_hand}).status_code == 200
    return ports


@pytest.fixture
def placed(shop: Ports) -> Ports:
    """The shop with one order taken in."""
    assert call("POST", "orders", an_intake()).status_code == 202
    assert deliver(shop, shop.settings.orders_queue, "collect_order") == 1
    return shop


@pytest.fixture
def planned(placed: Ports) -> Ports:
    """The shop with one order planned."""
    assert call("POST", "strategies/daily/run", {"who": "Ann"}).status_code == 202
    assert deliver(placed, placed.settings.runs_queue, "execute_run") == 1
    return placed
