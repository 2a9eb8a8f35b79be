"""What an explanation says beyond the reasons, in words."""

from dataclasses import replace

from dom_core.domain.explanation import (
    Counterfactual,
    LevelChange,
    LineChange,
    LineExplanation,
    Relief,
    Share,
    SourceExplanation,
    Taker,
)
from dom_core.domain.plan import Fulfillment, Level
from dom_core.domain.reason import Reason, Verdict
from dom_core.report.answers import MOST_TAKERS, answers, taken_by_words

NO_STOCK = SourceExplanation("S1", Verdict.EXCLUDED, "no_stock", limit="4 units", actual="0 units")
HELD = SourceExplanation(
    "S2", Verdict.TAKEN, "stock", limit="6 units", actual="0 units left", taken_by=(Taker("O7", "S2", "1", 6),)
)


def text(relief: Relief | None = None, counterfactual: Counterfactual | None = None) -> list[str]:
    explanation = LineExplanation(
        "P1", "O1", "1", "lamp", 4, 0, Fulfillment.NOT_SOURCED, sources=(NO_STOCK,), relief=relief,
        counterfactual=counterfactual,
    )  # fmt: skip
    return list(answers(explanation))


def test_nothing_to_say_is_nothing_said() -> None:
    assert text() == []


def test_the_rules_that_have_to_go_are_named_with_what_the_line_then_gets() -> None:
    assert text(Relief(("far", "closed"), (Share("S1", 1), Share("S2", 3)), ("far", "closed", "whole"), 3)) == [
        "",
        "What would place it",
        "  Without the rules far and closed: 1 from S1, 3 from S2",
    ]


def test_where_nothing_helps_the_sources_that_say_something_new_are_listed() -> None:
    assert text(Relief(None, (), ("far",), 3, (NO_STOCK, HELD)))[2:] == [
        "  Dropping the only rule would not help.",
        "  S2: stock: 6 units, 0 units left (O7/1: 6 units)",
        "  1 source cannot for the reason given above.",
    ]


def test_a_search_that_stopped_says_where() -> None:
    considered = tuple(f"rule-{number}" for number in range(12))
    assert text(Relief(None, (), considered, 2))[2:] == ["  No set of up to 2 rules of the 12 in force would help."]
    assert text(Relief(None, (), ("a", "b"), 3))[2:] == ["  Dropping all 2 rules would not help."]
    assert text(Relief(None, (), (), 3))[2:] == ["  No rule is in force that could be dropped."]


def test_a_line_that_no_rule_keeps_out_says_what_does() -> None:
    assert text(Relief((), (Share("S1", 4),), ("far",), 3))[2:] == [
        "  No rule stands in the way of 4 from S1:",
        "  the plan is not proven best, or by its rates the units are not worth their way.",
    ]


def test_a_refusal_is_one_sentence() -> None:
    assert text(counterfactual=Counterfactual("S1", Reason(Verdict.EXCLUDED, "source_inactive"))) == [
        "",
        "If it had to ship from S1",
        "  Impossible, whatever the rules: source inactive",
    ]


def test_a_choice_is_priced_level_by_level_and_names_whom_it_displaces() -> None:
    answer = Counterfactual(
        "S1",
        None,
        lifted=(Reason(Verdict.EXCLUDED, "maximum_distance", "far", "80 km", "91 km"),),
        total_before=4_234,
        total_after=7_866,
        levels=(LevelChange(Level.DISTANCE_KM, 1, 234, 3_866, 3_632),),
        line=LineChange("O1", "1", (), (Share("S1", 4),)),
        displaced=(LineChange("O2", "1", (Share("S1", 4),), ()),),
    )
    assert text(counterfactual=answer)[2:] == [
        "  Set aside for this line alone: maximum distance (rule far): limit 80 km, actual 91 km",
        "  distance km                        234 →        3,866        +3,632 points",
        "  total points                     4,234 →        7,866        +3,632 points",
        "  An estimate: one of the two plans is not proven best.",
        "  O1/1: nothing → 4 from S1",
        "  1 other line would change:",
        "    O2/1: 4 from S1 → nothing",
    ]
    told = "  An estimate: the order and its rivals were planned again, 212 lines; the others keep what they have."
    assert text(counterfactual=replace(answer, rivals_only=212))[5] == told


def test_takers_are_named_with_what_is_known_of_them_and_a_long_list_is_cut() -> None:
    takers = (Taker("Z9", "S1", earlier=True), Taker("O2", "S1", units=1), Taker("O3", "S1", "2", 5))
    assert list(taken_by_words(takers)) == ["Z9, from an earlier plan", "O2: 1 unit", "O3/2: 5 units"]
    many = tuple(Taker(f"O{number}", "S1", units=2) for number in range(MOST_TAKERS + 3))
    assert list(taken_by_words(many))[-1] == "… and 3 more"


def test_a_choice_that_comes_out_better_says_how_that_can_be() -> None:
    # Seen on the Superstore example: forced in iteration 1 at 1,298 points, repaid by what iteration 2 then fills.
    better = Counterfactual("S1", None, proven=True, total_before=8_000, total_after=4_298)
    told = "  Better in the end: iteration 1 decides alone; dearer there, this leaves iteration 2 more to fill."
    assert told in text(counterfactual=better)
    assert told not in text(counterfactual=replace(better, total_after=8_001))
    assert told not in text(counterfactual=replace(better, proven=False))
    lifted = (Reason(Verdict.EXCLUDED, "maximum_distance", "far", "80 km", "91 km"),)
    assert told not in text(counterfactual=replace(better, lifted=lifted))
