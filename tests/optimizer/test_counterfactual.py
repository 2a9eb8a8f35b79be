"""What if the line had to ship from somewhere else? Each difference is worked out by hand.

Seattle to Portland is 234 km, to New York 3,866 km. D is 4,000, so a shipment costs 4,000 points and an unfilled unit
16,000, unless a case says otherwise.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from dom_core.domain.explanation import Counterfactual, LevelChange, LineChange, Share
from dom_core.domain.plan import Level
from dom_core.domain.reason import Reason, Verdict
from dom_core.domain.request import SourceLoad
from dom_core.domain.strategy import Objective, ObjectiveMode
from dom_core.errors import Conflict, InvalidInput, NotFound
from tests.builders import NOW, RequestBuilder, a_cost_factor, a_request, a_rule, a_source
from tests.optimizer.planned import planned
from tests.optimizer.two_coasts import NEAR, PORTLAND, a_case, early, late

DENVER = (39.7392, -104.9903)
TOO_FAR = Reason(Verdict.EXCLUDED, "maximum_distance", "near", "500.0 km", "3865.5 km")


def points(answer: Counterfactual) -> dict[Level, tuple[int, int, int]]:
    return {level.level: (level.before, level.after, level.points) for level in answer.levels}


def test_the_change_of_every_level_and_the_line_itself_are_reported() -> None:
    run = planned(a_case().with_stock({("P", "EAST"): 5, ("P", "WEST"): 5}).with_orders(late().with_line("P", 2)))
    assert run.forced("EAST", "B") == Counterfactual(
        source_id="EAST",
        refused=None,
        lifted=(),
        proven=True,
        # One shipment of 4,000 each, and 234 or 3,866 km. Splitting the line would cost a shipment more.
        total_before=4_234,
        total_after=7_866,
        levels=(
            LevelChange(Level.UNFILLED_UNITS, 16_000, 0, 0, 0),
            LevelChange(Level.SHIPMENTS, 4_000, 1, 1, 0),
            LevelChange(Level.PRIORITY_STEPS, 0, 0, 0, 0),
            LevelChange(Level.DISTANCE_KM, 1, 234, 3_866, 3_632),
        ),
        line=LineChange("B", "1", (Share("WEST", 2),), (Share("EAST", 2),)),
        displaced=(),
    )


def test_forcing_what_was_chosen_changes_nothing() -> None:
    run = planned(a_case().with_stock({("P", "EAST"): 5, ("P", "WEST"): 5}).with_orders(late().with_line("P", 2)))
    answer = run.forced("WEST", "B")
    assert (answer.total_before, answer.total_after, answer.line, answer.displaced) == (4_234, 4_234, None, ())
    assert answer.proven


def test_the_line_that_loses_its_unit_is_displaced() -> None:
    """WEST and EAST have a unit each. Denver is 1,579 km from Portland and 2,619 km from New York."""
    run = planned(
        a_case()
        .with_stock({("P", "EAST"): 1, ("P", "WEST"): 1})
        .with_orders(early().with_line("P"), late().shipping_to(*DENVER).with_line("P"))
    )
    answer = run.forced("WEST", "B")
    assert answer.line == LineChange("B", "1", (Share("EAST", 1),), (Share("WEST", 1),))
    assert answer.displaced == (LineChange("A", "1", (Share("WEST", 1),), (Share("EAST", 1),)),)
    assert points(answer)[Level.DISTANCE_KM] == (234 + 2_619, 1_579 + 3_866, 2_592)
    assert answer.total_after - answer.total_before == 2_592


def test_the_line_that_goes_empty_is_displaced_and_its_units_are_counted() -> None:
    """Class 1 weighs 16 times as much: giving its unit away costs 15 × 4 × D, and D is 1,000 as WEST is alone."""
    first = replace(early().with_line("P").build(), priority_class=1)
    run = planned(
        a_request()
        .with_sources(a_source("WEST", at=PORTLAND))
        .with_stock({("P", "WEST"): 1})
        .with_orders(first, late().with_line("P"))
    )
    answer = run.forced("WEST", "B")
    assert points(answer)[Level.UNFILLED_UNITS] == (1, 16, 60_000)
    assert answer.total_after - answer.total_before == 60_000
    assert answer.displaced == (LineChange("A", "1", (Share("WEST", 1),), ()),)


def test_a_rule_that_excludes_the_pair_is_set_aside_for_this_pair_alone() -> None:
    """Both orders would like EAST, and only the one that is asked about may."""
    run = planned(
        a_case()
        .with_rules(NEAR)
        .with_stock({("P", "EAST"): 5})
        .with_orders(early().with_line("P"), late().with_line("P"))
    )
    answer = run.forced("EAST", "B")
    assert answer.lifted == (TOO_FAR,)
    # D is 1,000 as no pair is allowed: a unit is 4,000 points, the shipment 1,000 and its way 3,866.
    assert points(answer)[Level.UNFILLED_UNITS] == (2, 1, -4_000)
    assert answer.total_after - answer.total_before == 1_000 + 3_866 - 4_000
    assert answer.line == LineChange("B", "1", (), (Share("EAST", 1),))
    assert answer.displaced == ()


def test_every_rule_that_excludes_the_pair_is_named() -> None:
    closed = a_rule("offline_location", {"places": [{"source_id": "EAST"}]}, id="closed")
    run = planned(a_case().with_rules(NEAR, closed).with_stock({("P", "EAST"): 5}).with_orders(late().with_line("P")))
    assert [reason.rule_id for reason in run.forced("EAST", "B").lifted] == ["near", "closed"]


def test_a_ring_fence_opens_for_the_line_alone() -> None:
    fence = a_rule("minimum_inventory", {"lines": [{"units": 9}]}, id="fence")
    run = planned(
        a_case()
        .with_rules(fence)
        .with_stock({("P", "WEST"): 3})
        .with_orders(early().with_line("P"), late().with_line("P", 2))
    )
    answer = run.forced("WEST", "B")
    assert answer.lifted == (Reason(Verdict.EXCLUDED, "minimum_inventory", "fence", "9 units", "3 units"),)
    assert answer.line == LineChange("B", "1", (), (Share("WEST", 2),))
    assert answer.displaced == ()


def test_room_that_earlier_plans_used_up_is_made_for_the_line_alone() -> None:
    room = a_rule("maximum_orders", {"lines": [{"limit": 1}]}, id="room")
    run = planned(
        a_request()
        .with_sources(a_source("WEST", at=PORTLAND))
        .with_rules(room)
        .with_load("WEST", SourceLoad(open_order_ids=frozenset({"Z"})))
        .with_stock({("P", "WEST"): 5})
        .with_orders(early().with_line("P"), late().with_line("P"))
    )
    answer = run.forced("WEST", "B")
    assert answer.lifted == (Reason(Verdict.TAKEN, "maximum_orders", "room", "0 more orders"),)
    assert (answer.line, answer.displaced) == (LineChange("B", "1", (), (Share("WEST", 1),)), ())


def test_room_that_this_plan_gave_away_is_taken_from_the_other_order() -> None:
    room = a_rule("maximum_orders", {"lines": [{"limit": 1}]}, id="room")
    run = planned(
        a_request()
        .with_sources(a_source("WEST", at=PORTLAND))
        .with_rules(room)
        .with_stock({("P", "WEST"): 5})
        .with_orders(early().with_line("P"), late().with_line("P"))
    )
    answer = run.forced("WEST", "B")
    assert answer.lifted == ()
    assert answer.displaced == (LineChange("A", "1", (Share("WEST", 1),), ()),)


def test_an_order_that_may_not_be_split_that_way_is_split_all_the_same() -> None:
    whole = a_rule("partial_orders", {"partial_orders": False}, id="whole")
    run = planned(
        a_case().with_rules(whole).with_stock({("P", "WEST"): 1}).with_orders(late().with_line("P").with_line("Q"))
    )
    answer = run.forced("WEST", "B")
    assert answer.lifted == (Reason(Verdict.EXCLUDED, "partial_orders", "whole"),)
    assert answer.line == LineChange("B", "1", (), (Share("WEST", 1),))


def test_lines_in_full_is_a_limit_of_no_rule_when_none_is_linked() -> None:
    run = planned(a_case().with_stock({("P", "WEST"): 1}).with_orders(late().with_line("P", 2)))
    answer = run.forced("WEST", "B")
    assert answer.lifted == (Reason(Verdict.EXCLUDED, "partial_orders"),)
    assert answer.line == LineChange("B", "1", (), (Share("WEST", 1),))


def test_other_lines_of_the_order_move_with_it_where_it_may_not_be_split() -> None:
    one = a_rule("partial_orders", {"max_sources": 1}, id="one-source")
    run = planned(
        a_case()
        .with_rules(one)
        .with_stock({(product, source): 1 for product in "PQ" for source in ("EAST", "WEST")})
        .with_orders(late().with_line("P").with_line("Q"))
    )
    answer = run.forced("EAST", "B")
    assert answer.lifted == ()
    assert answer.displaced == (LineChange("B", "2", (Share("WEST", 1),), (Share("EAST", 1),)),)


@pytest.mark.parametrize(
    ("case", "refused"),
    [
        (
            a_case().with_stock({("P", "WEST"): 1}).with_orders(late().with_line("P")),
            Reason(Verdict.EXCLUDED, "no_stock", None, "1 units", "0 units"),
        ),
        (
            a_request()
            .with_sources(a_source("EAST", active=False), a_source("WEST"))
            .with_stock({("P", "EAST"): 1, ("P", "WEST"): 1})
            .with_orders(late().with_line("P")),
            Reason(Verdict.EXCLUDED, "source_inactive"),
        ),
        (
            a_case()
            .with_rules(a_rule("offline_location", {"places": [{"source_id": "EAST"}]}))
            .with_stock({("P", "EAST"): 1, ("P", "WEST"): 1})
            .with_orders(late().with_line("P").rejected_by("EAST", NOW + timedelta(days=1))),
            Reason(Verdict.EXCLUDED, "rejection_bar", None, "", "until 2026-03-03 15:00 UTC"),
        ),
    ],
    ids=["no stock", "inactive", "barred"],
)
def test_a_gate_is_never_set_aside(case: RequestBuilder, refused: Reason) -> None:
    assert planned(case).forced("EAST", "B") == Counterfactual("EAST", refused)


def test_a_line_of_iteration_2_is_forced_in_iteration_1() -> None:
    """The soft rule would let EAST serve in iteration 2 only; the finished plans are the same."""
    run = planned(
        a_case().with_rules(replace(NEAR, hard=False)).with_stock({("P", "EAST"): 5}).with_orders(late().with_line("P"))
    )
    answer = run.forced("EAST", "B")
    assert answer.lifted == (TOO_FAR,)
    assert (answer.total_before, answer.total_after) == (7_866, 7_866)
    assert (answer.line, answer.displaced) == (None, ())


def test_only_iteration_1_is_forced() -> None:
    """WEST has one unit; the others come in iteration 2 from EAST, which the soft rule finds too far."""
    parts = a_rule("partial_orders", {"partial_lines": True}, id="parts")
    run = planned(
        a_case()
        .with_rules(replace(NEAR, hard=False), parts)
        .with_stock({("P", "WEST"): 1, ("P", "EAST"): 5})
        .with_orders(late().with_line("P", 3))
    )
    answer = run.forced("WEST", "B")
    assert (answer.proven, answer.line, answer.displaced) == (True, None, ())
    assert answer.total_after == answer.total_before


@pytest.mark.parametrize("mode", ObjectiveMode)
def test_both_modes_of_the_objective_answer(mode: ObjectiveMode) -> None:
    case = a_case().with_stock({("P", "EAST"): 5, ("P", "WEST"): 5}).with_orders(late().with_line("P", 2))
    assert planned(case.with_strategy(objective_mode=mode)).forced("EAST", "B").total_after == 7_866


def test_by_cost_the_change_is_in_cents() -> None:
    handling = a_cost_factor(
        "handling",
        {"lines": [{"source_id": "EAST", "per_order_cents": 900}, {"source_id": "WEST", "per_order_cents": 250}]},
    )
    run = planned(
        a_case()
        .with_cost_factors(handling)
        .with_strategy(objective=Objective.COST)
        .with_stock({("P", "EAST"): 5, ("P", "WEST"): 5})
        .with_orders(late().with_line("P", 2))
    )
    assert points(run.forced("EAST", "B"))[Level.COST_CENTS] == (250, 900, 650)


def test_a_source_that_is_not_in_the_list_is_a_mistake() -> None:
    run = planned(a_case().with_orders(late().with_line("P")))
    with pytest.raises(InvalidInput, match="force: there is no source 'NORTH' in the strategy's list"):
        run.forced("NORTH", "B")


def test_a_line_that_the_run_did_not_take_cannot_be_forced() -> None:
    run = planned(a_case().with_orders(replace(late().with_line("P").build(), on_hold=True)))
    assert run.explained("B").held == Reason(Verdict.EXCLUDED, "order_on_hold")
    with pytest.raises(Conflict, match=r"did not take line 'B/1' \(order_on_hold\).*ask without 'force'"):
        run.forced("EAST", "B")


def test_an_unknown_line_is_not_found() -> None:
    with pytest.raises(NotFound, match="B/7"):
        planned(a_case().with_orders(late().with_line("P"))).explained("B", "7")


def test_a_plan_of_another_request_is_not_explained() -> None:
    run = planned(a_case().with_stock({("P", "WEST"): 1}).with_orders(late().with_line("P")))
    other = replace(run, request=replace(run.request, available={("P", "WEST"): 2}))
    with pytest.raises(Conflict, match="its input hash is"):
        other.explained("B")
