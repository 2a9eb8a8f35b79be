from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import current_thread

import pytest

from dom_core.domain.order import Event, ExceptionKind, LineState, Order
from dom_core.domain.plan import Plan, PlanState
from dom_core.domain.stock import ProductStock, Reservation, StockCell
from dom_core.errors import Conflict, LeaseLost, NotFound
from dom_core.ports import Body, Container, Document, Write
from dom_core.repositories.orders import Orders
from dom_core.repositories.plans import Plans
from dom_core.repositories.stock import Stock
from dom_core.use_cases import configure, reserve_stock
from dom_core.use_cases.apply_plan import Applied, Terms, apply_plan, expire_plan
from dom_core.use_cases.context import Ports
from tests.builders import NOW, an_order
from tests.plan_builder import a_plan
from tests.use_cases.invariants import require_never_promised_twice, require_nothing_left_over, stored_orders
from tests.use_cases.killing import Killed, KillingStore
from tests.use_cases.world import World, a_world


def touch(world: World, order_id: str = "O1") -> None:
    """Somebody changes the order: its version rises."""
    stored = Orders(world.ports.store).get(order_id)
    note = Event(NOW, "Ada", "noted")
    order = replace(stored.value, version=stored.value.version + 1, history=(*stored.value.history, note))
    Orders(world.ports.store).replace(order, stored.etag)


class TestApply:
    def test_units_are_reserved_and_the_line_is_assigned(self, world: World) -> None:
        world.stock(pen_A=5)
        order = world.store_order(an_order().with_line("pen", 4))

        applied = world.apply(a_plan().assigning(order, "1", ("A", 4)).build())

        assert applied == Applied(confirmed_lines=1, conflicted_lines=0)
        assert world.cell("pen", "A").reservations == (Reservation("P1", "O1", "1", 4),)
        assert world.line().state is LineState.ASSIGNED
        assert Plans(world.ports.store).header("P1").value.state is PlanState.APPLIED

    def test_each_part_of_a_split_line_has_a_reservation_of_its_own(self, world: World) -> None:
        world.stock(pen_A=1, pen_B=3)
        order = world.store_order(an_order().with_line("pen", 4))

        world.apply(a_plan().assigning(order, "1", ("A", 1), ("B", 3)).build())

        assert world.cell("pen", "A").reservations == (Reservation("P1", "O1", "1", 1),)
        assert world.cell("pen", "B").reservations == (Reservation("P1", "O1", "1.1", 3),)

    def test_a_source_with_unlimited_stock_needs_no_reservation(self, world: World) -> None:
        order = world.store_order(an_order().with_line("pen", 4).with_line("write-in", 1))
        plan = a_plan().assigning(order, "1", ("V", 4)).assigning(order, "2", ("A", 1)).build()

        assert world.apply(plan).confirmed_lines == 2
        require_never_promised_twice(world.ports.store, uncounted=frozenset({"V", "A"}))

    def test_the_strategys_inventory_mode_outranks_the_sources_flag(self, world: World) -> None:
        world.strategy(inventory_mode="real")
        order = world.store_order(an_order().with_line("pen", 4))
        assert world.apply(a_plan().assigning(order, "1", ("V", 4)).build()).conflicted_lines == 1

    def test_lines_that_the_plan_could_not_place_are_counted(self, world: World) -> None:
        order = world.store_order(an_order().with_line("pen"))

        world.apply(a_plan().failing(order, "1", ExceptionKind.NO_SOURCE).build())

        assert (world.line().exception, world.line().attempts) == (ExceptionKind.NO_SOURCE, 1)

    def test_applied_twice_it_changes_nothing_and_gives_the_same_answer(self, world: World) -> None:
        world.stock(pen_A=5)
        order = world.store_order(an_order().with_line("pen", 4))
        plan = a_plan().assigning(order, "1", ("A", 4)).build()
        first = world.apply(plan)
        before = world.order(), world.cell("pen", "A")

        assert apply_plan(world.ports, plan, fence=2) == first
        assert (world.order(), world.cell("pen", "A")) == before

    def test_applied_again_after_a_rejection_it_does_not_assign_again(self, world: World) -> None:
        world.stock(pen_A=5)
        order = world.store_order(an_order().with_line("pen", 4))
        plan = a_plan().assigning(order, "1", ("A", 4)).build()
        world.apply(plan)
        world.reject()

        apply_plan(world.ports, plan, fence=1)

        assert world.line().exception is ExceptionKind.REJECTED
        assert world.cell("pen", "A").reserved == 0


class TestConflict:
    def test_an_order_that_changed_meanwhile_is_left_for_the_next_run(self, world: World) -> None:
        world.stock(pen_A=5)
        order = world.store_order(an_order().with_line("pen", 4))
        plan = a_plan().assigning(order, "1", ("A", 4)).build()
        touch(world)

        assert world.apply(plan) == Applied(confirmed_lines=0, conflicted_lines=1)

        assert (world.line().exception, world.line().attempts) == (ExceptionKind.DATA_CONFLICT, 0)
        assert world.cell("pen", "A").reserved == 0

    def test_an_order_that_changes_between_reserving_and_confirming_gives_its_units_back(self, world: World) -> None:
        world.stock(pen_A=5)
        order = world.store_order(an_order().with_line("pen", 4))
        plan = world.store_plan(a_plan().assigning(order, "1", ("A", 4)).build())

        class ChangesAfterReserving(KillingStore):
            def replace(self, container: Container, partition: str, id: str, body: Body, etag: str) -> Document:
                document = super().replace(container, partition, id, body, etag)
                if container is Container.STOCK and self.writes_left > 0:
                    self.writes_left = 0
                    touch(world)
                return document

        store = ChangesAfterReserving(world.ports.store, writes_left=1000)
        applied = apply_plan(world.with_ports(store=store), plan, fence=1)

        assert applied == Applied(confirmed_lines=0, conflicted_lines=1)
        require_nothing_left_over(world.ports.store)

    def test_when_the_units_are_gone_the_whole_order_waits_and_others_are_confirmed(self, world: World) -> None:
        world.stock(pen_A=5, ink_A=1)
        short = world.store_order(an_order("O1").with_line("ink", 1).with_line("pen", 4))
        fine = world.store_order(an_order("O2").with_line("pen", 2))
        plan = a_plan().assigning(short, "1", ("A", 1)).assigning(short, "2", ("A", 4)).assigning(fine, "1", ("A", 2))
        world.stock(pen_A=3)

        assert world.apply(plan.build()) == Applied(confirmed_lines=1, conflicted_lines=2)

        assert [line.exception for line in world.order("O1").lines] == [ExceptionKind.DATA_CONFLICT] * 2
        assert world.cell("ink", "A").reserved == 0
        require_nothing_left_over(world.ports.store)

    def test_a_source_that_was_removed_meanwhile_is_a_conflict(self, world: World) -> None:
        order = world.store_order(an_order().with_line("pen"))
        assert world.apply(a_plan().assigning(order, "1", ("gone", 1)).build()).conflicted_lines == 1

    def test_two_plans_for_the_same_line_assign_it_once(self, world: World) -> None:
        world.stock(pen_A=5, pen_B=5)
        order = world.store_order(an_order().with_line("pen", 4))

        world.apply(a_plan("P1").assigning(order, "1", ("A", 4)).build())
        assert world.apply(a_plan("P2").assigning(order, "1", ("B", 4)).build()).conflicted_lines == 1

        assert world.cell("pen", "B").reserved == 0
        require_nothing_left_over(world.ports.store)


class TestFence:
    def test_an_old_fence_reserves_nothing(self, world: World) -> None:
        world.stock(pen_A=9)
        old = world.store_order(an_order("O1").with_line("pen", 1))
        new = world.store_order(an_order("O2").with_line("pen", 1))
        world.apply(a_plan("P2").assigning(new, "1", ("A", 1)).build(), fence=7)

        with pytest.raises(LeaseLost, match="fence 7; 6 is old"):
            world.apply(a_plan("P1").assigning(old, "1", ("A", 1)).build(), fence=6)

        assert world.line(order_id="O1").state is LineState.UNASSIGNED
        assert world.cell("pen", "A").reserved == 1

    def test_an_old_fence_is_refused_whatever_the_strategy(self, world: World) -> None:
        world.strategy(id="other")
        world.stock(pen_A=9)
        one = world.store_order(an_order("O1").with_line("pen", 1))
        two = world.store_order(an_order("O2").with_line("pen", 1))
        world.apply(a_plan("P1", "other").assigning(one, "1", ("A", 1)).build(), fence=7)

        with pytest.raises(LeaseLost):
            world.apply(a_plan("P2").assigning(two, "1", ("A", 1)).build(), fence=1)


class TestState:
    @pytest.mark.parametrize("state", [PlanState.SIMULATED, PlanState.EXPIRED, PlanState.SUPERSEDED])
    def test_only_a_proposed_plan_can_be_applied(self, world: World, state: PlanState) -> None:
        order = world.store_order(an_order().with_line("pen"))
        with pytest.raises(Conflict, match=str(state)):
            world.apply(a_plan().assigning(order, "1", ("V", 1)).in_state(state).build())
        assert world.line().state is LineState.UNASSIGNED

    def test_a_plan_that_is_not_stored_is_not_found(self, world: World) -> None:
        with pytest.raises(NotFound):
            apply_plan(world.ports, a_plan().build(), fence=1)

    def test_an_expired_plan_leaves_confirmed_orders_and_gives_all_else_back(self, world: World) -> None:
        plan = _three_orders(world)
        with pytest.raises(Killed):
            apply_plan(world.with_ports(store=KillingStore(world.ports.store, 3)), plan, fence=1)

        expire_plan(world.ports, plan)

        assert Plans(world.ports.store).header(plan.id).value.state is PlanState.EXPIRED
        require_never_promised_twice(world.ports.store)
        require_nothing_left_over(world.ports.store)

    def test_a_plan_whose_strategy_was_removed_is_undone_and_never_applied(self, world: World) -> None:
        plan = _three_orders(world)
        with pytest.raises(Killed):
            apply_plan(world.with_ports(store=KillingStore(world.ports.store, 2)), plan, fence=1)
        configure.remove(world.ports, configure.ConfigKind.STRATEGIES, "standard", None)

        expire_plan(world.ports, plan)

        require_nothing_left_over(world.ports.store)
        order = world.store_order(an_order("O9").with_line("write-in"))
        assert world.apply(a_plan("P9").assigning(order, "1", ("V", 1)).build()).conflicted_lines == 1

    def test_who_applies_and_who_undoes_at_the_same_time_never_confirm_what_was_given_back(self, world: World) -> None:
        world.stock(pen_A=4)
        order = world.store_order(an_order().with_line("pen", 4))
        plan = world.store_plan(a_plan().assigning(order, "1", ("A", 4)).build())

        class IsOvertaken(KillingStore):
            """Right before the order is confirmed somebody begins to undo the plan, and gets one write far."""

            def batch(self, container: Container, partition: str, writes: Sequence[Write]) -> tuple[str | None, ...]:
                if container is Container.ORDERS and self.writes_left > 0:
                    self.writes_left = 0
                    with pytest.raises(Killed):
                        expire_plan(world.with_ports(store=KillingStore(world.ports.store, 1)), plan)
                return super().batch(container, partition, writes)

        store = IsOvertaken(world.ports.store, writes_left=1000)

        assert apply_plan(world.with_ports(store=store), plan, fence=1).conflicted_lines == 1
        require_never_promised_twice(world.ports.store)
        require_nothing_left_over(world.ports.store)


def asking(world: World, at_once: int) -> Ports:
    """The world's ports, as if its store were a service that is asked so many things at a time."""
    settings = replace(world.ports.settings, store="azure", requests_at_once=at_once)
    return world.with_ports(settings=settings)


def _three_orders(world: World) -> Plan:
    """Orders of which one is confirmed, one is split, one is changed and one is short."""
    world.stock(pen_A=4, pen_B=9, ink_A=2)
    orders = [world.store_order(an_order(f"O{n}").with_line("pen", 3, amount_cents=100)) for n in (1, 2, 3)]
    short = world.store_order(an_order("O4").with_line("pen", 1).with_line("ink", 2).with_line("write-in", 1))
    plan = a_plan()
    plan = plan.assigning(orders[0], "1", ("A", 3))
    plan = plan.assigning(orders[1], "1", ("A", 1), ("B", 1), rest=ExceptionKind.NO_QUANTITY)
    plan = plan.assigning(orders[2], "1", ("B", 3))
    plan = plan.assigning(short, "1", ("A", 1)).assigning(short, "2", ("A", 2)).failing(short, "3")
    touch(world, "O3")
    return world.store_plan(plan.build())


def _undisturbed(folder: Path) -> tuple[int, list[Order]]:
    """How many writes applying takes, and the orders when nobody is killed."""
    world = a_world(folder)
    store = KillingStore(world.ports.store, writes_left=0)
    apply_plan(world.with_ports(store=store), _three_orders(world), fence=1)
    orders = stored_orders(world.ports.store)
    world.database.close()
    return -store.writes_left, orders


class TestSomeAtATime:
    def test_it_ends_as_one_after_the_other_does(self, tmp_path: Path) -> None:
        ended = []
        for at_once in (1, 4):
            world = a_world(tmp_path / str(at_once))
            plan = _three_orders(world)
            applied = apply_plan(asking(world, at_once), plan, fence=1)
            ended.append((applied, stored_orders(world.ports.store), world.cell("pen", "A"), world.cell("pen", "B")))
            require_nothing_left_over(world.ports.store)
            world.database.close()
        assert ended[0] == ended[1]

    @pytest.mark.parametrize("at_once", [1, 4])
    def test_who_lost_the_turn_stops_between_two_orders(self, world: World, at_once: int) -> None:
        world.stock(pen_A=90)
        orders = [world.store_order(an_order(f"O{n:02}").with_line("pen", 1)) for n in range(30)]
        plan = a_plan()
        for order in orders:
            plan = plan.assigning(order, "1", ("A", 1))
        left, threads = 50, set()

        def keep_alive() -> None:
            nonlocal left
            threads.add(current_thread())
            left -= 1
            if left == 0:
                raise LeaseLost("somebody took over")

        terms = Terms("a test", keep_alive=keep_alive)
        with pytest.raises(LeaseLost):
            apply_plan(asking(world, at_once), world.store_plan(plan.build()), 1, terms)

        assert threads == {current_thread()}
        confirmed = [order.id for order in stored_orders(world.ports.store) if order.lines[0].assignment]
        assert 0 < len(confirmed) < len(orders)
        require_never_promised_twice(world.ports.store)

    def test_an_order_that_goes_short_of_one_product_takes_nothing_of_another(self, world: World) -> None:
        world.stock(ink_A=1, pen_A=1)
        short = world.store_order(an_order("O1").with_line("ink", 1).with_line("pen", 2))
        fine = world.store_order(an_order("O2").with_line("ink", 1))
        plan = a_plan().assigning(short, "1", ("A", 1)).assigning(short, "2", ("A", 2)).assigning(fine, "1", ("A", 1))

        world.apply(plan.build())

        assert [kept.order_id for kept in world.cell("ink", "A").reservations] == ["O2"]
        assert world.line(order_id="O2").state is LineState.ASSIGNED

    def test_units_that_are_taken_between_reading_and_reserving_are_not_promised_again(self, world: World) -> None:
        world.stock(pen_A=3)
        one = world.store_order(an_order("O1").with_line("pen", 3))
        two = world.store_order(an_order("O2").with_line("pen", 3))

        class IsOvertaken(KillingStore):
            """Right before the first reservation somebody else reserves."""

            def replace(self, container: Container, partition: str, id: str, body: Body, etag: str) -> Document:
                if container is Container.STOCK and self.writes_left > 0:
                    self.writes_left = 0
                    world.apply(a_plan("P2").assigning(two, "1", ("A", 3)).build())
                return super().replace(container, partition, id, body, etag)

        plan = world.store_plan(a_plan().assigning(one, "1", ("A", 3)).build())
        applied = apply_plan(world.with_ports(store=IsOvertaken(world.ports.store, 1000)), plan, fence=1)

        assert applied == Applied(confirmed_lines=0, conflicted_lines=1)
        require_never_promised_twice(world.ports.store)
        require_nothing_left_over(world.ports.store)


class TestManyReservations:
    def test_what_a_document_cannot_hold_waits_and_the_log_says_so(
        self, world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reserve_stock, "LIMIT_BYTES", 1_000)
        world.stock(pen_A=90)
        orders = [world.store_order(an_order(f"O{n:02}").with_line("pen", 1)) for n in range(60)]
        plan = a_plan()
        for order in orders:
            plan = plan.assigning(order, "1", ("A", 1))

        applied = world.apply(plan.build())

        assert 20 < applied.confirmed_lines < 40
        assert applied.confirmed_lines + applied.conflicted_lines == 60
        assert '{"event": "stock_document_full", "product_id": "pen"}' in caplog.text
        require_never_promised_twice(world.ports.store)
        require_nothing_left_over(world.ports.store)

    def test_fifty_thousand_reservations_of_one_product_are_stored_and_read(self, world: World) -> None:
        kept = tuple(Reservation("plan-standard-20260302T150000Z", f"O-{n:06}", "1", 3) for n in range(50_000))
        stock = ProductStock("pen", (StockCell("A", 500_000, kept),))

        Stock(world.ports.store).save(stock, None)

        stored = Stock(world.ports.store).find("pen")
        assert stored is not None
        assert stored.value == stock


class TestKilled:
    def test_after_any_write_applying_again_ends_in_the_same_state(self, tmp_path: Path) -> None:
        writes, orders = _undisturbed(tmp_path / "undisturbed")
        assert writes >= 7
        for number in range(1, writes + 1):
            world = a_world(tmp_path / str(number))
            plan = _three_orders(world)
            with pytest.raises(Killed):
                apply_plan(world.with_ports(store=KillingStore(world.ports.store, number)), plan, fence=1)
            require_never_promised_twice(world.ports.store)

            applied = apply_plan(world.ports, plan, fence=2)

            assert applied == Applied(confirmed_lines=2, conflicted_lines=4)
            assert stored_orders(world.ports.store) == orders
            require_never_promised_twice(world.ports.store)
            require_nothing_left_over(world.ports.store)
            world.database.close()

    def test_after_any_write_expiring_the_plan_leaves_nothing_over(self, tmp_path: Path) -> None:
        writes, _ = _undisturbed(tmp_path / "undisturbed")
        for number in range(1, writes):
            world = a_world(tmp_path / str(number))
            plan = _three_orders(world)
            with pytest.raises(Killed):
                apply_plan(world.with_ports(store=KillingStore(world.ports.store, number)), plan, fence=1)

            expire_plan(world.ports, plan)

            require_never_promised_twice(world.ports.store)
            require_nothing_left_over(world.ports.store)
            world.database.close()
