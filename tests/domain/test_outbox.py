"""Which events the world is told of, with which figures."""

from dataclasses import replace

import pytest

from dom_core.domain.interventions import cancel, cancel_line, exclude, hold, release
from dom_core.domain.notice import Happening, Notice
from dom_core.domain.order import ExceptionKind, Order
from dom_core.domain.plan import PlanLine
from dom_core.domain.transitions import (
    Cause,
    PlanTerms,
    accept,
    apply_plan,
    data_conflict,
    pick,
    reject,
    reset,
    revise,
    ship,
)
from tests.builders import NOW, an_order
from tests.domain.test_transitions import refusal
from tests.plan_builder import PlanBuilder, a_plan

CAUSE = Cause(NOW, "Ada", "private words of hers")


def planned(order: Order, plan: PlanBuilder, manual: frozenset[str] = frozenset()) -> Order:
    lines: tuple[PlanLine, ...] = plan.build().lines
    return apply_plan(order, lines, PlanTerms("P1", "standard", 3, manual), CAUSE)


def told(order: Order) -> list[tuple[int, str, str, str, int, int]]:
    return [
        (each.sequence, each.what, each.line_id, each.source_id, each.units, each.units_left) for each in order.outbox
    ]


@pytest.fixture
def assigned() -> Order:
    """Ten pens from A, three inks from B; what is to be told of that is stored already."""
    order = an_order().with_line("pen", 10).with_line("ink", 3).build()
    plan = a_plan().assigning(order, "1", ("A", 10)).assigning(order, "2", ("B", 3))
    return replace(planned(order, plan), outbox=())


def test_an_assignment_is_told_line_by_line_with_its_plan_and_whether_the_source_is_asked() -> None:
    order = an_order().with_line("pen", 4).build()

    order = planned(order, a_plan().assigning(order, "1", ("A", 1), ("B", 3)), manual=frozenset("B"))

    common = {"at": NOW, "what": Happening.ASSIGNED, "product_id": "pen", "plan_id": "P1"}
    assert order.outbox == (
        Notice(sequence=1, line_id="1", source_id="A", units=1, units_left=1, **common),  # type: ignore[arg-type]  # by name
        Notice(sequence=2, line_id="1.1", source_id="B", units=3, units_left=3, must_accept=True, **common),  # type: ignore[arg-type]  # by name
    )
    assert order.notices == 2


def test_a_line_that_no_source_gets_is_not_told() -> None:
    order = an_order().with_line("pen").build()
    assert told(planned(order, a_plan().failing(order, "1", ExceptionKind.NO_SOURCE))) == []
    assert told(data_conflict(order, ["1"], "P1", CAUSE)) == []


def test_a_rejection_says_what_the_source_still_has(assigned: Order) -> None:
    part = reject(assigned, "1", refusal(units=4), CAUSE)
    assert told(part) == [(3, "withdrawn", "1", "A", 4, 6)]
    rest = reject(replace(part, outbox=()), "1", refusal(), CAUSE)
    assert told(rest) == [(4, "withdrawn", "1", "A", 6, 0)]
    assert [notice.because for notice in (*part.outbox, *rest.outbox)] == ["rejected", "rejected"]


def test_a_cancellation_is_told_to_whoever_had_the_line_and_to_nobody_else(assigned: Order) -> None:
    open_line = an_order().with_line("pen").build()

    assert told(cancel_line(assigned, "2", CAUSE)) == [(3, "withdrawn", "2", "B", 3, 0)]
    assert told(cancel(assigned, CAUSE)) == [(3, "withdrawn", "1", "A", 10, 0), (4, "withdrawn", "2", "B", 3, 0)]
    assert told(cancel(open_line, CAUSE)) == []


def test_a_picked_line_that_is_cancelled_is_withdrawn_too(assigned: Order) -> None:
    assert told(cancel_line(pick(assigned, "1", "A", CAUSE), "1", CAUSE)) == [(3, "withdrawn", "1", "A", 10, 0)]


def test_a_hold_and_its_end_are_told_to_every_source_that_has_yet_to_ship(assigned: Order) -> None:
    order = ship(pick(assigned, "1", "A", CAUSE), "1", "A", CAUSE)

    released = release(hold(order, CAUSE), CAUSE)

    assert told(released) == [(3, "held", "2", "B", 3, 3), (4, "released", "2", "B", 3, 3)]
    assert [notice.on_hold for notice in released.outbox] == [True, False]


def test_the_newest_notice_says_how_everything_stands() -> None:
    order = an_order().with_line("pen", 10).build()
    order = hold(planned(order, a_plan().assigning(order, "1", ("A", 10)), manual=frozenset("A")), CAUSE)

    newest = reject(order, "1", refusal(units=4), CAUSE).outbox[-1]

    assert (newest.units_left, newest.must_accept, newest.on_hold) == (6, True, True)


def test_what_sources_report_themselves_is_not_told_again(assigned: Order) -> None:
    order = planned(
        an_order().with_line("pen").build(),
        a_plan().assigning(an_order().with_line("pen").build(), "1", ("A", 1)),
        manual=frozenset("A"),
    )
    order = ship(pick(accept(replace(order, outbox=()), "1", "A", CAUSE), "1", "A", CAUSE), "1", "A", CAUSE)
    assert told(order) == []


def test_open_lines_change_without_anybody_being_told() -> None:
    order = an_order().with_line("pen").build()
    lost = planned(order, a_plan().failing(order, "1", ExceptionKind.NO_SOURCE))
    assert told(exclude(reset(lost, "1", CAUSE), "1", CAUSE)) == []


def test_sequences_go_on_after_a_newer_revision(assigned: Order) -> None:
    given_back = reject(reject(assigned, "1", refusal(), CAUSE), "2", refusal(source_id="B"), CAUSE)
    newer = replace(an_order().with_line("pen", 10).build(), revision=2)

    revised = revise(replace(given_back, outbox=()), newer, CAUSE)

    assert revised.notices == given_back.notices == 4
    again = planned(revised, a_plan().assigning(revised, "1", ("V", 10)))
    assert told(again) == [(5, "assigned", "1", "V", 10, 10)]


def test_a_notice_holds_nothing_that_a_person_wrote(assigned: Order) -> None:
    assert "private words" not in str(cancel(assigned, CAUSE).outbox)
