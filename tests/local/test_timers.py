"""Timer triggers on a clock that a test moves."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest

from dom_core.errors import InvalidInput
from local.handlers import HandlerPool
from local.indexing import TimerFunction
from local.ncrontab import parse_schedule
from local.timer_states import TimerState, TimerStates
from local.timers import TimerListener
from tests.local.toys import NOON, EagerPace, HeldPace, eventually

QUARTERS = "0 */15 * * * *"


class Runs:
    """A handler that notes when it ran and whether it was late, and stops the loop after some runs."""

    def __init__(self, pace: HeldPace, stop_after: int = 1_000, lasting: Callable[[], timedelta] = timedelta) -> None:
        self.pace = pace
        self.seen: list[tuple[datetime, bool]] = []
        self.stopping = asyncio.Event()
        self._stop_after = stop_after
        self._lasting = lasting

    async def __call__(self, timer: func.TimerRequest) -> None:
        self.seen.append((self.pace.time, timer.past_due))
        if len(self.seen) == self._stop_after:
            self.stopping.set()
        self.pace.advance(seconds=self._lasting().total_seconds())


def listener_of(handler: Any, pace: HeldPace, folder: Path, schedule: str = QUARTERS, **flags: bool) -> TimerListener:
    async def handle(timer: func.TimerRequest) -> None:
        await handler(timer)

    flags = {"run_on_startup": False, "use_monitor": True} | flags
    function = TimerFunction("plan", handle, "timer", parse_schedule(schedule), **flags)
    return TimerListener(function, TimerStates(folder / "timers.json"), HandlerPool("timer"), pace)


def keep_schedule(runs: Runs, folder: Path, schedule: str = QUARTERS, **flags: bool) -> None:
    asyncio.run(listener_of(runs, runs.pace, folder, schedule, **flags).run(runs.stopping))


def after_noon(**duration: float) -> datetime:
    return NOON + timedelta(**duration)


def test_every_tick_runs_once_and_in_time(tmp_path: Path) -> None:
    runs = Runs(EagerPace(), stop_after=3)
    keep_schedule(runs, tmp_path)
    assert runs.seen == [(after_noon(minutes=minutes), False) for minutes in (15, 30, 45)]


def test_a_timer_that_never_ran_waits_for_its_first_tick(tmp_path: Path) -> None:
    listener = listener_of(Runs(HeldPace()), HeldPace(), tmp_path)
    assert listener.due == after_noon(minutes=15)


def test_all_ticks_missed_while_the_host_was_down_become_one_late_run(tmp_path: Path) -> None:
    keep_schedule(Runs(EagerPace(), stop_after=1), tmp_path)
    runs = Runs(EagerPace(after_noon(hours=5, minutes=1)), stop_after=2)
    keep_schedule(runs, tmp_path)
    assert runs.seen == [(after_noon(hours=5, minutes=1), True), (after_noon(hours=5, minutes=15), False)]


def test_a_restart_before_the_next_tick_catches_up_nothing(tmp_path: Path) -> None:
    keep_schedule(Runs(EagerPace(), stop_after=1), tmp_path)
    runs = Runs(EagerPace(after_noon(minutes=29)), stop_after=1)
    keep_schedule(runs, tmp_path)
    assert runs.seen == [(after_noon(minutes=30), False)]


def test_a_host_stopped_before_its_first_tick_knows_that_it_missed_it(tmp_path: Path) -> None:
    async def start_and_stop() -> None:
        pace = HeldPace()
        runs = Runs(pace)
        keeping = asyncio.create_task(listener_of(runs, pace, tmp_path).run(runs.stopping))
        await eventually(lambda: pace.slept_s)
        runs.stopping.set()
        await keeping
        assert runs.seen == []

    asyncio.run(start_and_stop())
    runs = Runs(EagerPace(after_noon(minutes=20)), stop_after=1)
    keep_schedule(runs, tmp_path)
    assert runs.seen == [(after_noon(minutes=20), True)]


def test_ticks_that_pass_during_a_long_run_become_one_late_run(tmp_path: Path) -> None:
    durations = iter([timedelta(minutes=50), timedelta(), timedelta()])
    runs = Runs(EagerPace(), stop_after=3, lasting=lambda: next(durations))
    keep_schedule(runs, tmp_path)
    assert runs.seen == [
        (after_noon(minutes=15), False),
        (after_noon(minutes=65), True),
        (after_noon(minutes=75), False),
    ]


def test_a_machine_that_slept_over_several_ticks_runs_once_and_late(tmp_path: Path) -> None:
    async def scenario() -> None:
        pace = HeldPace()
        runs = Runs(pace, stop_after=1)
        keeping = asyncio.create_task(listener_of(runs, pace, tmp_path).run(runs.stopping))
        await eventually(lambda: pace.slept_s)
        pace.advance(hours=3)
        await keeping
        assert runs.seen == [(after_noon(hours=3), True)]

    asyncio.run(scenario())


def test_the_clock_is_asked_again_every_half_minute(tmp_path: Path) -> None:
    runs = Runs(EagerPace(after_noon(minutes=13, seconds=50)), stop_after=1)
    keep_schedule(runs, tmp_path)
    assert runs.pace.slept_s == [30, 30, 10]


def test_another_schedule_begins_afresh(tmp_path: Path) -> None:
    keep_schedule(Runs(EagerPace(), stop_after=1), tmp_path)
    runs = Runs(EagerPace(after_noon(hours=5, minutes=1)), stop_after=1)
    keep_schedule(runs, tmp_path, schedule="0 0 * * * *")
    assert runs.seen == [(after_noon(hours=6), False)]


def test_a_timer_without_monitor_remembers_nothing(tmp_path: Path) -> None:
    keep_schedule(Runs(EagerPace(), stop_after=1), tmp_path, use_monitor=False)
    assert not (tmp_path / "timers.json").exists()


def test_run_on_startup_runs_at_once_and_is_warned_about(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    runs = Runs(EagerPace(), stop_after=2)
    keep_schedule(runs, tmp_path, run_on_startup=True)
    assert runs.seen == [(NOON, False), (after_noon(minutes=15), False)]
    assert "never use run_on_startup in production" in caplog.text


def test_a_failing_run_is_logged_and_the_next_tick_comes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    runs = Runs(EagerPace(), stop_after=2)

    async def failing(timer: func.TimerRequest) -> None:
        await runs(timer)
        raise ValueError("no good")

    asyncio.run(listener_of(failing, runs.pace, tmp_path).run(runs.stopping))
    assert [moment for moment, _ in runs.seen] == [after_noon(minutes=15), after_noon(minutes=30)]
    assert "plan failed" in caplog.text


def test_a_run_fired_by_hand_waits_for_the_run_in_progress(tmp_path: Path) -> None:
    async def scenario() -> None:
        leave = asyncio.Event()
        running: list[int] = []
        most = 0

        async def handler(timer: func.TimerRequest) -> None:
            nonlocal most
            running.append(1)
            most = max(most, len(running))
            await leave.wait()
            running.pop()

        listener = listener_of(handler, HeldPace(), tmp_path)
        both = [asyncio.create_task(listener.tick()), asyncio.create_task(listener.fire())]
        await eventually(lambda: running)
        leave.set()
        await asyncio.gather(*both)
        assert most == 1

    asyncio.run(scenario())


def test_a_run_that_is_broken_off_is_caught_up_on_restart(tmp_path: Path) -> None:
    async def break_off() -> None:
        pace = HeldPace()
        entered = asyncio.Event()

        async def endless(timer: func.TimerRequest) -> None:
            entered.set()
            await asyncio.Event().wait()

        keeping = asyncio.create_task(listener_of(endless, pace, tmp_path).run(asyncio.Event()))
        await eventually(lambda: pace.slept_s)
        pace.advance(minutes=15)
        await entered.wait()
        keeping.cancel()
        await asyncio.wait([keeping])

    asyncio.run(break_off())
    runs = Runs(EagerPace(after_noon(minutes=16)), stop_after=1)
    keep_schedule(runs, tmp_path)
    assert runs.seen == [(after_noon(minutes=16), True)]


def test_a_handler_is_told_when_it_last_ran_and_what_is_due(tmp_path: Path) -> None:
    statuses: list[Any] = []
    runs = Runs(EagerPace(), stop_after=2)

    async def handler(timer: Any) -> None:
        statuses.append((timer.schedule_status["Last"], timer.schedule_status["Next"]))
        await runs(timer)

    asyncio.run(listener_of(handler, runs.pace, tmp_path).run(runs.stopping))
    quarter, half = after_noon(minutes=15).isoformat(), after_noon(minutes=30).isoformat()
    assert statuses == [(None, quarter), (quarter, half)]


def test_states_survive_in_their_file_and_a_broken_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "new" / "timers.json"
    state = TimerState(QUARTERS, None, NOON)
    TimerStates(path).save("plan", state)
    assert TimerStates(path).get("plan") == state
    assert [file.name for file in path.parent.iterdir()] == ["timers.json"]
    path.write_text('{"plan": {"schedule": "x"}}')
    with pytest.raises(InvalidInput, match=r"timers\.json.*plan\.next"):
        TimerStates(path)
