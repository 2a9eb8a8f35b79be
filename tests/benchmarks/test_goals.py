"""What the engine is to reach: how goals are measured, when one is reached, and what the page says of them."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import campaign, report
from benchmarks.campaign import Campaign
from benchmarks.cases import Aimed, Generated
from benchmarks.child import request_of
from benchmarks.comparing import compared
from benchmarks.goals import GOALS, Goal, growing
from benchmarks.instances import Shape
from benchmarks.records import Figures, Outcome, Record, Result
from benchmarks.ways import BY_KEY, engine
from dom_core.watch import Stage
from tests.benchmarks.made_up import HERE, a_record

SCARCE = Shape(100, 10, 1.0)
ROUGH, EXACT = Aimed(SCARCE, 0.9), Aimed(SCARCE, 0.0)
SMALL = (Goal(ROUGH, "engine-cbc", 60.0), Goal(EXACT, "engine-cbc", part_of_compact=0.5))


def ran(goal: Goal, gap: float, seconds: float, peak_mb: int = 100, way: str = "", **stages: float) -> Record:
    figures = Figures(1000.0, 1000.0 * (1 - gap), stages=stages)
    result = Result(Outcome.ANSWERED, seconds, peak_mb, figures)
    return Record(goal.case.name, "aimed", way or goal.way, goal.seconds, result, HERE)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Mapping[tuple[str, str], Record]:
    file = tmp_path_factory.mktemp("goals") / "results.json"
    small = Campaign([], list(BY_KEY), limit_s=1.0, memory_mb=4096, goals=SMALL)
    return campaign.run(small, file, HERE, lambda _seconds: None, lambda _line: None)


def test_a_goal_is_a_run_and_the_compact_model_where_it_is_a_part_of_that(
    measured: Mapping[tuple[str, str], Record],
) -> None:
    assert list(measured) == [
        ("100 × 10, 1.0, to 90 %", "engine-cbc"),
        ("100 × 10, 1.0, to 0 %", "engine-cbc"),
        ("100 × 10, 1.0, to 0 %", "compact-cbc"),
    ]
    assert [record.limit_s for record in measured.values()] == [60.0, 600.0, 600.0]


def test_a_run_ends_when_the_gap_that_is_asked_for_is_proven(measured: Mapping[tuple[str, str], Record]) -> None:
    rough, exact, compact = (record.figures for record in measured.values())
    assert rough
    assert exact
    assert compact
    assert (exact.ending, compact.ending) == ("optimal", "optimal")
    assert exact.value == compact.value
    assert rough.ending in ("within_gap", "optimal")
    assert rough.bound is not None
    assert rough.bound <= exact.value <= rough.value


def test_a_goal_asks_for_its_gap_and_changes_nothing_else() -> None:
    usual, rough = request_of(Generated(SCARCE)), request_of(ROUGH)
    assert rough.strategy.limits == replace(usual.strategy.limits, relative_gap=0.9)
    assert replace(rough, strategy=usual.strategy) == usual


def test_a_run_tells_how_long_each_stage_took(measured: Mapping[tuple[str, str], Record]) -> None:
    record = measured[EXACT.name, "engine-cbc"]
    assert record.figures
    assert {"lines", "candidates", "solving", "reasons", "audit"} <= set(record.figures.stages)
    assert record.result.seconds is not None
    assert sum(record.figures.stages.values()) == pytest.approx(record.result.seconds, rel=0.2, abs=0.2)
    assert all(seconds >= 0 for seconds in record.figures.stages.values())


def test_the_seconds_of_a_stage_are_those_until_the_next_one_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0.0, 1.0, 3.0, 6.0, 10.0])
    monkeypatch.setattr(engine, "time", SimpleNamespace(monotonic=lambda: next(now)))
    clock = engine.StageClock()
    for name in ("candidates", "prices", "candidates", "done"):
        clock.tell(Stage(name, 0.5))
    assert clock.seconds == {"lines": 1.0, "candidates": 2.0 + 4.0, "prices": 3.0}


def test_only_the_ways_that_are_asked_for_are_measured() -> None:
    some = Campaign([], ["engine-highs"], 1.0, 4096, goals=GOALS)
    assert {task.way for task in some.tasks()} == {"engine-highs"}
    assert all(way in BY_KEY for way in (goal.way for goal in GOALS))


@pytest.mark.parametrize(
    ("gap", "seconds", "peak_mb", "reached"),
    [(0.003, 60.0, 200, True), (0.0031, 60.0, 200, False), (0.003, 60.1, 200, False), (0.003, 60.0, 201, False)],
)
def test_gap_seconds_and_memory_must_all_hold(gap: float, seconds: float, peak_mb: int, *, reached: bool) -> None:
    goal = Goal(Aimed(SCARCE, 0.003), "engine-highs", 60.0, memory_mb=200)
    assert goal.is_reached(ran(goal, gap, seconds, peak_mb), None) == reached


def test_a_part_of_what_the_compact_model_takes() -> None:
    goal = Goal(EXACT, "engine-cbc", part_of_compact=1 / 20)
    compact = ran(goal, 0.0, 100.0, way="compact-cbc")
    assert goal.is_reached(ran(goal, 0.0, 5.0), compact)
    assert not goal.is_reached(ran(goal, 0.0, 5.1), compact)
    assert not goal.is_reached(ran(goal, 0.0, 5.0), None)
    assert not goal.is_reached(replace(compact, result=Result(Outcome.NO_ANSWER)), compact)


def test_the_page_says_what_was_reached_and_where_the_seconds_went() -> None:
    twentieth, small, _, scarce = GOALS[:4]
    page = report.page(
        [
            ran(twentieth, 0.0, 20.0, prices=3.0, guesses=16.0, audit=0.1),
            ran(twentieth, 0.0, 110.0, way="compact-cbc"),
            ran(small, 0.0008, 4.5),
            ran(scarce, 0.006, 119.0),
        ]
    )
    part = "1/20 of compact model, CBC"
    stages = "guesses 16.0, prices 3.0"
    assert f"| 1,000 × 200, 1.0 | this engine, CBC | 0 %, {part} | 0.000 % | 20.0 | 1/5.5 of 110.0 s | 100 |" in page
    assert f"| 100 | **no** | {stages} |" in page
    assert "| 10,000 × 200, 3.0 | this engine, CBC | 0.1 %, 15 s | 0.080 % | 4.5 | – | 100 | yes | – |" in page
    assert "| 10,000 × 200, 1.0 | this engine, CBC | 0.5 %, 120 s | 0.600 % | 119.0 | – | 100 | **no** | – |" in page


def test_of_several_runs_the_middle_one_counts_and_all_are_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    goal = GOALS[1]
    seconds = iter([4.0, 9.0, 3.0])
    monkeypatch.setattr(campaign, "measured", lambda *_: ran(goal, 0.0008, next(seconds)).result)
    asked = Campaign([], [goal.way], 1.0, 4096, goals=[goal])
    (record,) = campaign.run(asked, tmp_path / "results.json", HERE, lambda _: None, lambda _: None).values()
    assert (record.result.seconds, record.result.runs_s) == (4.0, (3.0, 4.0, 9.0))
    assert "| 4.0 (3.0 to 9.0) |" in report.page([record])


def test_a_run_without_an_answer_is_the_result(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    goal = GOALS[1]
    results = iter([ran(goal, 0.0008, 4.0).result, Result(Outcome.NO_ANSWER)])
    monkeypatch.setattr(campaign, "measured", lambda *_: next(results))
    asked = Campaign([], [goal.way], 1.0, 4096, goals=[goal])
    (record,) = campaign.run(asked, tmp_path / "results.json", HERE, lambda _: None, lambda _: None).values()
    assert record.result.outcome is Outcome.NO_ANSWER


def test_growth_is_that_of_goals_by_the_same_way_that_differ_in_their_lines_only() -> None:
    pairs = list(growing(GOALS))
    assert [(small.way, small.case.name, large.case.name) for small, large in pairs] == [
        ("engine-cbc", "10,000 × 200, 3.0, to 0.1 %", "100,000 × 200, 3.0, to 0.2 %"),
        ("engine-highs", "10,000 × 200, 3.0, to 0.1 %", "100,000 × 200, 3.0, to 0.15 %"),
    ]
    assert all(goal.runs > 1 for pair in pairs for goal in pair)
    small, large = pairs[0]
    page = report.page([ran(small, 0.0008, 4.0), ran(large, 0.0012, 48.0)])
    assert "## Growth of these runs: at most 1.3 times linear\n" in page
    row = "| 10,000 × 200, 3.0, to 0.1 % | this engine, CBC | 4.0 | 48.0 | 1.20 | 0.080 % → 0.120 % |"
    assert row in page
    assert "Growth" not in report.page([ran(small, 0.0008, 4.0)])


def test_goals_are_no_batches_that_every_way_plans() -> None:
    one, other = compared([ran(GOALS[1], 0.0008, 4.5), a_record("engine-cbc", 1000, 990.0)])
    assert not one.is_batch
    assert other.is_batch
    page = report.page([*one.records, *other.records])
    assert "### 10,000 × 200, 3.0\n" in page
    assert "### 10,000 × 200, 3.0, to" not in page


def test_where_no_goal_was_measured_the_page_has_no_section_for_them() -> None:
    assert "What the engine is to reach" not in report.page([a_record("engine-cbc", 1000, 990.0)])
