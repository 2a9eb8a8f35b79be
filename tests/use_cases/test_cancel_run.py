"""Stopping runs: whoever waits stops at once, whoever plans soon, and what is applied stays."""

import pytest

from dom_core.domain.order import LineState
from dom_core.domain.run import RunState
from dom_core.errors import IllegalTransition, NotFound
from dom_core.repositories.runs import Runs
from dom_core.use_cases.cancel_run import cancel_run
from dom_core.use_cases.plan_batch import plan_batch
from dom_core.use_cases.read_plan import get_run, list_plans
from dom_core.use_cases.start_run import start_run
from tests.builders import an_order
from tests.use_cases.invariants import require_nothing_left_over
from tests.use_cases.test_turns import InterruptedSolver
from tests.use_cases.world import World


@pytest.fixture
def shop(world: World) -> World:
    """Three pens at A, and an order for two."""
    world.stock(pen_A=3)
    world.store_order(an_order("O1").with_line("pen", 2))
    return world


def test_a_run_that_waits_is_cancelled_at_once_and_its_message_does_nothing(shop: World) -> None:
    run = start_run(shop.ports, "standard", "Ann")
    cancelled = cancel_run(shop.ports, run.id, "Ben", "wrong day")
    assert (cancelled.state, cancelled.cancelled_by, cancelled.cancelled_why) == (
        RunState.CANCELLED,
        "Ben",
        "wrong day",
    )
    assert cancelled.finished_at == shop.clock.now()
    assert plan_batch(shop.ports, run.id, "standard") == cancelled
    assert shop.line("1", "O1").state is LineState.UNASSIGNED


def test_a_run_that_plans_ends_without_a_plan_and_says_who_stopped_it(shop: World) -> None:
    def stop() -> None:
        cancel_run(shop.ports, "R1", "Ben", "wrong day")
        shop.wait(seconds=1)

    run = plan_batch(shop.with_ports(solver=InterruptedSolver(stop)), "R1", "standard")

    assert (run.state, run.error) == (RunState.CANCELLED, "stopped by Ben: wrong day")
    assert list_plans(shop.ports, 10, None).items == ()
    assert shop.line("1", "O1").state is LineState.UNASSIGNED
    require_nothing_left_over(shop.ports.store)


def test_a_stopped_run_gives_its_turn_back(shop: World) -> None:
    def stop() -> None:
        cancel_run(shop.ports, "R1", "Ben")
        shop.wait(seconds=1)

    plan_batch(shop.with_ports(solver=InterruptedSolver(stop)), "R1", "standard")
    assert plan_batch(shop.ports, "R2", "standard").state is RunState.FINISHED
    assert shop.line("1", "O1").state is LineState.ASSIGNED


def test_stopping_twice_changes_nothing(shop: World) -> None:
    run = start_run(shop.ports, "standard", "Ann")
    first = cancel_run(shop.ports, run.id, "Ben", "wrong day")
    shop.wait(seconds=5)
    assert cancel_run(shop.ports, run.id, "Cat", "again") == first


def test_a_run_that_has_ended_cannot_be_stopped(shop: World) -> None:
    plan_batch(shop.ports, "R1", "standard")
    with pytest.raises(IllegalTransition, match="while the run is 'finished'"):
        cancel_run(shop.ports, "R1", "Ben")
    assert get_run(shop.ports, "R1").cancelled_by == ""


def test_nobody_stops_a_run_that_does_not_exist(shop: World) -> None:
    with pytest.raises(NotFound):
        cancel_run(shop.ports, "R9", "Ben")


def test_a_run_stopped_between_its_turn_and_its_beginning_does_not_begin(
    shop: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start_run(shop.ports, "standard", "Ann")
    note_start = Runs.note_start

    def stopped_meanwhile(runs: Runs, *started: object) -> None:
        note_start(runs, *started)  # type: ignore[arg-type]  # whatever the run says
        cancel_run(shop.ports, run.id, "Ben")

    monkeypatch.setattr(Runs, "note_start", stopped_meanwhile)
    assert plan_batch(shop.ports, run.id, "standard").state is RunState.CANCELLED
    assert list_plans(shop.ports, 10, None).items == ()
