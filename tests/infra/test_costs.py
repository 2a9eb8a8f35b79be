"""The arithmetic in docs/deploy.md and docs/scale.md comes out as it says."""

import ast
import re

import pytest

from tests.architecture.source_code import ROOT

DEPLOY = (ROOT / "docs" / "deploy.md").read_text("utf-8").partition("## What it costs")[2].partition("\n## ")[0]
SCALE = (ROOT / "docs" / "scale.md").read_text("utf-8")
ROW = re.compile(r"^\| (.+?) \| ([\d.,() ×/+−]*[×/+−][\d.,() ×/+−]*|[\d.]+) \| ([\d.,]+) \|$", re.MULTILINE)
ROWS = [row for text in (DEPLOY, SCALE) for row in ROW.findall(text)]


def _value(formula: str) -> float:
    plain = formula.replace(",", "").replace("×", "*").replace("−", "-")
    return float(eval(compile(ast.parse(plain, mode="eval"), "a row", "eval"), {"__builtins__": {}}))  # noqa: S307 - only digits and signs match


@pytest.mark.parametrize(("what", "formula", "result"), ROWS, ids=[row[0] for row in ROWS])
def test_a_row_comes_out(what: str, formula: str, result: str) -> None:
    shown = float(result.replace(",", ""))
    assert _value(formula) == pytest.approx(shown, abs=0.006)


def test_every_row_is_looked_at() -> None:
    tables = [table for text in (DEPLOY, SCALE) for table in text.split("\n\n") if table.startswith("| What | Ari")]
    rows = [line for table in tables for line in table.strip().splitlines()[2:]]
    assert len(ROWS) == len(rows) > 50
