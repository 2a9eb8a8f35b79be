"""What each level of the objective counts, and at which rates. A degree of latitude is 111.195 km."""

from typing import Any

import pytest

from dom_core.domain.network import Location
from dom_core.domain.plan import Level, Plan
from dom_core.domain.strategy import Rates
from dom_core.optimizer.pipeline import plan_once
from dom_core.optimizer.solving import CbcSolver
from tests.builders import RequestBuilder, a_request, a_rule, a_source, an_order


def planned(builder: RequestBuilder) -> Plan:
    return plan_once(builder.build(), CbcSolver())


def amounts(plan: Plan) -> dict[Level, int]:
    return {value.level: value.amount for value in plan.iterations[0].levels}


def rates(plan: Plan) -> tuple[int, ...]:
    """Points per unfilled unit, shipment, priority step and kilometre."""
    return tuple(value.rate for value in plan.iterations[0].levels)


def one_line(at: tuple[float, float] | None, **order: Any) -> RequestBuilder:
    """One unit of P from S1 to where equator and first meridian meet."""
    builder = a_request().with_sources(a_source("S1", at=at)).with_stock({("P", "S1"): 1})
    return builder.with_orders(an_order(**order).shipping_to(0, 0).with_line("P"))


@pytest.mark.parametrize(("priority_class", "weight"), [(1, 16), (2, 8), (3, 4), (4, 2), (5, 1), (None, 1)])
def test_an_unfilled_unit_weighs_by_its_class(priority_class: int | None, weight: int) -> None:
    plan = planned(one_line((1, 0), priority_class=priority_class).with_stock({("P", "S1"): 0}))
    assert amounts(plan)[Level.UNFILLED_UNITS] == weight


@pytest.mark.parametrize(("degrees", "largest_km"), [(0, 1_000), (8.9, 1_000), (9.1, 2_000), (90, 11_000)])
def test_the_largest_distance_is_rounded_up_to_whole_thousands(degrees: float, largest_km: int) -> None:
    plan = planned(one_line((degrees, 0)))
    assert plan.largest_distance_km == largest_km
    assert rates(plan) == (4 * largest_km, largest_km, 0, 1)


def test_the_largest_distance_is_that_of_pairs_that_iteration_2_would_allow() -> None:
    """The far source, 2,224 km away, is out of iteration 1 in both cases; a soft rule would let it in."""
    for hard, largest_km in ((True, 1_000), (False, 3_000)):
        near = a_rule("maximum_distance", {"lines": [{"km": 500}]}, hard=hard)
        builder = one_line((1, 0)).with_sources(a_source("S1", at=(1, 0)), a_source("S2", at=(20, 0)))
        plan = planned(builder.with_stock({("P", "S2"): 1}).with_rules(near))
        assert (plan.largest_distance_km, rates(plan)[1]) == (largest_km, largest_km)
        assert [value.rate for value in plan.iterations[1].levels] == list(rates(plan))


@pytest.mark.parametrize(("fields", "ranked"), [({}, True), ({"enabled": False}, False)])
def test_a_location_priority_in_force_gives_its_steps_a_price(fields: dict[str, Any], ranked: bool) -> None:
    rule = a_rule("location_priority", {"lines": [{"priority": 1}]}, **fields)
    assert rates(planned(one_line((1, 0)).with_rules(rule))) == (
        (40_000, 10_000, 1_000, 1) if ranked else (4_000, 1_000, 0, 1)
    )


def test_rates_that_the_strategy_sets_take_the_place_of_the_defaults() -> None:
    """A unit left out costs four times the shipment, unless it has a rate of its own."""
    assert rates(planned(one_line((1, 0)).with_strategy(rates=Rates(shipment=7)))) == (28, 7, 0, 1)
    given = Rates(unfilled_unit=50, shipment=7, priority_step=3, kilometre=2)
    assert rates(planned(one_line((1, 0)).with_strategy(rates=given))) == (50, 7, 3, 2)


def test_a_complete_order_from_one_place_beats_priority() -> None:
    """B has both lines at the worst priority; A, nearer, has one at the best: nine steps are less than a shipment."""
    lines = [{"source_id": "A", "priority": 1}, {"source_id": "B", "priority": 10}]
    builder = a_request().with_sources(a_source("A", at=(1, 0)), a_source("B", at=(2, 0)))
    builder = builder.with_stock({("P", "A"): 1, ("P", "B"): 1, ("Q", "B"): 1})
    order = an_order().shipping_to(0, 0).with_line("P").with_line("Q")
    plan = planned(builder.with_rules(a_rule("location_priority", {"lines": lines})).with_orders(order))
    assert [line.assignments[0].source_id for line in plan.lines] == ["B", "B"]


def test_a_shipment_has_the_steps_of_its_worst_line() -> None:
    lines = [{"product_id": "P", "priority": 2}, {"product_id": "Q", "priority": 5}]
    order = an_order().shipping_to(0, 0).with_line("P").with_line("Q")
    plan = planned(
        a_request()
        .with_sources(a_source("S1", at=(1, 0)))
        .with_stock({("P", "S1"): 1, ("Q", "S1"): 1})
        .with_rules(a_rule("location_priority", {"lines": lines}))
        .with_orders(order)
    )
    assert (amounts(plan)[Level.SHIPMENTS], amounts(plan)[Level.PRIORITY_STEPS]) == (1, 4)


def test_lines_to_one_place_share_their_way_and_lines_to_another_have_their_own() -> None:
    order = an_order().shipping_to(0, 0).with_line("P").with_line("Q").with_line("R", location=Location(2, 0))
    builder = a_request().with_sources(a_source("S1", at=(1, 0)))
    plan = planned(builder.with_stock({(product, "S1"): 1 for product in "PQR"}).with_orders(order))
    assert amounts(plan) == {
        Level.UNFILLED_UNITS: 0,
        Level.SHIPMENTS: 1,
        Level.PRIORITY_STEPS: 0,
        Level.DISTANCE_KM: 111 + 111,
    }


@pytest.mark.parametrize(("degrees", "km"), [(0.00449, 0), (0.0045, 1), (0.0134, 1), (0.0135, 2)])
def test_kilometres_are_rounded_half_up(degrees: float, km: int) -> None:
    """0.00449 degrees are 499 m, 0.0045 are 500 m; 0.0134 are 1,490 m, 0.0135 are 1,501 m."""
    assert amounts(planned(one_line((degrees, 0))))[Level.DISTANCE_KM] == km


def test_an_unknown_distance_counts_as_the_largest_of_the_others() -> None:
    """S2 is 1,112 km away, so D is 2,000; S1, which alone has the unit, is nobody knows where."""
    builder = one_line(None).with_sources(a_source("S1", at=None), a_source("S2", at=(10, 0)))
    builder = builder.with_stock({("Q", "S2"): 1}).with_orders(an_order("O2").shipping_to(0, 0).with_line("Q"))
    plan = planned(builder)
    assert plan.largest_distance_km == 2_000
    assert amounts(plan)[Level.DISTANCE_KM] == 2_000 + 1_112
    assert plan.lines[0].assignments[0].distance_m is None


def test_a_strategy_may_limit_its_order_lines_without_any_effect_yet() -> None:
    order = an_order("O2").shipping_to(0, 0).with_line("P")
    plan = planned(one_line((1, 0)).with_stock({("P", "S1"): 2}).with_orders(order).with_strategy(max_order_lines=1))
    assert [line.filled_units for line in plan.lines] == [1, 1]
