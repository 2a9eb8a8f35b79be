"""What every engine of distances by road promises. OSRM and Valhalla are real servers over a real map of Helsinki.

Azure Maps is a local server that answers in its shapes: nobody here has asked the real one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from dom_core.adapters.distances.asking import Engine, Limits, PatientRoadDistances
from dom_core.adapters.distances.azure_maps import AzureMapsEngine
from dom_core.adapters.distances.osrm import OsrmEngine
from dom_core.adapters.distances.valhalla import ValhallaEngine
from dom_core.domain.network import Location
from dom_core.ports import Journeys, Measured
from tests import real_parts, road_engines
from tests.contract.road_servers import (
    CENTRE,
    KRUUNUNHAKA,
    RAILWAY_STATION,
    SENATE_SQUARE,
    TALLINN,
    azure_maps_answer,
    great_circle_m,
    serving,
)
from tests.real_parts import Part


def _osrm() -> Iterator[Engine]:
    with road_engines.osrm() as server:
        yield OsrmEngine(server.url)


def _valhalla() -> Iterator[Engine]:
    with road_engines.valhalla() as server:
        yield ValhallaEngine(server.url)


def _azure_maps() -> Iterator[Engine]:
    with serving(azure_maps_answer) as server:
        yield AzureMapsEngine("a-key", base_url=server.url)


@pytest.fixture(scope="module", params=[_osrm, _valhalla, _azure_maps], ids=lambda make: make.__name__.strip("_"))
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    make: Callable[[], Iterator[Engine]] = request.param
    try:
        yield from make()
    except road_engines.EnginesMissing as error:
        real_parts.missing(Part.ROADS, "A REAL ROUTING ENGINE", error)


@pytest.fixture
def roads(engine: Engine) -> PatientRoadDistances:
    return PatientRoadDistances(engine)


@dataclass(frozen=True)
class InSmallParts:
    """An engine that takes fewer ways at a time."""

    engine: Engine
    limits: Limits

    @property
    def name(self) -> str:
        return self.engine.name

    def ask(self, journeys: Journeys, timeout_s: float) -> list[list[int | None]]:
        assert len(journeys.origins) * len(journeys.destinations) <= self.limits.cells
        assert len(journeys.origins) + len(journeys.destinations) <= self.limits.points
        return self.engine.ask(journeys, timeout_s)


def matrix_of(parts: Iterator[Measured]) -> dict[tuple[Location, Location], int | None]:
    """Each way that was measured, once."""
    found: dict[tuple[Location, Location], int | None] = {}
    for part in parts:
        for origin, row in zip(part.journeys.origins, part.metres, strict=True):
            for destination, metres in zip(part.journeys.destinations, row, strict=True):
                assert (origin, destination) not in found
                found[origin, destination] = metres
    return found


LIMIT_S = 60.0

EVERYWHERE = Journeys(CENTRE, CENTRE)


def test_every_way_is_measured_once(roads: PatientRoadDistances) -> None:
    found = matrix_of(roads.measure([EVERYWHERE], LIMIT_S))
    assert set(found) == {(one, other) for one in CENTRE for other in CENTRE}
    assert None not in found.values()


def test_a_way_by_road_is_longer_than_the_great_circle_and_no_odyssey(roads: PatientRoadDistances) -> None:
    for (origin, destination), metres in matrix_of(roads.measure([EVERYWHERE], LIMIT_S)).items():
        direct_m = great_circle_m(origin, destination)
        assert metres is not None
        # The engines start at the nearest road, which may be some steps nearer.
        assert direct_m - 100 <= metres <= 5 * direct_m + 100


def test_there_and_back_are_two_different_ways(roads: PatientRoadDistances) -> None:
    found = matrix_of(
        roads.measure([Journeys((KRUUNUNHAKA, RAILWAY_STATION), (KRUUNUNHAKA, RAILWAY_STATION))], LIMIT_S)
    )
    assert found[KRUUNUNHAKA, RAILWAY_STATION] != found[RAILWAY_STATION, KRUUNUNHAKA]
    assert found[KRUUNUNHAKA, KRUUNUNHAKA] == 0


@pytest.mark.parametrize("limits", [Limits(cells=1), Limits(cells=6), Limits(cells=100, points=4)], ids=str)
def test_parts_are_as_the_whole(engine: Engine, limits: Limits) -> None:
    whole = matrix_of(PatientRoadDistances(engine).measure([EVERYWHERE], LIMIT_S))
    assert matrix_of(PatientRoadDistances(InSmallParts(engine, limits)).measure([EVERYWHERE], LIMIT_S)) == whole


def test_a_place_off_the_map_is_not_measured_and_spoils_no_other(roads: PatientRoadDistances) -> None:
    places = (SENATE_SQUARE, TALLINN, KRUUNUNHAKA)
    found = matrix_of(roads.measure([Journeys(places, places)], LIMIT_S))
    lost = {way for way, metres in found.items() if metres is None}
    assert lost - {(TALLINN, TALLINN)} == {way for way in found if TALLINN in way and way[0] != way[1]}


def test_answers_come_in_the_order_of_the_questions(roads: PatientRoadDistances) -> None:
    questions = [Journeys((one,), (other,)) for one in CENTRE for other in CENTRE]
    assert [part.journeys for part in roads.measure(questions, LIMIT_S)] == questions


def test_the_same_way_is_as_long_the_second_time(roads: PatientRoadDistances) -> None:
    assert matrix_of(roads.measure([EVERYWHERE], LIMIT_S)) == matrix_of(roads.measure([EVERYWHERE], LIMIT_S))


@pytest.mark.parametrize(
    "nothing", [Journeys((), CENTRE), Journeys(CENTRE, ()), Journeys((), ())], ids=["from", "to", ""]
)
def test_nothing_is_asked_for_nothing(roads: PatientRoadDistances, nothing: Journeys) -> None:
    assert list(roads.measure([nothing], LIMIT_S)) == []
