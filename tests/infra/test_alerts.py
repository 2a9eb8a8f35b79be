"""Alerts read events that operators can look up, and words that the code really writes."""

import re

import pytest

from tests.architecture.source_code import ROOT
from tests.architecture.test_events import every_event
from tests.functions.app import functions
from tests.infra.alert_conditions import conditions, rules
from tests.infra.bicep import Unknown

OPERATIONS = (ROOT / "docs" / "operations.md").read_text("utf-8")


def _rows(heading: str) -> list[str]:
    section = OPERATIONS.partition(f"{heading}\n")[2].partition("\n#")[0]
    return re.findall(r"^\| `([\w-]+)` \|", section, re.MULTILINE)


def test_every_alert_has_a_row_in_the_runbook() -> None:
    assert sorted(_rows("## Alerts")) == sorted(rules())


def test_every_event_that_an_alert_reads_is_listed_and_no_other() -> None:
    read = {event for rule in rules().values() for event in re.findall(r'event == "(\w+)"', rule["query"])}
    assert sorted(_rows("### Events that alerts read")) == sorted(read)


def test_every_field_that_an_alert_reads_is_listed_with_its_event() -> None:
    for rule in rules().values():
        for event, condition in re.findall(r'event == "(\w+)"([^)|]*(?:\([^)]*\)[^)|]*)*)', rule["query"]):
            row = next(line for line in OPERATIONS.splitlines() if line.startswith(f"| `{event}` |"))
            assert all(f"`{field}`" in row for field in re.findall(r"line\.(\w+)", condition)), event


def test_every_event_that_an_alert_reads_is_one_that_the_code_knows() -> None:
    assert {condition.event for condition in conditions().values()} <= {event.name() for event in every_event()}


def test_limits_in_minutes_reach_the_queries_in_their_units() -> None:
    assert "todouble(line.age_s) > 900" in rules()["queue-age"]["query"]
    assert "DurationMs > 1200000" in rules()["run-too-long"]["query"]
    assert "todouble(line.seconds) > 1200" in rules()["run-too-long"]["query"]


def test_every_value_of_a_rule_is_known_before_deployment() -> None:
    for rule in rules().values():
        assert set(rule) == {"name", "description", "severity", "frequency", "query"}
        assert not [value for value in rule.values() if isinstance(value, Unknown)]


@pytest.mark.parametrize("rule", ["run-failed", "run-too-long"])
def test_functions_that_alerts_watch_exist(rule: str) -> None:
    [names] = re.findall(r"OperationName in \(([^)]*)\)", rules()[rule]["query"])
    assert set(re.findall(r'"(\w+)"', names)) <= set(functions())


def test_parentheses_and_quotes_of_queries_are_closed() -> None:
    for rule in rules().values():
        bare = re.sub(r'"[^"]*"', "", rule["query"])
        assert '"' not in bare
        assert bare.count("(") == bare.count(")")
