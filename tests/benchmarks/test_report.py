"""Measurements are kept, laid side by side, and made into a page and a chart."""

import os
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import chart, records, report
from benchmarks.campaign import in_order
from benchmarks.cases import all_shapes, shape_from
from benchmarks.comparing import above_optimum, compared, gap, growths
from benchmarks.instances import Shape
from benchmarks.records import Outcome
from tests.benchmarks.made_up import HERE, a_literature_record, a_record, an_unanswered_record

SVG = "{http://www.w3.org/2000/svg}"


def test_records_are_read_as_they_were_written(tmp_path: Path) -> None:
    kept = [a_record("engine-cbc", 1000, 990.0), an_unanswered_record("compact-cbc", Outcome.OUT_OF_MEMORY)]
    records.write(tmp_path / "results.json", kept)
    assert list(records.read(tmp_path / "results.json").values()) == kept


def test_nothing_was_measured_where_there_is_no_file(tmp_path: Path) -> None:
    assert records.read(tmp_path / "results.json") == {}


def test_records_stand_by_size_and_way_whatever_was_measured_first() -> None:
    large, small = Shape(10_000, 50, 1.0), Shape(1_000, 200, 3.0)
    made = [a_record(way, 1, shape=shape) for shape in (large, small) for way in ("nearest-source", "engine-cbc")]
    found = [(record.case, record.way) for record in in_order(made)]
    assert found == [(shape.name, way) for shape in (small, large) for way in ("engine-cbc", "nearest-source")]


def test_instances_of_a_family_stand_in_the_order_of_their_numbers() -> None:
    made = [a_literature_record(name, 1, 1) for name in ("uncap/cap104", "uncap/cap71", "pmed/pmed1")]
    assert [record.case for record in in_order(made)] == ["pmed/pmed1", "uncap/cap71", "uncap/cap104"]


def test_every_value_is_measured_with_the_highest_bound_that_anybody_proved() -> None:
    (case,) = compared([a_record("engine-cbc", 1000, 900.0), a_record("compact-cbc", 1100, 950.0)])
    figures = case.figures("engine-cbc")
    assert figures is not None
    assert case.above_best_bound(figures) == pytest.approx(0.05)


def test_rounding_is_no_gap() -> None:
    assert gap(1000.0, 1000.0 - 1e-7) == 0.0
    assert gap(0.0, 0.0) == 0.0


def test_a_cent_of_rounding_is_not_above_the_optimum() -> None:
    found = [a_literature_record("uncap/cap71", value, 932615.75).figures for value in (932615.74, 941941.9)]
    assert [above_optimum(figures) for figures in found if figures] == [0.0, pytest.approx(0.01, rel=1e-3)]


def test_growth_compares_batches_that_differ_in_their_lines_only() -> None:
    small, large, other = Shape(10_000, 200, 3.0), Shape(100_000, 200, 3.0), Shape(100_000, 200, 1.0)
    made = [a_record("batches", 1, shape=shape, seconds=shape.lines / 5000) for shape in (small, large, other)]
    (found,) = growths(compared(made), 10_000, 100_000)
    assert (found.large.case, found.times) == (large.name, 10.0)


def test_the_page_answers_each_question_that_was_measured() -> None:
    made = [
        a_record("engine-cbc", 1000, 990.0),
        a_record("engine-cbc", 10_000, 9900.0, shape=Shape(100_000, 200, 3.0), seconds=12.0),
        a_record("batches", 1010),
        an_unanswered_record("compact-cbc", Outcome.NO_ANSWER),
        a_record("nearest-source", 2000, filled=80),
        a_literature_record("pmed/pmed1", 5819, 5819),
        a_literature_record("pmed/pmed6", 5819, 7824, "not every line is served"),
    ]
    page = report.page(in_order(made))
    assert "| 10,000 × 200, 3.0 | nearest source with stock | -50.00 % | 20 → 10 |" in page
    assert "| 10,000 × 200, 3.0 | -0.99 % | 10 → 10 |" in page
    assert "| 10,000 × 200, 3.0 | compact model, CBC | no answer in time (limit 600 s) | – | 1.000 % | – | – |" in page
    assert "| 10,000 × 200, 3.0 | this engine, CBC | 1.0 | 12.0 | 1.20 | 1.000 % → 1.000 % |" in page
    assert "| pmed/pmed1 | this engine, CBC | 5,819.00 | 5,819.00 | 0.000 % |" in page
    assert "5,819.00 (not every line is served) | – |" in page
    assert "2026-03-02: an abacus; Python 3.11.7" in page


def test_a_measurement_on_fewer_cores_says_so() -> None:
    held = replace(HERE, held_to="1 of 2 cores")
    made = [
        a_record("engine-cbc", 1000, 990.0),
        replace(a_record("compact-cbc", 1010, 900.0, seconds=605.5), circumstances=held),
        replace(an_unanswered_record("compact-highs", Outcome.NO_ANSWER), circumstances=held),
    ]
    page = report.page(in_order(made))
    assert "| compact model, CBC | 605.5, 1 of 2 cores |" in page
    assert "| compact model, HiGHS | no answer in time (limit 600 s, 1 of 2 cores) |" in page
    assert "| this engine, CBC | 1.0 |" in page


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system does not hold processes to cores")
def test_circumstances_say_when_not_every_core_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    for given, said in ({0, 1}, ""), ({1}, "1 of 2 cores"):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _process, given=given: given)
        assert records.circumstances("2026-03-02").held_to == said


def test_the_page_says_why_a_model_could_not_be_made() -> None:
    large = an_unanswered_record("compact-cbc", Outcome.OUT_OF_MEMORY)
    large = replace(large, result=replace(large.result, note="9 candidate pairs need 7 MB at least"))
    page = report.page([a_record("engine-cbc", 1000, 990.0), large])
    assert "| compact model, CBC | out of memory: 9 candidate pairs need 7 MB at least |" in page


def test_the_page_leaves_out_questions_that_nobody_measured() -> None:
    page = report.page([a_record("engine-cbc", 1000, 990.0)])
    assert "Instances of the literature" not in page
    assert "### 10,000 × 200, 3.0" in page


def test_the_chart_has_a_mark_for_each_answer_and_for_each_way_in_the_legend() -> None:
    made = [a_record("engine-cbc", 1000, 990.0), a_record("nearest-source", 2000), a_record("compact-cbc", 1000)]
    drawn = ElementTree.fromstring(chart.draw(in_order(made)))  # noqa: S314  # our own text
    assert len(drawn.findall(f"{SVG}circle")) == 4
    assert len(drawn.findall(f"{SVG}rect")) == 2
    hints = [title.text for mark in drawn.iter(f"{SVG}circle") for title in mark]
    assert "this engine, CBC: 1.0 s, 1.000 %" in hints


def test_the_chart_says_so_when_nothing_is_proven() -> None:
    assert "nothing is measured yet" in chart.draw([a_record("nearest-source", 2000)])


def test_there_are_27_sizes() -> None:
    assert len({shape.name for shape in all_shapes()}) == 27


def test_a_size_is_written_as_lines_by_sources_by_cover() -> None:
    assert shape_from("10000x200x1.5") == Shape(10_000, 200, 1.5)
    assert shape_from("10000x200x1.5x7") == Shape(10_000, 200, 1.5, seed=7)


@pytest.mark.parametrize("text", ["", "10", "0x5x1", "10x5x-1", "10x5x1x2x3", "axbxc"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # whatever number() says
        shape_from(text)
