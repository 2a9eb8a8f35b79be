"""How engines are asked, what they do when they are in trouble, and what becomes of a run of questions then."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from dom_core.adapters.distances import from_settings
from dom_core.adapters.distances.asking import MAX_REFUSALS, REST_S, Engine, Limits, PatientRoadDistances, parts_of
from dom_core.adapters.distances.azure_maps import AzureMapsEngine
from dom_core.adapters.distances.osrm import OsrmEngine
from dom_core.adapters.distances.service import NoAnswer, Refused
from dom_core.adapters.distances.valhalla import ValhallaEngine
from dom_core.adapters.patience import Patience
from dom_core.domain.network import Location
from dom_core.errors import InvalidInput, Unavailable
from dom_core.ports import Journeys, Measured
from dom_core.settings import from_environment
from tests import real_parts, road_engines
from tests.contract.road_servers import (
    CENTRE,
    ESPLANADI,
    KAMPPI,
    KRUUNUNHAKA,
    SENATE_SQUARE,
    TALLINN,
    Asked,
    Reply,
    azure_maps_answer,
    serving,
)
from tests.real_parts import Part


@contextmanager
def road_server(
    start: Callable[[], AbstractContextManager[road_engines.RunningEngine]],
) -> Iterator[road_engines.RunningEngine]:
    """A real engine, or the end of the test."""
    try:
        with start() as server:
            yield server
    except road_engines.EnginesMissing as error:
        real_parts.missing(Part.ROADS, "A REAL ROUTING ENGINE", error)


LIMIT_S, TIMEOUT_S = 60.0, 5.0

ONE_WAY = Journeys((SENATE_SQUARE,), (KRUUNUNHAKA,))


@dataclass
class Stopwatch:
    """Counts pauses instead of taking them."""

    pauses_s: list[float] = field(default_factory=list)

    def patience(self) -> Patience:
        return Patience(first_s=1, longest_s=4, limit_s=8, pause=self.pauses_s.append)


def asking(engine: Engine, stopwatch: Stopwatch | None = None, at_once: int = 2) -> PatientRoadDistances:
    return PatientRoadDistances(engine, (stopwatch or Stopwatch()).patience(), at_once)


def osrm_at(url: str) -> Engine:
    return OsrmEngine(url)


def valhalla_at(url: str) -> Engine:
    return ValhallaEngine(url)


def azure_maps_at(url: str) -> Engine:
    return AzureMapsEngine("the-secret-key", base_url=url)


engines = pytest.mark.parametrize("engine_at", [osrm_at, valhalla_at, azure_maps_at], ids=lambda make: make.__name__)
EngineAt = Callable[[str], Engine]


class TestTrouble:
    @engines
    @pytest.mark.parametrize("status", [500, 502, 503, 429, 408])
    def test_trouble_that_may_pass_is_waited_for(self, engine_at: EngineAt, status: int) -> None:
        stopwatch = Stopwatch()
        with serving(lambda _: Reply(status, {})) as server, pytest.raises(Unavailable, match=f"HTTP {status}"):
            list(asking(engine_at(server.url), stopwatch).measure([ONE_WAY], LIMIT_S))
        assert stopwatch.pauses_s == [1, 2, 4]
        assert len(server.asked) == 4

    @engines
    @pytest.mark.parametrize("status", [401, 403, 404])
    def test_what_time_does_not_heal_is_not_waited_for(self, engine_at: EngineAt, status: int) -> None:
        stopwatch = Stopwatch()
        with serving(lambda _: Reply(status, {})) as server, pytest.raises(Unavailable, match="check DOM_"):
            list(asking(engine_at(server.url), stopwatch).measure([ONE_WAY], LIMIT_S))
        assert (stopwatch.pauses_s, len(server.asked)) == ([], 1)

    @engines
    @pytest.mark.parametrize(
        "body",
        [{}, [], 7, None, b"<html>", {"code": "Ok", "distances": [[1, 2]]}, {"sources_to_targets": [[{}]]},
         {"sources_to_targets": {"distances": [["far"]]}}, {"properties": {"matrix": [{"originIndex": 5}]}},
         {"code": "Ok", "distances": [[1e9]], "sources": [{"distance": 0}], "destinations": [{"distance": 0}]}],
        ids=str,
    )  # fmt: skip
    def test_an_answer_of_unknown_shape_is_none(self, engine_at: EngineAt, body: Any) -> None:
        with serving(lambda _: Reply(200, body)) as server, pytest.raises(Unavailable):
            list(asking(engine_at(server.url)).measure([ONE_WAY], LIMIT_S))

    @engines
    def test_a_server_that_is_not_there_is_waited_for_and_then_unavailable(self, engine_at: EngineAt) -> None:
        stopwatch = Stopwatch()
        with serving(azure_maps_answer) as server:
            engine = engine_at(server.url)
        with pytest.raises(Unavailable, match="gave no answer"):
            list(asking(engine, stopwatch).measure([ONE_WAY], LIMIT_S))
        assert stopwatch.pauses_s == [1, 2, 4]

    def test_waiting_takes_half_of_the_limit_at_most(self) -> None:
        stopwatch = Stopwatch()
        with serving(lambda _: Reply(503, {})) as server, pytest.raises(Unavailable, match="HTTP 503"):
            list(asking(osrm_at(server.url), stopwatch).measure([ONE_WAY], 7.0))
        assert stopwatch.pauses_s == [1, 2]

    @engines
    def test_errors_tell_neither_places_nor_keys(self, engine_at: EngineAt) -> None:
        with serving(lambda asked: Reply(403, {"said": asked.path})) as server, pytest.raises(Unavailable) as raised:
            list(asking(engine_at(server.url)).measure([ONE_WAY], LIMIT_S))
        assert "24.9" not in str(raised.value)
        assert "the-secret-key" not in str(raised.value)

    @engines
    def test_nothing_follows_a_redirect(self, engine_at: EngineAt) -> None:
        with serving(azure_maps_answer) as elsewhere:
            leading = Reply(302, {}, {"Location": f"{elsewhere.url}/somewhere"})
            with serving(lambda _: leading) as server, pytest.raises(Unavailable):
                list(asking(engine_at(server.url)).measure([ONE_WAY], LIMIT_S))
        assert elsewhere.asked == []

    def test_the_pause_that_a_service_asks_for_is_kept(self) -> None:
        stopwatch, replies = Stopwatch(), iter([Reply(429, {}, {"Retry-After": "3"})])
        with serving(lambda asked: next(replies, None) or azure_maps_answer(asked)) as server:
            (part,) = asking(azure_maps_at(server.url), stopwatch).measure([ONE_WAY], LIMIT_S)
        assert stopwatch.pauses_s == [3]
        assert part.metres[0][0]

    def test_a_service_that_asks_for_too_long_a_pause_is_away(self) -> None:
        stopwatch = Stopwatch()
        later = Reply(503, {}, {"Retry-After": "3600"})
        with serving(lambda _: later) as server, pytest.raises(Unavailable):
            list(asking(azure_maps_at(server.url), stopwatch).measure([ONE_WAY], LIMIT_S))
        assert stopwatch.pauses_s == []


@dataclass
class Scripted:
    """An engine of 1,000 m everywhere that refuses or loses some ways, and counts the questions."""

    refused: frozenset[tuple[Location, Location]] = frozenset()
    away_after: int | None = None
    limits: Limits = field(default_factory=lambda: Limits(cells=4))
    name: str = "scripted"
    asked: int = 0
    timeouts_s: list[float] = field(default_factory=list)

    def ask(self, journeys: Journeys, timeout_s: float) -> list[list[int | None]]:
        self.asked += 1
        self.timeouts_s.append(timeout_s)
        if self.away_after is not None and self.asked > self.away_after:
            raise NoAnswer("scripted gave no answer", None)
        if any((one, other) in self.refused for one in journeys.origins for other in journeys.destinations):
            raise Refused("scripted refuses the question")
        return [[1000] * len(journeys.destinations) for _ in journeys.origins]


def points(count: int, north: float = 60.0) -> tuple[Location, ...]:
    return tuple(Location(north, 10 + number / 100) for number in range(count))


class TestParts:
    @pytest.mark.parametrize(
        ("origins", "destinations", "limits", "questions"),
        [
            (50, 50, Limits(2500, 100), 1),
            (51, 50, Limits(2500, 100), 2),
            (1, 99, Limits(2500, 100), 1),
            (99, 1, Limits(2500, 100), 1),
            (200, 1, Limits(2500, 100), 3),
            (200, 1000, Limits(2500), 80),
            (3, 800, Limits(2500), 1),
            (2500, 1, Limits(2500), 1),
        ],
    )
    def test_questions_are_as_large_as_they_may_be(
        self, origins: int, destinations: int, limits: Limits, questions: int
    ) -> None:
        parts = list(parts_of(Journeys(points(origins), points(destinations, 61)), limits))
        assert len(parts) == questions
        assert sum(len(part.origins) * len(part.destinations) for part in parts) == origins * destinations
        assert all(len(part.origins) * len(part.destinations) <= limits.cells for part in parts)
        assert all(len(part.origins) + len(part.destinations) <= limits.points for part in parts)

    def test_what_is_refused_is_halved_until_only_the_bad_way_is_lost(self) -> None:
        origins, destinations = points(4), points(4, 61)
        bad = (origins[1], destinations[2])
        engine = Scripted(frozenset({bad}), limits=Limits(cells=16))
        (part,) = asking(engine).measure([Journeys(origins, destinations)], LIMIT_S)
        lost = {
            (origin, destination)
            for origin, row in zip(origins, part.metres, strict=True)
            for destination, metres in zip(destinations, row, strict=True)
            if metres is None
        }
        assert lost == {bad}

    def test_an_engine_that_refuses_everything_is_away(self) -> None:
        origins, destinations = points(30), points(30, 61)
        everything = frozenset((one, other) for one in origins for other in destinations)
        engine = Scripted(everything, limits=Limits(cells=900))
        with pytest.raises(Unavailable, match="refuses"):
            list(asking(engine, at_once=1).measure([Journeys(origins, destinations)], LIMIT_S))
        assert engine.asked == MAX_REFUSALS + 1

    def test_what_came_before_an_outage_is_delivered_and_nothing_more_is_asked(self) -> None:
        engine = Scripted(away_after=5)
        questions = [Journeys((origin,), points(1, 61)) for origin in points(40)]
        answers = asking(engine, at_once=1).measure(questions, LIMIT_S)
        delivered: list[Measured] = []
        with pytest.raises(Unavailable):
            delivered.extend(answers)  # what is there stays there
        assert 1 <= len(delivered) <= 5
        assert engine.asked <= 5 + 2

    def test_after_the_limit_nothing_is_asked_any_more_and_what_came_before_counts(self) -> None:
        seconds = iter(range(100))
        engine = Scripted()
        roads = PatientRoadDistances(engine, Stopwatch().patience(), 1, lambda: next(seconds))
        delivered: list[Measured] = []
        with pytest.raises(Unavailable, match="too slow"):
            delivered.extend(roads.measure([Journeys((origin,), points(1, 61)) for origin in points(40)], 5.0))
        assert len(delivered) == 4
        assert engine.timeouts_s == [4, 3, 2, 1]

    def test_an_engine_that_was_away_is_left_alone_for_a_while(self) -> None:
        now = 1000.0
        engine = Scripted(away_after=0)
        roads = PatientRoadDistances(engine, Stopwatch().patience(), 1, lambda: now)
        for _ in range(3):
            with pytest.raises(Unavailable, match="scripted gave no answer"):
                list(roads.measure([ONE_WAY], LIMIT_S))
        assert engine.asked == 1
        engine.away_after = None
        now += REST_S
        assert len(list(roads.measure([ONE_WAY], LIMIT_S))) == 1

    def test_questions_that_nobody_waits_for_are_not_asked(self) -> None:
        engine = Scripted()
        answers = asking(engine, at_once=1).measure(
            [Journeys((origin,), points(1, 61)) for origin in points(40)], LIMIT_S
        )
        next(iter(answers))
        answers.close()  # type: ignore[attr-defined]  # a generator
        assert engine.asked <= 4


class TestOsrm:
    def test_the_nearest_road_to_a_place_off_the_map_is_not_that_place(self) -> None:
        with road_server(road_engines.osrm) as server:
            answer = osrm_at(server.url).ask(Journeys((TALLINN, SENATE_SQUARE), (SENATE_SQUARE,)), TIMEOUT_S)
        assert answer == [[None], [0]]

    def test_a_place_from_which_no_road_leads_is_not_measured(self) -> None:
        with road_server(road_engines.osrm) as server:
            answer = osrm_at(server.url).ask(Journeys((KAMPPI,), (SENATE_SQUARE,)), TIMEOUT_S)
            back = osrm_at(server.url).ask(Journeys((SENATE_SQUARE,), (KAMPPI,)), TIMEOUT_S)
        assert answer == [[None]]
        assert back[0][0]

    def test_less_than_nothing_is_no_distance(self) -> None:
        """Neighbours at which the engine answers -0.2 m, as it has done for years."""
        ways = Journeys((Location(60.16887, 24.94769),), (Location(60.16848, 24.94773), SENATE_SQUARE))
        with road_server(road_engines.osrm) as server:
            ((neighbour, square),) = osrm_at(server.url).ask(ways, TIMEOUT_S)
        assert neighbour is None
        assert square

    def test_a_server_that_takes_fewer_points_is_asked_for_fewer(self) -> None:
        with road_server(lambda: road_engines.osrm("--max-table-size", "3")) as server:
            (part,) = asking(osrm_at(server.url)).measure([Journeys(CENTRE, CENTRE)], LIMIT_S)
        assert all(metres is not None for row in part.metres for metres in row)

    def test_a_server_that_is_killed_while_it_is_asked_is_unavailable(self) -> None:
        with road_server(road_engines.osrm) as server:
            answers = asking(osrm_at(server.url), at_once=1).measure([ONE_WAY] * 200, LIMIT_S)
            first = next(iter(answers))
            server.kill()
            with pytest.raises(Unavailable, match="OSRM gave no answer"):
                list(answers)
        assert first.metres[0][0]


class TestValhalla:
    def test_a_place_off_the_map_makes_the_engine_refuse_the_rest_too_and_the_rest_is_asked_again(self) -> None:
        ways = Journeys((SENATE_SQUARE, TALLINN), CENTRE)
        with road_server(road_engines.valhalla) as server:
            with pytest.raises(Refused):
                valhalla_at(server.url).ask(ways, TIMEOUT_S)
            (part,) = asking(valhalla_at(server.url)).measure([ways], LIMIT_S)
        assert None not in part.metres[0]
        assert set(part.metres[1]) == {None}

    def test_a_server_that_takes_fewer_pairs_is_asked_for_fewer(self) -> None:
        with road_server(lambda: road_engines.valhalla(max_matrix_location_pairs=5)) as server:
            (part,) = asking(valhalla_at(server.url)).measure([Journeys(CENTRE, CENTRE)], LIMIT_S)
        assert all(metres is not None for row in part.metres for metres in row)

    def test_a_server_that_is_killed_while_it_is_asked_is_unavailable(self) -> None:
        with road_server(road_engines.valhalla) as server:
            answers = asking(valhalla_at(server.url), at_once=1).measure([ONE_WAY] * 200, LIMIT_S)
            first = next(iter(answers))
            server.kill()
            with pytest.raises(Unavailable, match="Valhalla gave no answer"):
                list(answers)
        assert first.metres[0][0]

    def test_the_long_answer_of_older_versions_is_understood(self) -> None:
        cells = [[{"from_index": 0, "to_index": 0, "distance": 1.234, "time": 9}, {"distance": None}]]
        with serving(lambda _: Reply(200, {"sources_to_targets": cells, "units": "kilometers"})) as server:
            assert valhalla_at(server.url).ask(Journeys((KAMPPI,), (ESPLANADI, TALLINN)), TIMEOUT_S) == [[1234, None]]


def test_two_engines_over_one_map_agree_by_and_large() -> None:
    ways = Journeys(CENTRE, CENTRE)
    with road_server(road_engines.osrm) as one, road_server(road_engines.valhalla) as other:
        by_osrm, by_valhalla = osrm_at(one.url).ask(ways, TIMEOUT_S), valhalla_at(other.url).ask(ways, TIMEOUT_S)
    for row, other_row in zip(by_osrm, by_valhalla, strict=True):
        for metres, other_metres in zip(row, other_row, strict=True):
            assert metres is not None
            assert metres == pytest.approx(other_metres, rel=0.2, abs=50)


class TestAzureMaps:
    def test_it_is_asked_as_its_reference_says(self) -> None:
        with serving(azure_maps_answer) as server:
            azure_maps_at(server.url).ask(Journeys((SENATE_SQUARE,), (KRUUNUNHAKA, ESPLANADI)), TIMEOUT_S)
        (asked,) = server.asked
        assert (asked.method, asked.path) == ("POST", "/route/matrix?api-version=2025-01-01")
        assert asked.headers["subscription-key"] == "the-secret-key"
        assert asked.body["type"] == "FeatureCollection"
        assert [feature["properties"]["pointType"] for feature in asked.body["features"]] == ["origins", "destinations"]
        assert asked.body["features"][0]["geometry"] == {"type": "MultiPoint", "coordinates": [[24.9521, 60.1696]]}
        assert asked.body["travelMode"] == "driving"

    def test_a_published_answer_is_read(self) -> None:
        with serving(lambda _: Reply(200, PUBLISHED)) as server:
            ends = (Location(45.458545, 9.15049), Location(45.403337, 11.050541))
            towns = (Location(48.149853, 11.499931), Location(50.033688, 14.538226))
            assert azure_maps_at(server.url).ask(Journeys(ends, towns), TIMEOUT_S) == [
                [492466, 877028],
                [427769, 836080],
            ]

    def test_it_needs_a_key(self) -> None:
        with pytest.raises(InvalidInput, match="DOM_AZURE_MAPS_KEY"):
            AzureMapsEngine(" ")

    def test_a_wrong_key_says_which_setting_to_check(self) -> None:
        def refuse(_: Asked) -> Reply:
            return Reply(401, {"error": {"code": "401 Unauthorized"}})

        with serving(refuse) as server, pytest.raises(Unavailable, match="DOM_AZURE_MAPS_KEY"):
            azure_maps_at(server.url).ask(ONE_WAY, TIMEOUT_S)


PUBLISHED = {
    "type": "Feature",
    "geometry": None,
    "properties": {
        "matrix": [
            {"statusCode": 200, "originIndex": row, "destinationIndex": column, "distanceInMeters": metres}
            | {"durationInSeconds": seconds, "durationTrafficInSeconds": seconds}
            for row, column, metres, seconds in (
                (0, 0, 492466, 21007), (0, 1, 877028, 33623), (1, 0, 427769, 19520), (1, 1, 836080, 32070),
            )
        ],
        "summary": {"successfulCount": 4, "totalCount": 4},
    },
}  # fmt: skip
"""The numbers of Microsoft's published example: from Milan and Verona to Munich and Prague."""


MAPS = {"DOM_DISTANCES": "azure_maps", "DOM_AZURE_MAPS_KEY": "a-key"}


class TestSettings:
    def test_great_circles_are_the_default_and_nobody_is_asked(self) -> None:
        assert from_settings(from_environment({})) is None

    @pytest.mark.parametrize(
        ("variables", "name"),
        [
            ({"DOM_DISTANCES": "osrm"}, "osrm driving"),
            ({"DOM_DISTANCES": "osrm", "DOM_ROAD_PROFILE": "foot"}, "osrm foot"),
            ({"DOM_DISTANCES": "valhalla"}, "valhalla auto"),
            (MAPS | {"DOM_ROAD_PROFILE": "truck"}, "azure_maps truck"),
        ],
    )
    def test_the_settings_name_the_engine_and_the_vehicle(self, variables: dict[str, str], name: str) -> None:
        found = from_settings(from_environment(variables))
        assert found is not None
        assert found.name == name

    def test_azure_maps_without_a_key_stops_the_app(self) -> None:
        with pytest.raises(InvalidInput, match="DOM_AZURE_MAPS_KEY"):
            from_settings(from_environment({"DOM_DISTANCES": "azure_maps"}))

    @pytest.mark.parametrize("profile", ["../admin", "driving/0,0", "a b", "Driving", "x" * 31])
    def test_a_vehicle_is_a_plain_word(self, profile: str) -> None:
        with pytest.raises(InvalidInput, match="DOM_ROAD_PROFILE"):
            from_environment({"DOM_ROAD_PROFILE": profile})
