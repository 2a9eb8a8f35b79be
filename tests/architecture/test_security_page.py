"""The security page walks through all ten risks of OWASP's list, and each test that it names exists."""

import ast
import re

import pytest

from functions.authorization import PUBLIC
from functions.principals import Role
from tests.architecture.source_code import ROOT

TEXT = (ROOT / "docs" / "security.md").read_text("utf-8")
WALK = TEXT.partition("## OWASP API Security Top 10, 2023")[2]
NAMED = re.findall(r"^- `([\w/.]+\.py)::([\w:]+)`$", WALK, re.MULTILINE)


def definitions(file: str) -> set[str]:
    """The tests of a file as pytest names them, without parameters."""
    found = set()
    for node in ast.parse((ROOT / file).read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{part.name}" for part in node.body if isinstance(part, ast.FunctionDef)}
    return found


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_a_test_that_the_page_names_exists(file: str, test: str) -> None:
    assert test.rpartition("::")[2].startswith("test_")
    assert test in definitions(file)


def test_each_of_the_ten_risks_has_a_section_with_at_least_three_tests() -> None:
    sections = re.split(r"^### API", WALK, flags=re.MULTILINE)[1:]
    assert [int(section.split()[0]) for section in sections] == list(range(1, 11))
    assert [section.splitlines()[0] for section in sections if section.count("\n- `tests/") < 3] == []


def test_every_item_of_the_walk_is_a_test() -> None:
    assert len(NAMED) == len(re.findall(r"^- ", WALK, re.MULTILINE)) == len(set(NAMED))


def test_the_page_lists_every_role_and_what_is_public() -> None:
    assert set(re.findall(r"^\| `(Dom\.[\w.]+)` \|", TEXT, re.MULTILINE)) == set(Role)
    assert all(f"`/api/{name}`" in TEXT for name in PUBLIC)
