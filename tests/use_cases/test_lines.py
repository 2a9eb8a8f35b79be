from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from dom_core.configuration import Configuration
from dom_core.domain.order import Acceptance, ExceptionKind, LineState
from dom_core.domain.stock import Reservation, StockCell
from dom_core.errors import Conflict, IllegalTransition, InvalidInput, NotFound
from dom_core.messages import actions
from dom_core.repositories.stock import Stock
from dom_core.use_cases.accept_line import accept_line
from dom_core.use_cases.gather_facts import gather_facts
from dom_core.use_cases.plan_batch import plan_batch
from dom_core.use_cases.read_order import list_orders
from dom_core.use_cases.read_plan import get_plan
from dom_core.use_cases.reset_order import reset_order
from dom_core.use_cases.ship_line import ship_line
from dom_core.use_cases.sweep_reservations import sweep_all
from dom_core.use_cases.take_order import take_order
from tests.builders import NOW, an_order
from tests.plan_builder import a_plan
from tests.use_cases.killing import Killed, KillingStore
from tests.use_cases.world import World, intake


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
        with pytest.raises(Conflict, match="assigned to another source"):
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


class TestShip:
    def test_on_hand_and_reserved_go_down_together_and_once(self, assigned: World) -> None:
        assigned.pick()
        assert assigned.cell("pen", "A").reserved == 10

        once = assigned.ship()

        assert once.lines[0].state is LineState.SHIPPED
        assert assigned.cell("pen", "A") == StockCell("A", on_hand=2)
        assert assigned.ship() == once
        assert assigned.cell("pen", "A") == StockCell("A", on_hand=2)

    def test_units_that_are_not_counted_leave_without_a_trace(self, world: World) -> None:
        order = world.store_order(an_order().with_line("pen", 4))
        world.apply(a_plan().assigning(order, "1", ("V", 4)).build())
        world.pick("V")
        assert world.ship("V").lines[0].state is LineState.SHIPPED
        assert world.cell("pen", "V") == StockCell("V", on_hand=0)

    @pytest.mark.parametrize("who_settles", ["the source again", "the nightly clean-up", "the next run"])
    def test_killed_between_the_two_writes_the_units_leave_the_stock_once(
        self, assigned: World, who_settles: str
    ) -> None:
        assigned.pick()
        shipping = actions.Shipping(source_id="A", who="clerk")
        with pytest.raises(Killed):
            ship_line(assigned.with_ports(store=KillingStore(assigned.ports.store, 1)), "O1", "1", shipping)
        assert assigned.cell("pen", "A").available == 2
        assigned.store_order(an_order("O2").with_line("pen", 1))

        settle: dict[str, Callable[[], object]] = {
            "the source again": assigned.ship,
            "the nightly clean-up": lambda: sweep_all(assigned.ports.store),
            "the next run": lambda: gather_facts(assigned.ports, Configuration(), "P", "R", NOW),
        }
        settle[who_settles]()

        assert assigned.cell("pen", "A") == StockCell("A", on_hand=2)
        assigned.ship()
        assert assigned.cell("pen", "A") == StockCell("A", on_hand=2)

    def test_the_clean_up_does_not_ship_what_another_plan_reserved_for_another_line(self, assigned: World) -> None:
        assigned.pick()
        assigned.ship()
        _reserve_again(assigned, Reservation("P9", "O1", "1", 2))

        sweep_all(assigned.ports.store)

        assert assigned.cell("pen", "A") == StockCell("A", on_hand=2)


class TestCancel:
    def test_the_units_of_a_cancelled_line_are_free_at_once(self, assigned: World) -> None:
        once = assigned.cancel("1")

        assert once.lines[0].state is LineState.CANCELLED
        assert assigned.cell("pen", "A") == StockCell("A", on_hand=12)
        assert assigned.cancel("1") == once == assigned.order()

    def test_a_cancelled_order_frees_what_has_not_shipped(self, world: World) -> None:
        world.stock(pen_A=12, ink_B=5)
        order = world.store_order(an_order().with_line("pen", 2).with_line("pen", 3).with_line("ink", 1))
        plan = a_plan().assigning(order, "1", ("A", 2)).assigning(order, "2", ("A", 3)).assigning(order, "3", ("B", 1))
        world.apply(plan.build())
        world.pick()
        world.ship()

        once = world.cancel()

        assert [line.state for line in once.lines] == ["shipped", "cancelled", "cancelled"]
        assert (world.cell("pen", "A"), world.cell("ink", "B")) == (StockCell("A", 10), StockCell("B", 5))
        assert world.cancel() == once == world.order()

    @pytest.mark.parametrize("line_id", ["1", None], ids=["line", "order"])
    def test_killed_between_the_two_writes_a_repetition_frees_the_units(
        self, assigned: World, line_id: str | None
    ) -> None:
        world = replace(assigned)
        world.ports = assigned.with_ports(store=KillingStore(assigned.ports.store, 1))
        with pytest.raises(Killed):
            world.cancel(line_id)
        assert assigned.cell("pen", "A").reserved == 10

        assigned.cancel(line_id)

        assert assigned.cell("pen", "A").reserved == 0

    def test_a_plan_made_before_the_cancellation_assigns_nothing(self, world: World) -> None:
        world.stock(pen_A=5)
        order = world.store_order(an_order().with_line("pen", 2))
        plan = a_plan().assigning(order, "1", ("A", 2)).build()
        world.cancel("1")

        assert world.apply(plan).conflicted_lines == 1

        assert world.line().state is LineState.CANCELLED
        assert world.cell("pen", "A").reserved == 0

    def test_a_revision_does_not_bring_a_cancelled_line_back(self, world: World) -> None:
        take_order(world.ports, intake(), "M1")
        world.cancel("1")
        take_order(world.ports, intake(revision=2, sales_origin="web"), "M2")
        assert (world.order().revision, world.line().state) == (2, LineState.CANCELLED)


class TestHold:
    def test_what_is_assigned_stays_reserved_and_goes_on_after_the_release(self, assigned: World) -> None:
        once = assigned.hold()
        assert assigned.hold() == once
        assert assigned.cell("pen", "A").reserved == 10
        with pytest.raises(IllegalTransition, match="on_hold"):
            assigned.pick()

        assigned.release()

        assert assigned.pick().lines[0].state is LineState.PICKED

    def test_no_run_plans_an_order_on_hold_and_the_plan_says_so(self, world: World) -> None:
        world.stock(pen_A=5)
        world.store_order(an_order().with_line("pen", 2))
        world.hold()

        run = plan_batch(world.ports, "R1", "standard")

        (held,) = get_plan(world.ports, run.plan_id or "").held
        assert held.reason.code == "order_on_hold"
        world.release()
        plan_batch(world.ports, "R2", "standard")
        assert world.line().state is LineState.ASSIGNED


class TestExclude:
    def test_no_run_takes_an_excluded_line_until_it_is_included_again(self, world: World) -> None:
        world.stock(pen_A=5)
        world.store_order(an_order().with_line("pen", 2).with_line("pen", 1))
        once = world.exclude()
        assert world.exclude() == once

        run = plan_batch(world.ports, "R1", "standard")

        (held,) = get_plan(world.ports, run.plan_id or "").held
        assert (held.line_id, held.reason.code) == ("1", "line_excluded")
        included = world.include()
        assert world.include() == included
        plan_batch(world.ports, "R2", "standard")
        assert world.line().state is LineState.ASSIGNED

    def test_an_excluded_line_is_not_listed_among_the_exceptions(self, assigned: World) -> None:
        assigned.reject()
        assigned.exclude()
        rejected = ExceptionKind.REJECTED
        assert list_orders(assigned.ports, exception=rejected).items == ()
        assigned.include()
        assert len(list_orders(assigned.ports, exception=rejected).items) == 1


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
    @pytest.mark.parametrize("shape", [actions.Decision, actions.Reset])
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
    def test_what_a_person_decides_says_who_and_why_and_nothing_else(
        self, shape: type[actions.Decision], body: dict[str, str]
    ) -> None:
        with pytest.raises(ValidationError):
            shape(**body)

    @pytest.mark.parametrize("units", [0, -1, 1.5, "2", True])
    def test_rejected_units_are_whole_and_positive(self, units: object) -> None:
        with pytest.raises(ValidationError):
            actions.Rejection(source_id="A", reason_code="damaged", who="clerk", units=units)  # type: ignore[arg-type]
