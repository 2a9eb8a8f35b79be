"""Whoever follows a run is told how far it is, and stops it soon, whatever it is doing."""

import inspect
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import FrameType

import numpy as np
import pytest

from dom_core import watch
from dom_core.domain.strategy import SolverLimits
from dom_core.errors import Cancelled, SolverFailed
from dom_core.optimizer import blocks, offers, relaxation, search
from dom_core.optimizer.performing import LocalCrew
from dom_core.optimizer.pipeline import open_lines, plan_once
from dom_core.optimizer.prices import Prices
from dom_core.optimizer.pricing import Pricer
from dom_core.optimizer.solving import CbcSolver
from dom_core.optimizer.standing import Standing
from dom_core.optimizer.tasks import Task, Work
from dom_core.watch import Stage, Watch, WatchedLimits
from tests.builders import a_rule
from tests.optimizer.stand_in import stand_in
from tests.optimizer.test_prices import pricer_of
from tests.optimizer.test_pricing import problem_of
from tests.optimizer.test_search import rivals
from tests.optimizer.test_solving import a_model


def a_solver_that(does: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CBC does this, in this folder."""
    stand_in(folder, monkeypatch, f"cd '{folder}'\n{does}")


LONG_STRETCHES = frozenset(
    {
        *("eligibility.split", "columns.to_batch", "columns._distances", "candidates.generate"),
        *("relaxation.prepare", "relaxation._by_parts", "relaxation._solve", "relaxation._report"),
        *("relaxation.solve_both", "shortage.unfilled_at_least", "takings._gathered", "verdicts._lines_of"),
        *("hashing._list_of", "hashing._available", "hashing._hash", "interpretation._lines", "problem.objective_km"),
        *("structure._lines_known", "structure._each_line_once", "structure._assignments_well_formed"),
        *("structure._reasons_well_formed", "checking.assignments", "partial_orders.violations"),
        *("eligibility._eligibility", "assignments._units", "assignments._stock", "assignments._gates"),
        *("assignments._distances", "rules._rules", "rules._lines_in_full", "rules._second_iteration"),
        *("costs._items", "recount._unfilled", "recount._assigned", "reports._expected_counts", "reports._reasons"),
    }
)
"""What takes seconds for a million lines."""


def is_running(process_id: int) -> bool:
    """Whether the process still does anything: what is left of a killed one until it is reaped is a zombie."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(process_id)], capture_output=True, text=True, check=False)
    return state.stdout.strip() not in ("", "Z", "Zs", "ZN")


def after(looks: int) -> Callable[[], bool]:
    """Asks to stop at the look after so many."""
    seen: list[None] = []

    def asked() -> bool:
        seen.append(None)
        return len(seen) > looks

    return asked


def test_stages_come_in_order_with_growing_shares() -> None:
    stages: list[Stage] = []
    plan_once(rivals(6).build(), CbcSolver(), Watch(stages.append))
    assert list(dict.fromkeys(stage.name for stage in stages)) == ["candidates", "solving", "reasons", "audit", "done"]
    assert [stage.share for stage in stages] == sorted(stage.share for stage in stages)
    assert stages[-1].share == 1.0


def test_a_search_tells_its_stages_as_they_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "EXACT_PAIRS", 0)
    stages: list[Stage] = []
    plan_once(rivals(16).build(), CbcSolver(), Watch(stages.append))
    told = list(dict.fromkeys(stage.name for stage in stages))
    searched = ["prices", "masters", "first plan", "neighbourhoods", "proof"]
    assert told == ["candidates", *searched, "solving", "reasons", "audit", "done"]


def test_a_search_tells_the_gap_that_it_has_proven_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "EXACT_PAIRS", 0)
    stages: list[Stage] = []
    report = plan_once(rivals(16).build(), CbcSolver(), Watch(stages.append)).iterations[0]
    gaps = [stage.gap for stage in stages if stage.gap is not None]
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[-1] == pytest.approx(report.gap, abs=1e-6)


@pytest.mark.parametrize("looks", [0, 1, 2, 3])
def test_a_run_that_is_stopped_makes_no_plan(looks: int) -> None:
    with pytest.raises(Cancelled, match="on request"):
        plan_once(rivals(6).build(), CbcSolver(), Watch(stop_asked=after(looks)))


def test_a_run_looks_in_each_of_its_long_stretches_and_stops_there() -> None:
    rules = (a_rule("maximum_distance", {"lines": [{"km": 5000}]}), a_rule("partial_orders", {}))
    request = rivals(4).with_rules(*rules).build()
    first_look: dict[str, int] = {}
    looks: list[None] = []

    def never_asked() -> bool:
        for function in _functions_at_work():
            first_look.setdefault(function, len(looks))
        looks.append(None)
        return False

    plan_once(request, CbcSolver(), Watch(stop_asked=never_asked))
    assert set(first_look) >= LONG_STRETCHES
    for look in {first_look[stretch] for stretch in LONG_STRETCHES}:
        with pytest.raises(Cancelled):
            plan_once(request, CbcSolver(), Watch(stop_asked=after(look)))


def test_neighbourhoods_look_while_they_rank_the_sources_of_all_lines() -> None:
    one = problem_of(rivals(4))
    with pytest.raises(Cancelled):
        offers.cheapest(one, Prices.none(one), 2, Watch(stop_asked=after(0)))


def _functions_at_work() -> Iterator[str]:
    return (f"{Path(frame.f_code.co_filename).stem}.{frame.f_code.co_name}" for frame in _frames())


def _frames() -> Iterator[FrameType]:
    """What is at work, the innermost first."""
    frame = inspect.currentframe()
    while frame is not None:
        yield frame
        frame = frame.f_back


def test_a_loop_over_many_looks_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "LOOK_EVERY", 3)
    seen: list[int] = []
    with pytest.raises(Cancelled):
        seen.extend(Watch(stop_asked=after(2)).each(range(100)))
    assert seen == list(range(6))


def test_a_solver_at_work_is_killed_with_what_it_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_solver_that("sleep 600 & echo $! > child; echo $$ > own; wait", tmp_path, monkeypatch)

    def both_run() -> bool:
        return all((tmp_path / name).is_file() and (tmp_path / name).read_text().strip() for name in ("own", "child"))

    limits = WatchedLimits.of(SolverLimits(solve_limit_s=600), Watch(stop_asked=both_run))
    with pytest.raises(Cancelled):
        CbcSolver().solve(a_model(rivals(2)), limits)
    assert not any(is_running(int((tmp_path / name).read_text())) for name in ("own", "child"))


def test_a_solver_gets_no_more_memory_than_the_strategy_allows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_solver_that('while [ "$(ulimit -v)" = unlimited ]; do :; done; ulimit -v > told; exit 1', tmp_path, monkeypatch)
    request = rivals(4).build()
    limits = replace(request.strategy.limits, memory_limit_mb=256)
    plan = plan_once(replace(request, strategy=replace(request.strategy, limits=limits)), CbcSolver())
    assert (tmp_path / "told").read_text() == f"{256 * 1024}\n"
    assert plan.iterations[0].ending_limit in ("solver_failed", "")
    assert plan.iterations[0].filled_units > 0


@pytest.mark.parametrize("sleeper", [1, 2])
def test_when_a_task_fails_the_others_are_stopped(
    sleeper: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whichever of the two solvers starts as this one works for ten minutes; the other fails when both have started.
    does = f"""
        mkdir first 2>/dev/null && mine=1 || mine=2
        echo $$ > started.$mine
        [ $mine = {sleeper} ] && exec sleep 600
        while [ ! -s started.{sleeper} ]; do :; done; exit 1"""
    a_solver_that(does, tmp_path, monkeypatch)
    batch, _ = open_lines(rivals(4).build())
    problem = replace(relaxation.prepare(batch).problem, forced=((0, 0),))  # forced: no search in the solver's place
    tasks = [Task(Work.BLOCK, problem, SolverLimits(solve_limit_s=600))] * 2
    with pytest.raises(SolverFailed):
        list(LocalCrew(CbcSolver()).perform(tasks))
    assert not any(is_running(int((tmp_path / f"started.{number}").read_text())) for number in (1, 2))


def test_a_search_can_be_stopped_at_every_look_on_its_way_to_prices_and_a_first_plan() -> None:
    one = problem_of(rivals(10))

    def priced(watch: Watch) -> None:
        limits = WatchedLimits.of(SolverLimits(), watch)
        pricer = Pricer(one, np.flatnonzero(one.wanted > 0), watch)
        search.priced_best(pricer, CbcSolver(), limits, float("inf"))

    looked: list[str] = []

    def never_asked() -> bool:
        looked.append(_stage_that_looks())
        return False

    priced(Watch(stop_asked=never_asked))
    assert {"grow", "ascend", "generate", "place"} <= set(looked)
    for stage in set(looked):
        with pytest.raises(Cancelled):
            priced(Watch(stop_asked=after(looked.index(stage))))


def _stage_that_looks() -> str:
    """The innermost stage of the search that is at work."""
    stages = ("grow", "ascend", "generate", "place")
    return next((frame.f_code.co_name for frame in _frames() if frame.f_code.co_name in stages), "between")


def test_a_search_tells_its_gap_also_before_there_is_a_first_plan() -> None:
    one, stages = problem_of(rivals(16)), list[Stage]()
    limits = WatchedLimits.of(SolverLimits(), Watch(stages.append))
    search.priced_best(pricer_of(one), CbcSolver(), limits, time.monotonic() + limits.solve_limit_s)
    gaps = [stage.gap for stage in stages if stage.gap is not None]
    assert len(gaps) == len(stages) > 2
    assert gaps == sorted(gaps, reverse=True)
    assert [stage.share for stage in stages] == sorted(stage.share for stage in stages)


def test_a_search_whose_time_is_up_at_once_still_has_a_plan_and_a_bound() -> None:
    one = problem_of(rivals(16))
    found = search.priced_best(pricer_of(one), CbcSolver(), SolverLimits(), time.monotonic())
    assert found.flows
    assert 0 < found.priced.bound <= Standing(one, found.flows).total
