"""Each statement of docs/semantics.md names tests that prove it, and these tests exist.

A statement is a paragraph, an item of a list or a row of a table. A paragraph is followed by a paragraph that begins
with `Proof:`, an item ends with such a line, and the last column of a table is its `Proof`. A reference is the name of
a test in words, in the file that the label stands for: `[the nearest source ships][optimizer/pipeline]` is
`tests/optimizer/test_pipeline.py::test_the_nearest_source_ships`.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from tests.architecture.source_code import ROOT

PAGE = ROOT / "docs" / "semantics.md"
TESTS = ROOT / "tests"

FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
REFERENCE = re.compile(r"\[([^\]]+)\]\[([\w/]+)\]")
DEFINITION = re.compile(r"^\[([\w/]+)\]: (\S+)$")
ITEM = re.compile(r"^(?=(?:- |\d+\. ))", re.MULTILINE)
RULER = re.compile(r"^\|[-| :]+\|$")
PROOF = "Proof:"


def test_every_statement_names_a_test_that_proves_it() -> None:
    assert list(unproven(PAGE.read_text(encoding="utf-8"))) == []


def test_every_test_that_is_named_exists_once() -> None:
    assert list(unknown_tests(PAGE.read_text(encoding="utf-8"))) == []


def test_every_label_stands_for_the_file_of_its_name() -> None:
    page = PAGE.read_text(encoding="utf-8")
    found = (DEFINITION.match(line) for line in page.splitlines())
    defined = {match[1]: match[2] for match in found if match}
    assert defined == {label: f"../{file_of(label).relative_to(ROOT)}" for _, label in references(page)}


BEGINNING = "# Title\n\nAn introduction proves nothing.\n\n## 1. Section\n\n"

UNPROVEN = {
    "a paragraph": ("It is so.\n\n## 2. Next\n", "It is so."),
    "the last paragraph": ("It is so.", "It is so."),
    "a paragraph before a table": ("Either:\n\n| A | Proof |\n|---|---|\n| x | [t][a/b] |", "Either:"),
    "a proof without a test": ("It is so.\n\nProof: obviously.", "It is so."),
    "a proof without a link": ("It is so.\n\nProof: [t](a.py).", "It is so."),
    "a table without the column": ("| A | B |\n|---|---|\n| x | [t][a/b] |", "| A | B |"),
    "a row": ("| A | Proof |\n|---|---|\n| x | [t][a/b] |\n| y | |", "| y | |"),
    "an item": ("- One.\n  Proof: [t][a/b]\n- Two, [t][a/b].", "- Two, [t][a/b]."),
    "a numbered item": ("1. One,\n   and more.\n2. Two.\n   Proof: [t][a/b]", "1. One,\n   and more."),
}


@pytest.mark.parametrize(("body", "found"), UNPROVEN.values(), ids=UNPROVEN)
def test_what_lacks_a_proof_is_found(body: str, found: str) -> None:
    assert [statement.strip() for statement in unproven(BEGINNING + body)] == [found]


PROVEN = [
    "It is so.\n\nProof: [the test\nof it][a/b].",
    "- One.\n  Proof: [t][a/b]\n- Two.\n  Proof: [t][a/b]",
    "| A | Proof |\n|---|---|\n| x | [t][a/b] |",
    "```\nIt is code.\n```",
    "### Heading\n\n[a/b]: ../tests/a/test_b.py",
]


@pytest.mark.parametrize("body", PROVEN)
def test_what_is_proven_is_not_complained_about(body: str) -> None:
    assert list(unproven(BEGINNING + body)) == []


def test_a_test_that_does_not_exist_is_found() -> None:
    known, here = "every statement names a test that proves it", "architecture/semantics"
    page = f"[{known}][{here}], [nothing is so][{here}], [nothing is so][nowhere/to_be]"
    assert list(unknown_tests(page)) == [
        f"tests/{here.replace('/', '/test_')}.py::test_nothing_is_so: 0 tests",
        "tests/nowhere/test_to_be.py::test_nothing_is_so: 0 tests",
    ]


def unproven(page: str) -> Iterator[str]:
    """The statements behind the introduction that name no test."""
    statements = FENCE.sub("", page).partition("\n## ")[2]
    blocks = [block.strip("\n") for block in re.split(r"\n\s*\n", f"## {statements}") if block.strip()]
    for block, following in pairwise([*blocks, ""]):
        if block.startswith(("#", PROOF)) or DEFINITION.match(block.splitlines()[0]):
            continue
        if block.startswith("|"):
            yield from _unproven_rows(block.splitlines())
        elif ITEM.match(block):
            yield from (item for item in ITEM.split(block) if item and not references(item.partition(PROOF)[2]))
        elif not (following.startswith(PROOF) and references(following)):
            yield block


def _unproven_rows(lines: list[str]) -> Iterator[str]:
    heading, ruler, *rows = lines
    assert RULER.match(ruler), f"not a table: {heading}"
    if _last_cell(heading) != "Proof":
        yield heading
    else:
        yield from (row for row in rows if not references(_last_cell(row)))


def _last_cell(row: str) -> str:
    return row.rstrip().removesuffix("|").rpartition("|")[2].strip()


def references(text: str) -> list[tuple[str, str]]:
    """The tests named in a text, as (words, label)."""
    return [(" ".join(words.split()), label) for words, label in REFERENCE.findall(text)]


def unknown_tests(page: str) -> Iterator[str]:
    """References to tests that are not there, or of which there are several in one file."""
    for words, label in dict.fromkeys(references(page)):
        name, file = f"test_{words.replace(' ', '_')}", file_of(label)
        if (count := _tests_of(file)[name]) != 1:
            yield f"{file.relative_to(ROOT)}::{name}: {count} tests"


def file_of(label: str) -> Path:
    """`rules/scope` is `tests/rules/test_scope.py`."""
    folder, _, name = label.rpartition("/")
    return TESTS / folder / f"test_{name}.py"


@cache
def _tests_of(file: Path) -> Counter[str]:
    """The tests of a file by name: those in classes too, and invariants of state machines as if they were tests."""
    if not file.exists():
        return Counter()
    functions = [
        node for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.FunctionDef)
    ]
    return Counter(f"test_{function.name}" if _is_invariant(function) else function.name for function in functions)


def _is_invariant(function: ast.FunctionDef) -> bool:
    return any(ast.unparse(decorator) == "invariant()" for decorator in function.decorator_list)
