"""The Superstore example by the command line, as docs/cli.md shows it."""

from pathlib import Path

import pytest

from dom_core.cli import main
from dom_core.messages.reading import read_json
from dom_core.report.view import PlanView

EXAMPLE = Path(__file__).parents[2] / "examples" / "superstore"


def test_the_example_configuration_is_valid_without_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", str(EXAMPLE / "config")]) == 0
    assert capsys.readouterr().out.startswith("valid: sources 24")


def test_the_example_is_planned_with_a_reason_for_every_line_and_source(tmp_path: Path) -> None:
    files = ["--config", str(EXAMPLE / "config"), "--orders", str(EXAMPLE / "orders.jsonl")]
    files += ["--stock", str(EXAMPLE / "stock.csv"), "--out", str(tmp_path / "plan.json")]
    page = tmp_path / "plan.html"
    time = ["--now", "2026-03-02T15:00:00Z"]
    assert main(["plan", *files, "--strategy", "fast-delivery", "--report", str(page), "--quiet", *time]) == 0
    view = read_json((tmp_path / "plan.json").read_bytes(), PlanView, "plan")
    assert any(line.filled_units for line in view.plan.lines)
    assert {len(row) for row in view.plan.reasons.codes} == {24}
    assert page.stat().st_size > 100_000
