"""Plans that wait for a person: approved, dismissed, superseded, or expired."""

from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from dom_core.domain.order import ExceptionKind, LineState
from dom_core.domain.plan import Closing, PlanState
from dom_core.errors import Busy, Conflict, NotFound
from dom_core.messages.actions import Approval, Decision
from dom_core.repositories.plans import Plans
from dom_core.repositories.runs import Runs
from dom_core.use_cases.approve_plan import Approved, approve_plan
from dom_core.use_cases.close_plans import dismiss_plan
from dom_core.use_cases.plan_batch import plan_batch, run_due
from dom_core.use_cases.read_plan import get_plan
from tests.builders import NOW, an_order
from tests.use_cases.invariants import require_never_promised_twice, require_nothing_left_over, stored_orders
from tests.use_cases.killing import Killed, KillingStore
from tests.use_cases.world import World, a_world

ADA = Approval(who="Ada")
NO = Decision(who="Ada", why="too far")


def proposed(world: World) -> World:
    """A proposed plan, plan-R1, that sends two orders for two pens each to A, which has four."""
    world.strategy(auto_apply=False)
    world.stock(pen_A=4, pen_B=9)
    for order_id in ("O1", "O2"):
        world.store_order(an_order(order_id).with_line("pen", 2))
    plan_batch(world.ports, "R1", "standard")
    return world


@pytest.fixture
def shop(world: World) -> World:
    return proposed(world)


def state(world: World, plan_id: str = "plan-R1") -> PlanState:
    return get_plan(world.ports, plan_id).state


def killed_after_each_write(folder: Path) -> Iterator[World]:
    """Shops in which an approval was killed after its first write, its second …; at last one in which it finished."""
    writes, finished = 0, False
    while not finished:
        writes += 1
        shop = proposed(a_world(folder / str(writes)))
        with closing(shop.database):
            with suppress(Killed):
                approve_plan(shop.with_ports(store=KillingStore(shop.ports.store, writes)), "plan-R1", ADA)
                finished = True
            yield shop
    assert writes > 5


class TestApprove:
    def test_the_plan_is_applied_in_the_name_of_who_approved_it(self, shop: World) -> None:
        approved = approve_plan(shop.ports, "plan-R1", Approval(who="Ada", why="looks right"))

        assert approved == Approved("plan-R1", PlanState.APPLIED, confirmed_lines=2, conflicted_lines=0)
        assert get_plan(shop.ports, "plan-R1").closing == Closing(NOW, "Ada", "looks right")
        assert {event.who for event in shop.order().history if event.plan_id} == {"Ada"}
        assert shop.cell("pen", "A").reserved == 4
        require_nothing_left_over(shop.ports.store)

    def test_approved_again_it_changes_nothing_and_answers_the_same(self, shop: World) -> None:
        once = approve_plan(shop.ports, "plan-R1", ADA)
        before = stored_orders(shop.ports.store)
        shop.wait(hours=25)

        assert approve_plan(shop.ports, "plan-R1", Approval(who="Bob")) == once
        assert stored_orders(shop.ports.store) == before
        assert get_plan(shop.ports, "plan-R1").closing == Closing(NOW, "Ada", "approved plan 'plan-R1'")

    def test_an_order_that_changed_and_one_without_stock_wait_for_the_next_run(self, shop: World) -> None:
        shop.hold("O1")
        shop.release("O1")
        shop.stock(pen_A=1)

        approved = approve_plan(shop.ports, "plan-R1", ADA)

        assert (approved.confirmed_lines, approved.conflicted_lines) == (0, 2)
        kinds = [shop.line(order_id=order_id).exception for order_id in ("O1", "O2")]
        assert kinds == [ExceptionKind.DATA_CONFLICT] * 2
        require_nothing_left_over(shop.ports.store)

    def test_room_that_another_strategy_took_meanwhile_is_not_given_away_twice(self, world: World) -> None:
        limit = {"lines": [{"source_id": "A", "limit": 2}]}
        world.configure("rules", {"id": "few", "kind": "maximum_orders", "params": limit})
        world.configure("source-lists", {"id": "all", "source_ids": ["A"]})
        world.stock(pen_A=9)
        world.strategy(auto_apply=False, rule_ids=["few"])
        world.strategy(id="web", sales_origins=["web"], rule_ids=["few"])
        for order_id in ("O1", "O2"):
            world.store_order(an_order(order_id).with_line("pen", 2))
        plan_batch(world.ports, "R1", "standard")
        world.store_order(an_order("W1", sales_origin="web").with_line("pen", 1))
        plan_batch(world.ports, "R2", "web")

        approved = approve_plan(world.ports, "plan-R1", ADA)

        assert (approved.confirmed_lines, approved.conflicted_lines) == (1, 1)
        states = [world.line(order_id=order_id).state for order_id in ("W1", "O1", "O2")]
        assert states == [LineState.ASSIGNED, LineState.ASSIGNED, LineState.EXCEPTION]
        require_nothing_left_over(world.ports.store)

    def test_while_somebody_plans_nothing_is_approved(self, shop: World) -> None:
        Runs(shop.ports.store).take_lease("R9", shop.clock.now(), lease_s=300)
        with pytest.raises(Busy, match="R9"):
            approve_plan(shop.ports, "plan-R1", ADA)
        assert state(shop) is PlanState.PROPOSED

    def test_a_simulation_is_never_applied(self, shop: World) -> None:
        shop.strategy(simulation=True)
        plan_batch(shop.ports, "R2", "standard")
        with pytest.raises(Conflict, match="switch off 'simulation' of strategy 'standard'"):
            approve_plan(shop.ports, "plan-R2", ADA)
        assert state(shop) is PlanState.PROPOSED, "a simulation supersedes nothing"

    def test_an_unknown_plan_is_not_found(self, shop: World) -> None:
        for decide in (
            lambda: approve_plan(shop.ports, "plan-R9", ADA),
            lambda: dismiss_plan(shop.ports, "plan-R9", NO),
        ):
            with pytest.raises(NotFound):
                decide()

    def test_killed_after_any_write_approving_again_finishes(self, tmp_path: Path) -> None:
        for shop in killed_after_each_write(tmp_path):
            require_never_promised_twice(shop.ports.store)

            assert approve_plan(shop.ports, "plan-R1", ADA).confirmed_lines == 2
            require_never_promised_twice(shop.ports.store)
            require_nothing_left_over(shop.ports.store)

    def test_killed_and_overtaken_by_a_run_what_was_left_is_planned_anew(self, tmp_path: Path) -> None:
        for shop in killed_after_each_write(tmp_path):
            shop.wait(seconds=301)
            shop.strategy(auto_apply=True)

            plan_batch(shop.ports, "R2", "standard")

            assert state(shop) in (PlanState.EXPIRED, PlanState.APPLIED, PlanState.SUPERSEDED)
            assert {line.state for order in stored_orders(shop.ports.store) for line in order.lines} == {
                LineState.ASSIGNED
            }
            require_never_promised_twice(shop.ports.store)
            require_nothing_left_over(shop.ports.store)


class TestEnd:
    def test_a_dismissed_plan_says_who_and_why_and_is_never_applied(self, shop: World) -> None:
        once = dismiss_plan(shop.ports, "plan-R1", NO)

        assert (once.state, once.closing) == (PlanState.EXPIRED, Closing(NOW, "Ada", "too far"))
        assert dismiss_plan(shop.ports, "plan-R1", Decision(who="Bob", why="me too")) == once
        with pytest.raises(Conflict, match="expired"):
            approve_plan(shop.ports, "plan-R1", ADA)
        assert shop.line().state is LineState.UNASSIGNED

    def test_an_applied_plan_and_one_being_applied_cannot_be_dismissed(self, shop: World) -> None:
        Plans(shop.ports.store).begin_applying("plan-R1")
        with pytest.raises(Conflict, match="being applied"):
            dismiss_plan(shop.ports, "plan-R1", NO)
        approve_plan(shop.ports, "plan-R1", ADA)
        with pytest.raises(Conflict, match="applied"):
            dismiss_plan(shop.ports, "plan-R1", NO)

    @pytest.mark.parametrize(("hours", "expected"), [(23.9, PlanState.PROPOSED), (24, PlanState.EXPIRED)])
    def test_a_plan_waits_for_a_day(self, shop: World, hours: float, expected: PlanState) -> None:
        shop.strategy(enabled=False)
        shop.wait(hours=hours)
        run_due(shop.ports)
        assert state(shop) is expected

    def test_a_plan_that_waited_too_long_is_refused_even_before_the_timer_comes(self, shop: World) -> None:
        shop.wait(hours=24)
        with pytest.raises(Conflict, match="longer than 24 hours"):
            approve_plan(shop.ports, "plan-R1", ADA)

    def test_its_lines_stay_plannable_and_a_newer_plan_of_the_strategy_takes_its_place(self, shop: World) -> None:
        run = plan_batch(shop.ports, "R2", "standard")

        assert run.summary is not None
        assert run.summary.lines == 2
        assert (state(shop), state(shop, "plan-R2")) == (PlanState.SUPERSEDED, PlanState.PROPOSED)
        closing = get_plan(shop.ports, "plan-R1").closing
        assert closing is not None
        assert closing.why == "plan 'plan-R2' is newer"
        with pytest.raises(Conflict, match="superseded"):
            approve_plan(shop.ports, "plan-R1", ADA)

    def test_a_plan_of_another_strategy_leaves_it_alone(self, shop: World) -> None:
        shop.strategy(id="web", sales_origins=["web"])
        plan_batch(shop.ports, "R2", "web")
        assert state(shop) is PlanState.PROPOSED
