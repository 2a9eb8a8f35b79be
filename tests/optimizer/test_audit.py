"""The audit accepts a plan that is right, and names each thing that is wrong with one that is not.

The plan is worked out by hand. Seattle (S1) is next door, Denver (S2) 1,638 km away; no order may go beyond 100 km,
but that rule is soft. Every source keeps one unit of everything. So S1 has one A to give, and S2 two B.

O1/1 asks for 1 A, O1/2 for 2 B, O2/1 for 1 A; O3 is on hold. The farthest pair makes the largest distance 2,000 km,
so a shipment is 2,000 points, a unit 8,000.

Iteration 1: O1/1 from S1. 3 units missing = 24,000; 1 shipment = 2,000; 0 km. Total 26,000.
Iteration 2: O1/2 from S2. 1 unit missing = 8,000; 1 shipment = 2,000; 1,638 km. Total 11,638.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from dom_core.domain.network import Product
from dom_core.domain.order import Bar, ExceptionKind, LineState, Order
from dom_core.domain.plan import (
    Ending,
    HeldLine,
    IterationReport,
    Level,
    LevelValue,
    Plan,
    PlanAssignment,
    PlanLine,
    PlanState,
)
from dom_core.domain.reason import Reason, Verdict
from dom_core.domain.reason_table import ReasonTable
from dom_core.domain.request import PlanRequest
from dom_core.domain.strategy import InventoryMode
from dom_core.errors import PlanRejected
from dom_core.optimizer import audit
from dom_core.optimizer.audit.structure import CLOSEST
from tests.builders import NOW, a_request, a_rule, a_source, an_order

DENVER_M = 1_638_238
HELD = Reason(Verdict.EXCLUDED, "order_on_hold")

REQUEST = (
    a_request()
    .with_sources(a_source("S1"), a_source("S2", at=(39.74, -104.99)))
    .with_products(Product("A"), Product("B", categories=("toys",)))
    .with_stock({("A", "S1"): 2, ("B", "S2"): 3})
    .with_rules(
        a_rule("maximum_distance", {"lines": [{"km": 100}]}, hard=False),
        a_rule("minimum_inventory", {"lines": [{"units": 1}]}),
        a_rule("maximum_orders", {"lines": [{"limit": 1}]}),
        a_rule("maximum_rejects", {"threshold": 3}),
    )
    .with_orders(
        an_order("O1").with_line("A").with_line("B", units=2),
        an_order("O2").with_line("A"),
        an_order("O3", on_hold=True).with_line("A"),
    )
    .build()
)


def a_report(number: int, amounts: tuple[int, int, int, int], counts: tuple[int, int, int, int]) -> IterationReport:
    """A report of a proven optimum; `counts` are lines, filled lines, units, filled units."""
    levels = tuple(map(LevelValue, CLOSEST, amounts, (8000, 2000, 0, 1)))
    lines, filled_lines, units, filled_units = counts
    total = sum(value.points for value in levels)
    return IterationReport(
        number=number,
        lines=lines,
        filled_lines=filled_lines,
        units=units,
        filled_units=filled_units,
        levels=levels,
        total=total,
        bound=float(total),
        gap=0.0,
        ending=Ending.OPTIMAL,
        ending_limit="",
        solver="by hand",
        seconds=0.0,
    )


PLAN = Plan(
    id="P1",
    run_id="R1",
    strategy_id="strategy",
    state=PlanState.PROPOSED,
    planned_at=NOW,
    engine_version="by hand",
    configuration_hash="",
    input_hash="",
    lines=(
        PlanLine("O1", "1", 0, "A", 1, (PlanAssignment("S1", 1, 0, 1),)),
        PlanLine("O1", "2", 0, "B", 2, (PlanAssignment("S2", 2, DENVER_M, 2, ("maximum_distance",)),)),
        PlanLine("O2", "1", 0, "A", 1, (), ExceptionKind.NOT_IN_PLAN),
    ),
    held=(HeldLine("O3", "1", HELD),),
    iterations=(
        a_report(1, (3, 1, 0, 0), (3, 1, 4, 1)),
        a_report(2, (1, 1, 0, 1638), (2, 1, 3, 2)),
    ),
    reasons=ReasonTable(
        ("S1", "S2"),
        (Reason(Verdict.CHOSEN, "chosen"), Reason(Verdict.EXCLUDED, "no_stock")),
        (bytes((0, 1)), bytes((1, 0)), bytes((1, 1))),
    ),
    largest_distance_km=2000,
)


def test_a_plan_that_is_right_has_no_findings() -> None:
    assert audit.findings(REQUEST, PLAN) == ()
    audit.require_valid(REQUEST, PLAN)


def test_the_totals_of_the_plan_are_those_of_the_comment() -> None:
    assert [report.total for report in PLAN.iterations] == [26_000, 11_638]


def test_a_plan_that_is_wrong_is_refused_with_every_finding() -> None:
    wrong = with_assignment(0, source_id="S2", units=0)
    with pytest.raises(PlanRejected) as refused:
        audit.require_valid(REQUEST, wrong)
    assert refused.value.findings == audit.findings(REQUEST, wrong)


# One thing broken in the plan


def with_line(position: int, **changes: Any) -> Plan:
    lines = list(PLAN.lines)
    lines[position] = replace(lines[position], **changes)
    return replace(PLAN, lines=tuple(lines))


def with_assignment(position: int, **changes: Any) -> Plan:
    return with_line(position, assignments=(replace(PLAN.lines[position].assignments[0], **changes),))


def with_lines(*lines: PlanLine) -> Plan:
    """Other lines, each with reasons that chose nothing."""
    return replace(PLAN, lines=lines, reasons=replace(PLAN.reasons, codes=(bytes((1, 1)),) * len(lines)))


def with_report(number: int, **changes: Any) -> Plan:
    reports = (replace(report, **changes) if report.number == number else report for report in PLAN.iterations)
    return replace(PLAN, iterations=tuple(reports))


def with_level(level: Level, **changes: Any) -> Plan:
    levels = (replace(value, **changes) if value.level is level else value for value in PLAN.iterations[1].levels)
    return with_report(2, levels=tuple(levels))


def with_codes(*codes: tuple[int, ...]) -> Plan:
    return replace(PLAN, reasons=replace(PLAN.reasons, codes=tuple(map(bytes, codes))))


ASSIGNED = PLAN.lines[1].assignments[0]

BROKEN_PLANS: dict[str, tuple[Plan, str]] = {
    "another plan": (replace(PLAN, id="P2"), "plan P2 answers another request than P1"),
    "one iteration": (replace(PLAN, iterations=PLAN.iterations[:1]), "does not report iterations 1 and 2"),
    "levels missing": (with_report(1, levels=()), "iteration 1 does not report every level once"),
    "a line forgotten": (with_lines(*PLAN.lines[:2]), "order O2 line 1 is missing"),
    "a line twice": (with_lines(*PLAN.lines, PLAN.lines[2]), "order O2 line 1 is named 2 times"),
    "planned and held": (
        replace(PLAN, held=(*PLAN.held, HeldLine("O2", "1", HELD))),
        "order O2 line 1 is named 2 times",
    ),
    "an unknown line": (with_line(2, line_id="9"), "order O2 line 9 is not in the request"),
    "other units": (with_line(2, units=7), "order O2 line 1 is planned with another product or other units"),
    "another product": (with_line(2, product_id="B"), "order O2 line 1 is planned with another product"),
    "another version": (with_line(2, order_version=4), "order O2 line 1 was planned on version 4"),
    "an unknown source": (with_assignment(0, source_id="S9"), "order O1 line 1 from S9: the source is not in"),
    "no units": (with_assignment(0, units=0), "order O1 line 1 from S1: 0 units are assigned"),
    "an unknown iteration": (with_assignment(0, iteration=3), "order O1 line 1 from S1: there is no iteration 3"),
    "a pair twice": (
        with_line(1, assignments=(replace(ASSIGNED, units=1),) * 2),
        "order O1 line 2 from S2: assigned twice in one iteration",
    ),
    "a line on hold planned": (
        replace(
            PLAN,
            lines=(*PLAN.lines, PlanLine("O3", "1", 0, "A", 1, ())),
            held=(),
            reasons=replace(PLAN.reasons, codes=(*PLAN.reasons.codes, bytes((1, 1)))),
        ),
        "order O3 line 1 is planned, but its order is cancelled or on hold",
    ),
    "an eligible line held": (
        replace(with_lines(*PLAN.lines[:2]), held=(HeldLine("O2", "1", HELD), *PLAN.held)),
        "order O2 line 1 is held, but nothing keeps it from being planned",
    ),
    "too many units": (with_assignment(0, units=2), "order O1 line 1 gets 2 of 1 units"),
    "filled and an exception": (
        with_line(0, exception=ExceptionKind.NO_SOURCE),
        "order O1 line 1 is filled and yet an exception (no_source)",
    ),
    "short and no exception": (
        with_line(2, exception=None),
        "order O2 line 1 is short of units, and its exception is None",
    ),
    "short for a reason that no plan has": (
        with_line(2, exception=ExceptionKind.REJECTED),
        "order O2 line 1 is short of units, and its exception is rejected",
    ),
    "a distance three metres off": (
        with_assignment(1, distance_m=DENVER_M + 3),
        f"order O1 line 2 from S2: reported {DENVER_M + 3} m away, it is {DENVER_M} m",
    ),
    "a known distance called unknown": (with_assignment(1, distance_m=None), "reported None m away"),
    "a largest distance that is not the largest": (
        replace(PLAN, largest_distance_km=1000),
        "is farther than the largest distance of 1000 km",
    ),
    "a largest distance in hundreds": (replace(PLAN, largest_distance_km=2100), "2100 km is not in whole thousands"),
    "a soft rule broken in iteration 1": (
        with_assignment(1, iteration=1, relaxed_rule_ids=()),
        "rule maximum_distance: order O1 line 2 from S2 is 1638.2 km away",
    ),
    "a line filled in part in iteration 2": (
        with_assignment(1, units=1),
        "order O1 line 2 is filled in part, and no rule allows it",
    ),
    "a line filled in part in iteration 1": (
        with_assignment(1, units=1, iteration=1, relaxed_rule_ids=()),
        "order O1 line 2 is filled in part, and no rule allows it",
    ),
    "a relaxed rule not named": (
        with_assignment(1, relaxed_rule_ids=()),
        "order O1 line 2 from S2: names [] as relaxed, it breaks ['maximum_distance']",
    ),
    "a kept rule named": (
        with_assignment(1, relaxed_rule_ids=("maximum_distance", "minimum_inventory")),
        "names ['maximum_distance', 'minimum_inventory'] as relaxed, it breaks ['maximum_distance']",
    ),
    "iteration 1 relaxing": (
        with_assignment(0, relaxed_rule_ids=("maximum_distance",)),
        "order O1 line 1 from S1: iteration 1 relaxed ['maximum_distance']",
    ),
    "fewer units missing": (with_level(Level.UNFILLED_UNITS, amount=0), "reports 0 unfilled_units at 8000 points"),
    "fewer shipments": (with_level(Level.SHIPMENTS, amount=0), "reports 0 shipments at 2000 points, there are 1"),
    "steps out of nowhere": (with_level(Level.PRIORITY_STEPS, amount=1), "reports 1 priority_steps at 0 points"),
    "fewer kilometres": (with_level(Level.DISTANCE_KM, amount=1637), "reports 1637 distance_km at 1 points"),
    "another rate": (with_level(Level.SHIPMENTS, rate=1), "reports 1 shipments at 1 points, there are 1 at 2000"),
    "another total": (with_report(2, total=11_637), "reports a total of 11637, its levels add up to 11638"),
    "a bound above the total": (with_report(1, bound=26_001.0), "is worth 26000, less than its bound of 26001.0"),
    "a bound that is no number": (with_report(1, bound=float("nan")), "less than its bound of nan"),
    "another gap": (with_report(1, bound=13_000.0), "reports a gap of 0.0; total and bound make it 0.5"),
    "optimal with a gap": (with_report(1, bound=13_000.0, gap=0.5), "iteration 1 is called optimal with a gap of 0.5"),
    "more lines": (with_report(2, lines=3), "iteration 2 reports 3 lines, there are 2"),
    "more lines filled": (with_report(2, filled_lines=2), "iteration 2 reports 2 filled_lines, there are 1"),
    "more units": (with_report(2, units=4), "iteration 2 reports 4 units, there are 3"),
    "more units filled": (with_report(2, filled_units=3), "iteration 2 reports 3 filled_units, there are 2"),
    "chosen and not assigned": (
        with_codes((0, 1), (1, 0), (0, 1)),
        "order O2 line 1: the reasons call ['S1'] chosen, assigned are []",
    ),
    "assigned and not chosen": (with_codes((1, 1), (1, 0), (1, 1)), "order O1 line 1: the reasons call [] chosen"),
    "a line without reasons": (with_codes((0, 1), (1, 0)), "2 lines have reasons, 3 are planned"),
    "a pair without reason": (with_codes((0, 1), (1, 0), (1,)), "a line has not exactly one reason for each source"),
    "a reason that is not there": (with_codes((0, 1), (1, 0), (1, 5)), "a line has not exactly one reason"),
    "reasons about other sources": (
        replace(PLAN, reasons=replace(PLAN.reasons, source_ids=("S1", "S3"))),
        "the reasons are not about the sources of the request",
    ),
}


@pytest.mark.parametrize(("plan", "finding"), BROKEN_PLANS.values(), ids=BROKEN_PLANS)
def test_a_broken_plan_is_found_out(plan: Plan, finding: str) -> None:
    assert finding in "\n".join(audit.findings(REQUEST, plan))


# The same plan for another request


def with_source(position: int, **changes: Any) -> PlanRequest:
    sources = list(REQUEST.sources)
    sources[position] = replace(sources[position], **changes)
    return replace(REQUEST, sources=tuple(sources))


def with_first_line(**changes: Any) -> PlanRequest:
    return with_first_order(lines=(replace(REQUEST.orders[0].lines[0], **changes), REQUEST.orders[0].lines[1]))


def with_first_order(**changes: Any) -> PlanRequest:
    first: Order = replace(REQUEST.orders[0], **changes)
    return replace(REQUEST, orders=(first, *REQUEST.orders[1:]))


def with_rule(id: str, **changes: Any) -> PlanRequest:
    rules = (replace(rule, **changes) if rule.id == id else rule for rule in REQUEST.rules)
    return replace(REQUEST, rules=tuple(rules))


def with_strategy(**changes: Any) -> PlanRequest:
    return replace(REQUEST, strategy=replace(REQUEST.strategy, **changes))


def with_stock(units: int) -> PlanRequest:
    return replace(REQUEST, available={**REQUEST.available, ("A", "S1"): units})


OTHER_REQUESTS: dict[str, tuple[PlanRequest, str]] = {
    "no stock": (with_stock(0), "S1 gives 1 units of A and has 0"),
    "only ring-fenced stock": (with_stock(1), "rule minimum_inventory: order O1 line 1 from S1 gives 1 of 0 units"),
    "a source that is not active": (with_source(0, active=False), "order O1 line 1 from S1: the source is not active"),
    "a source of another entity": (
        with_source(0, legal_entity="other"),
        "order O1 line 1 from S1: the source belongs to other, not default",
    ),
    "a source without a place": (with_source(1, location=None), f"reported {DENVER_M} m away, it is None m"),
    "a source that refused": (
        with_first_line(bars=(Bar("S1", NOW + timedelta(seconds=1)),)),
        "order O1 line 1 from S1: the source refused the line and is barred until",
    ),
    "a hard distance": (with_rule("maximum_distance", hard=True), "rule maximum_distance: order O1 line 2 from S2"),
    "no soft rule": (
        with_rule("maximum_distance", enabled=False),
        "order O1 line 2 from S2: assigned by iteration 2, and no rule is soft",
    ),
    "no room": (
        with_rule("maximum_orders", params={"lines": [{"limit": 0}]}),
        "rule maximum_orders: order O1 line 1 from S1 is beyond the limit of 0 orders",
    ),
    "too many rejects": (with_first_line(rejects=3), "order O1 line 1 is planned, but rule maximum_rejects holds it"),
    "a dearer class": (with_first_order(priority_class=1), "reports 3 unfilled_units at 8000 points, there are 33"),
    "another local radius": (
        with_strategy(local_radius_km=2000.0),
        "reports 1638 distance_km at 1 points, there are 0",
    ),
    "a simulation": (with_strategy(simulation=True), "a simulation is proposed"),
    "a cancelled order": (with_first_order(cancelled=True), "its order is cancelled or on hold"),
    "another entity": (with_strategy(legal_entities=("other",)), "its legal entity is another"),
    "another sales origin": (with_strategy(sales_origins=("web",)), "its sales origin is another"),
    "another mode of delivery": (with_strategy(modes_of_delivery=("express",)), "its mode of delivery is another"),
    "a pickup": (with_first_line(mode_of_delivery="pickup"), "order O1 line 1 is planned, but it needs no source"),
    "a direct delivery": (with_first_line(direct_delivery=True), "order O1 line 1 is planned, but it needs no source"),
    "a shipped line": (with_first_line(state=LineState.SHIPPED), "order O1 line 1 is planned, but it is shipped"),
    "a permanent exception": (
        with_first_line(state=LineState.EXCEPTION, exception=ExceptionKind.MAX_REJECTS),
        "order O1 line 1 is planned, but it waits for a person (max_rejects)",
    ),
    "attempts used up": (with_first_line(attempts=10), "order O1 line 1 is planned, but its attempts are used up"),
    "no destination": (with_first_line(location=None), "order O1 line 1 is planned, but its destination is unknown"),
}


@pytest.mark.parametrize(("request_", "finding"), OTHER_REQUESTS.values(), ids=OTHER_REQUESTS)
def test_a_plan_that_does_not_fit_its_request_is_found_out(request_: PlanRequest, finding: str) -> None:
    assert finding in "\n".join(audit.findings(request_, PLAN))


HARMLESS: dict[str, Callable[[], PlanRequest]] = {
    "a bar that ends now": lambda: with_first_line(bars=(Bar("S1", NOW),)),
    "a bar of another source": lambda: with_first_line(bars=(Bar("S2", NOW + timedelta(days=1)),)),
    "stock that nobody counts": lambda: replace(
        with_stock(0), strategy=with_strategy(inventory_mode=InventoryMode.UNLIMITED).strategy
    ),
    "two rejects": lambda: with_first_line(rejects=2),
}


@pytest.mark.parametrize("request_", HARMLESS.values(), ids=HARMLESS)
def test_what_breaks_nothing_is_not_reported(request_: Callable[[], PlanRequest]) -> None:
    assert audit.findings(request_(), PLAN) == ()
