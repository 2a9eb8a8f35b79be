"""Why a line ships from where it does."""

import pytest

from dom_core.domain.reason import Reason, Verdict
from dom_core.errors import NotFound
from dom_core.report.explanation import explain
from dom_core.report.wording import reason_words, share_words
from tests.report.views import a_view


def test_a_split_line_names_each_source_and_the_rule_it_breaks() -> None:
    assert explain(a_view(), "O1", "2") == (
        "Line O1/2: 4 × P2\n"
        "  Ships to Seattle, Washington\n"
        "  From Denver warehouse: 1 unit, 10.0 km, iteration 1\n"
        "  From Boston store: 3 units, 30.0 km, iteration 2, breaks soft near\n"
        "\n"
        "Chosen (2)\n"
        "  Denver warehouse  chosen\n"
        "  Boston store      chosen\n"
    )


def test_a_short_line_says_how_much_is_missing_and_who_took_the_rest() -> None:
    assert explain(a_view(), "O2", "1") == (
        "Line O2/1: 3 × P1, Lamp\n"
        "  Ships to Boston, Massachusetts\n"
        "  From Boston store: 1 unit, 50.0 km, iteration 1\n"
        "  Unfilled: 2 of 3 units (not in plan: capacity or split limits)\n"
        "\n"
        "Chosen (1)\n"
        "  Boston store      chosen\n"
        "\n"
        "Taken by other orders (1)\n"
        "  Denver warehouse  no stock: O7, O8\n"
    )


def test_an_excluded_source_names_the_rule_its_limit_and_what_was_found() -> None:
    text = explain(a_view(), "O3", "1")
    assert "  Boston store      maximum distance (rule near): limit 800.0 km, actual 1643.2 km\n" in text


def test_a_line_that_was_not_planned_says_why() -> None:
    assert explain(a_view(), "O4", "1") == (
        "Line O4/1 was not planned in this run.\n  Reason: mode of delivery: takes standard, this line: express\n"
    )


def test_a_line_that_the_plan_does_not_know_is_not_found() -> None:
    with pytest.raises(NotFound, match="O9/1"):
        explain(a_view(), "O9", "1")


def test_the_reason_of_a_rule_kind_that_does_not_exist_yet_reads_well() -> None:
    reason = Reason(Verdict.EXCLUDED, "phase_of_moon", "moon", "full", "new")
    assert reason_words(reason) == "phase of moon (rule moon): limit full, actual new"


def test_a_share_is_a_hundred_percent_only_when_nothing_is_missing() -> None:
    assert share_words(9_999, 10_000) == "99.9 %"
    assert share_words(10_000, 10_000) == "100 %"
    assert share_words(0, 0) == "–"
