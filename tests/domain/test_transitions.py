from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from dom_core.domain.interventions import cancel_line, exclude, include
from dom_core.domain.order import Acceptance, Bar, ExceptionKind, Line, LineState, Order, What
from dom_core.domain.transitions import (
    ALLOWED,
    ASKED_FOR,
    REPEATED,
    Action,
    Cause,
    PlanTerms,
    Refusal,
    accept,
    apply_plan,
    data_conflict,
    handled_by,
    pick,
    reject,
    reset,
    reset_all,
    revise,
    ship,
    without_location,
)
from dom_core.errors import Conflict, IllegalTransition, InvalidInput, NotFound
from tests.builders import NOW, OrderBuilder, an_order
from tests.plan_builder import PlanBuilder, a_plan

CAUSE = Cause(NOW, "Ada", "because")
TERMS = PlanTerms("P1", "standard", max_attempts=3, manual_accept=frozenset({"B"}))


def planned(order: Order, plan: PlanBuilder, terms: PlanTerms = TERMS) -> Order:
    return apply_plan(order, plan.build().lines, replace(terms, plan_id=plan.build().id), CAUSE)


def assigned(units: int = 10, source_id: str = "A", **fields: Any) -> Order:
    """An order whose only line was assigned to a source by plan P1."""
    order = an_order().with_line("pen", units, **fields).build()
    return planned(order, a_plan().assigning(order, "1", (source_id, units)))


def refusal(
    source_id: str = "A", units: int | None = None, reference: str = "", threshold: int | None = None
) -> Refusal:
    return Refusal(source_id, "damaged", units, reference, barred_days=5, threshold=threshold)


def line(order: Order, line_id: str = "1") -> Line:
    found = order.line(line_id)
    assert found is not None
    return found


def words(order: Order) -> list[tuple[str, str | None]]:
    return [(event.what, event.line_id) for event in order.history]


class TestPlanned:
    def test_a_line_filled_from_one_place_is_assigned_and_accepted_at_once(self) -> None:
        order = assigned()

        assignment = line(order).assignment
        assert line(order).state is LineState.ASSIGNED
        assert assignment is not None
        assert (assignment.source_id, assignment.plan_id, assignment.acceptance) == ("A", "P1", Acceptance.ACCEPTED)
        assert order.version == 1
        assert words(order) == [(What.PLANNED, None), (What.ASSIGNED, "1")]

    def test_a_source_that_accepts_by_hand_leaves_the_line_pending(self) -> None:
        assignment = line(assigned(source_id="B")).assignment
        assert assignment is not None
        assert assignment.acceptance is Acceptance.PENDING

    def test_a_line_served_from_two_places_becomes_two_lines_that_add_up(self) -> None:
        order = an_order().with_line("pen", 3, amount_cents=100, tax_cents=10).with_line("ink", id="2").build()

        order = planned(order, a_plan().assigning(order, "1", ("A", 1), ("B", 2)))

        assert [part.id for part in order.lines] == ["1", "1.1", "2"]
        assert [(part.units, part.amount_cents, part.tax_cents) for part in order.lines[:2]] == [(1, 33, 3), (2, 67, 7)]
        assert order.version == 1

    def test_units_from_one_source_in_both_iterations_make_one_line_there(self) -> None:
        order = an_order().with_line("pen", 7, amount_cents=100, tax_cents=10).build()
        plan = a_plan().assigning(order, "1", ("A", 2), ("A", 3), ("B", 2)).build()
        first, second, other = plan.lines[0].assignments
        second = replace(second, iteration=2, relaxed_rule_ids=("near",))
        lines = [replace(plan.lines[0], assignments=(first, second, other))]

        order = apply_plan(order, lines, TERMS, CAUSE)

        assert [(part.id, part.units, part.amount_cents, part.tax_cents) for part in order.lines] == [
            ("1", 5, 71, 7),
            ("1.1", 2, 29, 3),
        ]
        assignment = line(order).assignment
        assert assignment is not None
        assert (assignment.source_id, assignment.iteration, assignment.relaxed_rule_ids) == ("A", 2, ("near",))

    def test_the_rest_of_a_line_filled_in_part_becomes_a_line_that_failed_once(self) -> None:
        order = an_order().with_line("pen", 5).build()

        order = planned(order, a_plan().assigning(order, "1", ("A", 3), rest=ExceptionKind.NO_QUANTITY))

        rest = line(order, "1.1")
        assert (line(order).units, line(order).attempts) == (3, 0)
        assert (rest.units, rest.exception, rest.attempts) == (2, ExceptionKind.NO_QUANTITY, 1)

    @pytest.mark.parametrize(
        ("attempts", "kind"), [(1, ExceptionKind.NO_SOURCE), (2, ExceptionKind.MAX_ATTEMPTS)], ids=["below", "at"]
    )
    def test_a_line_that_failed_as_often_as_allowed_is_in_exception_for_good(
        self, attempts: int, kind: ExceptionKind
    ) -> None:
        order = an_order().with_line("pen", attempts=attempts).build()

        failed = line(planned(order, a_plan().failing(order, "1")))

        assert (failed.state, failed.exception, failed.attempts) == (LineState.EXCEPTION, kind, attempts + 1)

    def test_a_line_that_is_assigned_already_is_never_assigned_again(self) -> None:
        order = assigned()
        with pytest.raises(IllegalTransition):
            planned(order, a_plan("P2").assigning(order, "1", ("B", 10)))

    def test_a_permanent_exception_is_never_assigned(self) -> None:
        order = an_order().with_line("pen", state=LineState.EXCEPTION, exception=ExceptionKind.MAX_REJECTS).build()
        with pytest.raises(IllegalTransition):
            planned(order, a_plan().assigning(order, "1", ("A", 1)))

    def test_an_order_knows_which_plans_handled_it(self) -> None:
        order = assigned()
        assert handled_by(order, "P1") is What.PLANNED
        assert handled_by(order, "P2") is None
        assert handled_by(data_conflict(order, ["1"], "P2", CAUSE), "P2") is What.DATA_CONFLICT


class TestDataConflict:
    def test_open_lines_wait_for_the_next_run_without_an_attempt_counted(self) -> None:
        order = an_order().with_line("pen").build()

        conflicted = data_conflict(order, ["1", "gone"], "P1", CAUSE)

        assert (line(conflicted).exception, line(conflicted).attempts) == (ExceptionKind.DATA_CONFLICT, 0)
        assert conflicted.plannable

    def test_lines_that_are_assigned_or_lost_for_good_stay_but_the_version_rises(self) -> None:
        order = assigned()

        conflicted = data_conflict(order, ["1"], "P2", CAUSE)

        assert conflicted.lines == order.lines
        assert conflicted.version == order.version + 1


class TestAccept:
    def test_a_pending_line_is_accepted_once(self) -> None:
        accepted = accept(assigned(source_id="B"), "1", "B", CAUSE)

        assignment = line(accepted).assignment
        assert assignment is not None
        assert assignment.acceptance is Acceptance.ACCEPTED
        assert accept(accepted, "1", "B", CAUSE) is accepted

    def test_another_source_cannot_accept_it(self) -> None:
        with pytest.raises(Conflict, match="assigned to another source"):
            accept(assigned(source_id="B"), "1", "A", CAUSE)

    def test_an_unassigned_line_cannot_be_accepted_and_the_error_says_what_is_possible(self) -> None:
        with pytest.raises(IllegalTransition) as caught:
            accept(an_order().with_line("pen").build(), "1", "A", CAUSE)
        assert (caught.value.event, caught.value.state, caught.value.allowed) == (
            "accept",
            "unassigned",
            ("cancel", "exclude"),
        )


class TestPickAndShip:
    def test_a_line_is_picked_then_shipped_and_keeps_its_assignment(self) -> None:
        order = assigned()
        picked = pick(order, "1", "A", CAUSE)
        shipped = ship(picked, "1", "A", CAUSE)

        assert (line(picked).state, line(shipped).state) == (LineState.PICKED, LineState.SHIPPED)
        assert line(shipped).assignment == line(order).assignment
        assert words(shipped)[-2:] == [(What.PICKED, "1"), (What.SHIPPED, "1")]
        assert (shipped.history[-1].who, shipped.history[-1].source_id, shipped.history[-1].units) == ("Ada", "A", 10)

    def test_messages_that_come_again_late_change_nothing(self) -> None:
        shipped = ship(pick(assigned(), "1", "A", CAUSE), "1", "A", CAUSE)
        assert accept(shipped, "1", "A", CAUSE) is shipped
        assert pick(shipped, "1", "A", CAUSE) is shipped
        assert ship(shipped, "1", "A", CAUSE) is shipped

    def test_another_source_cannot_pick_or_ship_it(self) -> None:
        with pytest.raises(Conflict, match="source 'B' cannot pick line '1': it is assigned to another source"):
            pick(assigned(), "1", "B", CAUSE)
        picked = pick(assigned(), "1", "A", CAUSE)
        with pytest.raises(Conflict, match="source 'B' cannot ship line '1'"):
            ship(picked, "1", "B", CAUSE)

    def test_a_line_must_be_accepted_before_it_is_picked(self) -> None:
        with pytest.raises(IllegalTransition, match="while the line is 'pending'") as caught:
            pick(assigned(source_id="B"), "1", "B", CAUSE)
        assert caught.value.allowed == ("accept", "reject", "cancel")

    def test_a_line_must_be_picked_before_it_is_shipped(self) -> None:
        with pytest.raises(IllegalTransition) as caught:
            ship(assigned(), "1", "A", CAUSE)
        assert caught.value.allowed == ("accept", "reject", "pick", "cancel")


class TestReject:
    def test_the_line_goes_back_and_the_source_is_barred_for_its_period(self) -> None:
        rejected = line(reject(assigned(), "1", refusal(), CAUSE))

        assert (rejected.state, rejected.exception) == (LineState.EXCEPTION, ExceptionKind.REJECTED)
        assert (rejected.assignment, rejected.rejects) == (None, 1)
        assert rejected.bars == (Bar("A", NOW + timedelta(days=5)),)

    def test_sent_twice_it_counts_once(self) -> None:
        once = reject(assigned(), "1", refusal(), CAUSE)
        assert reject(once, "1", refusal(), CAUSE) is once

    def test_sent_again_after_the_line_went_to_another_source_it_changes_nothing(self) -> None:
        once = reject(assigned(), "1", refusal(), CAUSE)
        elsewhere = planned(once, a_plan("P2").assigning(once, "1", ("B", 10)))

        assert reject(elsewhere, "1", refusal(), CAUSE) is elsewhere

    def test_with_its_own_id_it_counts_once_even_when_the_line_came_back_to_the_same_source(self) -> None:
        once = reject(assigned(), "1", refusal(reference="R-7"), CAUSE)
        back = planned(once, a_plan("P2").assigning(once, "1", ("A", 10)))

        assert reject(back, "1", refusal(reference="R-7"), CAUSE) is back
        assert line(reject(back, "1", refusal(reference="R-8"), CAUSE)).rejects == 2

    def test_a_source_that_never_had_the_line_is_told_so(self) -> None:
        with pytest.raises(Conflict, match="source 'B' cannot reject line '1': it is assigned to another source"):
            reject(assigned(), "1", refusal("B"), CAUSE)

    def test_a_part_becomes_a_line_of_its_own_and_only_that_is_barred(self) -> None:
        order = reject(assigned(10, amount_cents=999, attempts=1), "1", refusal(units=4), CAUSE)

        kept, part = line(order), line(order, "1.1")
        assert (kept.units, kept.state, kept.rejects, kept.bars) == (6, LineState.ASSIGNED, 0, ())
        assert (part.units, part.exception, part.rejects, part.attempts) == (4, ExceptionKind.REJECTED, 1, 1)
        assert (part.parent_line_id, part.assignment) == ("1", None)
        assert [bar.source_id for bar in part.bars] == ["A"]
        assert kept.amount_cents + part.amount_cents == 999

    def test_a_part_sent_twice_counts_once_and_two_parts_with_ids_of_their_own_count_twice(self) -> None:
        once = reject(assigned(10), "1", refusal(units=4, reference="R-1"), CAUSE)

        assert reject(once, "1", refusal(units=4, reference="R-1"), CAUSE) is once
        twice = reject(once, "1", refusal(units=4, reference="R-2"), CAUSE)
        assert [part.units for part in twice.lines] == [2, 4, 4]

    def test_a_part_without_id_sent_twice_counts_once_also_when_the_part_went_elsewhere(self) -> None:
        once = reject(assigned(10), "1", refusal(units=4), CAUSE)
        elsewhere = planned(once, a_plan("P2").assigning(once, "1.1", ("B", 4)))

        assert reject(elsewhere, "1", refusal(units=4), CAUSE) is elsewhere

    def test_after_a_part_the_rest_can_be_rejected_too(self) -> None:
        part = reject(assigned(10), "1", refusal(units=5), CAUSE)

        both = reject(part, "1", refusal(), CAUSE)

        assert [rejected.state for rejected in both.lines] == [LineState.EXCEPTION, LineState.EXCEPTION]

    def test_the_part_knows_the_rejection_that_made_it(self) -> None:
        order = reject(assigned(10), "1", refusal(units=4), CAUSE)
        assert reject(order, "1.1", refusal(), CAUSE) is order

    def test_the_part_does_not_know_what_happened_to_its_parent_later(self) -> None:
        part = reject(assigned(10), "1", refusal(units=4), CAUSE)
        part = planned(part, a_plan("P2").assigning(part, "1.1", ("B", 4)))
        part = reject(part, "1", refusal(), CAUSE)
        part = planned(part, a_plan("P3").assigning(part, "1", ("V", 6)))
        part = reject(part, "1", refusal("V"), CAUSE)

        with pytest.raises(Conflict):
            reject(part, "1.1", refusal("V"), CAUSE)

    def test_more_units_than_the_line_has_are_refused(self) -> None:
        with pytest.raises(InvalidInput, match="the line has 10 units, not 11"):
            reject(assigned(10), "1", refusal(units=11), CAUSE)

    @pytest.mark.parametrize(
        ("rejects", "kind"), [(1, ExceptionKind.REJECTED), (2, ExceptionKind.MAX_REJECTS)], ids=["below", "at"]
    )
    def test_at_the_threshold_the_line_is_in_exception_for_good(self, rejects: int, kind: ExceptionKind) -> None:
        order = assigned(rejects=rejects)
        assert line(reject(order, "1", refusal(threshold=3), CAUSE)).exception is kind

    def test_an_unknown_line_is_not_found(self) -> None:
        with pytest.raises(NotFound):
            reject(assigned(), "9", refusal(), CAUSE)


class TestReset:
    def test_counters_start_again_bars_are_lifted_and_the_history_stays(self) -> None:
        order = reject(assigned(attempts=2), "1", refusal(threshold=1), CAUSE)

        fresh = reset(order, "1", CAUSE)

        assert line(fresh) == replace(
            line(order), state=LineState.UNASSIGNED, exception=None, attempts=0, rejects=0, bars=()
        )
        assert fresh.history[:-1] == order.history
        assert (fresh.history[-1].who, fresh.history[-1].why) == ("Ada", "because")
        assert reset(fresh, "1", CAUSE) is fresh

    def test_an_assigned_line_cannot_be_reset_and_the_error_says_what_is_possible(self) -> None:
        with pytest.raises(IllegalTransition) as caught:
            reset(assigned(), "1", CAUSE)
        assert caught.value.allowed == ("accept", "reject", "pick", "cancel")

    def test_all_lines_in_exception_are_reset_at_once_and_the_others_stay(self) -> None:
        order = assigned()
        order = replace(order, lines=(*order.lines, *_stuck("2", "3").build().lines))

        fresh = reset_all(order, CAUSE)

        assert [each.state for each in fresh.lines] == [LineState.ASSIGNED, LineState.UNASSIGNED, LineState.UNASSIGNED]
        assert fresh.version == order.version + 1

    def test_an_order_without_a_line_in_exception_cannot_be_reset(self) -> None:
        with pytest.raises(IllegalTransition):
            reset_all(assigned(), CAUSE)

    def test_resetting_an_order_twice_changes_nothing(self) -> None:
        fresh = reset_all(_stuck("1").build(), CAUSE)
        assert reset_all(fresh, CAUSE) is fresh


def _stuck(*line_ids: str) -> OrderBuilder:
    order = an_order()
    for line_id in line_ids:
        order = order.with_line("pen", id=line_id, state=LineState.EXCEPTION, exception=ExceptionKind.MAX_ATTEMPTS)
    return order


class TestRevise:
    def test_equal_line_ids_keep_counters_and_bars_and_other_lines_go(self) -> None:
        stored = an_order().with_line("pen", 2).with_line("ink").rejected_by("A", NOW).build()
        incoming = an_order(revision=2).with_line("pen", 3).build()

        revised = revise(stored, incoming, CAUSE)

        assert [(each.id, each.units, each.rejects, each.state) for each in revised.lines] == [
            ("1", 3, 1, LineState.UNASSIGNED)
        ]
        assert [bar.source_id for bar in line(revised).bars] == ["A"]
        assert (revised.revision, revised.version) == (2, 1)

    def test_a_line_inherits_what_happened_to_its_parts(self) -> None:
        torn = reject(assigned(10), "1", refusal(units=4), CAUSE)
        torn = reject(torn, "1", refusal(), CAUSE)

        revised = revise(torn, an_order(revision=2).with_line("pen", 10).build(), CAUSE)

        assert [(each.id, each.units, each.rejects) for each in revised.lines] == [("1", 10, 1)]

    def test_a_revision_does_not_lift_a_permanent_exception(self) -> None:
        revised = revise(_stuck("1").build(), an_order(revision=2).with_line("pen", 3).build(), CAUSE)
        assert line(revised).exception is ExceptionKind.MAX_ATTEMPTS

    def test_nothing_can_be_revised_once_a_line_is_assigned(self) -> None:
        with pytest.raises(Conflict, match="lines 1 are assigned"):
            revise(assigned(), an_order(revision=2).with_line("pen").build(), CAUSE)


def test_lines_without_a_location_are_in_exception_from_the_start() -> None:
    order = an_order().with_line("pen").with_line("ink", location=None).build()

    received = without_location(order, CAUSE)

    assert [each.exception for each in received.lines] == [None, ExceptionKind.NO_LOCATION]
    assert received.version == order.version


class TestTable:
    def test_every_event_has_a_row(self) -> None:
        assert set(ALLOWED) == set(Action)

    @pytest.mark.parametrize("state", LineState)
    @pytest.mark.parametrize("action", ASKED_FOR)
    def test_an_event_works_exactly_in_the_states_of_its_row(self, action: Action, state: LineState) -> None:
        order = assigned()
        before = order.lines[0]
        kept = before.assignment if state in (LineState.ASSIGNED, LineState.PICKED, LineState.SHIPPED) else None
        order = replace(order, lines=(replace(before, state=state, assignment=kept, attempts=1),))

        calls: dict[Action, Callable[[Order], Order]] = {
            Action.ACCEPT: lambda order: accept(order, "1", "A", CAUSE),
            Action.REJECT: lambda order: reject(order, "1", refusal(), CAUSE),
            Action.RESET: lambda order: reset(order, "1", CAUSE),
            Action.PICK: lambda order: pick(order, "1", "A", CAUSE),
            Action.SHIP: lambda order: ship(order, "1", "A", CAUSE),
            Action.CANCEL: lambda order: cancel_line(order, "1", CAUSE),
            Action.EXCLUDE: lambda order: exclude(order, "1", CAUSE),
            Action.INCLUDE: lambda order: include(order, "1", CAUSE),
        }

        resets_counters = action is Action.RESET and state is LineState.UNASSIGNED
        if state in REPEATED.get(action, ()):
            assert calls[action](order) is order
        elif state in ALLOWED[action] or resets_counters:
            once = calls[action](order)
            assert calls[action](once) is once
        else:
            with pytest.raises(IllegalTransition) as caught:
                calls[action](order)
            assert set(caught.value.allowed) == {other for other in ASKED_FOR if state in ALLOWED[other]}

    def test_no_state_allows_an_event_that_it_takes_for_a_repetition(self) -> None:
        assert not any(ALLOWED[action] & states for action, states in REPEATED.items())
