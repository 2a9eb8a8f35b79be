"""Whoever loses stock or room learns to whom."""

from datetime import timedelta

from dom_core.domain.explanation import SourceExplanation, Taker
from dom_core.domain.reason import Verdict
from dom_core.domain.request import SourceLoad
from tests.builders import NOW, OrderBuilder, RequestBuilder, a_request, a_rule, a_source, an_order
from tests.optimizer.planned import planned


def early(id: str) -> OrderBuilder:
    return an_order(id).ordered_at(NOW - timedelta(days=1))


def one_source() -> RequestBuilder:
    return a_request().with_sources(a_source("S1"))


def test_stock_is_taken_by_the_lines_that_the_plan_serves_from_the_cell() -> None:
    run = planned(
        one_source()
        .with_stock({("P", "S1"): 3, ("Q", "S1"): 9})
        .with_orders(early("A").with_line("P", 2).with_line("Q", 4).with_line("P"), an_order("B").with_line("P"))
    )
    assert run.source("S1", "B") == SourceExplanation(
        "S1",
        Verdict.TAKEN,
        "stock",
        limit="3 units",
        actual="0 units left",
        taken_by=(Taker("A", "S1", "1", 2), Taker("A", "S1", "3", 1)),
    )


def test_what_is_left_of_the_stock_is_no_use_to_a_line_that_must_be_whole() -> None:
    """One unit is left of three, the line wants two, and lines are served in full."""
    run = planned(
        one_source()
        .with_stock({("P", "S1"): 3})
        .with_orders(early("A").with_line("P", 2), an_order("B").with_line("P", 2))
    )
    assert run.source("S1", "B") == SourceExplanation(
        "S1",
        Verdict.TAKEN,
        "stock",
        limit="3 units",
        actual="1 units left",
        taken_by=(Taker("A", "S1", "1", 2),),
    )


def test_what_is_not_taken_is_taken_by_nobody() -> None:
    run = planned(one_source().with_stock({("P", "S1"): 1}).with_orders(an_order("A").with_line("P")))
    assert run.source("S1", "A") == SourceExplanation("S1", Verdict.CHOSEN, "chosen")


def test_room_is_taken_by_orders_of_earlier_plans_and_of_this_one() -> None:
    capacity = a_rule("maximum_orders", {"lines": [{"limit": 3}]}, id="room")
    run = planned(
        one_source()
        .with_rules(capacity)
        .with_load("S1", SourceLoad(open_order_ids=frozenset({"Z9", "Z8"})))
        .with_stock({("P", "S1"): 9, ("Q", "S1"): 9})
        .with_orders(early("A").with_line("P", 2).with_line("Q", 3), an_order("B").with_line("P"))
    )
    assert run.source("S1", "B") == SourceExplanation(
        "S1",
        Verdict.TAKEN,
        "maximum_orders",
        "room",
        "1 more orders",
        "1 orders",
        (Taker("Z8", "S1", earlier=True), Taker("Z9", "S1", earlier=True), Taker("A", "S1", units=5)),
    )


def test_room_of_several_sources_together_names_where_it_went() -> None:
    capacity = a_rule("maximum_orders", {"lines": [{"source_list_id": "both", "limit": 1, "per": "total"}]}, id="room")
    run = planned(
        a_request()
        .with_sources(a_source("S1"), a_source("S2", at=(45.5, -122.7)))
        .with_list("both", "S1", "S2")
        .with_rules(capacity)
        .with_stock({("P", "S1"): 9, ("P", "S2"): 9})
        .with_orders(early("A").with_line("P"), an_order("B").with_line("P"))
    )
    assert run.source("S2", "B").taken_by == (Taker("A", "S1", units=1),)


def test_room_for_lines_is_taken_by_lines() -> None:
    capacity = a_rule("maximum_orders", {"lines": [{"limit": 2, "basis": "lines_per_day"}]}, id="room")
    run = planned(
        one_source()
        .with_rules(capacity)
        .with_stock({("P", "S1"): 9, ("Q", "S1"): 9})
        .with_orders(early("A").with_line("P", 2).with_line("Q", 3), an_order("B").with_line("P"))
    )
    assert run.source("S1", "B").taken_by == (Taker("A", "S1", "1", 2), Taker("A", "S1", "2", 3))
