"""Whole runs by road in central Helsinki, with real OSRM and Valhalla servers."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest

from dom_core.adapters.distances.asking import PatientRoadDistances
from dom_core.adapters.distances.osrm import OsrmEngine
from dom_core.adapters.distances.valhalla import ValhallaEngine
from dom_core.adapters.patience import Patience
from dom_core.domain.plan import Plan
from dom_core.ports import Journeys, Measured
from dom_core.repositories.plans import Plans
from dom_core.use_cases.plan_batch import plan_batch
from dom_core.use_cases.replay_plan import replay_plan
from tests import real_parts, road_engines
from tests.builders import an_order
from tests.contract.road_servers import ESPLANADI, KRUUNUNHAKA, RAILWAY_STATION, TALLINN, great_circle_m
from tests.real_parts import Part
from tests.road_engines import RunningEngine
from tests.use_cases.world import SOURCES, World, a_world

SHOPS = {"A": RAILWAY_STATION, "B": KRUUNUNHAKA, "V": ESPLANADI}
HOMES = [(60.168 + north / 1000, 24.945 + east / 1000) for north, east in product(range(4), range(0, 12, 2))]

NO_PATIENCE = Patience(limit_s=0)


def over_osrm(server: RunningEngine) -> PatientRoadDistances:
    return PatientRoadDistances(OsrmEngine(server.url), NO_PATIENCE)


def over_valhalla(server: RunningEngine) -> PatientRoadDistances:
    return PatientRoadDistances(ValhallaEngine(server.url), NO_PATIENCE)


Started = tuple[RunningEngine, PatientRoadDistances]


@pytest.fixture(
    params=[(road_engines.osrm, over_osrm), (road_engines.valhalla, over_valhalla)], ids=["osrm", "valhalla"]
)
def started(request: pytest.FixtureRequest) -> Iterator[Started]:
    start: Callable[[], AbstractContextManager[RunningEngine]] = request.param[0]
    try:
        with start() as server:
            yield server, request.param[1](server)
    except road_engines.EnginesMissing as error:
        real_parts.missing(Part.ROADS, "A REAL ROUTING ENGINE", error)


@pytest.fixture
def helsinki(tmp_path: Path, started: Started) -> Iterator[World]:
    """Three shops with pens, and 24 homes that each order one."""
    world = a_world(tmp_path)
    for source in SOURCES:
        at = SHOPS[source["id"]]
        world.configure("sources", source | {"location": {"latitude": at.latitude, "longitude": at.longitude}})
    world.ports = world.with_ports(roads=started[1])
    world.strategy(distance_mode="road")
    world.stock(pen_A=100, pen_B=100)
    for number, home in enumerate(HOMES):
        world.store_order(an_order(f"O{number:02}").with_line("pen").shipping_to(*home))
    yield world
    world.database.close()


def run(world: World, run_id: str = "r1") -> Plan:
    plan_id = plan_batch(world.ports, run_id, "standard").plan_id
    assert plan_id
    return Plans(world.ports.store).get(plan_id)


def test_a_run_goes_by_the_roads_of_the_city(helsinki: World) -> None:
    plan = run(helsinki)
    assert len(plan.lines) == len(HOMES)
    measured = 0
    for line in plan.lines:
        (assignment,) = line.assignments
        home = helsinki.line(order_id=line.order_id).location
        assert home
        assert assignment.distance_m is not None
        direct_m = great_circle_m(SHOPS[assignment.source_id], home)
        assert direct_m - 1 <= assignment.distance_m <= 5 * direct_m + 1000
        measured += not assignment.distance_estimated
    assert measured > len(HOMES) // 2
    assert replay_plan(helsinki.ports, plan.id).same


def test_a_home_off_the_map_is_estimated_and_the_others_are_not(helsinki: World) -> None:
    far = an_order("far").with_line("pen").shipping_to(TALLINN.latitude, TALLINN.longitude)
    helsinki.store_order(far)
    plan = run(helsinki)
    flags = {line.order_id: line.assignments[0].distance_estimated for line in plan.lines}
    assert flags.pop("far")
    assert not all(flags.values())
    assert "are estimates" in plan.warnings[0]


def test_an_engine_that_dies_in_the_middle_leaves_a_plan_of_both_kinds_of_distance(
    helsinki: World, started: Started
) -> None:
    """Each home has a product of its own, at shops of its own, so that there are several questions."""
    server, roads = started
    helsinki.ports = helsinki.with_ports(roads=DyingAfterOne(roads, server))
    helsinki.store_order(an_order("ink").with_line("ink").shipping_to(*HOMES[-1]))
    helsinki.store_order(an_order("north").with_line("ink").shipping_to(60.1745, 24.9500))
    plan = run(helsinki)
    flags = {line.assignments[0].distance_estimated for line in plan.lines}
    assert flags == {True, False}
    assert "gave no answer" in plan.warnings[0]
    assert replay_plan(helsinki.ports, plan.id).same


@dataclass
class DyingAfterOne:
    """Real distances from an engine that is killed as soon as it has answered once."""

    roads: PatientRoadDistances
    server: RunningEngine

    @property
    def name(self) -> str:
        return self.roads.name

    def measure(self, wanted: Iterable[Journeys], limit_s: float) -> Iterator[Measured]:
        for journeys in wanted:
            yield from self.roads.measure([journeys], limit_s)
            self.server.kill()
