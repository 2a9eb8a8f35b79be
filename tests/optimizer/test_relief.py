"""What would have placed a line: each case small enough to be worked out by hand."""

from datetime import timedelta

import pytest

from dom_core.domain.explanation import Relief, Share, SourceExplanation, Taker
from dom_core.domain.reason import Verdict
from dom_core.domain.request import SourceLoad
from dom_core.domain.strategy import Rates
from tests.builders import NOW, a_rule
from tests.optimizer.planned import planned
from tests.optimizer.two_coasts import NEAR, a_case, early, late

EAST_CLOSED = a_rule("offline_location", {"places": [{"source_id": "EAST"}]}, id="east-closed")


def test_a_filled_line_needs_no_relief() -> None:
    run = planned(a_case().with_stock({("P", "WEST"): 1}).with_orders(late().with_line("P")))
    assert run.explained("B").relief is None


def test_the_one_rule_that_stands_in_the_way_is_named() -> None:
    """WEST gives its only unit to the earlier order; EAST has one and is too far."""
    run = planned(
        a_case()
        .with_rules(NEAR, a_rule("working_hours"))
        .with_stock({("P", "EAST"): 1, ("P", "WEST"): 1})
        .with_orders(early().with_line("P"), late().with_line("P"))
    )
    assert run.relief("B") == Relief(("near",), (Share("EAST", 1),), ("near", "working_hours"), 3)


def test_the_smallest_set_is_found_and_every_member_is_needed() -> None:
    """EAST is closed and too far; working hours have nothing against it."""
    run = planned(
        a_case()
        .with_rules(NEAR, EAST_CLOSED, a_rule("working_hours"))
        .with_stock({("P", "EAST"): 1})
        .with_orders(late().with_line("P"))
    )
    assert run.relief("B").rule_ids == ("near", "east-closed")
    assert run.relief("B").shares == (Share("EAST", 1),)


def test_of_two_sets_of_one_size_the_first_by_kind_and_id_is_named() -> None:
    """Either rule gone would do: WEST is shut out by one, EAST by the other."""
    west_closed = a_rule("offline_location", {"places": [{"source_id": "WEST"}]}, id="a-west-closed")
    run = planned(
        a_case()
        .with_rules(west_closed, NEAR)
        .with_stock({("P", "EAST"): 1, ("P", "WEST"): 1})
        .with_orders(late().with_line("P"))
    )
    assert run.relief("B").rule_ids == ("near",)


def test_the_stock_that_other_orders_hold_does_not_count() -> None:
    """Without `near` EAST could ship, if the earlier order, which may come from there, had not taken its unit."""
    run = planned(
        a_case()
        .with_rules(a_rule("maximum_distance", {"lines": [{"source_id": "WEST", "km": 1}]}, id="west-is-local"))
        .with_stock({("P", "EAST"): 1})
        .with_orders(early().with_line("P"), late().with_line("P"))
    )
    assert run.relief("B") == Relief(
        None,
        (),
        ("west-is-local",),
        3,
        (
            SourceExplanation(
                "EAST", Verdict.TAKEN, "stock", None, "1 units", "0 units left", (Taker("A", "EAST", "1", 1),)
            ),
            SourceExplanation("WEST", Verdict.EXCLUDED, "no_stock", None, "1 units", "0 units"),
        ),
    )


def test_the_room_that_other_orders_take_counts_with_that_of_earlier_plans() -> None:
    """Room for two: one earlier order, one of this plan."""
    room = a_rule("maximum_orders", {"lines": [{"limit": 2}]}, id="room")
    run = planned(
        a_case()
        .with_rules(room)
        .with_load("WEST", SourceLoad(open_order_ids=frozenset({"Z"})))
        .with_stock({("P", "WEST"): 5})
        .with_orders(early().with_line("P"), late().with_line("P"))
    )
    assert run.relief("B").rule_ids == ("room",)


def test_the_limits_of_splitting_are_rules_too() -> None:
    """One source an order, and each has one of its two products."""
    whole = a_rule("partial_orders", {"max_sources": 1}, id="one-source")
    run = planned(
        a_case()
        .with_rules(whole)
        .with_stock({("P", "WEST"): 1, ("Q", "EAST"): 1})
        .with_orders(late().with_line("P").with_line("Q"))
    )
    assert run.relief("B", "2").rule_ids == ("one-source",)


def test_the_rest_of_the_order_may_move_but_not_lose() -> None:
    """One source an order; EAST has both products and is too far. Without `near` the whole order moves there."""
    whole = a_rule("partial_orders", {"max_sources": 1}, id="one-source")
    case = a_case().with_rules(whole, NEAR).with_orders(late().with_line("P").with_line("Q"))
    moved = planned(case.with_stock({("P", "WEST"): 1, ("P", "EAST"): 1, ("Q", "EAST"): 1}))
    assert moved.relief("B", "2").rule_ids == ("near",)
    # With Q alone in EAST the other line would lose its unit there: both rules have to go.
    stays = planned(case.with_stock({("P", "WEST"): 1, ("Q", "EAST"): 1}))
    assert stays.relief("B", "2").rule_ids == ("near", "one-source")


def test_units_short_of_the_whole_line_are_better_than_none() -> None:
    """Lines may be filled in part; EAST, too far, has two of the three units that are missing."""
    parts = a_rule("partial_orders", {"partial_lines": True}, id="parts")
    run = planned(
        a_case()
        .with_rules(NEAR, parts)
        .with_stock({("P", "WEST"): 1, ("P", "EAST"): 2})
        .with_orders(late().with_line("P", 4))
    )
    assert run.line("B").filled_units == 1
    assert run.relief("B") == Relief(("near",), (Share("EAST", 2), Share("WEST", 1)), ("near", "parts"), 3)


def test_a_gate_stands_in_the_way_whatever_the_rules() -> None:
    order = late().with_line("P").rejected_by("WEST", NOW + timedelta(days=3))
    run = planned(a_case().with_rules(NEAR).with_stock({("P", "WEST"): 1}).with_orders(order))
    assert run.relief("B") == Relief(
        None,
        (),
        ("near",),
        3,
        (
            SourceExplanation("EAST", Verdict.EXCLUDED, "no_stock", None, "1 units", "0 units"),
            SourceExplanation(
                "WEST",
                Verdict.EXCLUDED,
                "rejection_bar",
                None,
                "",
                f"until {NOW + timedelta(days=3):%Y-%m-%d %H:%M} UTC",
            ),
        ),
    )


def test_a_line_does_not_stand_in_its_own_way() -> None:
    """It has the only unit there is: of the four that it wants nobody has more."""
    parts = a_rule("partial_orders", {"partial_lines": True}, id="parts")
    run = planned(a_case().with_rules(parts).with_stock({("P", "WEST"): 1}).with_orders(late().with_line("P", 4)))
    assert run.relief("B").blocked == (
        SourceExplanation("EAST", Verdict.EXCLUDED, "no_stock", None, "4 units", "0 units"),
        SourceExplanation("WEST", Verdict.EXCLUDED, "no_stock", None, "4 units", "1 units"),
    )


def test_rules_that_are_disabled_out_of_date_or_gates_are_not_considered() -> None:
    run = planned(
        a_case()
        .with_rules(
            NEAR,
            a_rule("offline_location", {"places": [{"source_id": "EAST"}]}, id="disabled", enabled=False),
            a_rule("working_hours", id="over", end_date=NOW.date() - timedelta(days=2)),
            a_rule("maximum_rejects", {"threshold": 3}),
        )
        .with_orders(late().with_line("P"))
    )
    assert run.relief("B").considered_rule_ids == ("near",)


def test_a_line_that_is_not_worth_its_way_needs_no_rule_to_go() -> None:
    run = planned(
        a_case()
        .with_strategy(rates=Rates(unfilled_unit=1))
        .with_stock({("P", "WEST"): 1})
        .with_orders(late().with_line("P"))
    )
    assert run.relief("B") == Relief((), (Share("WEST", 1),), (), 3)


@pytest.mark.parametrize(("rules", "largest"), [(10, 3), (11, 2), (25, 2), (26, 1)])
def test_the_search_says_where_it_stops(rules: int, largest: int) -> None:
    """So many rules shut EAST out one by one: no small set is enough."""
    closed = [
        a_rule("offline_location", {"places": [{"source_id": "EAST"}]}, id=f"closed-{number:02d}")
        for number in range(rules)
    ]
    run = planned(a_case().with_rules(*closed).with_stock({("P", "EAST"): 1}).with_orders(late().with_line("P")))
    relief = run.relief("B")
    assert (relief.rule_ids, relief.largest_set, len(relief.considered_rule_ids)) == (None, largest, rules)
    # EAST has the unit, and nobody took it: only rules stand in the way, too many to be searched.
    assert [blocked.source_id for blocked in relief.blocked] == ["WEST"]


def test_an_order_that_ships_whole_or_not_is_placed_whole_or_not() -> None:
    """Q is nowhere but in EAST, too far; P alone may not ship."""
    whole = a_rule("partial_orders", {"partial_orders": False}, id="whole")
    run = planned(
        a_case()
        .with_rules(whole, NEAR)
        .with_stock({("P", "WEST"): 1, ("Q", "EAST"): 1})
        .with_orders(late().with_line("P").with_line("Q"))
    )
    assert run.relief("B", "1") == Relief(("near",), (Share("WEST", 1),), ("near", "whole"), 3)
    assert run.relief("B", "2").rule_ids == ("near",)


def test_soft_rules_are_gone_in_iteration_2_already() -> None:
    """Iteration 2 ignores the soft one; what is left in the way is hard."""
    soft = a_rule("maximum_distance", {"lines": [{"km": 100}]}, id="soft", hard=False)
    run = planned(
        a_case().with_rules(soft, EAST_CLOSED).with_stock({("P", "EAST"): 1}).with_orders(late().with_line("P"))
    )
    assert run.relief("B").rule_ids == ("east-closed",)
