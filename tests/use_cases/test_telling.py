"""Use cases tell what happened, once, with the figures of what they stored."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from dom_core.domain.plan import Ending
from dom_core.domain.run import Run, RunState
from dom_core.domain.stock import Reservation
from dom_core.errors import InvalidInput, Problem
from dom_core.repositories.runs import Runs
from dom_core.repositories.stock import Stock
from dom_core.telemetry.events import (
    CleanedUp,
    DeadLetterKept,
    Event,
    Intake,
    LineRejected,
    MessagePoisoned,
    OrderQueued,
    OrderTaken,
    PlanApplied,
    QueueAge,
    RunEnded,
    RunPostponed,
    RunStarted,
    StockOversold,
)
from dom_core.telemetry.ways import order_way, run_way
from dom_core.use_cases.clean_up import clean_up
from dom_core.use_cases.context import Ports
from dom_core.use_cases.dead_letters import record, record_poisoned
from dom_core.use_cases.plan_batch import plan_batch, run_due
from dom_core.use_cases.start_run import start_run
from dom_core.use_cases.submit_order import submit_order
from dom_core.use_cases.take_order import take_order
from dom_core.use_cases.watch_queues import watch_queues
from tests.builders import NOW, an_order
from tests.use_cases.listener import Listener
from tests.use_cases.world import INTAKE, World, encoded


@pytest.fixture
def listener(world: World) -> Listener:
    listening = Listener()
    world.ports = world.with_ports(telemetry=listening)
    return listening


@pytest.fixture
def shop(world: World, listener: Listener) -> World:
    """Three pens at A and nowhere else; orders for two and for two."""
    world.strategy(inventory_mode="real")
    world.stock(pen_A=3)
    world.store_order(an_order("O1").with_line("pen", 2))
    world.store_order(an_order("O2").with_line("pen", 2))
    return world


class TestIntake:
    def test_a_posted_order_is_told_when_it_is_queued_and_when_it_is_stored(
        self, world: World, listener: Listener
    ) -> None:
        world.configure("products", {"id": "pen"})
        submit_order(world.ports, encoded(INTAKE))
        take_order(world.ports, encoded(INTAKE), "M1")
        assert listener.events == [OrderQueued("O1", 1, 1), OrderTaken("O1", 1, 1, Intake.NEW)]
        assert listener.steps == [("submit_order", order_way("O1")), ("take_order", order_way("O1"))]

    def test_a_repeated_and_a_revised_order_are_told_as_such(self, world: World, listener: Listener) -> None:
        world.configure("products", {"id": "pen"})
        for intake in (INTAKE, INTAKE, INTAKE | {"revision": 2}):
            take_order(world.ports, encoded(intake), "M1")
        assert [event.intake for event in listener.of(OrderTaken)] == [Intake.NEW, Intake.KNOWN, Intake.REVISED]

    def test_what_becomes_a_dead_letter_is_told_by_the_number_of_its_problems(
        self, world: World, listener: Listener
    ) -> None:
        take_order(world.ports, b"this is no order", "M1")
        record(world.ports, "orders", b"{}", [Problem("a", "b"), Problem("c", "d")], "M2")
        assert listener.events == [DeadLetterKept("orders", "M1", 1), DeadLetterKept("orders", "M2", 2)]

    def test_a_message_that_the_host_gave_up_is_told_as_poison_too(self, world: World, listener: Listener) -> None:
        record_poisoned(world.ports, "orders", b"{}", "M1")
        assert listener.events == [DeadLetterKept("orders", "M1", 1), MessagePoisoned("orders", "M1")]


class TestRuns:
    def test_a_run_tells_of_its_beginning_its_plan_and_its_end(self, shop: World, listener: Listener) -> None:
        run = start_run(shop.ports, "standard", "Ada")
        shop.clock.time += timedelta(seconds=7)
        run = plan_batch(shop.ports, run.id, "standard")

        (ended,) = listener.of(RunEnded)
        assert ended == RunEnded(
            run_id=run.id,
            strategy_id="standard",
            state=RunState.FINISHED,
            seconds=0.0,
            plan_id=f"plan-{run.id}",
            lines=2,
            filled_units=2,
            unfilled_units=2,
            unfilled_units_by_reason={"no_quantity": 2},
            gap=0.0,
            endings=(Ending.OPTIMAL, Ending.OPTIMAL),
            planning_seconds=ended.planning_seconds,
        )
        assert [type(event) for event in listener.events] == [RunStarted, PlanApplied, RunEnded]
        assert listener.of(RunStarted)[0].waited_s == 7
        assert listener.of(PlanApplied)[0].confirmed_lines == 2

    def test_its_steps_are_on_its_own_way_and_on_that_of_every_order(self, shop: World, listener: Listener) -> None:
        run = start_run(shop.ports, "standard", "Ada")
        plan_batch(shop.ports, run.id, "standard")
        way = run_way(run.id)
        assert listener.steps == [
            ("start_run", way),
            ("plan_batch", way),
            ("apply_plan", way),
            ("apply_to_order", order_way("O1")),
            ("apply_to_order", order_way("O2")),
        ]

    def test_units_that_a_line_lacks_are_told_with_the_reason_of_its_rest(
        self, shop: World, listener: Listener
    ) -> None:
        rule = {"id": "parts", "kind": "partial_orders", "params": {"partial_orders": True, "partial_lines": True}}
        shop.configure("rules", rule)
        shop.strategy(rule_ids=["parts"], inventory_mode="real")
        plan_batch(shop.ports, "R1", "standard")
        (ended,) = listener.of(RunEnded)
        assert (ended.filled_units, ended.unfilled_units) == (3, 1)
        assert ended.unfilled_units_by_reason == {"no_quantity": 1}

    def test_a_run_of_a_strategy_that_may_not_run_is_told_as_failed(self, shop: World, listener: Listener) -> None:
        shop.strategy(enabled=False)
        plan_batch(shop.ports, "R1", "standard")
        (ended,) = listener.of(RunEnded)
        assert (ended.run_id, ended.state, ended.plan_id, ended.gap) == ("R1", RunState.FAILED, None, None)

    def test_a_run_that_is_done_is_not_told_again(self, shop: World, listener: Listener) -> None:
        for _ in range(2):
            plan_batch(shop.ports, "R1", "standard")
        assert len(listener.of(RunEnded)) == 1

    def test_a_run_that_waits_for_another_is_told_as_postponed(self, shop: World, listener: Listener) -> None:
        Runs(shop.ports.store).take_lease("somebody", NOW, 300)
        plan_batch(shop.ports, "R1", "standard")
        assert listener.events == [RunPostponed("R1", "standard")]

    def test_a_run_that_was_killed_is_told_as_failed_by_the_next(self, shop: World, listener: Listener) -> None:
        runs = Runs(shop.ports.store)
        runs.create(Run("R0", "standard", RunState.RUNNING, "timer", NOW, started_at=NOW))
        runs.take_lease("R0", NOW, 300)
        shop.wait(days=1)
        plan_batch(shop.ports, "R1", "standard")
        assert [(event.run_id, event.state) for event in listener.of(RunEnded)] == [
            ("R0", RunState.FAILED),
            ("R1", RunState.FINISHED),
        ]

    def test_a_run_that_could_not_be_queued_is_told_as_failed(self, shop: World, listener: Listener) -> None:
        shop.ports = shop.with_ports(settings=replace(shop.ports.settings, runs_queue="No Queue"))
        with pytest.raises(InvalidInput):
            start_run(shop.ports, "standard", "Ada")
        assert [event.state for event in listener.of(RunEnded)] == [RunState.FAILED]

    def test_the_timer_tells_of_every_run_by_itself(self, shop: World, listener: Listener) -> None:
        run_due(shop.ports)
        assert len(listener.of(RunEnded)) == 1


class TestRejections:
    def test_a_rejection_that_comes_twice_is_told_once(self, shop: World, listener: Listener) -> None:
        plan_batch(shop.ports, "R1", "standard")
        order_id = next(id for id in ("O1", "O2") if shop.line("1", id).assignment)
        shop.reject("A", order_id=order_id)
        shop.wait(days=0.1)
        shop.reject("A", order_id=order_id)
        assert listener.of(LineRejected) == [LineRejected(order_id, "1", "A", 2)]

    def test_one_that_is_refused_is_not_told(self, shop: World, listener: Listener) -> None:
        plan_batch(shop.ports, "R1", "standard")
        order_id = next(id for id in ("O1", "O2") if shop.line("1", id).assignment)
        with pytest.raises(InvalidInput):
            shop.reject("A", order_id=order_id, units=9)
        assert listener.of(LineRejected) == []


class TestWatching:
    def test_the_age_is_that_of_the_oldest_message_that_waits(self, world: World, listener: Listener) -> None:
        world.ports.queues.send("orders", b"{}")
        world.wait(days=1 / 24)
        world.ports.queues.send("orders", b"{}")
        assert watch_queues(world.ports) == (
            QueueAge("orders", 3600.0, 2),
            QueueAge("orders-poison", 0.0, 0),
            QueueAge("plan-runs", 0.0, 0),
            QueueAge("plan-runs-poison", 0.0, 0),
            QueueAge("plan-tasks", 0.0, 0),
            QueueAge("plan-tasks-poison", 0.0, 0),
        )
        assert tuple(listener.events) == watch_queues(world.ports)

    def test_a_message_that_somebody_works_on_does_not_wait(self, world: World) -> None:
        world.ports.queues.send("orders", b"{}")
        world.ports.queues.receive("orders", visibility_timeout_s=7200)
        world.wait(days=1 / 24)
        assert watch_queues(world.ports)[0] == QueueAge("orders", 0.0, 1)

    @pytest.mark.parametrize(
        "look", [lambda ports: plan_batch(ports, "R2", "standard"), clean_up], ids=["run", "clean-up"]
    )
    def test_stock_that_is_promised_twice_is_told(
        self, look: Callable[[Ports], object], shop: World, listener: Listener
    ) -> None:
        plan_batch(shop.ports, "R1", "standard")
        lose_units(shop, on_hand=1)
        shop.store_order(an_order("O3").with_line("pen", 1))
        look(shop.ports)
        assert listener.of(StockOversold) == [StockOversold("pen", "A", on_hand=1, promised=2)]

    def test_stock_that_is_promised_to_the_last_unit_is_none_of_that(self, shop: World, listener: Listener) -> None:
        plan_batch(shop.ports, "R1", "standard")
        lose_units(shop, on_hand=2)
        clean_up(shop.ports)
        assert listener.of(StockOversold) == []

    def test_the_clean_up_tells_what_it_removed_and_what_waits_for_people(
        self, world: World, listener: Listener
    ) -> None:
        record(world.ports, "orders", b"{}", [], "M1")
        clean_up(world.ports)
        assert listener.of(CleanedUp) == [CleanedUp(0, 0, 0, 0, dead_letters_kept=1)]


def lose_units(shop: World, on_hand: int) -> None:
    """Write less on hand past every check, as only a defect could."""
    stock = Stock(shop.ports.store)
    found = stock.find("pen")
    assert found is not None
    assert any(isinstance(each, Reservation) for cell in found.value.cells for each in cell.reservations)
    cells = tuple(replace(cell, on_hand=on_hand) for cell in found.value.cells)
    stock.save(replace(found.value, cells=cells), found.etag)


def test_a_line_of_the_log_is_json_with_the_event_first_and_the_trace_last() -> None:
    from dom_core.adapters.telemetry.event_log import line_of

    told: Event = OrderTaken("O1", 1, 2, Intake.NEW)
    assert line_of(told).startswith('{"event": "order_taken", "order_id": "O1"')
    assert json.loads(line_of(told)) == {
        "event": "order_taken",
        "order_id": "O1",
        "revision": 1,
        "lines": 2,
        "intake": "new",
        "trace_id": order_way("O1").trace_id,
    }
    assert "trace_id" not in json.loads(line_of(QueueAge("orders", 1.5, 3)))
