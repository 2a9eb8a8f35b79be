from typing import Any

import pytest

from dom_core.domain.network import Product
from dom_core.domain.plan import PlanAssignment
from dom_core.rules.base import SplitLimits
from tests.builders import RequestBuilder, a_request, a_source, an_order
from tests.plans import LineKey, broken, from_source
from tests.rules.evidence import paths, problems, the_rule

Assigned = dict[LineKey, tuple[PlanAssignment, ...]]

PRODUCTS = (
    Product("CHAIR", categories=("Furniture",)),
    Product("LAMP", supplementary_categories=("Fragile",)),
    Product("SHOE-42", parent_id="SHOE"),
    Product("CUP"),
)


def one_order(*lines: tuple[str, int, int]) -> RequestBuilder:
    """One order with lines of (product, units, amount in cents), and sources A, B and C."""
    order = an_order()
    for product_id, units, amount_cents in lines:
        order = order.with_line(product_id, units, amount_cents=amount_cents)
    return a_request().with_sources(*map(a_source, "ABC")).with_products(*PRODUCTS).with_orders(order)


TWO_CUPS = one_order(("CUP", 2, 100), ("CUP", 2, 100))


def limits(params: dict[str, Any], builder: RequestBuilder = TWO_CUPS) -> tuple[SplitLimits, ...] | None:
    return the_rule("partial_orders", **params).split_limits(builder.batch())


@pytest.mark.parametrize("max_sources", [1, 3, None])
@pytest.mark.parametrize(("partial_orders", "partial_lines"), [(False, False), (True, False), (True, True)])
def test_all_nine_combinations_are_limits_of_every_order(
    max_sources: int | None, partial_orders: bool, partial_lines: bool
) -> None:
    params = {"max_sources": max_sources, "partial_orders": partial_orders, "partial_lines": partial_lines}
    assert limits(params) == (SplitLimits(max_sources, partial_orders, partial_lines, None),)


def test_without_parameters_the_rule_is_the_default() -> None:
    assert limits({}) == (SplitLimits(None, True, False, None),)


def test_sources_per_line_are_limited_on_their_own() -> None:
    assert limits({"max_sources_per_line": 2}) == (SplitLimits(None, True, False, 2),)


def test_partial_lines_without_partial_orders_are_refused_with_the_way_out() -> None:
    (problem,) = problems("partial_orders", partial_orders=False, partial_lines=True)
    assert problem.path == "params.partial_lines"
    assert "set partial_orders to true, or partial_lines to false" in problem.message


@pytest.mark.parametrize(
    ("params", "path"),
    [
        ({"max_sources": 0}, "params.max_sources"),
        ({"max_sources": 6}, "params.max_sources"),
        ({"max_sources_per_line": 0}, "params.max_sources_per_line"),
        ({"never_split_below_cents": 9.99}, "params.never_split_below_cents"),
        ({"never_split_products": ["A B"]}, "params.never_split_products[0]"),
        ({"partial_orders": "yes"}, "params.partial_orders"),
    ],
)
def test_values_out_of_range_are_refused(params: dict[str, Any], path: str) -> None:
    assert paths("partial_orders", **params) == [path]


def test_references_are_the_products_that_keep_an_order_whole() -> None:
    rule = the_rule("partial_orders", never_split_products=["CUP", "write-in", "SHOE"])
    assert list(rule.references()) == [
        ("params.never_split_products[0]", "product", "CUP"),
        ("params.never_split_products[2]", "product", "SHOE"),
    ]


NEVER_SPLIT = [
    ({"never_split_below_cents": 200}, ("CUP", "CUP"), False),
    ({"never_split_below_cents": 201}, ("CUP", "CUP"), True),
    ({"never_split_below_cents": 199}, ("CUP", "CUP"), False),
    ({"never_split_products": ["CHAIR"]}, ("CUP", "CHAIR"), True),
    ({"never_split_products": ["CHAIR"]}, ("CUP", "LAMP"), False),
    ({"never_split_products": ["SHOE"]}, ("CUP", "SHOE-42"), True),
    ({"never_split_products": ["SHOE-42"]}, ("CUP", "SHOE-42"), True),
    ({"never_split_products": ["UNKNOWN"]}, ("CUP", "UNKNOWN"), True),
    ({"never_split_categories": ["Furniture"]}, ("CUP", "CHAIR"), True),
    ({"never_split_categories": ["Fragile"]}, ("LAMP", "CUP"), True),
    ({"never_split_categories": ["Fragile"]}, ("CUP", "CHAIR"), False),
]


@pytest.mark.parametrize(("params", "products", "whole"), NEVER_SPLIT)
def test_small_orders_and_listed_products_are_never_split(
    params: dict[str, Any], products: tuple[str, str], whole: bool
) -> None:
    builder = one_order(*((product, 1, 100) for product in products))
    expected = SplitLimits(1 if whole else 3, True, False, None)
    assert limits({"max_sources": 3, **params}, builder) == (expected,)
    assigned = {("O1", "1"): (from_source("A"),), ("O1", "2"): (from_source("B"),)}
    found = broken(the_rule("partial_orders", max_sources=3, **params), builder.build(), assigned)
    assert found == ([("O1", "2", "B")] if whole else [])


def test_an_order_is_judged_by_itself() -> None:
    builder = TWO_CUPS.with_orders(an_order("O2").with_line("CHAIR"))
    found = limits({"never_split_products": ["CHAIR"]}, builder)
    assert found is not None
    assert [limit.max_sources for limit in found] == [None, 1]


def test_the_whole_order_counts_even_where_the_run_takes_only_a_part() -> None:
    builder = one_order(("CUP", 1, 100)).with_orders(
        an_order("O2").with_line("CHAIR", mode_of_delivery="pickup").with_line("CUP", amount_cents=50)
    )
    found = limits({"never_split_products": ["CHAIR"]}, builder)
    assert found is not None
    assert [limit.max_sources for limit in found] == [None, 1]


@pytest.mark.parametrize(
    ("max_sources", "expected"),
    [(1, [("O1", "1", "B"), ("O1", "2", "C")]), (2, [("O1", "2", "C")]), (3, [])],
)
def test_a_plan_uses_no_more_sources_for_an_order_than_allowed(max_sources: int, expected: list[Any]) -> None:
    rule = the_rule("partial_orders", max_sources=max_sources)
    assigned = {("O1", "1"): (from_source("A"), from_source("B")), ("O1", "2"): (from_source("A"), from_source("C"))}
    assert broken(rule, TWO_CUPS.build(), assigned) == expected


def test_a_plan_names_the_sources_of_the_later_iteration_as_too_many() -> None:
    rule = the_rule("partial_orders", max_sources=1)
    assigned = {("O1", "1"): (from_source("B", 2, iteration=2),), ("O1", "2"): (from_source("A", 2),)}
    assert broken(rule, TWO_CUPS.build(), assigned) == [("O1", "1", "B")]


@pytest.mark.parametrize(("most", "expected"), [(1, [("O1", "1", "B")]), (2, [])])
def test_a_plan_uses_no_more_sources_for_a_line_than_allowed(most: int, expected: list[Any]) -> None:
    rule = the_rule("partial_orders", max_sources_per_line=most)
    assigned = {("O1", "1"): (from_source("A"), from_source("B")), ("O1", "2"): (from_source("C", 2),)}
    assert broken(rule, TWO_CUPS.build(), assigned) == expected


ONE_LINE_SHORT: Assigned = {("O1", "1"): (from_source("A", 2),), ("O1", "2"): (from_source("A", 1),)}
ONE_LINE_EMPTY: Assigned = {("O1", "1"): (from_source("A", 2),)}
IN_FULL: Assigned = {("O1", "1"): (from_source("A", 2),), ("O1", "2"): (from_source("A", 2),)}


@pytest.mark.parametrize(
    ("partial_orders", "partial_lines", "assigned", "expected"),
    [
        (False, False, IN_FULL, []),
        (False, False, ONE_LINE_EMPTY, [("O1", "1", "A")]),
        (False, False, ONE_LINE_SHORT, [("O1", "1", "A"), ("O1", "2", "A")]),
        (False, False, {}, []),
        (True, False, IN_FULL, []),
        (True, False, ONE_LINE_EMPTY, []),
        (True, False, ONE_LINE_SHORT, [("O1", "2", "A")]),
        (True, True, ONE_LINE_SHORT, []),
    ],
)
def test_a_plan_leaves_open_only_what_may_stay_open(
    partial_orders: bool, partial_lines: bool, assigned: Assigned, expected: list[Any]
) -> None:
    rule = the_rule("partial_orders", partial_orders=partial_orders, partial_lines=partial_lines)
    assert broken(rule, TWO_CUPS.build(), assigned) == expected


def test_write_in_lines_are_not_checked() -> None:
    rule = the_rule("partial_orders", max_sources=1, partial_orders=False)
    request = one_order(("CUP", 1, 0), ("write-in", 1, 0)).build()
    assert broken(rule, request, {("O1", "1"): (from_source("A"),), ("O1", "2"): (from_source("B"),)}) == []
    assert broken(rule, request, {("O1", "1"): (from_source("A"),)}) == []
