"""The exported model says the same to any solver: its best objective is the plan's total."""

import csv
import re
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from dom_core.cli.export import _write_key
from dom_core.domain.plan import Ending
from dom_core.domain.strategy import ObjectiveMode
from dom_core.optimizer.export import KeyRow, export
from dom_core.optimizer.solving import cbc_executable
from tests.builders import NOW, RequestBuilder, a_request, a_rule, a_source, an_order
from tests.optimizer.planned import Planned, planned
from tests.oracle.generation import generate

SEATTLE, PORTLAND, NEW_YORK = (47.6062, -122.3321), (45.5152, -122.6784), (40.7128, -74.006)
SEEDS = range(12)
"""Tiny requests that mix all rules; among them some that leave lines to iteration 2, or to nobody."""


def cbc(path: Path) -> float:
    """What CBC, started by hand, finds."""
    answer = subprocess.run([str(cbc_executable()), str(path), "solve"], capture_output=True, text=True, check=True)
    return float(re.findall(r"^Objective value:\s+(\S+)|^Optimal objective (\S+)", answer.stdout, re.MULTILINE)[-1][0])


def highs(path: Path) -> float:
    """What HiGHS finds."""
    highspy = pytest.importorskip("highspy", reason="the extra 'highs' is not installed")
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("mip_rel_gap", 0.0)
    solver.readModel(str(path))
    solver.run()
    return float(solver.getInfo().objective_function_value)


def written(run: Planned, iteration: int, path: Path) -> tuple[KeyRow, ...]:
    exported = export(run.request, run.plan, iteration)
    assert exported.planned_total == run.plan.iterations[iteration - 1].total
    (exported.write_lp if path.suffix == ".lp" else exported.write_mps)(str(path))
    return exported.key


def a_case() -> RequestBuilder:
    """Two orders compete for WEST; EAST is too far in iteration 1; nobody has R."""
    near = a_rule("maximum_distance", {"lines": [{"km": 500}]}, id="near", hard=False)
    first = an_order("A").shipping_to(*SEATTLE).ordered_at(NOW - timedelta(days=1)).with_line("P", 2).with_line("Q")
    second = an_order("B").shipping_to(*SEATTLE).with_line("P", 2).with_line("R")
    return (
        a_request()
        .with_sources(a_source("EAST", at=NEW_YORK), a_source("WEST", at=PORTLAND))
        .with_rules(near)
        .with_stock({("P", "WEST"): 3, ("Q", "WEST"): 1, ("P", "EAST"): 9})
        .with_orders(first, second)
    )


@pytest.mark.parametrize("iteration", [1, 2])
@pytest.mark.parametrize("suffix", [".lp", ".mps"])
def test_cbc_and_highs_find_the_total_of_the_plan(suffix: str, iteration: int, tmp_path: Path) -> None:
    run, path = planned(a_case()), tmp_path / f"model{suffix}"
    written(run, iteration, path)
    assert cbc(path) == pytest.approx(run.plan.iterations[iteration - 1].total)
    assert highs(path) == pytest.approx(run.plan.iterations[iteration - 1].total)


@pytest.mark.parametrize("seed", SEEDS)
def test_highs_agrees_on_requests_that_mix_all_rules(seed: int, tmp_path: Path) -> None:
    """A plan made level by level may cost more points than the best sum of points."""
    request = generate(seed)
    run = planned(RequestBuilder(request))
    for report in run.plan.iterations:
        path = tmp_path / f"model-{report.number}.mps"
        written(run, report.number, path)
        assert report.ending is Ending.OPTIMAL
        if request.strategy.objective_mode is ObjectiveMode.STRICT:
            assert highs(path) <= report.total + 1e-6
        else:
            assert highs(path) == pytest.approx(report.total)


def test_the_key_says_what_every_variable_of_a_pair_means(tmp_path: Path) -> None:
    run = planned(a_case())
    key = written(run, 1, tmp_path / "model.lp")
    (whole,) = (row for row in key if (row.meaning, row.order_id, row.line_id) == ("units", "A", "2"))
    assert (whole.source_id, whole.units_each) == ("WEST", 1)
    assert {row.meaning for row in key} == {"units", "uses", "ships"}
    assert {(row.order_id, row.line_id) for row in key} == {
        ("A", "1"),
        ("A", "2"),
        ("A", None),
        ("B", "1"),
        ("B", None),
    }
    model = (tmp_path / "model.lp").read_text()
    assert {row.variable for row in key} <= set(re.findall(r"\bv\d+\b", model))


def test_no_name_of_ours_or_of_the_user_reaches_the_model_file(tmp_path: Path) -> None:
    run = planned(
        a_request()
        .with_sources(a_source("Wisteria-Lane"))
        .with_stock({("Lamp", "Wisteria-Lane"): 5})
        .with_orders(an_order("Huber").with_line("Lamp", 2))
    )
    for suffix in (".lp", ".mps"):
        key = written(run, 1, tmp_path / f"model{suffix}")
        text = (tmp_path / f"model{suffix}").read_text()
        assert not re.search("Wisteria|Lamp|Huber|P1|strategy", text)
        assert key[0].order_id == "Huber"


def test_an_iteration_without_anything_to_decide_is_a_model_too(tmp_path: Path) -> None:
    """Nobody has anything: four times D, which is 1,000, for each of two units."""
    run = planned(a_request().with_sources(a_source("S1")).with_orders(an_order().with_line("P", 2)))
    for suffix in (".lp", ".mps"):
        assert written(run, 1, tmp_path / f"model{suffix}") == ()
        assert highs(tmp_path / f"model{suffix}") == 8_000


def test_the_key_is_a_table_with_a_heading(tmp_path: Path) -> None:
    path = tmp_path / "key.csv"
    _write_key(path, [KeyRow("v1", "units", "A", "1", "WEST", 2), KeyRow("v2", "ships", "A", None, "WEST")])
    with path.open(newline="") as file:
        assert list(csv.reader(file)) == [
            ["variable", "meaning", "order_id", "line_id", "source_id", "units_each"],
            ["v1", "units", "A", "1", "WEST", "2"],
            ["v2", "ships", "A", "", "WEST", ""],
        ]
