"""What is old goes, what is still needed stays."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from dom_core.domain.run import Run, RunState
from dom_core.errors import NotFound, Problem
from dom_core.ports import Container
from dom_core.repositories.plans import Plans
from dom_core.repositories.reading import every
from dom_core.repositories.runs import Runs
from dom_core.telemetry.events import CleanedUp
from dom_core.use_cases.clean_up import clean_up
from dom_core.use_cases.dead_letters import list_dead_letters, record
from dom_core.use_cases.plan_batch import plan_batch
from dom_core.use_cases.read_plan import get_plan, get_run, list_plans, list_runs
from tests.builders import an_order
from tests.use_cases.killing import Killed, KillingStore
from tests.use_cases.world import World, a_world


def planned(world: World) -> World:
    """Run R1 has assigned order O1 to A; a day later run R2 had nothing to do."""
    world.stock(pen_A=4)
    world.store_order(an_order().with_line("pen", 2))
    plan_batch(world.ports, "R1", "standard")
    world.wait(days=1)
    plan_batch(world.ports, "R2", "standard")
    return world


@pytest.fixture
def shop(world: World) -> World:
    return planned(world)


def plan_documents(world: World) -> set[str]:
    return {document.partition for document in every(world.ports.store, Container.PLANS)}


@pytest.mark.parametrize(
    ("days", "runs"), [(29, {"R1", "R2"}), (30, {"R1", "R2"}), (30.1, {"R1"})], ids=["younger", "at", "older"]
)
def test_old_plans_go_with_all_their_documents_and_their_runs(shop: World, days: float, runs: set[str]) -> None:
    shop.wait(days=days)

    clean_up(shop.ports)

    assert {run.id for run in list_runs(shop.ports, 10).items} == runs
    assert {plan.id for plan in list_plans(shop.ports, 10).items} == {f"plan-{run}" for run in runs}
    assert plan_documents(shop) == {f"plan-{run}" for run in runs}


def test_a_run_that_nobody_ends_is_called_failed_after_a_day(shop: World) -> None:
    runs, now = Runs(shop.ports.store), shop.clock.now()
    runs.create(Run("R-waits", "standard", RunState.QUEUED, "timer", now))
    runs.create(Run("R-runs", "standard", RunState.RUNNING, "timer", now, started_at=now, fence=3))
    states = []
    for hours in (24, 0.1):
        shop.wait(hours=hours)
        clean_up(shop.ports)
        states.append([get_run(shop.ports, id).state for id in ("R-waits", "R-runs", "R1")])

    assert states[0] == [RunState.QUEUED, RunState.RUNNING, RunState.FINISHED]
    assert states[1] == [RunState.FAILED, RunState.FAILED, RunState.FINISHED]
    assert get_run(shop.ports, "R-waits").error == "never ended; nobody works on it any more"
    assert plan_batch(shop.ports, "R-waits", "standard").state is RunState.FINISHED


def test_a_plan_stays_with_its_run_until_nothing_is_assigned_by_it_any_more(shop: World) -> None:
    shop.wait(days=100)
    clean_up(shop.ports)
    assert get_plan(shop.ports, "plan-R1").run_id == get_run(shop.ports, "R1").id == "R1"

    shop.pick()
    clean_up(shop.ports)
    assert get_plan(shop.ports, "plan-R1").lines

    shop.ship()
    assert clean_up(shop.ports) == CleanedUp(expired_plans=0, plans=1, runs=1, dead_letters=0, dead_letters_kept=0)
    for find in (lambda: get_plan(shop.ports, "plan-R1"), lambda: get_run(shop.ports, "R1")):
        with pytest.raises(NotFound):
            find()
    assert plan_documents(shop) == set()


def test_the_settings_say_how_long(shop: World) -> None:
    shop.ports = shop.with_ports(settings=replace(shop.ports.settings, plan_retention_days=2))
    shop.wait(days=2.1)
    assert clean_up(shop.ports).plans == 1


def test_what_a_killed_run_left_of_a_plan_goes_with_the_run(world: World) -> None:
    world.stock(pen_A=4)
    world.store_order(an_order().with_line("pen", 2))

    class KilledBeforeTheHeader(KillingStore):
        def create(self, container: Container, partition: str, id: str, body: dict[str, object]) -> object:  # type: ignore[override]  # never mind the document
            if id == "header":
                raise Killed
            return super().create(container, partition, id, body)

    with pytest.raises(Killed):
        plan_batch(world.with_ports(store=KilledBeforeTheHeader(world.ports.store, 1000)), "R1", "standard")
    assert plan_documents(world) == {"plan-R1"}
    assert get_run(world.ports, "R1").state is not RunState.FINISHED
    world.wait(days=31)

    assert clean_up(world.ports).runs == 1

    assert plan_documents(world) == set()


def test_killed_after_any_write_the_next_night_removes_the_rest(tmp_path: Path) -> None:
    number, finished = 0, False
    while not finished:
        number += 1
        shop = planned(a_world(tmp_path / str(number)))
        record(shop.ports, "orders", b"{", [Problem("", "broken")], "M1")
        shop.cancel("1")
        shop.wait(days=40)
        try:
            clean_up(shop.with_ports(store=KillingStore(shop.ports.store, number)))
            finished = True
        except Killed:
            for plan in list_plans(shop.ports, 10).items:
                assert get_plan(shop.ports, plan.id), "a plan that is listed can be read"
            for plan_id in ("plan-R1", "plan-R2"):
                with suppress(NotFound):
                    get_plan(shop.ports, plan_id)

        clean_up(shop.ports)

        assert plan_documents(shop) == set()
        assert (list_runs(shop.ports, 10).items, list_dead_letters(shop.ports, 10).items) == ((), ())
        shop.database.close()
    assert number > 8


def test_dead_letters_go_when_they_are_old(world: World) -> None:
    record(world.ports, "orders", b"{", [Problem("", "broken")], "M1")
    world.wait(days=20)
    record(world.ports, "orders", b"[", [Problem("", "broken")], "M2")
    world.wait(days=11)

    assert clean_up(world.ports).dead_letters == 1

    assert [letter.message_id for letter in list_dead_letters(world.ports, 10).items] == ["M2"]


def test_a_proposed_plan_expires_before_it_is_removed(world: World) -> None:
    world.strategy(auto_apply=False)
    world.store_order(an_order().with_line("pen", 2))
    plan_batch(world.ports, "R1", "standard")
    world.wait(days=2)

    assert clean_up(world.ports).expired_plans == 1

    assert Plans(world.ports.store).header("plan-R1").value.closing is not None
