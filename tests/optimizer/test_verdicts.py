"""Why a pair was not chosen and a line stays short, where stock, room or split limits decide."""

from datetime import timedelta

import pytest

from dom_core.domain.order import ExceptionKind
from dom_core.domain.plan import Plan
from dom_core.domain.reason import Reason, Verdict
from dom_core.domain.strategy import Rates, RuleRecord
from tests.builders import NOW, RequestBuilder, a_request, a_rule, a_source, an_order
from tests.spelt_out import plan_in_full

ONE_SOURCE = a_rule("partial_orders", {"max_sources": 1}, id="one")


def planned(builder: RequestBuilder) -> Plan:
    return plan_in_full(builder.build())


def two_sources(stock: dict[tuple[str, str], int], *rules: RuleRecord) -> RequestBuilder:
    """A is 111 km away and B 222."""
    sources = (a_source("A", at=(1, 0)), a_source("B", at=(2, 0)))
    return a_request().with_sources(*sources).with_stock(stock).with_rules(*rules)


def test_a_source_with_too_little_for_a_line_that_comes_whole_from_one_place_is_out() -> None:
    whole = a_rule("partial_orders", {"max_sources_per_line": 1}, id="whole")
    order = an_order().shipping_to(0, 0).with_line("P", 3)
    plan = planned(two_sources({("P", "A"): 2, ("P", "B"): 3}, whole).with_orders(order))
    assert plan.reasons.at(0, 0) == Reason(Verdict.EXCLUDED, "line_in_full", None, "3 units", "2 units")


def test_a_source_that_would_need_another_split_is_out() -> None:
    """One source an order: only B has both, so A could serve P only with a second one."""
    order = an_order().shipping_to(0, 0).with_line("P").with_line("Q")
    plan = planned(two_sources({("P", "A"): 1, ("P", "B"): 1, ("Q", "B"): 1}, ONE_SOURCE).with_orders(order))
    reason = plan.reasons.at(0, 0)
    assert (reason.verdict, reason.code, reason.actual) == (
        Verdict.EXCLUDED,
        "partial_orders",
        "would need another split",
    )


def test_room_that_another_order_took_is_taken() -> None:
    room = a_rule("maximum_orders", {"lines": [{"source_id": "A", "limit": 1}]}, id="room")
    orders = [an_order(id).shipping_to(0, 0).with_line("P") for id in ("O1", "O2")]
    plan = planned(two_sources({("P", "A"): 9, ("P", "B"): 9}, room).with_orders(*orders))
    assert plan.reasons.at(1, 0) == Reason(Verdict.TAKEN, "maximum_orders", "room", "1 more orders", "1 orders")


def test_stock_is_taken_where_only_others_keep_the_whole_order_from_moving() -> None:
    """One source an order, in full. A has P for O2, and O1, which B refused, took the Q that would go with it."""
    first = an_order("O1").shipping_to(0, 0).with_line("Q").rejected_by("B", NOW + timedelta(days=1))
    second = an_order("O2").shipping_to(0, 0).with_line("P").with_line("Q")
    stock = {(product, source): 1 for product in "PQ" for source in "AB"}
    whole = a_rule("partial_orders", {"max_sources": 1, "partial_orders": False}, id="one")
    plan = planned(two_sources(stock, whole).with_orders(first, second))
    assert [[made.source_id for made in line.assignments] for line in plan.lines] == [["A"], ["B"], ["B"]]
    assert (plan.reasons.at(1, 0).verdict, plan.reasons.at(1, 0).code) == (Verdict.TAKEN, "stock")


def test_the_most_important_level_that_differs_is_named_with_its_change() -> None:
    ranks = a_rule("location_priority", {"lines": [{"source_id": "A", "priority": 4}, {"priority": 1}]})
    order = an_order().shipping_to(0, 0).with_line("P")
    stock = {("P", "A"): 1, ("P", "B"): 1}
    assert planned(two_sources(stock).with_orders(order)).reasons.at(0, 1) == Reason(
        Verdict.DEARER, "distance_km", actual="+111 km"
    )
    assert planned(two_sources(stock, ranks).with_orders(order)).reasons.at(0, 0) == Reason(
        Verdict.DEARER, "priority_steps", actual="+3 priority steps"
    )


@pytest.mark.parametrize(
    ("stock", "rules", "kind"),
    [
        ({}, (), ExceptionKind.NO_QUANTITY),
        ({("P", "A"): 1}, (), ExceptionKind.NO_QUANTITY),
        (
            {("P", "A"): 2},
            (a_rule("offline_location", {"places": [{"source_id": "A"}]}),),
            ExceptionKind.NO_SOURCE,
        ),
        ({("P", "A"): 2}, (a_rule("maximum_orders", {"lines": [{"limit": 0}]}),), ExceptionKind.NOT_IN_PLAN),
        ({("P", "A"): 1, ("P", "B"): 1}, (ONE_SOURCE,), ExceptionKind.NOT_IN_PLAN),
    ],
    ids=["none anywhere", "too few", "ruled out", "no room", "no split"],
)
def test_a_line_stays_short_for_one_reason(
    stock: dict[tuple[str, str], int], rules: tuple[RuleRecord, ...], kind: ExceptionKind
) -> None:
    order = an_order().shipping_to(0, 0).with_line("P", 2)
    assert planned(two_sources(stock, *rules).with_orders(order)).lines[0].exception is kind


def test_units_that_other_lines_got_are_no_quantity() -> None:
    orders = [an_order(id).shipping_to(0, 0).with_line("P") for id in ("O1", "O2")]
    plan = planned(two_sources({("P", "A"): 1}).with_orders(*orders))
    assert [line.exception for line in plan.lines] == [None, ExceptionKind.NO_QUANTITY]


def test_units_that_are_not_worth_their_way_stay_where_they_are() -> None:
    """Rates of the strategy are prices: a unit at 1 point does not pay a shipment of 1,000."""
    order = an_order().shipping_to(0, 0).with_line("P")
    plan = planned(two_sources({("P", "A"): 1}).with_strategy(rates=Rates(unfilled_unit=1)).with_orders(order))
    assert plan.lines[0].filled_units == 0
    assert plan.reasons.at(0, 0).verdict is Verdict.DEARER
