"""Several hosts on one store: at the same time, killed, asleep, or with a clock that is wrong. Real processes."""

import logging
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP, Signals
from typing import Any

import pytest

from dom_core.adapters.clock import FixedClock, SystemClock
from dom_core.domain.run import Run, RunState
from dom_core.ports import Body, Container, Document, Write
from dom_core.repositories.runs import Runs
from dom_core.use_cases.context import Ports
from dom_core.use_cases.plan_batch import plan_batch, run_due
from dom_core.use_cases.read_plan import get_run
from dom_core.use_cases.take_order import take_order
from tests.troubles.campaign import KILLED, MONDAY
from tests.troubles.installation import (
    DEADLINE_S,
    Installation,
    Killer,
    accept,
    an_order,
    open_shop,
    processes,
    require_finished,
    require_sound,
    run_to_its_end,
    started,
    take_orders,
)
from tests.troubles.invariants import Expected, decided, stored

MESSAGES = [an_order(f"O-{n}", MONDAY, pen=2, ink=1) for n in range(4)]


def opened_shop(ports: Ports) -> Expected:
    """The shop with four orders taken in."""
    expected = open_shop(ports)
    for message in MESSAGES:
        accept(ports, expected, message)
    take_orders(ports)
    return expected


def wait_until(condition: Callable[[], object]) -> None:
    """Ask until it holds; between two questions wait a moment for the other process."""
    waiting, deadline = threading.Event(), datetime.now(UTC) + timedelta(seconds=DEADLINE_S)
    while not condition():
        assert datetime.now(UTC) < deadline, "nothing happened in time"
        waiting.wait(0.02)


def planned_lines(ports: Ports) -> set[str]:
    return {line.state for order in stored(ports.store).orders.values() for line in order.lines}


# What processes do. Each opens the installation for itself.


def take(installation: Installation, together: Any, message: bytes) -> None:
    with installation.opened(FixedClock(MONDAY)) as ports:
        together.wait(DEADLINE_S)
        take_order(ports, message, "M1")


def tick(installation: Installation, together: Any) -> None:
    with installation.opened(FixedClock(MONDAY)) as ports:
        together.wait(DEADLINE_S)
        run_due(ports)


def run_once(installation: Installation, together: Any, run_id: str) -> None:
    with installation.opened(FixedClock(MONDAY)) as ports:
        together.wait(DEADLINE_S)
        plan_batch(ports, run_id, "standard")


def at_the_same_time(target: Callable[..., object], installation: Installation, *arguments: object) -> None:
    """Two processes that begin together; both end well."""
    together = processes.Barrier(2)
    with (
        started(target, installation, together, *arguments) as one,
        started(target, installation, together, *arguments) as two,
    ):
        for process in (one, two):
            process.join(DEADLINE_S)
        assert (one.exitcode, two.exitcode) == (0, 0)


def test_the_same_order_twice_at_the_same_time_is_stored_once(installation: Installation) -> None:
    with installation.opened(clock := FixedClock(MONDAY)) as ports:
        expected = open_shop(ports)
        accept(ports, expected, MESSAGES[0])

        at_the_same_time(take, installation, MESSAGES[0])

        assert [order.version for order in stored(ports.store).orders.values()] == [0]
        require_finished(ports, clock, expected, MESSAGES[:1])


def test_the_same_run_twice_at_the_same_time_assigns_every_line_once(installation: Installation) -> None:
    with installation.opened(clock := FixedClock(MONDAY)) as ports:
        expected = opened_shop(ports)

        at_the_same_time(run_once, installation, "R1")

        require_sound(ports, expected)
        assert plan_batch(ports, "R1", "standard").state is RunState.FINISHED
        assert planned_lines(ports) == {"assigned"}
        require_finished(ports, clock, expected, MESSAGES)


embedded = pytest.mark.parametrize("installation", ["sqlite"], indirect=True)


@embedded
def test_two_hosts_whose_timers_fire_together_assign_every_line_once(installation: Installation) -> None:
    with installation.opened(clock := FixedClock(MONDAY)) as ports:
        expected = opened_shop(ports)

        at_the_same_time(tick, installation)

        assert planned_lines(ports) == {"assigned"}
        require_finished(ports, clock, expected, MESSAGES)


@dataclass
class Between(Killer):
    """Does something to its process right before the first order of a plan is confirmed: after all reservations."""

    signal: Signals = SIGKILL
    done: bool = False

    def replace(self, container: Container, partition: str, id: str, body: Body, etag: str) -> Document:
        self._act(container)
        return super().replace(container, partition, id, body, etag)

    def batch(self, container: Container, partition: str, writes: Sequence[Write]) -> tuple[str | None, ...]:
        self._act(container)
        return super().batch(container, partition, writes)

    def _act(self, container: Container) -> None:
        if container is Container.ORDERS and not self.done:
            self.done = True
            os.kill(os.getpid(), self.signal)


def run_with_signal(installation: Installation, run_id: str, number: Signals, log: Path, now: datetime | None) -> None:
    """A run whose process gets a signal between reserving and confirming. Without `now` by the machine's clock."""
    logging.basicConfig(filename=log, level=logging.INFO)
    clock = FixedClock(now) if now else SystemClock()
    with installation.opened(clock, lambda store: Between(store, 0, after=False, signal=number)) as ports:
        plan_batch(ports, run_id, "standard")


def test_a_host_killed_between_reserving_and_confirming_is_followed_by_the_next_run(
    installation: Installation, tmp_path: Path
) -> None:
    with installation.opened(clock := FixedClock(MONDAY)) as ports:
        expected = opened_shop(ports)

        arguments = (installation, "R1", SIGKILL, tmp_path / "log", MONDAY)
        assert run_to_its_end(run_with_signal, *arguments) == KILLED

        require_sound(ports, expected)
        assert any(cell.reserved for stock in stored(ports.store).stock.values() for cell in stock.cells)
        assert planned_lines(ports) == {"unassigned"}
        clock.time += timedelta(seconds=59)
        assert plan_batch(ports, "R2", "standard").state is RunState.QUEUED
        clock.time += timedelta(seconds=1)
        assert plan_batch(ports, "R2", "standard").state is RunState.FINISHED
        assert get_run(ports, "R1").error == "stopped without ending; 'R2' took over"
        require_finished(ports, clock, expected, MESSAGES)


def test_a_host_that_wakes_up_after_its_lease_expired_changes_nothing(
    installation: Installation, tmp_path: Path
) -> None:
    installation = replace(installation, lease_s=1)
    with installation.opened(SystemClock()) as ports:
        expected = opened_shop(ports)
        arguments = (installation, "R1", SIGSTOP, tmp_path / "log", None)
        with started(run_with_signal, *arguments) as sleeper:
            wait_until(lambda: any(c.reserved for s in stored(ports.store).stock.values() for c in s.cells))
            wait_until(lambda: _is_stopped(sleeper.pid))
            wait_until(lambda: plan_batch(ports, "R2", "standard").state is RunState.FINISHED)
            before = stored(ports.store)
            os.kill(sleeper.pid, SIGCONT)
            sleeper.join(DEADLINE_S)
            assert sleeper.exitcode == 0

        assert decided(stored(ports.store)) == decided(before)
        require_sound(ports, expected)
        run = get_run(ports, "R1")
        assert (run.state, "took over" in run.error) == (RunState.FAILED, True)
        assert '"event": "turn_lost", "holder": "R1"' in (tmp_path / "log").read_text()


def _is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def slow_run(installation: Installation, run_id: str, begun: Path, go_on: Path) -> None:
    """A run whose solver works until a file appears."""
    with installation.opened(SystemClock()) as ports:

        class Slow:
            name = "slow"

            def solve(self, *given: Any) -> Any:
                begun.touch()
                wait_until(go_on.exists)
                return ports.solver.solve(*given)

            solve_strictly = solve_linear = solve_whole = solve

        plan_batch(replace(ports, solver=Slow()), run_id, "standard")


def test_a_solver_that_works_longer_than_the_lease_keeps_its_turn(tmp_path: Path) -> None:
    # Long enough that a busy machine does not starve the pulse.
    installation = Installation(tmp_path, lease_s=5)
    with installation.opened(SystemClock()) as ports:
        expected = opened_shop(ports)
        begun, go_on = tmp_path / "begun", tmp_path / "go on"
        with started(slow_run, installation, "R1", begun, go_on) as slow:
            wait_until(begun.exists)
            first = Runs(ports.store).lease()
            assert first is not None
            wait_until(lambda: datetime.now(UTC) > first.taken_at + timedelta(seconds=5))
            assert plan_batch(ports, "R2", "standard").state is RunState.QUEUED
            go_on.touch()
            slow.join(DEADLINE_S)
            assert slow.exitcode == 0
        assert get_run(ports, "R1").state is RunState.FINISHED
        assert planned_lines(ports) == {"assigned"}
        require_sound(ports, expected)


@embedded
def test_a_host_whose_clock_is_five_minutes_ahead_takes_over_too_early_and_nothing_is_promised_twice(
    installation: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    right, ahead = FixedClock(MONDAY), FixedClock(MONDAY + timedelta(minutes=5))
    with installation.opened(right) as ports, installation.opened(ahead) as hasty:
        expected = opened_shop(ports)
        meanwhile: list[Run] = []

        class Overtaken:
            name = "overtaken"

            def solve(self, *given: Any) -> Any:
                meanwhile.append(plan_batch(hasty, "R2", "standard"))
                return ports.solver.solve(*given)

            solve_strictly = solve_linear = solve_whole = solve

        late = plan_batch(replace(ports, solver=Overtaken()), "R1", "standard")

        assert (meanwhile[0].state, late.state) == (RunState.FINISHED, RunState.FAILED)
        assert "somebody else took over" in late.error
        require_sound(ports, expected)

        # What the host ahead has released is free at once, although its clock said so at a moment yet to come.
        assert plan_batch(ports, "R3", "standard").state is RunState.FINISHED
        assert '{"event": "clocks_differ", "holder": "R2", "seconds": 300}' in caplog.text
        right.time += timedelta(minutes=5)
        require_finished(ports, right, expected, MESSAGES)
