"""Distances by road in a run: what was measured counts, gaps are estimates, and the plan says which is which."""

from dataclasses import replace

import numpy as np
import pytest

from dom_core.domain.network import Location
from dom_core.domain.plan import Plan
from dom_core.domain.reason import Verdict
from dom_core.domain.request import PlanRequest
from dom_core.domain.roads import NOT_MEASURED, Place, RoadTable, location_of, place_of
from dom_core.domain.strategy import DistanceMode
from dom_core.errors import InvalidInput, PlanRejected
from dom_core.messages.plan_request import RequestDocument, document_of
from dom_core.messages.reading import read_value, write_value
from dom_core.optimizer import audit
from dom_core.optimizer.expanding import expand
from dom_core.optimizer.hashing import hashes
from dom_core.optimizer.journeys import worth_measuring
from dom_core.optimizer.pipeline import plan_once
from dom_core.optimizer.solving import CbcSolver
from dom_core.report.wording import assignment_words
from tests.builders import SEATTLE, RequestBuilder, a_request, a_rule, a_source, an_order

HOME = place_of(SEATTLE)
NEAR_M, FAR_M = 44_478, 111_195
"""Great circles from A and B to the order's place: 0.4 and 1 degree north of it."""


def two_sources() -> RequestBuilder:
    """A is nearer along the great circle; each has the one unit that is ordered."""
    return (
        a_request()
        .with_sources(a_source("A", (48.0, -122.3)), a_source("B", (48.6, -122.3)))
        .with_orders(an_order("O1").with_line("pen"))
        .with_stock({("pen", "A"): 1, ("pen", "B"): 1})
        .with_strategy(distance_mode=DistanceMode.ROAD)
    )


def roads(rows: dict[Place, list[int]], sources: str = "AB", circuity: int = 130, fault: str = "") -> RoadTable:
    arrays = {place: np.array(row, dtype=np.int64) for place, row in rows.items()}
    return RoadTable.of(("osrm driving", circuity), tuple(sources), arrays, fault)


def plan_with(table: RoadTable | None, builder: RequestBuilder | None = None) -> Plan:
    return plan_once(request_with(table, builder), CbcSolver())


def request_with(table: RoadTable | None, builder: RequestBuilder | None = None) -> PlanRequest:
    return replace((builder or two_sources()).build(), roads=table)


def shipped(plan: Plan) -> tuple[str, int | None, bool]:
    (assignment,) = plan.lines[0].assignments
    return assignment.source_id, assignment.distance_m, assignment.distance_estimated


class TestWhichDistanceCounts:
    def test_the_nearest_by_road_ships_although_another_is_nearer_as_the_crow_flies(self) -> None:
        plan = plan_with(roads({HOME: [150_000, 120_000]}))
        assert shipped(plan) == ("B", 120_000, False)
        assert plan.warnings == ()

    def test_what_nobody_measured_is_the_great_circle_stretched_and_flagged(self) -> None:
        plan = plan_with(roads({HOME: [NOT_MEASURED, 120_000]}))
        assert shipped(plan) == ("A", (NEAR_M * 130 + 50) // 100, True)
        assert assignment_words(plan.lines[0].assignments[0]).startswith("1 unit, 57.8 km (estimated), ")

    def test_the_plan_says_how_many_distances_are_estimates_and_why(self) -> None:
        (warning,) = plan_with(roads({HOME: [NOT_MEASURED, 120_000]}, fault="OSRM gave no answer (URLError)")).warnings
        assert warning.startswith("1 of 2 distances by road")
        assert "130 % of the great circle" in warning
        assert warning.endswith("OSRM gave no answer (URLError).")

    @pytest.mark.parametrize("rows", [{}, {(1, 1): [5, 5]}], ids=["no place", "another place"])
    def test_a_place_that_is_not_in_the_table_is_estimated(self, rows: dict[Place, list[int]]) -> None:
        assert shipped(plan_with(roads(rows))) == ("A", 57_821, True)

    def test_a_source_that_is_not_in_the_table_is_estimated(self) -> None:
        assert shipped(plan_with(roads({HOME: [120_000]}, sources="B"))) == ("A", 57_821, True)

    def test_no_way_by_road_is_shorter_than_the_great_circle(self) -> None:
        """The engine began at a road 5 km nearer than the source is."""
        assert shipped(plan_with(roads({HOME: [39_000, 200_000]}))) == ("A", NEAR_M, False)

    def test_a_pair_without_coordinates_stays_unknown(self) -> None:
        builder = two_sources().with_sources(a_source("A", None), a_source("B", None))
        plan = plan_with(roads({HOME: [1, 1]}), builder)
        assert shipped(plan) == ("A", None, False)

    def test_a_limit_of_distance_is_one_of_the_road_too(self) -> None:
        """A is 44 km off as the crow flies, within the limit of 50 km, and 60 km by road."""
        limit = a_rule("maximum_distance", {"lines": [{"km": 50.0}]})
        request = request_with(roads({HOME: [60_000, 120_000]}), two_sources().with_rules(limit))
        plan = plan_once(request, CbcSolver())
        assert plan.lines[0].assignments == ()
        reason = expand(request, plan).at(0, 0)
        assert (reason.verdict, reason.code, reason.actual) == (Verdict.EXCLUDED, "maximum_distance", "60.0 km")

    def test_places_of_one_street_share_a_row(self) -> None:
        assert place_of(Location(47.60049, -122.30049)) == place_of(Location(47.5996, -122.2996)) == HOME
        assert location_of(HOME) == SEATTLE


class TestThePlanAndItsTable:
    def test_the_table_is_stored_with_the_request_and_read_back_as_it_was(self) -> None:
        request = request_with(roads({HOME: [NOT_MEASURED, 120_000], (1, 2): [2**31 - 1, 0]}, fault="slow"))
        stored = write_value(document_of(request), RequestDocument)
        assert read_value(stored, RequestDocument, "request").to_request().roads == request.roads

    def test_a_table_with_a_number_too_few_is_refused(self) -> None:
        stored = write_value(document_of(request_with(roads({HOME: [1, 2]}))), RequestDocument)
        stored["road_rows"][0]["metres"] = [1]
        with pytest.raises(InvalidInput):
            read_value(stored, RequestDocument, "request")

    @pytest.mark.parametrize("metres", [-2, 2**31, 1.5, "1"])
    def test_a_table_with_what_is_no_distance_is_refused(self, metres: object) -> None:
        stored = write_value(document_of(request_with(roads({HOME: [1, 2]}))), RequestDocument)
        stored["road_rows"][0]["metres"] = [1, metres]
        with pytest.raises(InvalidInput):
            read_value(stored, RequestDocument, "request")

    @pytest.mark.parametrize(
        "other",
        [{HOME: [2, 1]}, {HOME: [1, 3]}, {(0, 0): [1, 2]}, {HOME: [1, NOT_MEASURED]}],
        ids=["swapped", "another distance", "another place", "a gap"],
    )
    def test_another_table_is_another_input(self, other: dict[Place, list[int]]) -> None:
        assert hashes(request_with(roads({HOME: [1, 2]}))).request != hashes(request_with(roads(other))).request

    @pytest.mark.parametrize(
        "wrong",
        [{"distance_m": 44_478, "distance_estimated": False}, {"distance_estimated": True}, {"distance_m": 150_100}],
        ids=["the great circle", "called an estimate", "farther"],
    )
    def test_the_audit_finds_a_distance_that_is_not_the_tables(self, wrong: dict[str, object]) -> None:
        request = request_with(roads({HOME: [150_000, NOT_MEASURED]}), only_a())
        plan = plan_once(request, CbcSolver())
        line = plan.lines[0]
        changed = replace(line.assignments[0], **wrong)  # type: ignore[arg-type]  # fields by name
        with pytest.raises(PlanRejected):
            audit.require_valid(request, replace(plan, lines=(replace(line, assignments=(changed,)),)))


def only_a() -> RequestBuilder:
    return two_sources().with_stock({("pen", "B"): 0})


class TestWhatIsWorthMeasuring:
    def test_ways_of_lines_that_the_run_takes_from_sources_that_may_serve_them(self) -> None:
        builder = two_sources().with_orders(an_order("O2", on_hold=True).with_line("pen").shipping_to(40.0, -100.0))
        found = worth_measuring(builder.build())
        assert found.places == (HOME,)
        assert found.origins == (Location(48.0, -122.3), Location(48.6, -122.3))
        assert found.useful.tolist() == [[True, True]]
        assert found.great_circle_m.tolist() == [[NEAR_M, FAR_M]]

    def test_a_source_without_stock_is_not_asked_about(self) -> None:
        assert worth_measuring(only_a().build()).origins == (Location(48.0, -122.3),)

    def test_a_source_too_far_along_the_great_circle_is_too_far_by_road(self) -> None:
        limit = a_rule("maximum_distance", {"lines": [{"km": 100.0}]})
        assert worth_measuring(two_sources().with_rules(limit).build()).origins == (Location(48.0, -122.3),)

    def test_a_soft_limit_rules_nobody_out_because_iteration_two_drops_it(self) -> None:
        limit = a_rule("maximum_distance", {"lines": [{"km": 100.0}]}, hard=False)
        assert len(worth_measuring(two_sources().with_rules(limit).build()).origins) == 2

    def test_sources_at_one_place_are_one_origin_and_places_of_one_street_one_place(self) -> None:
        builder = two_sources().with_sources(a_source("A", (48.0, -122.3)), a_source("B", (48.0, -122.3)))
        builder = builder.with_orders(an_order("O2").with_line("pen").shipping_to(47.6001, -122.3))
        found = worth_measuring(builder.build())
        assert (len(found.places), len(found.origins)) == (1, 1)

    def test_nothing_to_plan_is_nothing_to_measure(self) -> None:
        assert worth_measuring(a_request().with_sources(a_source("A")).build()).useful.shape == (0, 0)
