import pytest

from dom_core.domain.network import Product
from dom_core.domain.reason import Reason, Verdict
from tests.builders import RequestBuilder, a_request, a_source, an_order
from tests.plans import broken, from_source
from tests.rules.evidence import paths, reasons, the_rule

NO_PRIORITY = Reason(Verdict.EXCLUDED, "location_priority", "location_priority", "priority 1 to 10", "none")


def two_sources() -> RequestBuilder:
    """Lines of a phone, a chair and a write-in product; sources A and B, of which the list L has A."""
    phone, chair = Product("PHONE", categories=("Phones",)), Product("CHAIR", categories=("Furniture",))
    order = an_order().with_line("PHONE").with_line("CHAIR").with_line("write-in")
    builder = a_request().with_sources(a_source("A"), a_source("B")).with_list("L", "A")
    return builder.with_products(phone, chair).with_orders(order)


@pytest.mark.parametrize(("priority", "valid"), [(0, False), (1, True), (10, True), (11, False)])
def test_priorities_go_from_1_to_10(priority: int, valid: bool) -> None:
    found = paths("location_priority", lines=[{"priority": priority}])
    assert found == ([] if valid else ["params.lines[0].priority"])


def test_sources_are_ranked_per_line() -> None:
    lines = [{"priority": 4}, {"source_list_id": "L", "priority": 2}, {"category": "Phones", "priority": 7}]
    priorities = the_rule("location_priority", lines=lines).priorities(two_sources().batch())
    assert priorities is not None
    assert priorities.tolist() == [[7, 7], [2, 4], [2, 4]]


def test_of_equally_specific_lines_the_worse_priority_ranks() -> None:
    rule = the_rule("location_priority", lines=[{"priority": 3}, {"priority": 8}, {"priority": 1}])
    priorities = rule.priorities(two_sources().batch())
    assert priorities is not None
    assert set(priorities.flat) == {8}


def test_sources_without_a_priority_may_not_serve() -> None:
    rule = the_rule("location_priority", lines=[{"source_id": "A", "priority": 10}])
    assert reasons(rule, two_sources().batch()) == {(0, 1): NO_PRIORITY, (1, 1): NO_PRIORITY, (2, 1): NO_PRIORITY}


def test_membership_concerns_only_products_that_a_line_covers() -> None:
    rule = the_rule("location_priority", lines=[{"source_id": "A", "category": "Phones", "priority": 1}])
    batch = two_sources().batch()
    priorities = rule.priorities(batch)
    assert reasons(rule, batch) == {(0, 1): NO_PRIORITY}
    assert priorities is not None
    assert priorities.tolist() == [[1, 0], [0, 0], [0, 0]]


def test_the_rule_holds_for_write_in_lines() -> None:
    rule = the_rule("location_priority", lines=[{"product_id": "write-in", "source_id": "A", "priority": 1}])
    assert rule.applies_to_write_in
    assert reasons(rule, two_sources().batch()) == {(2, 1): NO_PRIORITY}


def test_a_priority_for_sources_of_other_strategies_leaves_nobody() -> None:
    rule = the_rule("location_priority", lines=[{"source_id": "ELSEWHERE", "priority": 1}])
    assert len(reasons(rule, two_sources().batch())) == 6


def test_a_plan_serves_covered_products_only_from_sources_with_a_priority() -> None:
    lines = [{"source_id": "A", "category": "Phones", "priority": 1}, {"product_id": "write-in", "priority": 2}]
    rule = the_rule("location_priority", lines=lines)
    request = two_sources().build()
    from_a, from_b = (from_source("A"),), (from_source("B"),)
    assert broken(rule, request, {("O1", "1"): from_a, ("O1", "2"): from_b, ("O1", "3"): from_b}) == []
    assert broken(rule, request, {("O1", "1"): from_b}) == [("O1", "1", "B")]


def test_a_plan_serves_write_in_lines_only_from_sources_with_a_priority() -> None:
    rule = the_rule("location_priority", lines=[{"source_id": "A", "priority": 1}])
    assert broken(rule, two_sources().build(), {("O1", "3"): (from_source("B"),)}) == [("O1", "3", "B")]
