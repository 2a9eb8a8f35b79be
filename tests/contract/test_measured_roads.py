"""Distances that are kept, in every store."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from dom_core.adapters.cosmos import CosmosDocuments
from dom_core.adapters.sqlite import Database, SqliteDocuments
from dom_core.domain.network import Location
from dom_core.ports import DocumentStore
from dom_core.repositories.measured_roads import MeasuredRoads, remove_expired, standing
from tests import azure_servers

TODAY = date(2026, 3, 2)
SYDNEY = (-33869, 151209)
HERE, THERE = standing(Location(-33.9, 151.1)), standing(Location(-37.8136, 144.9631))


@pytest.fixture(params=["sqlite", "cosmos"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DocumentStore]:
    if request.param == "sqlite":
        database = Database(tmp_path / "dom.sqlite3")
        yield SqliteDocuments(database)
        database.close()
        return
    with azure_servers.database(request.getfixturevalue("cosmos_endpoint")) as connection:
        yield CosmosDocuments(connection)


def test_what_is_kept_is_found_till_its_last_day(store: DocumentStore) -> None:
    kept = MeasuredRoads(store, "osrm driving")
    kept.keep(SYDNEY, {HERE: 12_345, THERE: None}, TODAY, days=30)
    assert kept.find(SYDNEY, TODAY + timedelta(days=30)) == {HERE: 12_345, THERE: None}
    assert kept.find(SYDNEY, TODAY + timedelta(days=31)) == {}
    assert kept.find((-33869, 151210), TODAY) == {}


def test_what_is_added_joins_what_is_known_and_replaces_what_is_too_old(store: DocumentStore) -> None:
    kept = MeasuredRoads(store, "osrm driving")
    kept.keep(SYDNEY, {HERE: 1}, TODAY, days=30)
    kept.keep(SYDNEY, {THERE: 2}, TODAY, days=30)
    assert kept.find(SYDNEY, TODAY) == {HERE: 1, THERE: 2}
    later = TODAY + timedelta(days=40)
    kept.keep(SYDNEY, {THERE: 3}, later, days=30)
    assert kept.find(SYDNEY, later) == {THERE: 3}


def test_engines_and_vehicles_keep_their_own(store: DocumentStore) -> None:
    MeasuredRoads(store, "osrm driving").keep(SYDNEY, {HERE: 1}, TODAY, days=30)
    assert MeasuredRoads(store, "valhalla truck").find(SYDNEY, TODAY) == {}


def test_only_what_is_too_old_is_removed(store: DocumentStore) -> None:
    kept = MeasuredRoads(store, "osrm driving")
    for number, days in enumerate([1, 2, 30]):
        kept.keep((number, 0), {HERE: 1}, TODAY, days=days)
    assert remove_expired(store, TODAY + timedelta(days=3)) == 2
    assert kept.find((2, 0), TODAY) == {HERE: 1}
