"""Whatever happens to lines, in whatever order, with whoever killed in between: stored state keeps its promises."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from dom_core.domain.interventions import OrderAction
from dom_core.domain.order import LineState, Order, What
from dom_core.domain.plan import Plan, PlanState
from dom_core.domain.transitions import ALLOWED, Action
from dom_core.errors import Conflict, InvalidInput
from dom_core.messages.actions import Rejection
from dom_core.repositories.plans import Plans
from dom_core.use_cases.apply_plan import apply_plan, expire_plan
from dom_core.use_cases.context import Ports
from dom_core.use_cases.reject_line import reject_line
from dom_core.use_cases.send_assignments import send_assignments
from dom_core.use_cases.sweep_reservations import sweep_all
from dom_core.use_cases.take_order import take_order
from tests.plan_builder import PlanBuilder, a_plan
from tests.use_cases.invariants import (
    require_never_promised_twice,
    require_nothing_left_over,
    require_units_leave_once,
    stored_orders,
    totals,
)
from tests.use_cases.killing import Killed, KillingStore
from tests.use_cases.worklist import Worklist, received, require_everything_was_told
from tests.use_cases.world import World, a_world, intake

ORDER_IDS = ("O1", "O2", "O3")
SOURCE_IDS = ("A", "B", "V")
UNITS_ON_HAND = {"pen_A": 6, "pen_B": 5, "ink_A": 4, "ink_B": 1}
OPEN = (LineState.UNASSIGNED, LineState.EXCEPTION)

order_ids = st.sampled_from(ORDER_IDS)
kills = st.none() | st.integers(1, 8)


class LineLife(RuleBasedStateMachine):
    """Three orders of two lines, less stock than they want, and everything that can happen to them."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.world = a_world(Path(self.folder.name))
        self.world.configure("rules", {"id": "few", "kind": "maximum_rejects", "params": {"threshold": 3}})
        self.world.strategy(rule_ids=["few"], max_attempts=6)
        self.world.stock(**UNITS_ON_HAND)
        self.plans: list[Plan] = []
        self.unfinished: list[Plan] = []
        self.rejections: list[tuple[str, str, Rejection]] = []
        self.worklist = Worklist()
        for order_id in ORDER_IDS:
            take_order(self.world.ports, self.message(order_id), f"first-{order_id}")
        self.totals = {order.id: totals(order) for order in self.orders()}

    def message(self, order_id: str) -> bytes:
        cents = {"amount_cents": 1001, "tax_cents": 87}
        return intake(
            id=order_id,
            lines=[
                {"id": "1", "product_id": "pen", "units": 5} | cents,
                {"id": "2", "product_id": "ink", "units": 3} | cents,
            ],
        )

    def orders(self) -> list[Order]:
        return stored_orders(self.world.ports.store)

    def ports(self, kill: int | None) -> Ports:
        store = self.world.ports.store
        return self.world.with_ports(store=KillingStore(store, kill)) if kill else self.world.ports

    @rule(order_id=order_ids)
    def intake_comes_again(self, order_id: str) -> None:
        before = self.world.order(order_id)
        take_order(self.world.ports, self.message(order_id), "again")
        assert self.world.order(order_id) == before

    @rule(data=st.data())
    def a_plan_is_made(self, data: st.DataObject) -> None:
        """From the orders of now; it may be applied much later."""
        plan = a_plan(f"P{len(self.plans)}")
        for order in data.draw(st.lists(st.sampled_from(self.orders()), unique_by=lambda order: order.id, min_size=1)):
            plan = _with_order(plan, order, data)
        self.plans.append(self.world.store_plan(plan.build()))
        self.unfinished.append(self.plans[-1])

    @initialize(data=st.data())
    def the_first_plan_is_applied(self, data: st.DataObject) -> None:
        self.a_plan_is_made_and_applied(data)

    @rule(data=st.data())
    def a_plan_is_made_and_applied(self, data: st.DataObject) -> None:
        self.a_plan_is_made(data)
        assert self.was_applied(self.unfinished.pop())

    @precondition(lambda self: self.unfinished)
    @rule(data=st.data(), kill=kills)
    def a_plan_is_applied(self, data: st.DataObject, kill: int | None) -> None:
        plan = data.draw(st.sampled_from(self.unfinished))
        if self.was_applied(plan, kill):
            self.unfinished.remove(plan)

    def was_applied(self, plan: Plan, kill: int | None = None) -> bool:
        """Apply the plan, and say whether nobody was killed. One that was undone already is left alone."""
        try:
            apply_plan(self.ports(kill), plan, fence=1)
        except Killed:
            return False
        except Conflict:
            assert Plans(self.world.ports.store).header(plan.id).value.state is PlanState.EXPIRED
        return True

    @precondition(lambda self: self.unfinished)
    @rule(data=st.data(), kill=kills)
    def a_plan_is_undone(self, data: st.DataObject, kill: int | None) -> None:
        plan = data.draw(st.sampled_from(self.unfinished))
        try:
            expire_plan(self.ports(kill), plan)
        except Killed:
            return
        self.unfinished.remove(plan)

    @precondition(lambda self: self.plans)
    @rule(data=st.data())
    def an_applied_plan_is_applied_again(self, data: st.DataObject) -> None:
        plan = data.draw(st.sampled_from(self.plans))
        if plan in self.unfinished:
            return
        before = self.orders()
        assert self.was_applied(plan)
        assert self.orders() == before

    @rule(order_id=order_ids, data=st.data(), units=st.none() | st.integers(1, 5), named=st.booleans(), kill=kills)
    def a_source_rejects(
        self, order_id: str, data: st.DataObject, units: int | None, named: bool, kill: int | None
    ) -> None:
        before = self.world.order(order_id)
        line = data.draw(st.sampled_from(before.lines))
        likely = line.assignment.source_id if line.assignment else "A"
        source_id = data.draw(st.sampled_from((likely, likely, *SOURCE_IDS)))
        name = f"R{len(self.rejections)}" if named else None
        given: dict[str, Any] = {"source_id": source_id, "reason_code": "damaged", "who": "clerk"}
        rejection = Rejection(**given, units=units, rejection_id=name)
        try:
            reject_line(self.ports(kill), order_id, line.id, rejection)
        except Killed:
            pass
        except (Conflict, InvalidInput):
            assert self.world.order(order_id) == before
            return
        once = self.world.order(order_id)
        assert reject_line(self.world.ports, order_id, line.id, rejection) == once
        if named and once != before:
            self.rejections.append((order_id, line.id, rejection))

    @precondition(lambda self: self.rejections)
    @rule(data=st.data())
    def a_rejection_comes_again_much_later(self, data: st.DataObject) -> None:
        order_id, line_id, rejection = data.draw(st.sampled_from(self.rejections))
        before = self.world.order(order_id)
        assert reject_line(self.world.ports, order_id, line_id, rejection) == before

    @precondition(lambda self: self.lines_in(Action.PICK) or self.lines_in(Action.SHIP))
    @rule(data=st.data(), kill=kills)
    def a_source_goes_on(self, data: st.DataObject, kill: int | None) -> None:
        """Picks what is assigned to it, and often ships it at once."""
        action = data.draw(st.sampled_from([each for each in (Action.PICK, Action.SHIP) if self.lines_in(each)]))
        order_id, line_id, source_id = self.drawn(data, action)
        if action is Action.PICK:
            with suppress(Conflict):
                self.world.accept(source_id, line_id, order_id)
            self.happens(lambda world: world.pick(source_id, line_id, order_id), order_id, kill)
        if action is Action.SHIP or data.draw(st.booleans()):
            self.happens(lambda world: world.ship(source_id, line_id, order_id), order_id, kill)

    @rule(
        data=st.data(),
        action=st.sampled_from((Action.CANCEL, Action.EXCLUDE, Action.INCLUDE, OrderAction.HOLD, OrderAction.RELEASE)),
        kill=kills,
    )
    def a_person_decides(self, data: st.DataObject, action: Action | OrderAction, kill: int | None) -> None:
        order_id, line_id, _ = self.drawn(data, action if isinstance(action, Action) else Action.SHIP)
        events: dict[Action | OrderAction, Callable[[World], Order]] = {
            Action.CANCEL: lambda world: world.cancel(line_id, order_id),
            Action.EXCLUDE: lambda world: world.exclude(line_id, order_id),
            Action.INCLUDE: lambda world: world.include(line_id, order_id),
            OrderAction.HOLD: lambda world: world.hold(order_id),
            OrderAction.RELEASE: lambda world: world.release(order_id),
        }
        self.happens(events[action], order_id, kill)

    @rule(kill=kills)
    def a_person_cancels_the_last_order(self, kill: int | None) -> None:
        self.happens(lambda world: world.cancel(None, ORDER_IDS[-1]), ORDER_IDS[-1], kill)

    def lines_in(self, action: Action) -> list[tuple[str, str, str]]:
        """Order, line and source of every line that the event may happen to."""
        return [
            (order.id, line.id, line.assignment.source_id if line.assignment else "A")
            for order in self.orders()
            for line in order.lines
            if line.state in ALLOWED[action]
        ]

    def drawn(self, data: st.DataObject, action: Action) -> tuple[str, str, str]:
        """Mostly a line that the event may happen to, and its source; sometimes any line, or any source."""
        order_id, line_id, source_id = data.draw(st.sampled_from(self.lines_in(action) or [("O1", "1", "A")]))
        if data.draw(st.integers(0, 5)) == 5:
            order_id = data.draw(order_ids)
            line_id = data.draw(st.sampled_from(self.world.order(order_id).lines)).id
        return order_id, line_id, data.draw(st.sampled_from((source_id, source_id, source_id, *SOURCE_IDS)))

    def happens(self, event: Callable[[World], Order], order_id: str, kill: int | None) -> None:
        """The event, perhaps killed, and then mostly once more: it happens once, or is refused and changes nothing."""
        before = self.world.order(order_id)
        killed = replace(self.world)
        killed.ports = self.ports(kill)
        try:
            event(killed)
        except Killed:
            if kill == 1:
                return  # Nobody sends it again: whoever sweeps next must find what was left.
        except Conflict:
            assert self.world.order(order_id) == before
            return
        once = self.world.order(order_id)
        assert event(self.world) == once == self.world.order(order_id)

    @rule(order_id=order_ids, data=st.data())
    def a_person_resets(self, order_id: str, data: st.DataObject) -> None:
        line = data.draw(st.sampled_from(self.world.order(order_id).lines))
        if line.state in OPEN:
            self.world.reset(line.id, order_id)

    @rule(kill=kills)
    def the_outbox_is_emptied(self, kill: int | None) -> None:
        with suppress(Killed):
            send_assignments(self.ports(kill))
            self.sources_read_what_they_were_told()

    def sources_read_what_they_were_told(self) -> None:
        for message in received(self.world.ports.queues):
            self.worklist.read(message)
        require_everything_was_told(self.world.ports.store, self.worklist)

    @rule(days=st.integers(1, 4))
    def time_passes(self, days: int) -> None:
        self.world.wait(days=days)

    @invariant()
    def nothing_is_promised_twice(self) -> None:
        require_never_promised_twice(self.world.ports.store)

    @invariant()
    def units_and_cents_are_conserved(self) -> None:
        for order in self.orders():
            assert totals(order) == self.totals[order.id]

    @invariant()
    def units_leave_once(self) -> None:
        require_units_leave_once(self.world.ports.store, UNITS_ON_HAND)

    @invariant()
    def a_rejection_counts_once(self) -> None:
        for order in self.orders():
            named = [event.reference for event in order.history if event.what == What.REJECTED and event.reference]
            assert len(named) == len(set(named))

    def teardown(self) -> None:
        try:
            self.when_all_is_done_nothing_is_left_over()
        finally:
            self.world.database.close()
            self.folder.cleanup()

    def when_all_is_done_nothing_is_left_over(self) -> None:
        for plan in self.unfinished:
            assert self.was_applied(plan)
        sweep_all(self.world.ports.store)
        require_nothing_left_over(self.world.ports.store)
        send_assignments(self.world.ports)
        self.sources_read_what_they_were_told()
        require_units_leave_once(self.world.ports.store, UNITS_ON_HAND)


def _with_order(plan: PlanBuilder, order: Order, data: st.DataObject) -> PlanBuilder:
    for line in order.lines:
        if line.state not in OPEN or (line.exception and line.exception.permanent):
            continue
        left, parts = line.units, []
        for source_id in data.draw(st.permutations(SOURCE_IDS)):
            units = data.draw(st.just(left) | st.integers(0, left))
            if units:
                parts.append((source_id, units))
                left -= units
        plan = plan.assigning(order, line.id, *parts)
    return plan


LineLife.TestCase.settings = settings(max_examples=50, stateful_step_count=40, deadline=None, derandomize=True)
TestLineLife = LineLife.TestCase
