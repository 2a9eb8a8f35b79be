"""A source's maximum of orders holds exactly, whoever plans at the same time, is slow, or is killed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest

from dom_core.adapters.sqlite import Database
from dom_core.domain.order import LineState
from dom_core.domain.run import Run, RunState
from dom_core.optimizer.solving import CbcSolver
from dom_core.repositories.runs import Runs
from dom_core.use_cases.plan_batch import plan_batch
from dom_core.use_cases.read_plan import get_run
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
