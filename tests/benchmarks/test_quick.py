"""`make bench-quick` in small: every way plans the same scarce batch in a process of its own."""

import resource
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from benchmarks import campaign, measuring, records
from benchmarks.__main__ import main
from benchmarks.campaign import Campaign
from benchmarks.cases import Generated, Superstore
from benchmarks.comparing import Compared, compared
from benchmarks.instances import Shape
from benchmarks.records import Figures, Outcome, Record
from benchmarks.ways import BY_KEY, compact
from tests.benchmarks.made_up import HERE

SHAPE = Shape(100, 10, 1.0)
CAMPAIGN = Campaign([Generated(SHAPE)], list(BY_KEY), limit_s=60.0, memory_mb=4096)


@dataclass
class Measured:
    file: Path
    records: Mapping[tuple[str, str], Record]

    @property
    def answers(self) -> Mapping[str, Figures]:
        return {record.way: record.figures for record in self.records.values() if record.figures}

    @property
    def case(self) -> Compared:
        (case,) = compared(campaign.in_order(self.records.values()))
        return case


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    file = tmp_path_factory.mktemp("bench") / "results.json"
    return Measured(file, campaign.run(CAMPAIGN, file, HERE, lambda _seconds: None, lambda _line: None))


def test_every_way_that_is_installed_gives_an_answer_that_breaks_no_rule(measured: Measured) -> None:
    outcomes = {record.way: record.result.outcome for record in measured.records.values()}
    installed = {key: Outcome.ANSWERED if way.installed else Outcome.NOT_INSTALLED for key, way in BY_KEY.items()}
    assert outcomes == installed


def test_every_measurement_has_its_seconds_and_its_memory(measured: Measured) -> None:
    for record in measured.records.values():
        if record.figures:
            assert record.result.seconds is not None
            assert record.result.peak_mb is not None
            assert record.result.peak_mb > 10


def test_those_that_prove_something_give_a_bound_and_nobody_is_below_it(measured: Measured) -> None:
    assert {key for key, figures in measured.answers.items() if figures.bound is not None} == {
        key for key, way in BY_KEY.items() if way.proves and way.installed
    }
    assert measured.case.best_bound is not None
    assert all(figures.value >= measured.case.best_bound for figures in measured.answers.values())


def test_whoever_proves_a_plan_best_finds_the_same_value(measured: Measured) -> None:
    best = {figures.value for figures in measured.answers.values() if figures.ending == "optimal"}
    assert len(best) == 1
    assert best == {measured.case.best_value}


def test_the_engine_is_no_worse_than_batches_or_simple_ways(measured: Measured) -> None:
    ours = measured.answers["engine-cbc"].value
    others = {key: figures.value for key, figures in measured.answers.items() if not BY_KEY[key].proves}
    assert all(ours <= value for value in others.values()), others


def test_units_are_filled_or_unfilled(measured: Measured) -> None:
    for figures in measured.answers.values():
        assert figures.units is not None
        assert figures.filled_units is not None
        assert 0 < figures.filled_units <= figures.units


def test_only_whole_plans_have_bytes(measured: Measured) -> None:
    whole = {key for key, figures in measured.answers.items() if figures.plan_bytes}
    assert whole == {key for key in ("engine-cbc", "engine-highs") if BY_KEY[key].installed}


def test_what_is_kept_is_not_measured_again(measured: Measured) -> None:
    told: list[str] = []
    again = campaign.run(CAMPAIGN, measured.file, HERE, lambda _seconds: None, told.append)
    assert told == []
    assert list(again.values()) == list(records.read(measured.file).values())


def test_a_page_and_a_chart_are_written_from_what_is_kept(measured: Measured) -> None:
    folder = measured.file.parent
    assert main(["--report", "--out", str(folder)]) == 0
    page = (folder / "RESULTS.md").read_text("utf-8")
    assert all(way.title in page for way in BY_KEY.values())
    assert (folder / "gaps.svg").read_text("utf-8").startswith("<svg")


def test_a_way_that_needs_more_memory_than_it_may_use_says_so(tmp_path: Path) -> None:
    little = replace(CAMPAIGN, ways=["engine-cbc"], memory_mb=150)
    (record,) = campaign.run(little, tmp_path / "results.json", HERE, lambda _s: None, lambda _line: None).values()
    assert record.result.outcome in (Outcome.OUT_OF_MEMORY, Outcome.FAILED)
    assert record.figures is None


def test_a_model_that_could_not_be_held_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _kind: (8 * 2**20, 8 * 2**20))
    compact._require_memory(pairs=1_000)
    with pytest.raises(MemoryError, match="2,000 candidate pairs need 13 MB at least"):
        compact._require_memory(pairs=2_000)


def test_a_way_that_is_far_over_its_limit_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "OVERTIME_S", -CAMPAIGN.limit_s)
    one = replace(CAMPAIGN, ways=["nearest-source"])
    (record,) = campaign.run(one, tmp_path / "results.json", HERE, lambda _s: None, lambda _line: None).values()
    assert record.result.outcome is Outcome.NO_ANSWER
    assert record.result.note == "ended from outside"


def test_a_way_that_breaks_down_is_a_failure_with_its_last_words(tmp_path: Path) -> None:
    nowhere = replace(CAMPAIGN, cases=[Superstore(tmp_path / "none.csv", "fast-delivery")], ways=["nearest-source"])
    file = tmp_path / "results.json"
    (record,) = campaign.run(nowhere, file, HERE, lambda _s: None, lambda _line: None).values()
    assert record.result.outcome is Outcome.FAILED
    assert "none.csv" in record.result.note
    assert main(["--report", "--out", str(tmp_path)]) == 1
    told: list[str] = []
    campaign.run(nowhere, file, HERE, lambda _s: None, told.append)
    assert len(told) == 1, "failures are tried again"


@pytest.mark.parametrize(
    "arguments", [["--only", "magic"], ["--sizes", "10by5"], ["--limit-s", "0"], ["--limit-s", "soon"]]
)
def test_wrong_usage_is_explained(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert arguments[0] in capsys.readouterr().err
