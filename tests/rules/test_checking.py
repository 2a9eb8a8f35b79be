"""The second opinion agrees with the arrays, though they share no code."""

import ast
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dom_core.domain.network import Product
from dom_core.domain.request import SourceLoad
from dom_core.rules import checking, scope
from dom_core.rules.base import Rule, Violation
from dom_core.rules.parameters import Scope
from dom_core.watch import UNWATCHED
from tests.builders import RequestBuilder, a_request, a_source, an_order
from tests.plans import a_plan, broken, from_source
from tests.rules.evidence import reasons, the_rule

PRODUCTS = (
    Product("P"),
    Product("P-1", parent_id="P", categories=("C", "D"), supplementary_categories=("C",)),
    Product("P-2", parent_id="P", supplementary_categories=("S",)),
    Product("Q", categories=("D",), supplementary_categories=("S", "C")),
)
ITEMS: list[dict[str, Any]] = [
    {},
    *({"product_id": id} for id in ("P", "P-1", "Q", "UNKNOWN")),
    *({field: name} for field in ("category", "supplementary_category") for name in ("C", "D", "S")),
]
PLACES: list[dict[str, Any]] = [
    {},
    *({"source_id": id} for id in ("A", "B", "X")),
    *({"source_list_id": id} for id in ("L", "M", "NO-LIST")),
]

the_same_every_time = settings(derandomize=True, deadline=None, max_examples=60)

scopes = st.builds(lambda item, place: {**item, **place}, st.sampled_from(ITEMS), st.sampled_from(PLACES))


def every_product_once() -> RequestBuilder:
    order = an_order()
    for product in PRODUCTS:
        order = order.with_line(product.id)
    builder = a_request().with_sources(*(a_source(id, (47.6, -122.3 - i)) for i, id in enumerate("ABC")))
    lists = builder.with_list("L", "A", "B").with_list("M", "B", "X")
    return lists.with_products(*PRODUCTS).with_orders(order)


def lines_of(field: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[dict[str, Any]]]:
    one = st.builds(lambda where, value: {**where, field: value}, scopes, values)
    return st.lists(one, min_size=1, max_size=6)


rules = st.one_of(
    lines_of("priority", st.integers(1, 10)).map(lambda lines: the_rule("location_priority", lines=lines)),
    lines_of("km", st.integers(0, 200)).map(lambda lines: the_rule("maximum_distance", lines=lines)),
    lines_of("units", st.integers(0, 5)).map(
        lambda lines: the_rule("minimum_inventory", lines=lines, mode="exclude_if_below")
    ),
    st.lists(st.sampled_from(PLACES[1:]), min_size=1).map(lambda places: the_rule("offline_location", places=places)),
)
stocks = st.fixed_dictionaries(
    {(product.id, source): st.integers(0, 5) for product in PRODUCTS for source in ("A", "B", "C")}
)


@the_same_every_time
@given(rule=rules, stock=stocks)
def test_a_plan_breaks_a_rule_exactly_where_the_rule_takes_the_pair_out(rule: Rule, stock: Any) -> None:
    builder = every_product_once().with_stock(stock)
    batch = builder.batch()
    excluded = reasons(rule, batch)
    for line in range(batch.shape[0]):
        for source in range(batch.shape[1]):
            key = (batch.order(line).id, batch.lines[line].id)
            assigned = {key: (from_source(batch.sources[source].id, km=batch.distance_m[line, source] / 1000),)}
            assert bool(broken(rule, builder.build(), assigned)) is ((line, source) in excluded)


@the_same_every_time
@given(lines=lines_of("units", st.integers(0, 5)), stock=stocks)
def test_a_plan_breaks_a_ring_fence_exactly_with_the_first_unit_that_is_kept_back(lines: Any, stock: Any) -> None:
    rule = the_rule("minimum_inventory", lines=lines)
    builder = every_product_once().with_stock(stock)
    batch = builder.batch()
    kept = rule.units_kept_back(batch)
    assert kept is not None
    for line in range(batch.shape[0]):
        for column, source in enumerate(batch.sources):
            cell = (int(batch.product_of[line]), column)
            allocatable = max(0, int(batch.available[cell]) - int(kept[cell]))
            key = (batch.order(line).id, batch.lines[line].id)
            assert broken(rule, builder.build(), {key: (from_source(source.id, allocatable),)}) == []
            too_many = broken(rule, builder.build(), {key: (from_source(source.id, allocatable + 1),)})
            assert bool(too_many) is bool(kept[cell] > 0)


@the_same_every_time
@given(lines=st.lists(scopes, max_size=6))
def test_the_deciding_line_is_the_one_that_the_table_takes(lines: list[dict[str, Any]]) -> None:
    builder, parsed = every_product_once(), [Scope(**line) for line in lines]
    batch = builder.batch()
    table = scope.most_specific(batch, parsed, list(range(len(parsed))), otherwise=-1)
    found = checking.ScopedLines(checking.Facts.of(builder.build()), parsed)
    for row, product in enumerate(batch.products):
        for column, source in enumerate(batch.sources):
            deciding = found.deciding(product.id, source.id)
            latest = max((number for number, line in enumerate(parsed) if line in deciding), default=-1)
            assert table[row, column] == latest


loads = st.builds(
    SourceLoad,
    st.frozensets(st.sampled_from(["O0", "O1", "O2", "OLD"])),
    st.frozensets(st.sampled_from(["O0", "O1", "O2", "OLD"])),
    st.integers(0, 4),
)
orders_lines = st.fixed_dictionaries(
    {
        "limit": st.integers(0, 5),
        "basis": st.sampled_from(["open_orders", "calendar_day", "lines_per_day"]),
        "per": st.sampled_from(["each", "total"]),
        "place": st.sampled_from(PLACES),
    }
).map(lambda line: {**{key: value for key, value in line.items() if key != "place"}, **line["place"]})
chosen_sources = st.lists(st.sampled_from(["A", "B", "C", None]), min_size=6, max_size=6)


@the_same_every_time
@given(
    lines=st.lists(orders_lines, min_size=1, max_size=3),
    loaded=st.fixed_dictionaries(dict.fromkeys("ABX", loads)),
    chosen=chosen_sources,
)
def test_a_plan_is_within_every_maximum_exactly_when_it_is_within_every_capacity(
    lines: Any, loaded: dict[str, SourceLoad], chosen: list[str | None]
) -> None:
    builder = a_request().with_sources(*map(a_source, "ABC")).with_list("L", "A", "B").with_list("M", "B", "X")
    builder = builder.with_orders(*(an_order(f"O{number}").with_line("P").with_line("Q") for number in range(3)))
    for source_id, load in loaded.items():
        builder = builder.with_load(source_id, load)
    rule, batch = the_rule("maximum_orders", lines=lines), builder.batch()
    placed = [(line, "ABC".index(source)) for line, source in enumerate(chosen) if source]
    assigned = {(batch.order(line).id, batch.lines[line].id): (from_source("ABC"[source]),) for line, source in placed}
    fits = True
    for room in rule.capacities(batch):
        inside = [(line, source) for line, source in placed if source in room.sources]
        orders = {(int(batch.order_of[line]), source) for line, source in inside} - room.counted
        taken = len(inside) if room.per_line else len(orders)
        # A source that was full before this plan is no fault of a plan that brings it nothing new.
        fits = fits and taken <= room.remaining
    assert (broken(rule, builder.build(), assigned) == []) is fits


def test_assignments_come_iteration_by_iteration_and_in_plan_order_within() -> None:
    request = a_request().with_orders(an_order().with_line("P", id="1").with_line("P", id="2")).build()
    later, first = from_source("A", iteration=2), from_source("B")
    plan = a_plan(request, {("O1", "1"): (later, first), ("O1", "2"): (first,)})
    found = [(line.line_id, assignment.source_id) for line, assignment in checking.assignments(plan, UNWATCHED)]
    assert found == [("1", "B"), ("2", "B"), ("1", "A")]


def test_write_in_lines_are_left_out_unless_asked_for() -> None:
    request = a_request().with_orders(an_order().with_line("write-in").with_line("P")).build()
    plan = a_plan(request, {("O1", "1"): (from_source("A"),), ("O1", "2"): (from_source("A"),)})
    assert [line.line_id for line, _ in checking.assignments(plan, UNWATCHED)] == ["2"]
    assert [line.line_id for line, _ in checking.assignments(plan, UNWATCHED, with_write_in=True)] == ["1", "2"]


@pytest.mark.parametrize(
    "rule",
    [
        the_rule("offline_location", places=[{"source_id": "A"}]),
        the_rule("minimum_inventory", lines=[{"units": 5}]),
        the_rule("minimum_inventory", lines=[{"units": 5}], mode="exclude_if_below"),
        the_rule("maximum_distance", lines=[{"km": 1}]),
        the_rule("maximum_orders", lines=[{"limit": 0}]),
        the_rule("maximum_orders", lines=[{"limit": 0, "basis": "lines_per_day"}]),
    ],
)
def test_only_location_priority_and_the_reject_gate_judge_write_in_lines(rule: Rule) -> None:
    builder = a_request().with_sources(a_source("A")).with_orders(an_order().with_line("write-in"))
    assert broken(rule, builder.build(), {("O1", "1"): (from_source("A", km=99),)}) == []


def test_a_violation_of_the_same_order_line_and_source_is_named_once() -> None:
    first, again = Violation("R", "first", "O", "1", "A"), Violation("R", "again", "O", "1", "A")
    other = Violation("R", "other", "O", "1", "B")
    assert list(checking.once([first, again, other])) == [first, other]


def test_the_second_opinion_does_not_read_the_arrays() -> None:
    tree = ast.parse(Path(checking.__file__).read_text(encoding="utf-8"))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported.isdisjoint({"dom_core.rules.scope", "dom_core.domain.batch"})
