"""`relaxation: minimal`: each order breaks the fewest soft rules that place it, worked out by hand.

A degree of latitude is 111.195 km; D is 1,000 km, so a shipment costs 1,000 points and an unfilled unit 4,000.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from dom_core.domain.plan import Ending, Plan, PlanAssignment
from dom_core.domain.reason import Verdict
from dom_core.domain.strategy import Relaxation, RuleRecord
from dom_core.errors import InvalidInput
from dom_core.optimizer import audit
from dom_core.optimizer.pipeline import plan_once
from dom_core.optimizer.solving import CbcSolver
from tests.builders import NOW, RequestBuilder, a_request, a_rule, a_source, an_order

NEAR = a_rule("maximum_distance", {"lines": [{"km": 200}]}, id="near", hard=False)
FENCE = a_rule("minimum_inventory", {"lines": [{"units": 1}]}, id="fence", hard=False)


def planned(builder: RequestBuilder, relaxation: str = "minimal") -> Plan:
    return plan_once(minimal(builder, relaxation).build(), CbcSolver())


def minimal(builder: RequestBuilder, relaxation: str = "minimal") -> RequestBuilder:
    return builder.with_strategy(relaxation=Relaxation(relaxation))


def assigned(plan: Plan) -> list[tuple[str, str, int, int, tuple[str, ...]]]:
    return [
        (line.order_id, a.source_id, a.iteration, a.round, a.relaxed_rule_ids)
        for line in plan.lines
        for a in line.assignments
    ]


def two_far_sources(*rules: RuleRecord) -> RequestBuilder:
    """A, 334 km away, has one unit; B, 556 km away, has two. Both are too far, and one unit is kept back at each."""
    sources = (a_source("A", at=(3, 0)), a_source("B", at=(5, 0)))
    order = an_order("O1").shipping_to(0, 0).with_line("P")
    builder = a_request().with_sources(*sources).with_stock({("P", "A"): 1, ("P", "B"): 2})
    return builder.with_orders(order).with_rules(*rules)


def test_all_at_once_breaks_two_rules_where_that_is_nearer() -> None:
    plan = planned(two_far_sources(NEAR, FENCE), "all_soft")
    assert assigned(plan) == [("O1", "A", 2, 1, ("fence", "near"))]
    assert plan.iterations[1].total == 1_334


def test_minimal_breaks_one_rule_although_it_is_farther() -> None:
    plan = planned(two_far_sources(NEAR, FENCE))
    assert assigned(plan) == [("O1", "B", 2, 1, ("near",))]


def test_the_price_of_sparing_a_rule_is_an_honest_gap() -> None:
    """One shipment of 1,000 and 556 km; with both rules dropped 1,000 and 334 km would do."""
    report = planned(two_far_sources(NEAR, FENCE)).iterations[1]
    assert (report.total, report.bound) == (1_556, 1_334)
    assert report.gap == pytest.approx((1_556 - 1_334) / 1_556)
    assert (report.ending, report.ending_limit) == (Ending.UNPROVEN, "minimal")
    assert (report.lines, report.filled_lines, report.units, report.filled_units) == (1, 1, 1, 1)


def test_what_costs_nothing_more_is_proven_best() -> None:
    """Only B has stock: both ways end there."""
    report = planned(two_far_sources(NEAR, FENCE).with_stock({("P", "A"): 0})).iterations[1]
    assert (report.total, report.bound, report.ending, report.ending_limit) == (1_556, 1_556, Ending.OPTIMAL, "")


def test_a_source_that_would_break_more_is_excluded_by_the_rule_that_is_spared() -> None:
    plan = planned(two_far_sources(NEAR, FENCE))
    reasons = dict(plan.reasons.of_line(0))
    assert reasons["B"].verdict is Verdict.CHOSEN
    assert (reasons["A"].verdict, reasons["A"].rule_id) == (Verdict.EXCLUDED, "fence")


def test_both_rules_give_way_where_one_is_not_enough() -> None:
    plan = planned(two_far_sources(NEAR, FENCE).with_stock({("P", "B"): 1}))
    assert assigned(plan) == [("O1", "A", 2, 1, ("fence", "near"))]


def test_each_order_breaks_its_own_fewest_rules() -> None:
    """For O1 it is enough that `near` gives way; O2 wants what only A has, so both must, in a later round."""
    later = an_order("O2").shipping_to(0, 0).with_line("Q").ordered_at(NOW)
    plan = planned(two_far_sources(NEAR, FENCE).with_orders(later).with_stock({("Q", "A"): 1}))
    assert assigned(plan) == [("O1", "B", 2, 1, ("near",)), ("O2", "A", 2, 2, ("fence", "near"))]
    # Two shipments of 1,000, 556 and 334 km; both from A would be 334 km twice.
    assert (plan.iterations[1].total, plan.iterations[1].bound) == (2_890, 2_668)


def test_hard_rules_never_give_way() -> None:
    assert assigned(planned(two_far_sources(replace(NEAR, hard=True), FENCE))) == []


def test_one_soft_rule_is_dropped_as_ever() -> None:
    assert assigned(planned(two_far_sources(NEAR))) == assigned(planned(two_far_sources(NEAR), "all_soft"))


def test_who_takes_room_in_an_earlier_round_is_not_the_one_who_breaks_the_limit() -> None:
    """Round {far}: O2 takes the only place at S. Round {limit}: O1, though earlier, is then one order too many."""
    far = a_rule("maximum_distance", {"lines": [{"km": 200, "product_id": "Q"}]}, id="far", hard=False)
    limit = a_rule("maximum_orders", {"lines": [{"limit": 1}]}, id="limit", hard=False)
    keep = a_rule("minimum_inventory", {"lines": [{"units": 1, "product_id": "P"}]}, id="many", hard=False)
    first = an_order("O1").shipping_to(0, 0).with_line("P").ordered_at(NOW - timedelta(hours=2))
    second = an_order("O2").shipping_to(0, 0).with_line("Q").ordered_at(NOW - timedelta(hours=1))
    builder = a_request().with_sources(a_source("S", at=(3, 0))).with_stock({("P", "S"): 1, ("Q", "S"): 1})
    plan = planned(builder.with_orders(first, second).with_rules(far, limit, keep))
    assert assigned(plan) == [("O1", "S", 2, 2, ("limit", "many")), ("O2", "S", 2, 1, ("far",))]


def test_a_line_is_not_filled_in_part_where_dropping_all_rules_would_not_allow_it() -> None:
    """The soft rule would let A's unit go alone; without any partial-orders rule lines are whole."""
    parts = a_rule("partial_orders", {"partial_lines": True}, id="parts", hard=False)
    short = an_order("O1").shipping_to(0, 0).with_line("P", 2)
    other = an_order("O2").shipping_to(0, 0).with_line("Q")
    builder = a_request().with_sources(a_source("A", at=(3, 0))).with_stock({("P", "A"): 1, ("Q", "A"): 1})
    plan = planned(builder.with_orders(short, other).with_rules(NEAR, parts))
    assert assigned(plan) == [("O2", "A", 2, 1, ("near",))]


def soft_fences(count: int) -> list[RuleRecord]:
    return [replace(FENCE, id=f"fence-{number}") for number in range(count)]


def test_six_soft_rules_are_tried_in_every_set() -> None:
    plan = planned(two_far_sources(*soft_fences(6)))
    assert plan.lines[0].filled_units == 1


def test_more_soft_rules_than_can_be_tried_are_refused() -> None:
    with pytest.raises(InvalidInput, match="at most 6 may be linked, there are 7"):
        planned(two_far_sources(*soft_fences(7)))


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"relaxed_rule_ids": ()}, "names [] as relaxed, it breaks ['near']"),
        ({"relaxed_rule_ids": ("fence", "near")}, "names ['fence', 'near'] as relaxed, it breaks ['near']"),
        ({"round": 0}, "there is no round 0"),
        ({"iteration": 1, "round": 2}, "there is no round 2"),
    ],
)
def test_the_audit_still_checks_what_a_round_says(change: dict[str, object], finding: str) -> None:
    request = minimal(two_far_sources(NEAR, FENCE)).build()
    plan = plan_once(request, CbcSolver())
    assert audit.findings(request, plan) == ()
    changed: tuple[PlanAssignment, ...] = tuple(replace(a, **change) for a in plan.lines[0].assignments)  # type: ignore[arg-type]
    tampered = replace(plan, lines=(replace(plan.lines[0], assignments=changed),))
    assert any(finding in found for found in audit.findings(request, tampered))


def test_rounds_are_refused_where_there_are_none() -> None:
    request = minimal(two_far_sources(NEAR, FENCE), "all_soft").build()
    plan = plan_once(request, CbcSolver())
    changed = tuple(replace(a, round=2) for a in plan.lines[0].assignments)
    tampered = replace(plan, lines=(replace(plan.lines[0], assignments=changed),))
    assert any("there is no round 2" in found for found in audit.findings(request, tampered))
