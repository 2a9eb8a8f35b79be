"""Plans by cost: what is paid decides, priority and distance only where the money is equal."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from dom_core.domain.network import Location
from dom_core.domain.plan import Ending, Level, Plan
from dom_core.domain.strategy import CostFactorRecord, Objective, ObjectiveMode
from dom_core.optimizer.costs import spread
from tests.builders import RequestBuilder, a_request, a_rule, a_source, an_order
from tests.spelt_out import plan_in_full

SEATTLE, PORTLAND, NEW_YORK = (47.6062, -122.3321), (45.5152, -122.6784), (40.7128, -74.006)


def by_cost(builder: RequestBuilder, *factors: CostFactorRecord, **strategy: Any) -> Plan:
    builder = builder.with_strategy(objective=Objective.COST, **strategy).with_cost_factors(*factors)
    return plan_in_full(builder.build())


def handling(id: str = "handling", **amounts: Any) -> CostFactorRecord:
    return CostFactorRecord(id, "handling", {"lines": [amounts]})


def shipping(*lines: dict[str, Any], id: str = "shipping") -> CostFactorRecord:
    return CostFactorRecord(id, "shipping", {"lines": list(lines)})


def west_and_east() -> RequestBuilder:
    return a_request().with_sources(a_source("EAST", at=NEW_YORK), a_source("WEST", at=PORTLAND))


def one_line() -> RequestBuilder:
    stock = {("P", "EAST"): 5, ("P", "WEST"): 5}
    return west_and_east().with_stock(stock).with_orders(an_order().shipping_to(*SEATTLE).with_line("P"))


def chosen(plan: Plan) -> list[list[str]]:
    return [[assignment.source_id for assignment in line.assignments] for line in plan.lines]


def test_the_cheaper_source_ships_although_it_is_farther() -> None:
    factor = shipping(
        {"source_id": "WEST", "basis": "fixed", "cents": 900}, {"source_id": "EAST", "basis": "fixed", "cents": 700}
    )
    plan = by_cost(one_line(), factor)
    assert chosen(plan) == [["EAST"]]
    # The dearest possible shipment is 900 cents, so an unfilled unit would be 3,600 points; 700 are paid.
    levels = {value.level: (value.amount, value.rate) for value in plan.iterations[0].levels}
    assert levels[Level.UNFILLED_UNITS] == (0, 3600)
    assert levels[Level.COST_CENTS] == (700, 1)
    assert (plan.iterations[0].total, plan.iterations[0].ending) == (700, Ending.OPTIMAL)
    west = plan.reasons.at(0, 1)
    assert (west.code, west.actual) == ("cost_cents", "+200 cents")


def test_equal_cost_is_decided_by_distance() -> None:
    plan = by_cost(one_line(), handling(per_order_cents=500))
    assert chosen(plan) == [["WEST"]]
    assert plan.reasons.at(0, 0).code == "distance_km"


def test_equal_cost_is_decided_by_priority_before_distance() -> None:
    lines = [{"source_id": "EAST", "priority": 1}, {"source_id": "WEST", "priority": 2}]
    builder = one_line().with_rules(a_rule("location_priority", {"lines": lines}))
    assert chosen(by_cost(builder, handling(per_order_cents=500))) == [["EAST"]]


def test_a_cent_outweighs_priority_and_distance() -> None:
    factor = shipping(
        {"source_id": "WEST", "basis": "fixed", "cents": 500}, {"source_id": "EAST", "basis": "fixed", "cents": 499}
    )
    lines = [{"source_id": "EAST", "priority": 10}, {"source_id": "WEST", "priority": 1}]
    builder = one_line().with_rules(a_rule("location_priority", {"lines": lines}))
    assert chosen(by_cost(builder, factor)) == [["EAST"]]


@pytest.mark.parametrize("mode", list(ObjectiveMode))
def test_a_unit_is_filled_whatever_it_costs(mode: ObjectiveMode) -> None:
    plan = by_cost(one_line(), handling(per_order_cents=1_000_000), objective_mode=mode)
    assert plan.lines[0].filled_units == 1


def test_shipment_and_parts_are_paid_as_often_as_they_occur_and_add_up_to_the_cent() -> None:
    # Three lines from one place: one shipment of 1,000 cents and three parts of 33 cents; one leg of 100 cents.
    order = an_order().shipping_to(*SEATTLE).with_line("P", 1).with_line("Q", 1).with_line("R", 1)
    stock = {(product, "WEST"): 1 for product in "PQR"}
    factors = (handling(per_order_cents=1000, per_line_cents=33), shipping({"basis": "fixed", "cents": 100}))
    plan = by_cost(west_and_east().with_stock(stock).with_orders(order), *factors)
    assert plan.iterations[0].total == 1000 + 3 * 33 + 100
    items = [[(item.factor_id, item.cents) for item in line.assignments[0].costs] for line in plan.lines]
    # 1,000 / 3 = 333 and a cent left over for the first; 100 / 3 = 33 and a cent left over.
    assert items == [
        [("handling", 334 + 33), ("shipping", 34)],
        [("handling", 333 + 33), ("shipping", 33)],
        [("handling", 333 + 33), ("shipping", 33)],
    ]


def test_lines_to_two_places_pay_two_legs_and_one_shipment() -> None:
    order = an_order().shipping_to(*SEATTLE).with_line("P").with_line("Q", location=Location(*PORTLAND))
    stock = {("P", "WEST"): 1, ("Q", "WEST"): 1}
    factors = (handling(per_order_cents=1000), shipping({"basis": "fixed", "cents": 100}))
    plan = by_cost(west_and_east().with_stock(stock).with_orders(order), *factors)
    assert plan.iterations[0].total == 1000 + 2 * 100


def test_a_factor_out_of_its_dates_or_inactive_charges_nothing() -> None:
    over = replace(handling(id="over", per_order_cents=100), end_date=date(2026, 3, 1))
    off = replace(handling(id="off", per_order_cents=100), active=False)
    on = replace(handling(id="on", per_order_cents=7), start_date=date(2026, 3, 2), end_date=date(2026, 3, 2))
    assert by_cost(one_line(), over, off, on).iterations[0].total == 7


def test_cost_factors_count_for_the_objective_cost_alone() -> None:
    factor = handling(per_order_cents=500)
    closest = plan_in_full(one_line().with_cost_factors(factor).build())
    assert Level.COST_CENTS not in {value.level for value in closest.iterations[0].levels}
    assert closest.lines[0].assignments[0].costs == ()
    assert [item.cents for item in by_cost(one_line(), factor).lines[0].assignments[0].costs] == [500]


def test_iteration_two_does_not_pay_again_what_iteration_one_pays() -> None:
    # One unit is ring-fenced softly: the second line joins in iteration 2, in the shipment that is already paid.
    order = an_order().shipping_to(*SEATTLE).with_line("P").with_line("Q")
    rule = a_rule("minimum_inventory", {"lines": [{"product_id": "Q", "units": 1}]}, hard=False)
    builder = west_and_east().with_stock({("P", "WEST"): 1, ("Q", "WEST"): 1}).with_orders(order).with_rules(rule)
    plan = by_cost(builder, handling(per_order_cents=1000, per_line_cents=10), shipping({"basis": "fixed", "cents": 5}))
    assert [report.levels[1].amount for report in plan.iterations] == [1015, 10]


def test_iteration_two_prefers_the_place_where_the_line_is_paid_for() -> None:
    # Iteration 1: one P from WEST and Q from EAST. Both have one more P then; at EAST it would be a part of its own.
    order = an_order().shipping_to(*SEATTLE).with_line("P", 2).with_line("Q")
    fence = a_rule("minimum_inventory", {"lines": [{"product_id": "P", "units": 1}]}, hard=False)
    stock = {("P", "WEST"): 2, ("P", "EAST"): 1, ("Q", "EAST"): 1}
    builder = west_and_east().with_stock(stock).with_orders(order)
    plan = by_cost(
        builder.with_rules(fence, a_rule("partial_orders", {"partial_lines": True})), handling(per_line_cents=10)
    )
    assert chosen(plan) == [["WEST", "WEST"], ["EAST"]]
    assert [report.levels[1].amount for report in plan.iterations] == [20, 0]


def test_shares_add_up_and_the_largest_remainders_come_first() -> None:
    assert spread(100, [1, 1, 1]) == [34, 33, 33]
    assert spread(101, [1, 2, 3]) == [17, 34, 50]
    assert spread(0, [5, 5]) == [0, 0]
