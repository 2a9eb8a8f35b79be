from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from dom_core.domain.order import Acceptance, ExceptionKind, LineState
from dom_core.domain.stock import Reservation
from dom_core.errors import Conflict, IllegalTransition, InvalidInput, NotFound
from dom_core.messages import actions
from dom_core.repositories.stock import Stock
from dom_core.use_cases.accept_line import accept_line
from dom_core.use_cases.reset_order import reset_order
from tests.builders import NOW, an_order
from tests.plan_builder import a_plan
from tests.use_cases.world import World


@pytest.fixture
def assigned(world: World) -> World:
    """A world in which A, with 12 pens, got all 10 pens of order O1."""
    world.stock(pen_A=12, pen_B=12)
    order = world.store_order(an_order().with_line("pen", 10))
    world.apply(a_plan().assigning(order, "1", ("A", 10)).build())
    return world


class TestReject:
    def test_the_units_are_free_again_at_once(self, assigned: World) -> None:
        assert assigned.cell("pen", "A").available == 2

        assigned.reject()

        assert assigned.cell("pen", "A").available == 12
        assert assigned.line().exception is ExceptionKind.REJECTED

    def test_rejecting_a_part_frees_only_that_part(self, assigned: World) -> None:
        assigned.reject(units=4)

        assert assigned.cell("pen", "A").reservations == (Reservation("P1", "O1", "1", 6),)
        assert (assigned.line("1").units, assigned.line("1.1").units) == (6, 4)

    def test_sent_twice_it_counts_once_and_gives_the_same_answer(self, assigned: World) -> None:
        once = assigned.reject()
        assert assigned.reject() == once
        assert assigned.order() == once

    def test_a_late_repetition_does_not_touch_what_another_plan_reserved_since(self, assigned: World) -> None:
        assigned.reject()
        assigned.apply(a_plan("P2").assigning(assigned.order(), "1", ("B", 10)).build())

        assigned.reject()

        assert assigned.cell("pen", "B").reserved == 10
        assert assigned.line().state is LineState.ASSIGNED
        assert assigned.line().rejects == 1

    def test_a_repetition_frees_the_units_that_a_killed_rejection_left_reserved(self, assigned: World) -> None:
        assigned.reject()
        # As after a crash between the two writes: the order is written, the reservation is still there.
        other = assigned.store_order(an_order("O2").with_line("pen", 1))
        assigned.apply(a_plan("P1b").assigning(other, "1", ("A", 1)).build())
        _reserve_again(assigned, Reservation("P1", "O1", "1", 10))

        assigned.reject()

        assert assigned.cell("pen", "A").reserved == 1

    def test_the_strategys_rejection_period_bars_the_source(self, assigned: World) -> None:
        (bar,) = assigned.reject().lines[0].bars
        assert (bar.source_id, (bar.until - NOW).days) == ("A", 5)

    @pytest.mark.parametrize(
        ("thresholds", "kind"),
        [
            ([], ExceptionKind.REJECTED),
            ([{"params": {"threshold": 2}}], ExceptionKind.REJECTED),
            ([{"params": {"threshold": 2}}, {"params": {"threshold": 1}}], ExceptionKind.MAX_REJECTS),
            ([{"params": {"threshold": 1}, "enabled": False}], ExceptionKind.REJECTED),
            ([{"params": {"threshold": 1}, "end_date": "2026-03-01"}], ExceptionKind.REJECTED),
            ([{"params": {"threshold": 1}, "hard": False}], ExceptionKind.MAX_REJECTS),
        ],
        ids=["no rule", "below", "strictest", "disabled", "out of date", "soft"],
    )
    def test_the_strictest_threshold_in_force_counts(
        self, assigned: World, thresholds: list[dict[str, Any]], kind: ExceptionKind
    ) -> None:
        rules = [{"id": f"r{n}", "kind": "maximum_rejects"} | rule for n, rule in enumerate(thresholds)]
        assigned.configure("rules", *rules)
        assigned.strategy(rule_ids=[rule["id"] for rule in rules])

        assert assigned.reject().lines[0].exception is kind

    def test_a_rule_that_no_strategy_links_does_not_count(self, assigned: World) -> None:
        assigned.configure("rules", {"id": "r", "kind": "maximum_rejects", "params": {"threshold": 1}})
        assert assigned.reject().lines[0].exception is ExceptionKind.REJECTED

    def test_a_source_that_never_had_the_line_is_refused_and_nothing_changes(self, assigned: World) -> None:
        before = assigned.order()
        with pytest.raises(Conflict, match="assigned to 'A'"):
            assigned.reject("B")
        assert assigned.order() == before

    def test_more_units_than_the_line_has_are_refused(self, assigned: World) -> None:
        with pytest.raises(InvalidInput, match="units"):
            assigned.reject(units=11)

    @pytest.mark.parametrize(("order_id", "line_id"), [("O9", "1"), ("O1", "9")])
    def test_an_unknown_order_or_line_is_not_found(self, assigned: World, order_id: str, line_id: str) -> None:
        with pytest.raises(NotFound):
            assigned.reject(order_id=order_id, line_id=line_id)


def _reserve_again(world: World, reservation: Reservation) -> None:
    stored = Stock(world.ports.store).find("pen")
    assert stored is not None
    cell = stored.value.cell("A")
    others = tuple(each for each in stored.value.cells if each.source_id != "A")
    leaked = replace(cell, reservations=(*cell.reservations, reservation))
    Stock(world.ports.store).save(replace(stored.value, cells=(leaked, *others)), stored.etag)


class TestAccept:
    def test_a_pending_line_is_accepted_and_accepting_again_changes_nothing(self, world: World) -> None:
        world.stock(pen_B=5)
        order = world.store_order(an_order().with_line("pen", 5))
        world.apply(a_plan().assigning(order, "1", ("B", 5)).build())
        assignment = world.line().assignment
        assert assignment is not None
        assert assignment.acceptance is Acceptance.PENDING

        acceptance = actions.Acceptance(source_id="B", who="clerk")
        once = accept_line(world.ports, "O1", "1", acceptance)

        assert once.lines[0].assignment is not None
        assert once.lines[0].assignment.acceptance is Acceptance.ACCEPTED
        assert accept_line(world.ports, "O1", "1", acceptance) == once == world.order()


class TestReset:
    def test_a_permanent_exception_can_be_planned_again_after_a_reset(self, assigned: World) -> None:
        assigned.configure("rules", {"id": "r", "kind": "maximum_rejects", "params": {"threshold": 1}})
        assigned.strategy(rule_ids=["r"])
        assert not assigned.reject().plannable

        fresh = assigned.reset()

        assert fresh.plannable
        assert (fresh.lines[0].rejects, fresh.lines[0].bars) == (0, ())

    def test_an_assigned_line_cannot_be_reset(self, assigned: World) -> None:
        with pytest.raises(IllegalTransition):
            assigned.reset()

    def test_all_lines_of_an_order_are_reset_together(self, assigned: World) -> None:
        assigned.reject()
        fresh = reset_order(assigned.ports, "O1", actions.Reset(who="Ada", why="recount"))
        assert [line.state for line in fresh.lines] == [LineState.UNASSIGNED]


class TestBodies:
    @pytest.mark.parametrize(
        "body",
        [
            {"who": "Ada"},
            {"why": "recount"},
            {"who": " ", "why": "recount"},
            {"who": "Ada", "why": "  "},
            {"who": "A" * 101, "why": "recount"},
            {"who": "Ada", "why": "x" * 501},
            {"who": "Ada", "why": "recount", "when": "now"},
        ],
    )
    def test_a_reset_says_who_and_why_and_nothing_else(self, body: dict[str, str]) -> None:
        with pytest.raises(ValidationError):
            actions.Reset(**body)

    @pytest.mark.parametrize("units", [0, -1, 1.5, "2", True])
    def test_rejected_units_are_whole_and_positive(self, units: object) -> None:
        with pytest.raises(ValidationError):
            actions.Rejection(source_id="A", reason_code="damaged", who="clerk", units=units)  # type: ignore[arg-type]
