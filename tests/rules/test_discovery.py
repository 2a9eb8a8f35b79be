"""A new file is a new kind; a file that lies about its kind is refused."""

from pathlib import Path

import pytest

from dom_core.rules import discover, kinds

RULE = """
from dataclasses import dataclass
from typing import ClassVar

from dom_core.rules.base import Rule


@dataclass(frozen=True, slots=True)
class {name}(Rule):
    kind: ClassVar[str] = "{kind}"
"""

READING = """
    @classmethod
    def from_params(cls, id, params):
        return cls(id)
"""


def a_package(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, **modules: str) -> tuple[str, list[str]]:
    """A package with these modules, importable for the time of a test: its name and path."""
    package = folder / name
    package.mkdir()
    (package / "__init__.py").write_text("", encoding="utf-8")
    for module, text in modules.items():
        (package / f"{module}.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(folder))
    return name, [str(package)]


def test_the_eight_kinds_are_found_by_name() -> None:
    assert list(kinds()) == [
        "location_priority",
        "maximum_distance",
        "maximum_orders",
        "maximum_rejects",
        "minimum_inventory",
        "offline_location",
        "partial_orders",
        "working_hours",
    ]
    assert all(rule.kind == name for name, rule in kinds().items())


def test_a_new_file_is_a_new_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = RULE.format(name="FullMoon", kind="full_moon") + READING
    package = a_package(tmp_path, monkeypatch, "found_rules", full_moon=whole)
    assert [(name, rule.__name__) for name, rule in discover(*package).items()] == [("full_moon", "FullMoon")]


@pytest.mark.parametrize(
    ("package", "text"),
    [
        ("other_kind", RULE.format(name="FullMoon", kind="new_moon")),
        ("no_rule", "answer = 42\n"),
        ("two_rules", RULE.format(name="One", kind="full_moon") + RULE.format(name="Two", kind="full_moon")),
        ("no_kind", "from dom_core.rules.base import Rule\n\nclass FullMoon(Rule):\n    pass\n"),
    ],
)
def test_a_kind_unlike_its_file_is_refused(
    package: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, path = a_package(tmp_path, monkeypatch, package, full_moon=text)
    with pytest.raises(
        ImportError, match=r"full_moon\.py must define exactly one Rule, and its kind must be 'full_moon'"
    ):
        discover(name, path)


def test_a_kind_that_cannot_read_its_parameters_is_refused_when_it_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, path = a_package(tmp_path, monkeypatch, "unread", full_moon=RULE.format(name="FullMoon", kind="full_moon"))
    with pytest.raises(ImportError, match=r"full_moon\.py: FullMoon must define from_params"):
        discover(name, path)
