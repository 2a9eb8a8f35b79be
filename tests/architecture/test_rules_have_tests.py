"""No rule and no cost factor without a test."""

from pathlib import Path
from types import ModuleType

import pytest

from dom_core import costs, rules

TESTS = Path(__file__).parents[1]


def _files_of(package: ModuleType) -> list[str]:
    (folder,) = package.__path__
    return sorted(path.stem for path in Path(folder).glob("*.py") if path.stem != "__init__")


@pytest.mark.parametrize("module", _files_of(rules))
def test_every_file_of_the_rules_has_a_test_file(module: str) -> None:
    assert (TESTS / "rules" / f"test_{module}.py").is_file()


@pytest.mark.parametrize("module", _files_of(costs))
def test_every_file_of_the_costs_has_a_test_file(module: str) -> None:
    assert (TESTS / "costs" / f"test_{module}.py").is_file()
