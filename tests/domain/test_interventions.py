from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dom_core.domain import transitions
from dom_core.domain.interventions import (
    ALLOWED,
    REPEATED_FOR_ORDERS,
    OrderAction,
    OrderState,
    cancel,
    cancel_line,
    exclude,
    hold,
    include,
    release,
    state_of,
)
from dom_core.domain.order import ExceptionKind, Line, LineState, Order, What
from dom_core.domain.transitions import Cause, PlanTerms, accept, apply_plan, pick, reject, ship
from dom_core.errors import Conflict, IllegalTransition, NotFound
from tests.builders import NOW, an_order
from tests.domain.test_transitions import refusal
from tests.plan_builder import a_plan

CAUSE = Cause(NOW, "Ada", "the customer rang")


def mixed() -> Order:
    """Line 1 assigned to A, 2 picked at A, 3 shipped from A, 4 not planned yet, 5 in exception for good."""
    order = an_order()
    for _ in range(4):
        order = order.with_line("pen", 2)
    order = order.with_line("ink", state=LineState.EXCEPTION, exception=ExceptionKind.MAX_REJECTS, rejects=3)
    built = order.build()
    plan = a_plan()
    for line_id in ("1", "2", "3"):
        plan = plan.assigning(built, line_id, ("A", 2))
    terms = PlanTerms("P1", "standard", max_attempts=3, manual_accept=frozenset())
    built = apply_plan(built, plan.build().lines, terms, CAUSE)
    for line_id in ("2", "3"):
        built = pick(built, line_id, "A", CAUSE)
    return ship(built, "3", "A", CAUSE)


def line(order: Order, line_id: str) -> Line:
    found = order.line(line_id)
    assert found is not None
    return found


def states(order: Order) -> list[str]:
    return [each.state for each in order.lines]


class TestHold:
    def test_what_is_assigned_stays_and_nothing_leaves_until_it_is_released(self) -> None:
        order = mixed()

        held = hold(order, CAUSE)

        assert held.lines == order.lines
        for event, line_id in ((pick, "1"), (ship, "2")):
            with pytest.raises(IllegalTransition, match="while the order is 'on_hold'"):
                event(held, line_id, "A", CAUSE)
        released = release(held, CAUSE)
        assert ship(released, "2", "A", CAUSE).lines[1].state is LineState.SHIPPED
        assert [event.what for event in released.history[-2:]] == [What.HELD, What.RELEASED]

    def test_an_order_on_hold_names_what_is_still_possible(self) -> None:
        with pytest.raises(IllegalTransition) as caught:
            pick(hold(mixed(), CAUSE), "1", "A", CAUSE)
        assert caught.value.allowed == ("accept", "reject", "cancel")

    def test_no_plan_assigns_or_fails_a_line_of_an_order_on_hold(self) -> None:
        held = hold(mixed(), CAUSE)
        terms = PlanTerms("P2", "standard", max_attempts=3, manual_accept=frozenset())
        for plan in (a_plan("P2").assigning(held, "4", ("A", 2)), a_plan("P2").failing(held, "4")):
            with pytest.raises(IllegalTransition, match="on_hold"):
                apply_plan(held, plan.build().lines, terms, CAUSE)

    def test_on_hold_a_source_may_still_accept_reject_and_repeat_itself(self) -> None:
        held = hold(mixed(), CAUSE)
        assert accept(held, "1", "A", CAUSE) is held
        assert pick(held, "2", "A", CAUSE) is held
        assert line(reject(held, "1", refusal(), CAUSE), "1").exception is ExceptionKind.REJECTED

    def test_the_version_rises_so_that_no_older_plan_is_confirmed(self) -> None:
        order = mixed()
        assert hold(order, CAUSE).version == order.version + 1


class TestCancelOrder:
    def test_whatever_has_not_shipped_is_cancelled_and_says_who_had_it(self) -> None:
        order = cancel(mixed(), CAUSE)

        assert states(order) == ["cancelled", "cancelled", "shipped", "cancelled", "cancelled"]
        assert [each.assignment is None for each in order.lines] == [True, True, False, True, True]
        assert not order.plannable
        events = order.history[-5:]
        assert [(event.what, event.line_id, event.source_id) for event in events] == [
            (What.CANCELLED, None, None),
            (What.CANCELLED, "1", "A"),
            (What.CANCELLED, "2", "A"),
            (What.CANCELLED, "4", None),
            (What.CANCELLED, "5", None),
        ]
        assert {(event.who, event.why) for event in events} == {("Ada", "the customer rang")}

    def test_an_order_of_which_everything_has_shipped_cannot_be_cancelled(self) -> None:
        order = mixed()
        order = replace(order, lines=(line(order, "3"),))
        with pytest.raises(IllegalTransition, match="while the order is 'closed'; possible now: nothing"):
            cancel(order, CAUSE)

    def test_a_cancelled_order_can_neither_be_held_nor_released(self) -> None:
        order = cancel(hold(mixed(), CAUSE), CAUSE)
        for event in (hold, release):
            with pytest.raises(IllegalTransition, match="cancelled"):
                event(order, CAUSE)


class TestOrderTable:
    CALLS: dict[OrderAction, Callable[[Order, Cause], Order]] = {  # noqa: RUF012 - a table of this test
        OrderAction.HOLD: hold,
        OrderAction.RELEASE: release,
        OrderAction.CANCEL: cancel,
    }

    @pytest.mark.parametrize("state", OrderState)
    @pytest.mark.parametrize("action", OrderAction)
    def test_an_event_works_exactly_in_the_states_of_its_row(self, action: OrderAction, state: OrderState) -> None:
        order = mixed()
        order = {
            OrderState.OPEN: order,
            OrderState.ON_HOLD: hold(order, CAUSE),
            OrderState.CLOSED: replace(order, lines=(line(order, "3"),)),
            OrderState.CANCELLED: cancel(order, CAUSE),
        }[state]
        assert state_of(order) is state
        event = self.CALLS[action]

        if state in REPEATED_FOR_ORDERS[action]:
            assert event(order, CAUSE) is order
        elif state in ALLOWED[action]:
            once = event(order, CAUSE)
            assert event(once, CAUSE) is once
        else:
            with pytest.raises(IllegalTransition) as caught:
                event(order, CAUSE)
            assert set(caught.value.allowed) == {other for other in OrderAction if state in ALLOWED[other]}


class TestLines:
    @pytest.mark.parametrize("line_id", ["1", "2", "4", "5"])
    def test_a_line_that_has_not_shipped_can_be_cancelled_and_the_others_stay(self, line_id: str) -> None:
        before = mixed()

        order = cancel_line(before, line_id, CAUSE)

        assert (line(order, line_id).state, line(order, line_id).assignment) == (LineState.CANCELLED, None)
        assert [each for each in order.lines if each.id != line_id] == [
            each for each in before.lines if each.id != line_id
        ]
        assert order.history[-1].what == What.CANCELLED
        assert not order.cancelled

    def test_what_is_picked_and_then_cancelled_cannot_be_shipped(self) -> None:
        with pytest.raises(IllegalTransition, match="cancelled"):
            ship(cancel_line(mixed(), "2", CAUSE), "2", "A", CAUSE)

    @pytest.mark.parametrize(
        "fields",
        [
            {"state": LineState.UNASSIGNED},
            {"state": LineState.EXCEPTION, "exception": ExceptionKind.REJECTED, "rejects": 2},
            {"state": LineState.EXCEPTION, "exception": ExceptionKind.MAX_ATTEMPTS, "attempts": 9},
        ],
        ids=["unassigned", "exception", "permanent exception"],
    )
    def test_an_excluded_line_comes_back_as_it_was(self, fields: dict[str, Any]) -> None:
        order = an_order().with_line("pen", **fields).build()

        excluded = exclude(order, "1", CAUSE)

        assert line(excluded, "1").state is LineState.EXCLUDED
        assert not excluded.plannable
        assert include(excluded, "1", CAUSE).lines == order.lines

    @pytest.mark.parametrize("event", [cancel_line, exclude, include])
    def test_an_unknown_line_is_not_found(self, event: Callable[[Order, str, Cause], Order]) -> None:
        with pytest.raises(NotFound):
            event(mixed(), "9", CAUSE)

    def test_an_assigned_line_cannot_be_excluded(self) -> None:
        with pytest.raises(Conflict, match="possible now: accept, reject, pick, cancel"):
            exclude(mixed(), "1", CAUSE)


def test_an_order_on_hold_can_be_cancelled_and_its_lines_excluded_or_reset() -> None:
    held = hold(mixed(), CAUSE)
    assert line(exclude(held, "4", CAUSE), "4").state is LineState.EXCLUDED
    assert line(transitions.reset(held, "5", CAUSE), "5").state is LineState.UNASSIGNED
    assert line(cancel_line(held, "1", CAUSE), "1").state is LineState.CANCELLED
    assert cancel(held, CAUSE).cancelled
