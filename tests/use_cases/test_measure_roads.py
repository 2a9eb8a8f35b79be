"""Runs of strategies that go by road: what is asked, what is kept, and what happens when nobody answers."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import pytest

from dom_core.domain.network import Location
from dom_core.domain.plan import Plan
from dom_core.domain.run import RunState
from dom_core.errors import Unavailable
from dom_core.ports import Container, Journeys, Measured
from dom_core.repositories.plans import Plans
from dom_core.settings import from_environment
from dom_core.use_cases.clean_up import clean_up
from dom_core.use_cases.context import Ports
from dom_core.use_cases.plan_batch import plan_batch
from dom_core.use_cases.replay_plan import replay_plan
from dom_core.use_cases.suggest import suggest
from tests.builders import an_order
from tests.use_cases.world import INTAKE, SOURCES, World, encoded

PORTLAND = (45.52, -122.68)
A, B, V = (Location(**source["location"]) for source in SOURCES)


@dataclass
class PaperMap:
    """Distances as they stand on paper (100 km where nothing stands), and every way that was asked for."""

    metres: Mapping[Location, int | None] = field(default_factory=dict)
    name: str = "paper car"
    asked: list[tuple[Location, Location]] = field(default_factory=list)
    away_after: int | None = None
    limits_s: list[float] = field(default_factory=list)

    def measure(self, wanted: Iterable[Journeys], limit_s: float) -> Iterator[Measured]:
        self.limits_s.append(limit_s)
        for journeys in wanted:
            if self.away_after is not None and len(self.asked) >= self.away_after:
                raise Unavailable("paper car gave no answer")
            self.asked += [(one, other) for one in journeys.origins for other in journeys.destinations]
            rows = [(self.metres.get(origin, 100_000),) * len(journeys.destinations) for origin in journeys.origins]
            yield Measured(journeys, tuple(rows))


@pytest.fixture
def paper() -> PaperMap:
    return PaperMap()


@pytest.fixture
def by_road(world: World, paper: PaperMap) -> World:
    """The world with a map: everything within reach, stock everywhere, one order in Seattle."""
    world.ports = world.with_ports(roads=paper, settings=from_environment({"DOM_ROAD_WITHIN_KM": "20000"}))
    world.strategy(distance_mode="road")
    world.stock(pen_A=100, pen_B=100)
    world.store_order(an_order("O1").with_line("pen"))
    return world


def run(world: World, run_id: str = "r1") -> Plan:
    finished = plan_batch(world.ports, run_id, "standard")
    assert finished.state is RunState.FINISHED
    assert finished.plan_id
    return Plans(world.ports.store).get(finished.plan_id)


def with_settings(world: World, **variables: str) -> Ports:
    return replace(world.ports, settings=from_environment({"DOM_ROAD_WITHIN_KM": "20000", **variables}))


def kept(world: World) -> int:
    return len(world.ports.store.query(Container.RUNS, where={"kind": "roads"}).documents)


class TestWhatIsAsked:
    def test_a_run_asks_from_where_it_may_ship_to_where_orders_go_and_plans_by_the_answers(
        self, by_road: World, paper: PaperMap
    ) -> None:
        paper.metres = {A: 300_000, B: 280_000}
        plan = run(by_road)
        assert sorted(paper.asked, key=str) == sorted([(place, A) for place in (A, B, V)], key=str)
        assert [each.distance_m for line in plan.lines for each in line.assignments] == [280_000]
        assert plan.warnings == ()

    def test_a_strategy_by_great_circle_asks_nobody(self, by_road: World, paper: PaperMap) -> None:
        by_road.strategy(distance_mode="aerial")
        run(by_road)
        assert paper.asked == []

    def test_without_an_engine_the_plan_says_that_it_used_the_great_circle(self, by_road: World) -> None:
        by_road.ports = by_road.with_ports(roads=None)
        assert "great circle" in run(by_road).warnings[0]

    def test_what_a_limit_rules_out_along_the_great_circle_is_not_asked_for(
        self, by_road: World, paper: PaperMap
    ) -> None:
        by_road.configure("rules", {"id": "near", "kind": "maximum_distance", "params": {"lines": [{"km": 300.0}]}})
        by_road.strategy(distance_mode="road", rule_ids=["near"])
        run(by_road)
        assert {origin for origin, _ in paper.asked} == {A, B}

    def test_ways_beyond_what_is_measured_are_not_asked_for_and_estimated(
        self, by_road: World, paper: PaperMap
    ) -> None:
        by_road.ports = with_settings(by_road, DOM_ROAD_WITHIN_KM="300")
        plan = run(by_road)
        assert {origin for origin, _ in paper.asked} == {A, B}
        assert plan.warnings[0].startswith("1 of 3 distances by road")

    def test_of_too_many_ways_the_nearest_are_asked_for_and_the_rest_by_later_runs(
        self, by_road: World, paper: PaperMap
    ) -> None:
        by_road.ports = with_settings(by_road, DOM_ROAD_CELLS="1")
        by_road.store_order(an_order("O2").with_line("pen").shipping_to(*PORTLAND))
        plan = run(by_road)
        assert paper.asked == [(A, A)]
        assert plan.warnings[0].endswith("a run asks for 1 ways at most, and 6 were unknown.")
        by_road.store_order(an_order("O3").with_line("pen").shipping_to(*PORTLAND))
        run(by_road, "r2")
        assert paper.asked[1:] == [(B, Location(*PORTLAND))]

    def test_orders_to_one_street_are_asked_for_once(self, by_road: World, paper: PaperMap) -> None:
        by_road.store_order(an_order("O2").with_line("pen").shipping_to(47.6001, -122.3003))
        run(by_road)
        assert len(paper.asked) == 3

    def test_only_rounded_places_leave_the_house(self, by_road: World, paper: PaperMap) -> None:
        by_road.store_order(an_order("O2").with_line("pen").shipping_to(47.123456, -122.345678))
        run(by_road)
        assert {(place.latitude, place.longitude) for _, place in paper.asked} == {(47.6, -122.3), (47.123, -122.346)}


class TestWhatIsKept:
    def test_a_second_run_asks_for_nothing_that_is_known(self, by_road: World, paper: PaperMap) -> None:
        first = run(by_road)
        by_road.store_order(an_order("O2").with_line("pen"))
        second = run(by_road, "r2")
        assert len(paper.asked) == 3
        assert second.lines[0].assignments[0].distance_m == first.lines[0].assignments[0].distance_m

    def test_after_its_days_a_distance_is_measured_again(self, by_road: World, paper: PaperMap) -> None:
        run(by_road)
        for days, questions in ((30, 3), (1, 6)):
            by_road.wait(days=days)
            by_road.store_order(an_order(f"after-{days}").with_line("pen"))
            run(by_road, f"run-{days}")
            assert len(paper.asked) == questions

    def test_what_is_added_later_expires_with_the_rest(self, by_road: World, paper: PaperMap) -> None:
        run(by_road)
        by_road.wait(days=20)
        by_road.configure("sources", SOURCES[0] | {"location": {"latitude": 47.0, "longitude": -122.0}})
        by_road.store_order(an_order("O2").with_line("pen"))
        run(by_road, "r2")
        assert paper.asked[3:] == [(Location(47.0, -122.0), A)]
        by_road.wait(days=11)
        by_road.store_order(an_order("O3").with_line("pen"))
        run(by_road, "r3")
        assert len(paper.asked) == 4 + 3

    def test_that_there_is_no_way_is_known_too(self, by_road: World, paper: PaperMap) -> None:
        paper.metres = {A: None, B: None, V: None}
        plan = run(by_road)
        assert plan.lines[0].assignments[0].distance_estimated
        by_road.store_order(an_order("O2").with_line("pen"))
        assert run(by_road, "r2").lines[0].assignments[0].distance_estimated
        assert len(paper.asked) == 3

    def test_another_engine_or_vehicle_measures_for_itself(self, by_road: World) -> None:
        run(by_road)
        truck = PaperMap(name="paper truck")
        by_road.ports = by_road.with_ports(roads=truck)
        by_road.store_order(an_order("O2").with_line("pen"))
        run(by_road, "r2")
        assert len(truck.asked) == 3

    def test_the_clean_up_removes_what_is_too_old(self, by_road: World) -> None:
        run(by_road)
        by_road.wait(days=30)
        assert clean_up(by_road.ports).distances == 0
        by_road.wait(days=3)
        assert (clean_up(by_road.ports).distances, kept(by_road)) == (1, 0)

    def test_a_suggestion_uses_what_is_known_and_keeps_nothing(self, by_road: World, paper: PaperMap) -> None:
        paper.metres = {A: 250_000, B: 240_000}
        order = INTAKE | {"location": {"latitude": 47.6, "longitude": -122.3}}
        question = encoded({"order": order, "strategy_id": "standard"})
        (line,) = suggest(by_road.ports, question).lines
        assert [(each.source_id, each.distance_m) for each in line.assignments] == [("B", 240_000)]
        assert (len(paper.asked), kept(by_road)) == (3, 0)
        run(by_road)
        suggest(by_road.ports, question)
        assert (len(paper.asked), kept(by_road)) == (6, 1)


class TestWhenNobodyAnswers:
    def test_the_run_goes_on_with_estimates_and_says_so(self, by_road: World, paper: PaperMap) -> None:
        paper.away_after = 0
        plan = run(by_road)
        assert [each.distance_estimated for line in plan.lines for each in line.assignments] == [True]
        assert plan.warnings[0].startswith("3 of 3 distances by road")
        assert plan.warnings[0].endswith("paper car gave no answer.")

    def test_what_was_measured_before_the_outage_counts_and_is_kept(self, by_road: World, paper: PaperMap) -> None:
        """Only V has ink, so Portland is asked for by itself, and as the more southern place first."""
        by_road.store_order(an_order("O2").with_line("ink").shipping_to(*PORTLAND))
        paper.away_after = 1
        plan = run(by_road)
        estimated = {line.order_id: line.assignments[0].distance_estimated for line in plan.lines}
        assert estimated == {"O1": True, "O2": False}
        assert kept(by_road) == 1

    def test_a_run_asks_for_minutes_and_a_suggestion_for_seconds(self, by_road: World, paper: PaperMap) -> None:
        order = INTAKE | {"location": {"latitude": 47.6, "longitude": -122.3}}
        suggest(by_road.ports, encoded({"order": order, "strategy_id": "standard"}))
        run(by_road)
        assert paper.limits_s == [5, 300]

    def test_the_plan_is_made_again_without_asking_anybody(self, by_road: World, paper: PaperMap) -> None:
        paper.metres = {A: 300_000, B: None}
        plan = run(by_road)
        paper.asked.clear()
        assert replay_plan(by_road.ports, plan.id).same
        assert paper.asked == []
