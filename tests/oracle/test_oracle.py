"""The oracle itself: cases small enough to work out by hand, and what its generator mixes."""

from collections import Counter
from dataclasses import replace

import pytest

from dom_core.domain.request import PlanRequest
from dom_core.domain.strategy import CostFactorRecord, Objective, Rates, Relaxation
from dom_core.optimizer import audit
from tests.builders import RequestBuilder, a_cost_factor, a_request, a_rule, a_source, an_order
from tests.oracle.comparison import describe, disagreements
from tests.oracle.enumeration import best_first_iteration, best_second_iteration
from tests.oracle.generation import generate
from tests.oracle.planning import plan_by_brute_force

DENVER, PORTLAND = (39.74, -104.99), (45.52, -122.68)
RATES = Rates(unfilled_unit=40_000, shipment=10_000, priority_step=5_000, kilometre=1)


def seattle_portland_denver() -> RequestBuilder:
    """S1 in Seattle, S2 in Portland (233 km), S3 in Denver (1,638 km)."""
    sources = (a_source("S1"), a_source("S2", at=PORTLAND), a_source("S3", at=DENVER))
    return a_request().with_sources(*sources).with_strategy(rates=RATES)


def test_one_complete_shipment_beats_two_nearer_ones() -> None:
    request = (
        seattle_portland_denver()
        .with_stock({("A", "S1"): 1, ("B", "S2"): 1, ("A", "S3"): 1, ("B", "S3"): 1})
        .with_orders(an_order().with_line("A").with_line("B"))
        .build()
    )
    best = best_first_iteration(request)
    assert best.levels == (0, 1, 0, 1638)
    assert best.total == 10_000 + 1638
    assert best.use == {(("O1", "1"), "S3"): 1, (("O1", "2"), "S3"): 1}


def test_the_order_of_the_better_class_gets_the_last_unit() -> None:
    request = (
        seattle_portland_denver()
        .with_stock({("A", "S1"): 1})
        .with_orders(an_order("O1", priority_class=4).with_line("A"), an_order("O2", priority_class=2).with_line("A"))
        .build()
    )
    best = best_first_iteration(request)
    assert best.use == {(("O2", "1"), "S1"): 1}
    assert best.levels == (2, 1, 0, 0)


def test_iteration_two_takes_what_a_soft_rule_left_and_travels_old_ways_for_nothing() -> None:
    """Iteration 1 may not touch the last unit of A in Portland, so A waits; iteration 2 sends it along with B."""
    request = (
        seattle_portland_denver()
        .with_stock({("A", "S2"): 1, ("B", "S2"): 2})
        .with_rules(a_rule("minimum_inventory", {"lines": [{"units": 1}]}, hard=False))
        .with_orders(an_order().with_line("A").with_line("B"))
        .build()
    )
    first = best_first_iteration(request)
    second = best_second_iteration(request, first.use)
    assert (first.levels, first.total) == ((1, 1, 0, 233), 40_000 + 10_000 + 233)
    assert (second.levels, second.total) == ((0, 0, 0, 0), 0)


def test_without_a_soft_rule_iteration_two_assigns_nothing() -> None:
    request = seattle_portland_denver().with_orders(an_order().with_line("A", units=3)).build()
    first = best_first_iteration(request)
    assert best_second_iteration(request, first.use).levels == (3, 0, 0, 0)


def test_an_order_that_must_be_whole_waits_for_its_last_unit() -> None:
    request = (
        seattle_portland_denver()
        .with_stock({("A", "S1"): 5, ("B", "S2"): 1})
        .with_rules(a_rule("partial_orders", {"partial_orders": False}))
        .with_orders(an_order().with_line("A").with_line("B", units=2))
        .build()
    )
    assert best_first_iteration(request).levels == (3, 0, 0, 0)


def test_a_priority_step_is_worth_so_many_kilometres() -> None:
    """Denver ranks first, Seattle second: the step of 5,000 points costs more than 1,638 km."""
    lines = [{"source_id": "S1", "priority": 2}, {"source_id": "S3", "priority": 1}]
    request = (
        seattle_portland_denver()
        .with_stock({("A", "S1"): 1, ("A", "S2"): 1, ("A", "S3"): 1})
        .with_rules(a_rule("location_priority", {"lines": lines}))
        .with_orders(an_order().with_line("A"))
        .build()
    )
    assert best_first_iteration(request).use == {(("O1", "1"), "S3"): 1}


def test_strict_mode_gives_up_anything_for_a_unit() -> None:
    request = (
        seattle_portland_denver()
        .with_strategy(rates=Rates(unfilled_unit=1, shipment=10_000))
        .with_stock({("A", "S1"): 1})
        .with_orders(an_order().with_line("A"))
        .build()
    )
    assert best_first_iteration(request).levels == (1, 0, 0, 0)
    assert best_first_iteration(request, strict=True).levels == (0, 1, 0, 0)


def by_cost(*factors: CostFactorRecord) -> RequestBuilder:
    return seattle_portland_denver().with_strategy(objective=Objective.COST, rates=Rates()).with_cost_factors(*factors)


def test_by_cost_a_unit_is_worth_four_times_the_dearest_shipment() -> None:
    """Denver: 500 for the order, 2 lines of 30, a leg of 1,638.238 km at 0.1 cents, that is 163.8. Others cost less."""
    handling = {"lines": [{"per_order_cents": 500, "per_line_cents": 30}]}
    shipping = {"lines": [{"basis": "per_km", "cents_per_km": 0.1, "default_cents": 0}]}
    request = (
        by_cost(a_cost_factor("handling", handling), a_cost_factor("shipping", shipping))
        .with_stock({("A", "S3"): 1, ("B", "S3"): 1, ("A", "S1"): 1})
        .with_orders(an_order().with_line("A").with_line("B").with_line("C"))
        .build()
    )
    best = best_first_iteration(request)
    assert best.use == {(("O1", "1"), "S3"): 1, (("O1", "2"), "S3"): 1}
    assert best.levels == (1, 500 + 2 * 30 + 164, 0, 1638)
    assert best.total == 4 * 724 + 724


def test_by_cost_equal_plans_are_decided_by_priority_and_then_by_kilometres() -> None:
    ranks = {"lines": [{"source_id": "S1", "priority": 2}, {"priority": 1}]}
    request = (
        by_cost(a_cost_factor("handling", {"lines": [{"per_order_cents": 7}]}))
        .with_rules(a_rule("location_priority", ranks))
        .with_stock({("A", "S1"): 1, ("A", "S2"): 1, ("A", "S3"): 1})
        .with_orders(an_order().with_line("A"))
        .build()
    )
    assert best_first_iteration(request).use == {(("O1", "1"), "S2"): 1}


def test_by_cost_iteration_two_pays_only_what_iteration_one_did_not() -> None:
    """The last unit of A is set free in iteration 2: order, part, and standard leg are paid; the express leg is not."""
    handling = a_cost_factor("handling", {"lines": [{"per_order_cents": 500, "per_line_cents": 30}]})
    shipping = a_cost_factor("shipping", {"lines": [{"basis": "fixed", "cents": 100}]})
    split = a_rule("partial_orders", {"partial_lines": True})
    request = (
        by_cost(handling, shipping)
        .with_stock({("A", "S2"): 2, ("B", "S2"): 1})
        .with_rules(a_rule("minimum_inventory", {"lines": [{"units": 1}]}, hard=False), split)
        .with_orders(an_order().with_line("A", units=2).with_line("B", mode_of_delivery="express"))
        .build()
    )
    first = best_first_iteration(request)
    second = best_second_iteration(request, first.use)
    assert first.levels == (2, 500 + 30 + 100, 0, 233)
    assert second.levels == (0, 30 + 100, 0, 0)


def in_one_step(request: PlanRequest) -> PlanRequest:
    """The case with an iteration 2 that drops all soft rules at once."""
    return replace(request, strategy=replace(request.strategy, relaxation=Relaxation.ALL_SOFT))


@pytest.mark.parametrize("first_seed", range(0, 300, 50))
def test_the_audit_accepts_what_brute_force_plans(first_seed: int) -> None:
    """Two judges that share no code: one plans, the other finds nothing to complain about."""
    for seed in range(first_seed, first_seed + 50):
        request = in_one_step(generate(seed))
        plan = plan_by_brute_force(request)
        found = [*audit.findings(request, plan), *disagreements(request, plan)]
        assert not found, f"seed {seed}: {found}\n{describe(request)}"


def test_the_generator_mixes_everything() -> None:
    """Each rule kind hard and soft, each of the nine split combinations, each mode, basis and counting."""
    seen = Counter[tuple[object, ...]]()
    for seed in range(2000):
        request = generate(seed)
        assert len(request.orders) <= 4
        assert len(request.sources) <= 3
        strategy = request.strategy
        seen.update([("mode", mode) for mode in (strategy.objective_mode, strategy.inventory_mode)])
        seen[("objective", strategy.objective, strategy.objective_mode, bool(request.costs_in_force()))] += 1
        seen[("mode", strategy.location_priority_mode)] += 1
        for rule in request.rules:
            seen["rule", rule.kind, rule.hard, rule.enabled] += 1
            if rule.kind == "partial_orders":
                params = rule.params
                seen["split", params["max_sources"], params["partial_orders"], params["partial_lines"]] += 1
            if rule.kind == "maximum_orders":
                seen.update(("room", entry["basis"], entry["per"]) for entry in rule.params["lines"])
    counted = Counter(thing[0] for thing in seen)
    assert counted == {"mode": 2 + 3 + 3, "objective": 2 + 4, "rule": 8 * 4, "split": 9, "room": 3 * 2}
