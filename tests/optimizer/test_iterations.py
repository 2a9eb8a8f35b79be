"""What iteration 2 may do with what iteration 1 left, worked out by hand. A degree of latitude is 111.195 km."""

import pytest

from dom_core.domain.plan import Level, Plan
from dom_core.domain.strategy import LocationPriorityMode, RuleRecord
from dom_core.optimizer.pipeline import plan_once
from dom_core.optimizer.solving import CbcSolver
from tests.builders import RequestBuilder, a_request, a_rule, a_source, an_order

FENCED_Q = a_rule("minimum_inventory", {"lines": [{"product_id": "Q", "units": 1}]}, id="fence", hard=False)
"""Keeps one unit of Q back everywhere, until iteration 2."""


def planned(builder: RequestBuilder) -> Plan:
    return plan_once(builder.build(), CbcSolver())


def assigned(plan: Plan) -> list[tuple[str, str, int]]:
    """Line, source and iteration."""
    return [(line.line_id, made.source_id, made.iteration) for line in plan.lines for made in line.assignments]


def one_order(*rules: RuleRecord) -> RequestBuilder:
    """P lies at A, 111 km away, and Q at B, 222 km away."""
    sources = (a_source("A", at=(1, 0)), a_source("B", at=(2, 0)))
    builder = a_request().with_sources(*sources).with_stock({("P", "A"): 1, ("Q", "B"): 1}).with_rules(*rules)
    return builder.with_orders(an_order().shipping_to(0, 0).with_line("P").with_line("Q"))


def amounts(plan: Plan, iteration: int) -> tuple[int, ...]:
    return tuple(value.amount for value in plan.iterations[iteration - 1].levels)


def test_an_order_that_is_all_or_nothing_waits_whole_for_iteration_2() -> None:
    whole = a_rule("partial_orders", {"partial_orders": False}, id="whole")
    assert assigned(planned(one_order(FENCED_Q, whole))) == [("1", "A", 2), ("2", "B", 2)]
    assert assigned(planned(one_order(FENCED_Q, whole).with_stock({("Q", "B"): 0}))) == []
    assert assigned(planned(one_order(FENCED_Q))) == [("1", "A", 1), ("2", "B", 2)]


def test_the_sources_of_iteration_1_count_in_iteration_2() -> None:
    one = a_rule("partial_orders", {"max_sources": 1}, id="one")
    assert assigned(planned(one_order(FENCED_Q, one))) == [("1", "A", 1)]
    assert assigned(planned(one_order(FENCED_Q, one).with_stock({("Q", "A"): 1}))) == [("1", "A", 1), ("2", "A", 2)]


def test_the_sources_of_a_line_in_iteration_1_count_in_iteration_2() -> None:
    """Two units of P, of which iteration 1 may give one from A; the other lies at B, too far for a soft rule."""
    near = a_rule("maximum_distance", {"lines": [{"km": 200}]}, id="near", hard=False)

    def sources(most: int) -> list[tuple[str, str, int]]:
        limits = a_rule("partial_orders", {"partial_lines": True, "max_sources_per_line": most})
        builder = a_request().with_sources(a_source("A", at=(1, 0)), a_source("B", at=(2, 0)))
        order = an_order().shipping_to(0, 0).with_line("P", 2)
        stock = {("P", "A"): 1, ("P", "B"): 1}
        return assigned(planned(builder.with_stock(stock).with_rules(near, limits).with_orders(order)))

    assert sources(1) == [("1", "A", 1)]
    assert sources(2) == [("1", "A", 1), ("1", "B", 2)]


def test_room_that_iteration_1_took_is_gone_in_iteration_2() -> None:
    """The other order wants Q, which the fence keeps until then, and the source takes one order."""
    room = a_rule("maximum_orders", {"lines": [{"limit": 1}]}, id="room")
    builder = a_request().with_sources(a_source("A", at=(1, 0))).with_stock({("P", "A"): 1, ("Q", "A"): 1})
    first, second = (an_order(id).shipping_to(0, 0).with_line(product) for id, product in (("O1", "P"), ("O2", "Q")))
    assert assigned(planned(builder.with_rules(FENCED_Q, room).with_orders(first, second))) == [("1", "A", 1)]
    again = planned(builder.with_rules(FENCED_Q, room).with_orders(first.with_line("Q")))
    assert assigned(again) == [("1", "A", 1), ("2", "A", 2)]


def test_iteration_2_pays_only_for_what_is_new() -> None:
    """In iteration 1 P ships from A with priority 2; Q joins with priority 5: three steps more, and nothing else."""
    lines = [
        {"source_id": "A", "product_id": "P", "priority": 2},
        {"source_id": "A", "product_id": "Q", "priority": 5},
    ]
    ranks = a_rule("location_priority", {"lines": lines}, id="ranks")
    plan = planned(one_order(FENCED_Q, ranks).with_stock({("Q", "A"): 1, ("Q", "B"): 0}))
    assert assigned(plan) == [("1", "A", 1), ("2", "A", 2)]
    assert amounts(plan, 1) == (1, 1, 1, 111)
    assert amounts(plan, 2) == (0, 0, 3, 0)
    assert [value.level for value in plan.iterations[0].levels] == [
        Level.UNFILLED_UNITS,
        Level.SHIPMENTS,
        Level.PRIORITY_STEPS,
        Level.DISTANCE_KM,
    ]


@pytest.mark.parametrize("mode", LocationPriorityMode)
@pytest.mark.parametrize("hard", [True, False])
def test_the_mode_decides_how_a_soft_location_priority_binds(mode: LocationPriorityMode, hard: bool) -> None:
    """Only A has P and only B a priority: without one A never serves, or at once, or in iteration 2."""
    ranks = a_rule("location_priority", {"lines": [{"source_id": "B", "priority": 1}]}, id="ranks", hard=hard)
    builder = a_request().with_sources(a_source("A", at=(1, 0)), a_source("B", at=(2, 0))).with_stock({("P", "A"): 1})
    order = an_order().shipping_to(0, 0).with_line("P")
    plan = planned(builder.with_strategy(location_priority_mode=mode).with_rules(ranks).with_orders(order))
    soft = {
        LocationPriorityMode.ALWAYS_HARD: [],
        LocationPriorityMode.FLAG_DECIDES: [("1", "A", 1)],
        LocationPriorityMode.ORDINARY: [("1", "A", 2)],
    }
    assert assigned(plan) == ([] if hard else soft[mode])


def test_a_priority_that_only_ranks_does_so_in_iteration_1() -> None:
    """B, farther away, ranks first; under `flag_decides` the soft rule still prefers it."""
    lines = [{"source_id": "B", "priority": 1}, {"source_id": "A", "priority": 2}]
    ranks = a_rule("location_priority", {"lines": lines}, id="ranks", hard=False)
    builder = a_request().with_sources(a_source("A", at=(1, 0)), a_source("B", at=(2, 0)))
    order = an_order().shipping_to(0, 0).with_line("P")
    builder = builder.with_stock({("P", "A"): 1, ("P", "B"): 1}).with_rules(ranks).with_orders(order)
    mode = LocationPriorityMode.FLAG_DECIDES
    assert assigned(planned(builder.with_strategy(location_priority_mode=mode))) == [("1", "B", 1)]
