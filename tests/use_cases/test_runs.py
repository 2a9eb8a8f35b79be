import json
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dom_core.configuration import Configuration
from dom_core.domain.network import Source, SourceType
from dom_core.domain.order import ExceptionKind, LineState
from dom_core.domain.plan import Plan, PlanState
from dom_core.domain.request import PlanRequest
from dom_core.domain.run import Run, RunState
from dom_core.domain.stock import Reservation
from dom_core.errors import Busy, InvalidInput, LeaseLost, NotFound, PlanRejected, SolverFailed, Unavailable
from dom_core.optimizer.pipeline import plan_once
from dom_core.repositories.plans import Plans
from dom_core.repositories.runs import Runs
from dom_core.repositories.stock import Stock
from dom_core.use_cases.apply_plan import apply_plan
from dom_core.use_cases.gather_facts import gather_facts, loads_of
from dom_core.use_cases.plan_batch import RETRY_S, plan_batch, run_due
from dom_core.use_cases.read_plan import get_plan, get_run, list_plans, list_runs
from dom_core.use_cases.start_run import start_run
from tests.builders import NOW, an_order
from tests.plan_builder import a_plan
from tests.use_cases.invariants import require_never_promised_twice, require_nothing_left_over, stored_orders
from tests.use_cases.killing import Killed, KillingStore
from tests.use_cases.world import World, a_world


@dataclass(frozen=True)
class BrokenSolver:
    """A solver that cannot be run."""

    name: str = "broken"

    def solve(self, model: object, limits: object) -> Any:
        raise SolverFailed(f"no solver for {type(model).__name__} within {limits}")

    solve_strictly = solve


@pytest.fixture
def shop(world: World) -> World:
    """Three pens at A in Seattle, nine at B in Portland; an order for two pens in Seattle, another in Portland."""
    world.stock(pen_A=3, pen_B=9)
    world.store_order(an_order("O1").with_line("pen", 2))
    world.store_order(an_order("O2").with_line("pen", 2).shipping_to(45.5, -122.7))
    return world


def source_of(world: World, order_id: str = "O1", line_id: str = "1") -> str | None:
    assignment = world.line(line_id, order_id).assignment
    return assignment.source_id if assignment else None


class TestPlanBatch:
    def test_a_run_assigns_what_it_can_and_says_what_it_did(self, shop: World) -> None:
        run = plan_batch(shop.ports, "R1", "standard")

        assert run.state is RunState.FINISHED
        assert (source_of(shop, "O1"), source_of(shop, "O2")) == ("A", "B")
        assert run.summary is not None
        assert (run.summary.lines, run.summary.filled_units, run.summary.shipments) == (2, 4, 2)
        assert get_run(shop.ports, "R1") == run
        plan = get_plan(shop.ports, run.plan_id or "")
        assert (plan.state, len(plan.lines)) == (PlanState.APPLIED, 2)
        require_never_promised_twice(shop.ports.store)
        require_nothing_left_over(shop.ports.store)

    def test_the_same_run_twice_does_its_work_once(self, shop: World) -> None:
        once = plan_batch(shop.ports, "R1", "standard")
        before = stored_orders(shop.ports.store)

        assert plan_batch(shop.ports, "R1", "standard") == once
        assert stored_orders(shop.ports.store) == before
        assert len(list_plans(shop.ports, 10).items) == 1

    def test_a_rejected_line_goes_to_another_source_in_the_next_run(self, shop: World) -> None:
        plan_batch(shop.ports, "R1", "standard")
        shop.reject("A")

        plan_batch(shop.ports, "R2", "standard")

        assert source_of(shop) == "B"
        assert shop.cell("pen", "A").reserved == 0

    def test_up_to_the_threshold_then_a_reset_and_it_is_assigned_again(self, shop: World) -> None:
        shop.configure("rules", {"id": "twice", "kind": "maximum_rejects", "params": {"threshold": 2}})
        shop.strategy(rule_ids=["twice"])
        for number, source_id in enumerate(["A", "B"]):
            plan_batch(shop.ports, f"R{number}", "standard")
            shop.reject(source_id)

        plan_batch(shop.ports, "R3", "standard")
        assert shop.line().exception is ExceptionKind.MAX_REJECTS

        shop.reset()
        plan_batch(shop.ports, "R4", "standard")
        assert source_of(shop) == "A"

    def test_a_simulation_changes_no_order_and_no_stock(self, shop: World) -> None:
        shop.strategy(simulation=True)
        before = stored_orders(shop.ports.store)

        run = plan_batch(shop.ports, "R1", "standard")

        assert run.state is RunState.FINISHED
        assert get_plan(shop.ports, run.plan_id or "").state is PlanState.SIMULATED
        assert stored_orders(shop.ports.store) == before
        assert shop.cell("pen", "A").reserved == 0

    def test_without_auto_apply_the_plan_stays_proposed(self, shop: World) -> None:
        shop.strategy(auto_apply=False)
        run = plan_batch(shop.ports, "R1", "standard")
        assert get_plan(shop.ports, run.plan_id or "").state is PlanState.PROPOSED
        assert source_of(shop) is None

    def test_a_strategy_that_may_not_run_fails_plainly(self, shop: World) -> None:
        shop.strategy(enabled=False)
        run = plan_batch(shop.ports, "R1", "standard")
        assert run.state is RunState.FAILED
        assert "disabled" in run.error

    def test_an_unknown_strategy_fails_plainly(self, shop: World) -> None:
        run = plan_batch(shop.ports, "R1", "nobody")
        assert (run.state, run.error) == (RunState.FAILED, "no strategy 'nobody'")

    def test_where_the_solver_fails_the_run_plans_without_it_and_says_so(self, shop: World) -> None:
        run = plan_batch(shop.with_ports(solver=BrokenSolver()), "R1", "standard")
        assert run.state is RunState.FINISHED
        assert source_of(shop) == "A"
        (warning,) = get_plan(shop.ports, run.plan_id or "").warnings
        assert warning.startswith("The solver failed, so that the search alone made this plan: no solver for Model")

    def test_an_error_that_may_pass_is_noted_and_tried_again(
        self, shop: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def silent(*_: object, **__: object) -> None:
            raise Unavailable("the store does not answer")

        with monkeypatch.context() as patch:
            patch.setattr(Plans, "create", silent)
            with pytest.raises(Unavailable):
                plan_batch(shop.ports, "R1", "standard")
        assert get_run(shop.ports, "R1").state is RunState.FAILED

        assert plan_batch(shop.ports, "R1", "standard").state is RunState.FINISHED
        assert get_run(shop.ports, "R1").error == ""

    def test_while_somebody_else_plans_a_run_waits_in_its_queue_and_nothing_is_lost(self, shop: World) -> None:
        lease = Runs(shop.ports.store).take_lease("R0", shop.clock.now(), lease_s=300)

        run = plan_batch(shop.ports, "R1", "standard")

        assert (run.state, run.error, source_of(shop)) == (RunState.QUEUED, "", None)
        assert shop.ports.queues.receive("plan-runs") == []
        shop.wait(seconds=RETRY_S)
        Runs(shop.ports.store).release_lease(lease, shop.clock.now())
        (message,) = shop.ports.queues.receive("plan-runs")
        assert plan_batch(shop.ports, **json.loads(message.body)).state is RunState.FINISHED
        assert source_of(shop) == "A"

    def test_a_simulation_waits_for_nobody_and_keeps_nobody_waiting(self, shop: World) -> None:
        shop.strategy(simulation=True)
        Runs(shop.ports.store).take_lease("R0", shop.clock.now(), lease_s=300)

        run = plan_batch(shop.ports, "R1", "standard")

        assert run.state is RunState.FINISHED
        lease = Runs(shop.ports.store).lease()
        assert lease is not None
        assert (lease.holder, lease.fence) == ("R0", 1)

    def test_an_expired_lease_is_taken_over_and_the_killed_run_is_called_failed(self, shop: World) -> None:
        Runs(shop.ports.store).create(Run("R0", "standard", RunState.RUNNING, "Ada", NOW, fence=1))
        Runs(shop.ports.store).take_lease("R0", shop.clock.now(), lease_s=300)
        shop.wait(seconds=301)

        run = plan_batch(shop.ports, "R1", "standard")

        assert (run.state, run.fence) == (RunState.FINISHED, 2)
        assert get_run(shop.ports, "R0").error == "stopped without ending; 'R1' took over"

    def test_a_killed_run_is_called_failed_even_if_who_took_over_was_killed_at_once(self, shop: World) -> None:
        shop.strategy(id="trial", simulation=True)
        Runs(shop.ports.store).create(Run("R-trial", "trial", RunState.RUNNING, "Ada", NOW, fence=1))
        Runs(shop.ports.store).create(Run("R0", "standard", RunState.RUNNING, "Ada", NOW, fence=1))
        Runs(shop.ports.store).create(Run("R-gone", "removed", RunState.RUNNING, "Ada", NOW, fence=1))
        Runs(shop.ports.store).take_lease("R0", shop.clock.now(), lease_s=60)
        Runs(shop.ports.store).take_lease("killed at once", shop.clock.now() + timedelta(seconds=60), lease_s=60)
        shop.wait(seconds=120)

        plan_batch(shop.ports, "R1", "standard")

        errors = {run.id: run.error for run in list_runs(shop.ports, 10).items}
        assert errors == {"R1": "", "R-trial": ""} | dict.fromkeys(
            ["R0", "R-gone"], "stopped without ending; 'R1' took over"
        )

    def test_a_plan_that_a_killed_run_left_half_applied_is_undone_and_planned_anew(self, shop: World) -> None:
        one, two = shop.order("O1"), shop.order("O2")
        plan = shop.store_plan(a_plan("P0").assigning(one, "1", ("B", 2)).assigning(two, "1", ("A", 2)).build())
        with pytest.raises(Killed):
            apply_plan(shop.with_ports(store=KillingStore(shop.ports.store, 2)), plan, fence=1)

        run = plan_batch(shop.ports, "R1", "standard")

        assert Plans(shop.ports.store).header("P0").value.state is PlanState.EXPIRED
        assert run.summary is not None
        assert (source_of(shop, "O1"), source_of(shop, "O2"), run.summary.lines) == ("B", "B", 1)
        require_never_promised_twice(shop.ports.store)
        require_nothing_left_over(shop.ports.store)

    def test_killed_after_any_write_the_same_run_finishes_and_nothing_is_left_over(self, tmp_path: Path) -> None:
        number, finished = 0, False
        while not finished:
            number += 1
            world = a_world(tmp_path / str(number))
            world.stock(pen_A=3, pen_B=1)
            for order_id in ("O1", "O2", "O3"):
                world.store_order(an_order(order_id).with_line("pen", 2))
            try:
                plan_batch(world.with_ports(store=KillingStore(world.ports.store, number)), "R1", "standard")
                finished = True
            except Killed:
                require_never_promised_twice(world.ports.store)
            world.wait(seconds=301)

            run = plan_batch(world.ports, "R1", "standard")

            assert run.state is RunState.FINISHED
            states = [world.line(order_id=order_id).state for order_id in ("O1", "O2", "O3")]
            assert states.count(LineState.ASSIGNED) >= 1
            assert LineState.UNASSIGNED not in states
            require_never_promised_twice(world.ports.store)
            require_nothing_left_over(world.ports.store)
            world.database.close()
        assert number > 8


class TestRunDue:
    def test_every_due_strategy_runs_and_a_failing_one_does_not_stop_the_others(
        self, shop: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shop.strategy(id="web", sales_origins=["web"])  # takes none of the orders
        plan_as_ever = plan_once

        def refused(request: PlanRequest, *others: Any) -> Plan:
            if request.strategy.id == "standard":
                raise PlanRejected(["O1 ships twice"])
            return plan_as_ever(request, *others)

        monkeypatch.setattr("dom_core.use_cases.plan_batch.plan_once", refused)
        runs = run_due(shop.ports)

        assert [(run.strategy_id, run.state) for run in runs] == [
            ("standard", RunState.FAILED),
            ("web", RunState.FINISHED),
        ]

    def test_a_strategy_waits_for_its_aggregation_interval(self, shop: World) -> None:
        shop.strategy(aggregation_minutes=30)
        assert len(run_due(shop.ports)) == 1
        shop.wait(minutes=29)
        assert run_due(shop.ports) == ()
        shop.wait(minutes=1)
        assert len(run_due(shop.ports)) == 1

    @pytest.mark.parametrize("fields", [{"enabled": False}, {"end_date": "2026-03-01"}, {"start_date": "2026-03-03"}])
    def test_a_disabled_or_out_of_date_strategy_is_not_due(self, shop: World, fields: dict[str, Any]) -> None:
        shop.strategy(**fields)
        assert run_due(shop.ports) == ()

    def test_while_somebody_plans_strategies_stay_due_and_simulations_run(self, shop: World) -> None:
        shop.strategy(id="trial", simulation=True)
        Runs(shop.ports.store).take_lease("R0", shop.clock.now(), lease_s=300)

        assert [run.strategy_id for run in run_due(shop.ports)] == ["trial"]
        assert len(list_runs(shop.ports, 10).items) == 1

        shop.wait(seconds=300)
        assert [run.strategy_id for run in run_due(shop.ports)] == ["standard", "trial"]


class TestStartRun:
    def test_the_run_is_recorded_and_queued(self, shop: World) -> None:
        run = start_run(shop.ports, "standard", "Ada")

        assert (run.state, run.requested_by) == (RunState.QUEUED, "Ada")
        assert get_run(shop.ports, run.id) == run
        (message,) = shop.ports.queues.receive("plan-runs")
        assert json.loads(message.body) == {"run_id": run.id, "strategy_id": "standard"}
        assert plan_batch(shop.ports, run.id, "standard").requested_by == "Ada"

    def test_two_runs_asked_for_in_one_second_have_ids_of_their_own(self, shop: World) -> None:
        assert start_run(shop.ports, "standard", "Ada").id != start_run(shop.ports, "standard", "Ada").id

    def test_an_unknown_strategy_is_not_found_and_a_disabled_one_is_refused(self, shop: World) -> None:
        with pytest.raises(NotFound):
            start_run(shop.ports, "nobody", "Ada")
        shop.strategy(enabled=False)
        with pytest.raises(InvalidInput, match="disabled"):
            start_run(shop.ports, "standard", "Ada")

    def test_a_run_that_could_not_be_queued_is_called_failed(self, shop: World) -> None:
        class FullQueues:
            def send(self, queue: str, body: bytes, **_: object) -> str:
                raise Unavailable(f"{queue} is full, {len(body)} bytes too many")

        with pytest.raises(Unavailable):
            start_run(shop.with_ports(queues=FullQueues()), "standard", "Ada")
        (run,) = list_runs(shop.ports, 10).items
        assert run.state is RunState.FAILED


class TestLease:
    def test_the_fence_only_grows(self, world: World) -> None:
        runs, now = Runs(world.ports.store), world.clock.now()
        first = runs.take_lease("R1", now, 300)
        again = runs.take_lease("R1", now, 300)
        with pytest.raises(Busy, match="held by 'R1' until 15:05:00 UTC"):
            runs.take_lease("R2", now, 300)
        runs.release_lease(again, now)
        third = runs.take_lease("R2", now, 300)
        assert [first.fence, again.fence, third.fence] == [1, 2, 3]

    def test_who_lost_the_lease_can_neither_renew_nor_release_it(self, world: World) -> None:
        runs, now = Runs(world.ports.store), world.clock.now()
        lost = runs.take_lease("R1", now, 300)
        runs.take_lease("R2", now + timedelta(seconds=300), 300)
        with pytest.raises(LeaseLost):
            runs.renew_lease(lost, now, 300)
        with pytest.raises(LeaseLost):
            runs.release_lease(lost, now)


class TestFacts:
    def test_units_that_no_line_needs_are_given_back_and_those_of_plans_under_way_are_not(self, shop: World) -> None:
        stored = Stock(shop.ports.store).find("pen")
        assert stored is not None
        under_way = shop.store_plan(a_plan("P-going").assigning(shop.order("O1"), "1", ("A", 1)).build())
        cell = replace(
            stored.value.cell("A"),
            reservations=(Reservation("P-gone", "O1", "1", 1), Reservation(under_way.id, "O1", "1", 1)),
        )
        Stock(shop.ports.store).save(replace(stored.value, cells=(cell, stored.value.cell("B"))), stored.etag)

        facts = gather_facts(shop.ports, Configuration(), "P", "R", NOW)

        assert [kept.plan_id for kept in shop.cell("pen", "A").reservations] == ["P-going"]
        assert facts.available == {("pen", "A"): 2, ("pen", "B"): 9}

    def test_open_orders_count_once_and_today_is_the_sources_own_day(self, shop: World) -> None:
        shop.clock.time = NOW.replace(hour=7)  # 2 March in UTC and in Tokyo
        plan = a_plan().assigning(shop.order("O1"), "1", ("A", 2)).assigning(shop.order("O2"), "1", ("B", 2))
        shop.apply(plan.build())
        shop.clock.time = NOW.replace(hour=15)  # still 2 March in UTC, already 3 March in Tokyo
        sources = [
            Source("A", SourceType.STORE, time_zone="Asia/Tokyo"),
            Source("B", SourceType.STORE, time_zone="UTC"),
        ]

        loads = loads_of(sources, stored_orders(shop.ports.store), shop.clock.now())

        assert (loads["A"].open_order_ids, loads["A"].lines_today) == (frozenset({"O1"}), 0)
        assert (loads["B"].order_ids_today, loads["B"].lines_today) == (frozenset({"O2"}), 1)

    def test_a_maximum_of_orders_counts_what_earlier_runs_assigned(self, shop: World) -> None:
        rule = {
            "id": "one",
            "kind": "maximum_orders",
            "params": {"lines": [{"source_id": "B", "limit": 1}, {"source_id": "A", "limit": 0}]},
        }
        shop.configure("rules", rule)
        shop.configure("source-lists", {"id": "all", "source_ids": ["A", "B"]})
        shop.strategy(rule_ids=["one"])

        plan_batch(shop.ports, "R1", "standard")
        plan_batch(shop.ports, "R2", "standard")

        assert [source_of(shop, "O1"), source_of(shop, "O2")] == [None, "B"]
