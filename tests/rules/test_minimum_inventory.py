from typing import Any

import pytest

from dom_core.domain.network import Product
from dom_core.domain.reason import Reason, Verdict
from dom_core.domain.strategy import InventoryMode
from tests.builders import RequestBuilder, a_request, a_source, an_order
from tests.plans import broken, from_source
from tests.rules.evidence import reasons, the_rule


def with_available(units: int, *, wanted: int = 1, **source: Any) -> RequestBuilder:
    """One line of `wanted` units of P, and `units` of it at A."""
    builder = a_request().with_sources(a_source("A", **source)).with_products(Product("P", categories=("Food",)))
    return builder.with_stock({("P", "A"): units}).with_orders(an_order().with_line("P", wanted))


def test_subtract_keeps_the_units_back_and_takes_no_pair_out() -> None:
    rule = the_rule("minimum_inventory", lines=[{"units": 2}])
    batch = with_available(1).batch()
    kept = rule.units_kept_back(batch)
    assert kept is not None
    assert kept.tolist() == [[2]]
    assert reasons(rule, batch) == {}


def test_units_are_kept_back_only_where_a_line_matches() -> None:
    rule = the_rule("minimum_inventory", lines=[{"source_id": "A", "category": "Food", "units": 2}])
    builder = with_available(5).with_sources(a_source("A"), a_source("B"))
    kept = rule.units_kept_back(builder.with_orders(an_order("O2").with_line("Q")).batch())
    assert kept is not None
    assert kept.tolist() == [[2, 0], [0, 0]]


def test_a_line_with_zero_units_lifts_a_more_general_one() -> None:
    rule = the_rule("minimum_inventory", lines=[{"units": 2}, {"source_id": "A", "units": 0}])
    kept = rule.units_kept_back(with_available(5).batch())
    assert kept is not None
    assert kept.tolist() == [[0]]


def test_stock_that_is_not_counted_is_not_kept_back() -> None:
    rule = the_rule("minimum_inventory", lines=[{"units": 2}])
    kept = rule.units_kept_back(with_available(0, use_real_inventory=False).batch())
    assert kept is not None
    assert kept.tolist() == [[0]]


@pytest.mark.parametrize(("available", "out"), [(4, True), (5, False), (6, False)])
def test_exclude_if_below_takes_a_source_out_below_the_minimum_only(available: int, out: bool) -> None:
    rule = the_rule("minimum_inventory", lines=[{"units": 5}], mode="exclude_if_below")
    batch = with_available(available).batch()
    expected = Reason(Verdict.EXCLUDED, "minimum_inventory", "minimum_inventory", "5 units", "4 units")
    assert reasons(rule, batch) == ({(0, 0): expected} if out else {})
    assert rule.units_kept_back(batch) is None


def test_exclude_if_below_speaks_of_each_line_by_its_own_product() -> None:
    lines = [{"units": 5}, {"product_id": "Q", "units": 7}]
    rule = the_rule("minimum_inventory", lines=lines, mode="exclude_if_below")
    order = an_order("O2").with_line("Q").with_line("P").with_line("Q")
    found = reasons(rule, with_available(5).with_stock({("Q", "A"): 6}).with_orders(order).batch())
    out = Reason(Verdict.EXCLUDED, "minimum_inventory", "minimum_inventory", "7 units", "6 units")
    assert found == {(1, 0): out, (3, 0): out}


@pytest.mark.parametrize(("taken", "breaks"), [(2, False), (3, False), (4, True)])
def test_a_plan_may_take_what_is_not_kept_back_and_no_more(taken: int, breaks: bool) -> None:
    rule = the_rule("minimum_inventory", lines=[{"units": 2}])
    request = with_available(5, wanted=9).build()
    expected = [("O1", "1", "A")] if breaks else []
    assert broken(rule, request, {("O1", "1"): (from_source("A", taken),)}) == expected


def test_of_several_assignments_the_one_that_takes_too_much_is_named_and_iterations_count_in_order() -> None:
    rule = the_rule("minimum_inventory", lines=[{"units": 2}])
    request = with_available(5, wanted=3).with_orders(an_order("O2").with_line("P", 3)).build()
    second, first = (from_source("A", 2, iteration=2),), (from_source("A", 3),)
    assert broken(rule, request, {("O1", "1"): second, ("O2", "1"): first}) == [("O1", "1", "A")]


def test_a_plan_breaks_no_minimum_where_stock_is_not_counted() -> None:
    rule = the_rule("minimum_inventory", lines=[{"units": 2}])
    assigned = {("O1", "1"): (from_source("A", 1),)}
    assert broken(rule, with_available(0, use_real_inventory=False).build(), assigned) == []
    unlimited = with_available(0).with_strategy(inventory_mode=InventoryMode.UNLIMITED)
    assert broken(rule, unlimited.build(), assigned) == []
    real = with_available(0, use_real_inventory=False).with_strategy(inventory_mode=InventoryMode.REAL)
    assert broken(rule, real.build(), assigned) == [("O1", "1", "A")]


@pytest.mark.parametrize(("available", "breaks"), [(4, True), (5, False), (6, False)])
def test_a_plan_uses_no_source_below_an_excluding_minimum(available: int, breaks: bool) -> None:
    rule = the_rule("minimum_inventory", lines=[{"units": 5}], mode="exclude_if_below")
    found = broken(rule, with_available(available).build(), {("O1", "1"): (from_source("A", 1),)})
    assert found == ([("O1", "1", "A")] if breaks else [])
