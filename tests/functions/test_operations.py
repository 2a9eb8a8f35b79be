"""docs/operations.md and the code say the same."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from functions import responses

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
