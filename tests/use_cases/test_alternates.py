"""An alternate strategy tries when the first finds nothing."""

from datetime import timedelta
from typing import Any

import pytest

from dom_core.domain.run import Run, RunState
from dom_core.errors import Unavailable
from dom_core.repositories.runs import Runs
from dom_core.use_cases.plan_batch import plan_batch, run_due
from dom_core.use_cases.start_run import start_run
from tests.builders import an_order
from tests.use_cases.world import World

NOTHING = {"id": "offline", "kind": "offline_location", "params": {"places": [{"source_list_id": "all"}]}}


@pytest.fixture
def empty_handed(world: World) -> World:
    """The strategy `standard` finds nothing, as every source is offline for it; `second` has no such rule."""
    world.configure("rules", NOTHING)
    configure(world)
    world.stock(pen_A=12)
    world.store_order(an_order().with_line("pen", 10))
    return world


def configure(world: World, standard: dict[str, Any] | None = None, second: dict[str, Any] | None = None) -> None:
    first = {"id": "standard", "source_list_id": "all", "rule_ids": ["offline"], "alternate_strategy_id": "second"}
    world.configure("strategies", {"id": "second", "source_list_id": "all"} | (second or {}))
    world.configure("strategies", first | (standard or {}))


def run_standard(world: World) -> Run:
    return plan_batch(world.ports, start_run(world.ports, "standard", "Ann").id, "standard")


def queued(world: World) -> int:
    """Runs on the queue besides the one that was asked for."""
    return world.ports.queues.length(world.ports.settings.runs_queue) - 1


def test_a_run_that_finds_nothing_starts_its_alternate_which_does(empty_handed: World) -> None:
    run = run_standard(empty_handed)
    assert run.state is RunState.FINISHED
    assert run.alternate_run_id is not None
    assert queued(empty_handed) == 1
    other = plan_batch(empty_handed.ports, run.alternate_run_id, "second")
    assert (other.requested_by, other.state) == (f"run {run.id}", RunState.FINISHED)
    assigned = empty_handed.line().assignment
    assert assigned is not None
    assert (assigned.strategy_id, assigned.source_id) == ("second", "A")


def test_a_run_that_fills_something_starts_no_other(empty_handed: World) -> None:
    configure(empty_handed, {"rule_ids": []})
    assert run_standard(empty_handed).alternate_run_id is None
    assert queued(empty_handed) == 0


def test_a_run_without_any_line_starts_no_other(empty_handed: World) -> None:
    configure(empty_handed, {"sales_origins": ["web"]})
    assert run_standard(empty_handed).alternate_run_id is None


@pytest.mark.parametrize(
    ("standard", "second"),
    [({"simulation": True}, {}), ({}, {"enabled": False}), ({}, {"end_date": "2026-03-01"})],
    ids=["a simulation", "a disabled alternate", "an alternate out of date"],
)
def test_no_alternate_is_started_by_or_as(
    standard: dict[str, Any], second: dict[str, Any], empty_handed: World
) -> None:
    configure(empty_handed, standard, second)
    assert run_standard(empty_handed).alternate_run_id is None


def test_a_run_whose_alternate_could_not_be_queued_starts_it_when_it_is_done_again(
    empty_handed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = start_run(empty_handed.ports, "standard", "Ann")

    def refuse(_queue: str, _body: bytes) -> None:
        raise Unavailable("the queue does not answer")

    with monkeypatch.context() as patched:
        patched.setattr(type(empty_handed.ports.queues), "send", lambda _self, queue, body, **_: refuse(queue, body))
        with pytest.raises(Unavailable):
            plan_batch(empty_handed.ports, asked.id, "standard")
    again = plan_batch(empty_handed.ports, asked.id, "standard")
    assert again.alternate_run_id is not None
    assert Runs(empty_handed.ports.store).get(again.alternate_run_id).value.state is RunState.QUEUED
    assert queued(empty_handed) == 1


def test_the_clock_leaves_alternates_to_the_runs_that_find_nothing(empty_handed: World) -> None:
    assert [run.strategy_id for run in run_due(empty_handed.ports)] == ["standard"]


def test_the_clock_runs_an_alternate_whose_first_strategy_is_not_active(empty_handed: World) -> None:
    configure(empty_handed, {"enabled": False})
    empty_handed.wait(minutes=1)
    assert [run.strategy_id for run in run_due(empty_handed.ports)] == ["second"]


def test_an_alternate_of_an_alternate_is_started_too(empty_handed: World) -> None:
    empty_handed.configure("strategies", {"id": "third", "source_list_id": "all"})
    configure(empty_handed, second={"rule_ids": ["offline"], "alternate_strategy_id": "third"})
    second = run_standard(empty_handed).alternate_run_id
    assert second is not None
    empty_handed.clock.time += timedelta(seconds=1)
    third = plan_batch(empty_handed.ports, second, "second").alternate_run_id
    assert third is not None
    assert plan_batch(empty_handed.ports, third, "third").alternate_run_id is None
    assert empty_handed.line().assignment is not None
