"""No rule without a test."""

from pathlib import Path

import pytest

import dom_core.rules

RULES = Path(dom_core.rules.__file__).parent
TESTS = Path(__file__).parents[1] / "rules"


@pytest.mark.parametrize("module", sorted(path.stem for path in RULES.glob("*.py") if path.stem != "__init__"))
def test_every_file_of_the_rules_has_a_test_file(module: str) -> None:
    assert (TESTS / f"test_{module}.py").is_file()
