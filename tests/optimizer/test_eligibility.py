"""Which lines a run takes: one test per condition of docs/semantics.md section 6."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from dom_core.domain.order import Acceptance, ExceptionKind, LineAssignment, LineState
from dom_core.domain.strategy import Strategy
from dom_core.optimizer import audit, eligibility
from dom_core.optimizer.pipeline import plan_once
from dom_core.optimizer.solving import CbcSolver
from dom_core.rules import build
from tests.builders import NOW, SEATTLE, OrderBuilder, RequestBuilder, a_request, a_rule, a_source, an_order


def held_code(order: OrderBuilder, **strategy: Any) -> str | None:
    """The reason code for the first line of the order; None when the run takes it."""
    request = a_request().with_strategy(**strategy).with_orders(order).build()
    eligible, held = eligibility.split(request, ())
    assert len(eligible) + len(held) == 1
    return held[0].reason.code if held else None


def test_an_open_line_is_taken() -> None:
    assert held_code(an_order().with_line("P")) is None


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"on_hold": True}, "order_on_hold"),
        ({"cancelled": True}, "order_cancelled"),
        ({"cancelled": True, "on_hold": True}, "order_cancelled"),
    ],
)
def test_the_state_of_the_order_holds_its_lines(fields: dict[str, Any], code: str) -> None:
    assert held_code(an_order().with_line("P").with_fields(**fields)) == code


def test_legal_entity_must_be_one_of_the_strategys() -> None:
    order = an_order().with_line("P").with_fields(legal_entity="USMF")
    assert held_code(order, legal_entities=("USMF", "USRT")) is None
    assert held_code(order, legal_entities=("USRT",)) == "legal_entity"


@pytest.mark.parametrize(
    ("origin", "listed", "process_empty", "code"),
    [
        ("web", ("web", "app"), False, None),
        ("store", ("web", "app"), False, "sales_origin"),
        (None, ("web",), False, "sales_origin"),
        (None, ("web",), True, None),
        (None, (), False, None),
        ("web", (), False, None),
    ],
)
def test_sales_origin_and_its_absence(
    origin: str | None, listed: tuple[str, ...], process_empty: bool, code: str | None
) -> None:
    order = an_order().with_line("P").with_fields(sales_origin=origin)
    assert held_code(order, sales_origins=listed, process_empty_sales_origin=process_empty) == code


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"mode_of_delivery": "pickup"}, "needs_no_source"),
        ({"mode_of_delivery": "electronic"}, "needs_no_source"),
        ({"mode_of_delivery": "overnight"}, "mode_of_delivery"),
        ({"direct_delivery": True}, "direct_delivery"),
        ({"state": LineState.EXCLUDED}, "line_excluded"),
        ({"state": LineState.PICKED}, "line_picked"),
        ({"state": LineState.SHIPPED}, "line_shipped"),
        ({"state": LineState.CANCELLED}, "line_cancelled"),
        ({"location": None}, "no_location"),
        ({"state": LineState.EXCEPTION, "exception": ExceptionKind.MAX_REJECTS}, "permanent_exception"),
        ({"state": LineState.EXCEPTION, "exception": ExceptionKind.NOT_IN_PLAN}, None),
        ({"attempts": 9}, None),
        ({"attempts": 10}, "max_attempts"),
    ],
)
def test_the_line_itself(fields: dict[str, Any], code: str | None) -> None:
    assert held_code(an_order().with_line("P", **fields), modes_of_delivery=("standard",), max_attempts=10) == code


@pytest.mark.parametrize(
    ("acceptance", "code"), [(Acceptance.PENDING, "already_assigned"), (Acceptance.ACCEPTED, "accepted")]
)
def test_an_assigned_line_is_not_planned_again(acceptance: Acceptance, code: str) -> None:
    assignment = LineAssignment("S1", "P0", "strategy", 1, 1000, acceptance, NOW)
    assert held_code(an_order().with_line("P", state=LineState.ASSIGNED, assignment=assignment)) == code


def test_rules_hold_lines_that_the_gates_let_through() -> None:
    request = a_request().with_rules(a_rule("maximum_rejects", {"threshold": 2}))
    order = an_order().with_line("P").rejected_by("S1", NOW + timedelta(days=1), rejects=2)
    _, held = _split(request.with_orders(order))
    assert [line.reason.code for line in held] == ["maximum_rejects"]


def test_the_reject_limit_holds_write_in_lines_too() -> None:
    request = a_request().with_rules(a_rule("maximum_rejects", {"threshold": 2}, hard=False))
    order = an_order().with_line("write-in").rejected_by("S1", NOW + timedelta(days=1), rejects=2)
    _, held = _split(request.with_orders(order))
    assert [line.reason.code for line in held] == ["maximum_rejects"]


def test_of_several_reasons_the_first_of_the_table_is_given() -> None:
    """Everything is wrong with this line; what is mended first uncovers the next reason."""
    strategy = Strategy(
        "strategy",
        "all",
        legal_entities=("USRT",),
        sales_origins=("web",),
        modes_of_delivery=("standard",),
        max_attempts=1,
    )
    line: dict[str, Any] = {
        "mode_of_delivery": "pickup",
        "direct_delivery": True,
        "state": LineState.EXCEPTION,
        "exception": ExceptionKind.MAX_REJECTS,
        "attempts": 1,
        "rejects": 9,
        "location": None,
    }
    order: dict[str, Any] = {"cancelled": True, "on_hold": True, "legal_entity": "USMF", "sales_origin": "shop"}
    mended: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("order_cancelled", {"cancelled": False}, {}),
        ("order_on_hold", {"on_hold": False}, {}),
        ("legal_entity", {"legal_entity": "USRT"}, {}),
        ("sales_origin", {"sales_origin": "web"}, {}),
        ("needs_no_source", {}, {"mode_of_delivery": "express"}),
        ("direct_delivery", {}, {"direct_delivery": False}),
        ("mode_of_delivery", {}, {"mode_of_delivery": "standard"}),
        ("permanent_exception", {}, {"exception": ExceptionKind.NO_SOURCE}),
        ("max_attempts", {}, {"attempts": 0}),
        ("no_location", {}, {"location": SEATTLE}),
        ("claimed", {"sales_origin": None}, {}),
        ("maximum_rejects", {}, {}),
    ]
    claimant = Strategy("other", "all", sales_origins=("web",))
    rule = a_rule("maximum_rejects", {"threshold": 9})
    found = []
    for _, order_mended, line_mended in mended:
        builder = a_request().with_rules(rule).with_orders(an_order().with_line("P", **line).with_fields(**order))
        given = replace(strategy, process_empty_sales_origin=True)
        request = replace(builder.build(), strategy=given, claimants=(claimant,))
        found.append(eligibility.split(request, [build(rule)])[1][0].reason.code)
        order, line = order | order_mended, line | line_mended
    assert found == [code for code, _, _ in mended]


def test_all_lines_of_an_order_are_those_that_the_run_takes() -> None:
    """The whole order or nothing, from one source: the line that a customer picks up does not count."""
    whole = a_rule("partial_orders", {"max_sources": 1, "partial_orders": False})
    order = an_order().with_line("P").with_line("Q", mode_of_delivery="pickup")
    request = a_request().with_sources(a_source("S")).with_stock({("P", "S"): 1}).with_rules(whole).with_orders(order)
    plan = plan_once(request.build(), CbcSolver())
    assert [(line.line_id, line.filled_units) for line in plan.lines] == [("1", 1)]
    assert [line.line_id for line in plan.held] == ["2"]


def test_orders_come_earliest_first_then_by_id() -> None:
    late = an_order("A").with_line("P").ordered_at(NOW)
    early = an_order("C").with_line("P").ordered_at(NOW - timedelta(hours=2))
    early_too = replace(early, order=replace(early.order, id="B"))
    eligible, _ = _split(a_request().with_orders(late, early, early_too))
    assert [entry.order.id for entry in eligible] == ["B", "C", "A"]


def _split(builder: RequestBuilder) -> tuple[tuple[eligibility.EligibleOrder, ...], tuple[Any, ...]]:
    request = builder.build()
    return eligibility.split(request, [build(record) for record in request.rules])


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"sales_origins": ("web",)}, "claimed"),
        ({"sales_origins": ("shop",)}, None),
        ({"modes_of_delivery": ("standard",)}, "claimed"),
        ({"modes_of_delivery": ("express",)}, None),
        ({"sales_origins": ("web",), "modes_of_delivery": ("express",)}, None),
        ({"legal_entities": ("default",)}, "claimed"),
        ({"legal_entities": ("USRT",)}, None),
        ({}, "claimed"),
    ],
)
def test_a_default_strategy_leaves_to_others_what_they_would_take(other: dict[str, Any], code: str | None) -> None:
    order = an_order().with_line("P").with_fields(sales_origin="web")
    builder = a_request().with_sources(a_source("S")).with_stock({("P", "S"): 1}).with_orders(order)
    request = replace(builder.build(), claimants=(Strategy("other", "all", **other),))
    _, held = eligibility.split(request, ())
    assert [(line.reason.code, line.reason.actual) for line in held] == ([(code, "other")] if code else [])
    plan = plan_once(request, CbcSolver())
    assert len(plan.lines) == (0 if code else 1), "and the audit agrees"


def test_the_audit_refuses_a_plan_that_takes_what_another_strategy_claims() -> None:
    order = an_order().with_line("P").with_fields(sales_origin="web")
    request = a_request().with_sources(a_source("S")).with_stock({("P", "S"): 1}).with_orders(order).build()
    plan = plan_once(request, CbcSolver())
    claimed = replace(request, claimants=(Strategy("other", "all", sales_origins=("web",)),))
    assert audit.findings(claimed, plan) == ("order O1 line 1 is planned, but strategy other claims it",)
