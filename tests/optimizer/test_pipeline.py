"""Whole runs, each small enough to work out by hand in its comment."""

from datetime import timedelta

import pytest

from dom_core.domain.network import Location
from dom_core.domain.order import ExceptionKind
from dom_core.domain.plan import Ending, Fulfillment, Level, Plan
from dom_core.domain.reason import Verdict
from dom_core.domain.strategy import DistanceMode, ObjectiveMode, Rates
from tests.builders import NOW, RequestBuilder, a_request, a_rule, a_source, an_order
from tests.spelt_out import plan_in_full

SEATTLE, PORTLAND, NEW_YORK = (47.6062, -122.3321), (45.5152, -122.6784), (40.7128, -74.006)


def planned(builder: RequestBuilder) -> Plan:
    return plan_in_full(builder.build())


def sources_of(plan: Plan) -> list[list[tuple[str, int]]]:
    return [[(a.source_id, a.units) for a in line.assignments] for line in plan.lines]


def amounts(plan: Plan, iteration: int = 1) -> dict[Level, int]:
    return {value.level: value.amount for value in plan.iterations[iteration - 1].levels}


def west_and_east() -> RequestBuilder:
    return a_request().with_sources(a_source("EAST", at=NEW_YORK), a_source("WEST", at=PORTLAND))


def test_the_nearest_source_ships() -> None:
    order = an_order().shipping_to(*SEATTLE).with_line("P")
    plan = planned(west_and_east().with_stock({("P", "EAST"): 5, ("P", "WEST"): 5}).with_orders(order))
    assert sources_of(plan) == [[("WEST", 1)]]
    # Portland to Seattle is 234 km along the great circle; D is 4,000 as New York is 3,866 km away.
    # One shipment of 4,000 and 234 km.
    assert plan.iterations[0].total == 4_234
    assert plan.iterations[0].bound == 4_234
    assert plan.iterations[0].ending is Ending.OPTIMAL
    assert plan.largest_distance_km == 4000


def test_a_plan_by_road_says_that_it_used_the_great_circle() -> None:
    order = an_order().shipping_to(*SEATTLE).with_line("P")
    builder = west_and_east().with_stock({("P", "WEST"): 5}).with_orders(order)
    by_road = planned(builder.with_strategy(distance_mode=DistanceMode.ROAD))
    assert by_road.lines[0].assignments[0].distance_m == planned(builder).lines[0].assignments[0].distance_m
    assert (len(by_road.warnings), planned(builder).warnings) == (1, ())
    assert "great circle" in by_road.warnings[0]


def test_a_promise_moves_no_order_forward() -> None:
    """Ties go to the earliest ordered (docs/semantics.md section 6); the promise is shown, and no more."""
    first = an_order("A").shipping_to(*SEATTLE).with_line("P")
    urgent = an_order("B", promised_by=NOW).shipping_to(*SEATTLE).with_line("P").ordered_at(NOW)
    plan = planned(west_and_east().with_stock({("P", "WEST"): 1}).with_orders(urgent, first))
    assert {line.order_id: line.filled_units for line in plan.lines} == {"A": 1, "B": 0}


def test_one_complete_shipment_beats_two_nearer_ones() -> None:
    order = an_order().shipping_to(*SEATTLE).with_line("P").with_line("Q")
    stock = {("P", "EAST"): 1, ("Q", "EAST"): 1, ("P", "WEST"): 1}
    plan = planned(west_and_east().with_stock(stock).with_orders(order))
    assert sources_of(plan) == [[("EAST", 1)], [("EAST", 1)]]
    west = plan.reasons.at(0, 1)
    assert (west.verdict, west.code, west.actual) == (Verdict.DEARER, "shipments", "+1 shipments")


def test_filling_beats_everything_so_a_line_is_split_over_two_sources() -> None:
    order = an_order().shipping_to(*SEATTLE).with_line("P", 3)
    plan = planned(west_and_east().with_stock({("P", "EAST"): 2, ("P", "WEST"): 2}).with_orders(order))
    assert sources_of(plan) in ([[("EAST", 1), ("WEST", 2)]], [[("EAST", 2), ("WEST", 1)]])
    assert plan.lines[0].fulfillment is Fulfillment.FULLY
    assert amounts(plan)[Level.SHIPMENTS] == 2


def test_without_partial_lines_a_short_line_waits_whole() -> None:
    order = an_order().shipping_to(*SEATTLE).with_line("P", 5)
    plan = planned(west_and_east().with_stock({("P", "WEST"): 4}).with_orders(order))
    assert sources_of(plan) == [[]]
    assert plan.lines[0].exception is ExceptionKind.NO_QUANTITY


def test_the_earlier_of_two_equal_orders_gets_the_last_unit() -> None:
    early = an_order("Z").shipping_to(*SEATTLE).with_line("P").ordered_at(NOW - timedelta(hours=3))
    late = an_order("A").shipping_to(*SEATTLE).with_line("P").ordered_at(NOW - timedelta(hours=1))
    plan = planned(west_and_east().with_stock({("P", "WEST"): 1}).with_orders(late, early))
    assert {line.order_id: line.filled_units for line in plan.lines} == {"Z": 1, "A": 0}
    assert plan.reasons.at(1, 1).verdict is Verdict.TAKEN


def test_of_two_equal_sources_the_lowest_id_ships() -> None:
    sources = (a_source("S2", at=PORTLAND), a_source("S1", at=PORTLAND))
    stock = {("P", "S1"): 1, ("P", "S2"): 1}
    order = an_order().shipping_to(*SEATTLE).with_line("P")
    plan = planned(a_request().with_sources(*sources).with_stock(stock).with_orders(order))
    assert sources_of(plan) == [[("S1", 1)]]
    assert plan.reasons.at(0, 1).code == "tie"


def test_a_higher_priority_class_gets_the_last_unit_although_it_came_later() -> None:
    first = an_order("A").shipping_to(*SEATTLE).with_line("P")
    second = an_order("B", priority_class=1).shipping_to(*SEATTLE).with_line("P")
    plan = planned(west_and_east().with_stock({("P", "WEST"): 1}).with_orders(first, second))
    assert {line.order_id: line.filled_units for line in plan.lines} == {"A": 0, "B": 1}
    # One unfilled unit of weight 1.
    assert amounts(plan)[Level.UNFILLED_UNITS] == 1


def test_two_destinations_of_one_order_pay_two_journeys_but_one_shipment() -> None:
    order = an_order().shipping_to(*SEATTLE).with_line("P").with_line("Q", location=Location(*PORTLAND))
    plan = planned(west_and_east().with_stock({("P", "WEST"): 1, ("Q", "WEST"): 1}).with_orders(order))
    # WEST is in Portland: 234 km to Seattle, 0 km to Portland.
    assert amounts(plan) == {
        Level.UNFILLED_UNITS: 0,
        Level.SHIPMENTS: 1,
        Level.PRIORITY_STEPS: 0,
        Level.DISTANCE_KM: 234,
    }


def test_within_the_local_radius_kilometres_do_not_count() -> None:
    order = an_order().shipping_to(*SEATTLE).with_line("P")
    builder = west_and_east().with_stock({("P", "WEST"): 1}).with_orders(order)
    assert amounts(planned(builder.with_strategy(local_radius_km=233.0)))[Level.DISTANCE_KM] == 234
    assert amounts(planned(builder.with_strategy(local_radius_km=235.0)))[Level.DISTANCE_KM] == 0


def test_a_soft_rule_gives_way_in_iteration_two_and_is_named() -> None:
    rule = a_rule("maximum_distance", {"lines": [{"km": 100.0}]}, id="near", hard=False)
    order = an_order().shipping_to(*SEATTLE).with_line("P")
    plan = planned(west_and_east().with_stock({("P", "WEST"): 1}).with_orders(order).with_rules(rule))
    assignment = plan.lines[0].assignments[0]
    assert (assignment.source_id, assignment.iteration, assignment.relaxed_rule_ids) == ("WEST", 2, ("near",))
    assert [(report.lines, report.filled_lines) for report in plan.iterations] == [(1, 0), (1, 1)]


def test_a_hard_rule_does_not_give_way() -> None:
    rule = a_rule("maximum_distance", {"lines": [{"km": 100.0}]}, id="near")
    order = an_order().shipping_to(*SEATTLE).with_line("P")
    plan = planned(west_and_east().with_stock({("P", "WEST"): 1}).with_orders(order).with_rules(rule))
    assert plan.lines[0].exception is ExceptionKind.NO_SOURCE
    reason = plan.reasons.at(0, 1)
    assert (reason.code, reason.rule_id, reason.limit, reason.actual) == (
        "maximum_distance",
        "near",
        "100.0 km",
        "234.0 km",
    )


def test_iteration_two_uses_what_iteration_one_left() -> None:
    # 3 units in stock, 1 ring-fenced softly: two orders are filled in iteration 1, the third from the ring fence.
    rule = a_rule("minimum_inventory", {"lines": [{"units": 1}]}, hard=False)
    orders = [an_order(f"O{n}").shipping_to(*SEATTLE).with_line("P") for n in range(4)]
    plan = planned(west_and_east().with_stock({("P", "WEST"): 3}).with_orders(*orders).with_rules(rule))
    assert [[a.iteration for a in line.assignments] for line in plan.lines] == [[1], [1], [2], []]
    assert plan.lines[3].exception is ExceptionKind.NO_QUANTITY


def test_a_rejecting_source_stays_barred_in_both_iterations() -> None:
    rule = a_rule("maximum_distance", {"lines": [{"km": 1.0}]}, hard=False)
    order = an_order().shipping_to(*SEATTLE).with_line("P").rejected_by("WEST", NOW + timedelta(days=1))
    stock = {("P", "WEST"): 9, ("P", "EAST"): 9}
    plan = planned(west_and_east().with_stock(stock).with_orders(order).with_rules(rule))
    assert sources_of(plan) == [[("EAST", 1)]]
    assert plan.reasons.at(0, 1).code == "rejection_bar"


@pytest.mark.parametrize(("mode", "filled"), [(ObjectiveMode.RATES, 1), (ObjectiveMode.STRICT, 2)])
def test_strict_mode_gives_up_no_unit_where_rates_would(mode: ObjectiveMode, filled: int) -> None:
    # With a unit worth only 10 points and a shipment 100, a second shipment does not pay by rates.
    order = an_order().shipping_to(*SEATTLE).with_line("P", 30).with_line("Q")
    rates = Rates(unfilled_unit=10, shipment=100, kilometre=0)
    builder = west_and_east().with_stock({("P", "WEST"): 30, ("Q", "EAST"): 1}).with_orders(order)
    plan = planned(builder.with_strategy(rates=rates, objective_mode=mode))
    assert sum(line.fulfillment is Fulfillment.FULLY for line in plan.lines) == filled


def test_an_empty_run_is_a_plan_without_lines() -> None:
    plan = planned(west_and_east())
    assert (plan.lines, plan.iterations[0].total, plan.iterations[0].ending) == ((), 0, Ending.OPTIMAL)


def test_every_pair_has_exactly_one_reason() -> None:
    order = an_order().shipping_to(*SEATTLE).with_line("P", 2).with_line("Q")
    plan = planned(west_and_east().with_stock({("P", "WEST"): 1, ("P", "EAST"): 4}).with_orders(order))
    assert [len(row) for row in plan.reasons.codes] == [2, 2]
    assert plan.reasons.source_ids == ("EAST", "WEST")


def test_the_same_request_gives_the_same_plan() -> None:
    orders = [an_order(f"O{n}").shipping_to(*SEATTLE).with_line("P", 2).with_line("Q") for n in range(3)]
    builder = west_and_east().with_stock({("P", "WEST"): 4, ("P", "EAST"): 1, ("Q", "EAST"): 2}).with_orders(*orders)
    one, other = planned(builder), planned(builder)
    assert (one.lines, one.reasons, one.input_hash) == (other.lines, other.reasons, other.input_hash)
