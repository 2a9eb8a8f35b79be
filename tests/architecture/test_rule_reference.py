"""The rule reference says what the code says."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dom_core.rules import kinds
from dom_core.rules.base import Rule

ROOT = Path(__file__).parents[2]
EXAMPLE = re.compile(r"```json\n(.*?)\n```", re.DOTALL)


def test_the_rule_reference_is_current() -> None:
    check = [sys.executable, "-m", "docs.build_rules", "--check"]
    answer = subprocess.run(check, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stderr) == (0, "")


@pytest.mark.parametrize("kind", kinds().values(), ids=lambda kind: kind.kind)
def test_the_example_of_every_kind_is_valid(kind: type[Rule]) -> None:
    text = sys.modules[kind.__module__].__doc__ or ""
    (example,) = EXAMPLE.findall(text)
    assert kind.from_params("example", json.loads(example)).id == "example"


@pytest.mark.parametrize("kind", kinds().values(), ids=lambda kind: kind.kind)
def test_the_reference_of_every_kind_names_parameters_and_reasons(kind: type[Rule]) -> None:
    text = sys.modules[kind.__module__].__doc__ or ""
    assert "\nParameters" in text
    assert "\nReasons: " in text
