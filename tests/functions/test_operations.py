"""docs/operations.md and the code say the same."""

import json
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from functions import responses
from tests.architecture.test_events import every_event
from tests.infra.alert_conditions import rules

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "operations.md").read_text()


def leaves(node: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Each value of a JSON tree with its path."""
    if isinstance(node, dict):
        for name, child in node.items():
            yield from leaves(child, f"{path}.{name}" if path else name)
    else:
        yield path, node if isinstance(node, str) else json.dumps(node)


def test_every_value_of_host_json_has_its_reason() -> None:
    explained = set(re.findall(r"^\| `([\w.]+)` = `([^`]+)` \| \S", TEXT, re.MULTILINE))
    names = {("version", "2.0"), ("extensionBundle.id", "Microsoft.Azure.Functions.ExtensionBundle")}
    assert set(leaves(json.loads((ROOT / "host.json").read_text()))) - names == explained


def test_every_problem_type_is_described_with_its_status() -> None:
    rows = [*responses.TABLE.values(), responses.INCIDENT, responses.PRECONDITION_FAILED]
    described = {
        (int(status), slug)
        for status, slugs in re.findall(r"^\| (\d{3}) \| ((?:`[\w-]+`(?:, )?)+) \|", TEXT, re.MULTILINE)
        for slug in re.findall(r"[\w-]+", slugs)
    }
    assert described == {(row.status.value, row.type.rpartition(":")[2]) for row in rows}


def test_every_event_is_listed_with_its_fields_as_they_are_written() -> None:
    section = TEXT.partition("### Events\n")[2].partition("\n#")[0]
    listed = {
        event: re.findall(r"`(\w+)`", names)
        for event, names in re.findall(r"^\| `(\w+)` \| ([^|]*) \|", section, re.MULTILINE)
    }
    told = {event.name(): [field.name for field in fields(event)] for event in every_event()}
    on_a_way = {name for name, names in told.items() if {"order_id", "run_id"} & set(names)}
    assert listed == {name: names + ["trace_id"] * (name in on_a_way) for name, names in told.items()}


def test_every_alert_has_its_steps_in_the_runbook() -> None:
    section = TEXT.partition("### Runbook\n")[2].partition("\n#")[0]
    steps = dict(re.findall(r"^\*\*`([\w-]+)`\.\*\* (1\. .*?)(?=^\*\*`|\Z)", section, re.MULTILINE | re.DOTALL))
    assert set(steps) == set(rules())
    assert all(" 2. " in text.replace("\n", " ") for text in steps.values())
