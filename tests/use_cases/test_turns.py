"""A source's maximum of orders holds exactly, whoever plans at the same time, is slow, or is killed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest

from dom_core.adapters.sqlite import Database
from dom_core.domain.order import LineState
from dom_core.domain.run import Run, RunState
from dom_core.errors import Unavailable
from dom_core.optimizer.solving import CbcSolver
from dom_core.ports import Container, Document
from dom_core.repositories.plans import Plans
from dom_core.repositories.runs import Runs
from dom_core.use_cases.plan_batch import plan_batch
from dom_core.use_cases.planning_turn import taking_turn
from dom_core.use_cases.read_plan import get_run
from dom_core.watch import watch_of
from tests.builders import an_order
from tests.use_cases.invariants import require_never_promised_twice, require_nothing_left_over, stored_orders
from tests.use_cases.killing import Killed, KillingStore
from tests.use_cases.world import World, a_world

ORIGINS = ("web", "shop")
LIMIT = 3


def with_two_strategies(world: World) -> World:
    """Two strategies, each with three orders that would all go to A, which may have three orders in all."""
    limit = {"lines": [{"source_id": "A", "limit": LIMIT}]}
    world.configure("rules", {"id": "few", "kind": "maximum_orders", "params": limit})
    world.configure("source-lists", {"id": "all", "source_ids": ["A", "B"]})
    world.strategy(enabled=False)
    world.stock(pen_A=20, pen_B=20)
    for origin in ORIGINS:
        world.strategy(id=origin, sales_origins=[origin], rule_ids=["few"])
        for number in range(3):
            world.store_order(an_order(f"{origin}-{number}", sales_origin=origin).with_line("pen", 1))
    return world


@pytest.fixture
def shop(world: World) -> World:
    return with_two_strategies(world)


def orders_at(world: World, source_id: str) -> int:
    return sum(
        any(line.assignment and line.assignment.source_id == source_id for line in order.lines)
        for order in stored_orders(world.ports.store)
    )


def require_exact(world: World) -> None:
    """A has as many orders as it may have, and all others went to B."""
    assert (orders_at(world, "A"), orders_at(world, "B")) == (LIMIT, 2 * 3 - LIMIT)
    require_never_promised_twice(world.ports.store)
    require_nothing_left_over(world.ports.store)


@dataclass
class InterruptedSolver:
    """Before its first answer something else happens."""

    meanwhile: Callable[[], object]
    name: str = "interrupted"
    seen: list[object] = field(default_factory=list)

    def _happen(self) -> None:
        if not self.seen:
            self.seen.append(None)
            self.seen[0] = self.meanwhile()

    def solve(self, *given: Any) -> Any:
        self._happen()
        return CbcSolver().solve(*given)

    def solve_strictly(self, *given: Any) -> Any:
        self._happen()
        return CbcSolver().solve_strictly(*given)


def test_a_strategy_that_comes_while_another_plans_waits_and_counts_what_that_one_assigned(shop: World) -> None:
    solver = InterruptedSolver(lambda: plan_batch(shop.ports, "R-shop", "shop"))

    assert plan_batch(shop.with_ports(solver=solver), "R-web", "web").state is RunState.FINISHED

    (waiting,) = solver.seen
    assert isinstance(waiting, Run)
    assert waiting.state is RunState.QUEUED
    assert plan_batch(shop.ports, "R-shop", "shop").state is RunState.FINISHED
    require_exact(shop)


def test_two_threads_that_plan_at_the_same_time_never_fill_a_source_over_its_limit(tmp_path: Path) -> None:
    shop = with_two_strategies(a_world(tmp_path))
    together = Barrier(len(ORIGINS))
    ended: dict[str, RunState] = {}

    def plan(origin: str) -> None:
        mine = World(Database(tmp_path / "dom.sqlite3"))
        together.wait()
        for _ in range(10_000):
            run = plan_batch(mine.ports, f"R-{origin}", origin)
            if run.state is not RunState.QUEUED:
                ended[origin] = run.state
                break
        mine.database.close()

    threads = [Thread(target=plan, args=(origin,)) for origin in ORIGINS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert ended == dict.fromkeys(ORIGINS, RunState.FINISHED)
    require_exact(shop)
    shop.database.close()


def test_a_run_that_was_too_slow_applies_nothing_once_another_has_taken_over(shop: World) -> None:
    def taken_over() -> Run:
        shop.wait(seconds=301)
        return plan_batch(shop.ports, "R-shop", "shop")

    run = plan_batch(shop.with_ports(solver=InterruptedSolver(taken_over)), "R-web", "web")

    assert run.state is RunState.FAILED
    assert Plans(shop.ports.store).state("plan-R-web") is None, "a plan that nobody may apply is not stored"
    assert orders_at(shop, "A") == LIMIT
    assert plan_batch(shop.ports, "R-web", "web").state is RunState.FINISHED
    require_exact(shop)


def test_killed_after_any_write_a_run_of_another_strategy_comes_between_and_both_finish(tmp_path: Path) -> None:
    number, finished = 0, False
    while not finished:
        number += 1
        shop = with_two_strategies(a_world(tmp_path / str(number)))
        try:
            plan_batch(shop.with_ports(store=KillingStore(shop.ports.store, number)), "R-web", "web")
            finished = True
        except Killed:
            require_never_promised_twice(shop.ports.store)
        shop.wait(seconds=301)

        assert plan_batch(shop.ports, "R-shop", "shop").state is RunState.FINISHED
        assert get_run(shop.ports, "R-web").state in (RunState.FAILED, RunState.FINISHED, RunState.QUEUED)
        assert plan_batch(shop.ports, "R-web", "web").state is RunState.FINISHED

        assert {line.state for order in stored_orders(shop.ports.store) for line in order.lines} == {LineState.ASSIGNED}
        require_exact(shop)
        shop.database.close()
    assert number > 8


def test_who_is_fenced_off_between_storing_a_plan_and_applying_it_applies_nothing(shop: World) -> None:
    class TakenOverAfterStoring(KillingStore):
        """Right after the plan is stored somebody takes the turn."""

        def create(self, container: Any, partition: str, id: str, body: Any) -> Any:
            document = super().create(container, partition, id, body)
            if id == "header":
                Runs(shop.ports.store).take_lease("R9", shop.clock.now().replace(year=2027), lease_s=300)
            return document

    run = plan_batch(shop.with_ports(store=TakenOverAfterStoring(shop.ports.store, 10_000)), "R-web", "web")

    assert run.state is RunState.FAILED
    assert orders_at(shop, "A") == 0


@dataclass
class HandPulse:
    """Beats when the test says so."""

    interval_s: float = 0.0
    beat: Callable[[], bool] = lambda: False

    @contextmanager
    def every(self, seconds: float, beat: Callable[[], bool]) -> Iterator[None]:
        self.interval_s, self.beat = seconds, beat
        yield
        self.beat = lambda: False


@dataclass
class AwayStore(KillingStore):
    """A store that cannot be reached for a while."""

    away: bool = False

    def read(self, container: Container, partition: str, id: str) -> Document | None:
        if self.away:
            raise Unavailable("the store was not reached")
        return super().read(container, partition, id)


def held_until(world: World) -> datetime:
    lease = Runs(world.ports.store).lease()
    assert lease is not None
    return lease.expires_at


class TestPulse:
    def test_however_long_the_solver_works_nobody_else_gets_the_turn(self, shop: World) -> None:
        pulse, others = HandPulse(), []

        def ten_minutes_pass() -> None:
            for _ in range(30):
                shop.wait(seconds=pulse.interval_s)
                assert pulse.beat()
                others.append(plan_batch(shop.ports, "R-shop", "shop").state)

        ports = shop.with_ports(pulse=pulse, solver=InterruptedSolver(ten_minutes_pass))
        run = plan_batch(ports, "R-web", "web")

        assert (pulse.interval_s, run.state) == (20, RunState.FINISHED)
        assert set(others) == {RunState.QUEUED}
        assert plan_batch(shop.ports, "R-shop", "shop").state is RunState.FINISHED
        require_exact(shop)

    def test_a_holder_who_shows_no_life_is_followed_after_a_minute(self, shop: World) -> None:
        ended = []

        def the_host_dies() -> None:
            shop.wait(seconds=59)
            ended.append(plan_batch(shop.ports, "R-shop", "shop").state)
            shop.wait(seconds=1)
            ended.append(plan_batch(shop.ports, "R-shop", "shop").state)

        plan_batch(shop.with_ports(pulse=HandPulse(), solver=InterruptedSolver(the_host_dies)), "R-web", "web")

        assert ended == [RunState.QUEUED, RunState.FINISHED]

    def test_who_lost_the_turn_while_solving_stops_and_the_log_says_so(
        self, shop: World, caplog: pytest.LogCaptureFixture
    ) -> None:
        pulse, stopped = HandPulse(), []

        class AsksWhetherToStop(InterruptedSolver):
            def solve(self, *given: Any) -> Any:
                asks = watch_of(given[1]).stop_asked
                stopped.append(asks())
                self._happen()
                stopped.append(asks())
                return super().solve(*given)

        def taken_over() -> None:
            shop.wait(seconds=61)
            plan_batch(shop.ports, "R-shop", "shop")
            assert not pulse.beat()

        run = plan_batch(shop.with_ports(pulse=pulse, solver=AsksWhetherToStop(taken_over)), "R-web", "web")

        assert stopped == [False, True]
        assert (run.state, "somebody else took over" in run.error) == (RunState.FAILED, True)
        assert Plans(shop.ports.store).state("plan-R-web") is None
        assert '{"event": "turn_lost", "holder": "R-web", "fence": 1}' in caplog.text

    def test_a_store_that_is_away_for_a_beat_is_not_the_end(
        self, shop: World, caplog: pytest.LogCaptureFixture
    ) -> None:
        pulse, store = HandPulse(), AwayStore(shop.ports.store, 10_000)

        def away_for_a_while() -> None:
            shop.wait(seconds=59)
            store.away = True
            assert pulse.beat()
            shop.wait(seconds=20)
            store.away = False
            assert pulse.beat()

        solver = InterruptedSolver(away_for_a_while)
        run = plan_batch(shop.with_ports(pulse=pulse, store=store, solver=solver), "R-web", "web")

        assert run.state is RunState.FINISHED
        assert '"event": "turn_not_kept", "holder": "R-web", "fence": 1, "error": "Unavailable"' in caplog.text

    def test_after_the_turn_nothing_beats_and_others_may_plan_at_once(self, shop: World) -> None:
        pulse = HandPulse()
        plan_batch(shop.with_ports(pulse=pulse), "R-web", "web")
        assert held_until(shop) == shop.clock.now()
        assert not pulse.beat()

    def test_many_steps_cost_one_sign_of_life_each_time_that_one_is_due(self, shop: World) -> None:
        store = KillingStore(shop.ports.store, 10_000)
        with taking_turn(shop.with_ports(store=store), "a test", "no plan") as turn:
            before = store.writes_left
            for _ in range(100):
                turn.keep_in_time()
                shop.wait(seconds=1)
            assert before - store.writes_left == 4

    def test_a_clock_of_another_host_that_is_ahead_is_noted(
        self, shop: World, caplog: pytest.LogCaptureFixture
    ) -> None:
        runs, now = Runs(shop.ports.store), shop.clock.now()
        runs.release_lease(runs.take_lease("R0", now + timedelta(minutes=5), 60), now)

        assert plan_batch(shop.ports, "R-web", "web").state is RunState.FINISHED
        assert '{"event": "clocks_differ", "holder": "R0", "seconds": 300}' in caplog.text
