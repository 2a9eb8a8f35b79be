"""How many sources rules leave to a strategy, before there is any order."""

from datetime import date
from typing import Any

import pytest

from dom_core.configuration import Configuration
from dom_core.configuration_checks import check
from dom_core.configuration_sources import sources_left
from dom_core.domain.network import Product, SourceList
from dom_core.domain.strategy import LocationPriorityMode, RuleRecord, Strategy
from tests.builders import a_rule, a_source

TODAY = date(2026, 3, 2)


def configured(*rules: RuleRecord, active: str = "AB", **strategy: Any) -> Configuration:
    """Sources A and B in list `all`, B alone in `one`; a strategy over both that links all these rules."""
    return Configuration(
        sources=tuple(a_source(id, active=id in active) for id in "AB"),
        source_lists=(SourceList("all", ("A", "B")), SourceList("one", ("B",))),
        products=(Product("pen", categories=("paper",)), Product("ink", supplementary_categories=("wet",))),
        rules=rules,
        strategies=(Strategy("s", "all", rule_ids=tuple(rule.id for rule in rules), **strategy),),
    )


def left(configuration: Configuration) -> str:
    (found,) = sources_left(configuration, TODAY)
    return "".join(sorted(found.left))


def offline(*places: dict[str, str], **fields: Any) -> RuleRecord:
    return a_rule("offline_location", {"places": list(places)}, **fields)


def priority(*lines: dict[str, Any], **fields: Any) -> RuleRecord:
    return a_rule("location_priority", {"lines": [{"priority": 1} | line for line in lines]}, **fields)


A, B, BOTH, LIST_OF_B = {"source_id": "A"}, {"source_id": "B"}, {"source_list_id": "all"}, {"source_list_id": "one"}
DISTANCE = a_rule("maximum_distance", {"lines": [{"km": 0}]})


@pytest.mark.parametrize(
    ("configuration", "expected"),
    [
        (configured(), "AB"),
        (configured(active="B"), "B"),
        (configured(offline(A)), "B"),
        (configured(offline(LIST_OF_B)), "A"),
        (configured(offline(A), priority(A)), ""),
        (configured(offline(A, enabled=False)), "AB"),
        (configured(offline(A, hard=False)), "AB"),
        (configured(offline(A, end_date=date(2026, 3, 1))), "AB"),
        (configured(offline(A, end_date=TODAY)), "B"),
        (configured(offline(A, start_date=date(2027, 1, 1))), "B"),
        (configured(DISTANCE, a_rule("working_hours")), "AB"),
        (configured(offline()), "AB"),
    ],
    ids=[
        "no rules",
        "an inactive source",
        "an offline source",
        "an offline list",
        "rules add up",
        "a disabled rule",
        "a soft rule gives way",
        "a rule of the past",
        "its last day",
        "a rule of the future",
        "distance and hours are not asked",
        "a rule that is not understood",
    ],
)
def test_what_is_left(configuration: Configuration, expected: str) -> None:
    assert left(configuration) == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([A], "A"),
        ([LIST_OF_B], "B"),
        ([A, LIST_OF_B], "AB"),
        ([{}], "AB"),
        ([A | {"product_id": "pen"}], "AB"),
        ([A | {"product_id": "pen"}, A | {"product_id": "ink"}], "A"),
        ([A | {"category": "paper"}, A | {"supplementary_category": "wet"}], "A"),
        ([A | {"category": "paper"}, B | {"supplementary_category": "wet"}], "AB"),
    ],
)
def test_location_priority_takes_out_whoever_has_no_priority_for_anything(
    lines: list[dict[str, Any]], expected: str
) -> None:
    assert left(configured(priority(*lines))) == expected


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (LocationPriorityMode.ALWAYS_HARD, "A"),
        (LocationPriorityMode.FLAG_DECIDES, "AB"),
        (LocationPriorityMode.ORDINARY, "AB"),
    ],
)
def test_a_soft_location_priority_counts_where_it_always_binds(mode: LocationPriorityMode, expected: str) -> None:
    assert left(configured(priority(A, hard=False), location_priority_mode=mode)) == expected


def test_a_strategy_that_is_not_enabled_is_not_looked_at() -> None:
    assert list(sources_left(configured(enabled=False))) == []


def test_a_strategy_that_its_rules_leave_without_a_source_is_a_warning_that_names_both() -> None:
    configuration = configured(offline(A), priority(A))
    assert {problem.path: problem.message for problem in check(configuration).warnings} == {
        "strategies[s].rule_ids": (
            "strategy 's' has no source left: rules 'location_priority', 'offline_location' took out all 2; "
            "nothing can be assigned"
        )
    }


def test_rules_that_are_over_leave_nobody_without_a_source() -> None:
    configuration = configured(offline(BOTH, end_date=date(2026, 3, 1)))
    assert [problem.path for problem in check(configuration).warnings] == ["strategies[s].rule_ids"]
    assert check(configuration, today=TODAY).warnings == ()
