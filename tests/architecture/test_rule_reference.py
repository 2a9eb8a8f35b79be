"""The references of rules and cost factors say what the code says."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dom_core import costs, rules
from dom_core.costs.base import CostFactor
from dom_core.rules.base import Rule

ROOT = Path(__file__).parents[2]
ALL_KINDS: list[type[Rule] | type[CostFactor]] = [*rules.kinds().values(), *costs.kinds().values()]
EXAMPLE = re.compile(r"```json\n(.*?)\n```", re.DOTALL)


def test_the_references_are_current() -> None:
    check = [sys.executable, "-m", "docs.build_rules", "--check"]
    answer = subprocess.run(check, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stderr) == (0, "")


@pytest.mark.parametrize("kind", ALL_KINDS, ids=lambda kind: kind.kind)
def test_the_example_of_every_kind_is_valid(kind: type[Rule] | type[CostFactor]) -> None:
    text = sys.modules[kind.__module__].__doc__ or ""
    (example,) = EXAMPLE.findall(text)
    assert kind.from_params("example", json.loads(example)).id == "example"


@pytest.mark.parametrize("kind", ALL_KINDS, ids=lambda kind: kind.kind)
def test_the_reference_of_every_kind_names_its_parameters(kind: type[Rule] | type[CostFactor]) -> None:
    assert "\nParameters" in (sys.modules[kind.__module__].__doc__ or "")


@pytest.mark.parametrize("kind", rules.kinds().values(), ids=lambda kind: kind.kind)
def test_the_reference_of_every_rule_names_its_reasons(kind: type[Rule]) -> None:
    assert "\nReasons: " in (sys.modules[kind.__module__].__doc__ or "")
