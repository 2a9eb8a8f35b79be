"""The arithmetic in docs/deploy.md comes out as it says."""

import ast
import re

import pytest

from tests.architecture.source_code import ROOT

TEXT = (ROOT / "docs" / "deploy.md").read_text("utf-8")
ROW = re.compile(r"^\| (.+?) \| ([\d.,() ×/+−]*[×/+−][\d.,() ×/+−]*|[\d.]+) \| ([\d.,]+) \|$", re.MULTILINE)
ROWS = ROW.findall(TEXT.partition("## What it costs")[2].partition("\n## ")[0])


def _value(formula: str) -> float:
    plain = formula.replace(",", "").replace("×", "*").replace("−", "-")
    return float(eval(compile(ast.parse(plain, mode="eval"), "a row", "eval"), {"__builtins__": {}}))  # noqa: S307 - only digits and signs match


@pytest.mark.parametrize(("what", "formula", "result"), ROWS, ids=[row[0] for row in ROWS])
def test_a_row_comes_out(what: str, formula: str, result: str) -> None:
    shown = float(result.replace(",", ""))
    assert _value(formula) == pytest.approx(shown, abs=0.006)


def test_every_row_is_looked_at() -> None:
    section = TEXT.partition("## What it costs")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|") and not line.startswith(("|---", "| What"))]
    assert len(ROWS) == len(rows)
