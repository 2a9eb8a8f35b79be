"""Which parameter line decides for a product at a source."""

from typing import Any

import numpy as np
import pytest

from dom_core.domain.batch import Batch
from dom_core.domain.network import Product
from dom_core.rules import scope
from dom_core.rules.parameters import PlaceScope, Scope
from tests.builders import a_request, a_source, an_order

VARIANT = Product("SHOE-42", parent_id="SHOE", categories=("Shoes",), supplementary_categories=("Sale",))

ITEMS: list[dict[str, Any]] = [
    {"product_id": "SHOE-42"},
    {"product_id": "SHOE"},
    {"supplementary_category": "Sale"},
    {"category": "Shoes"},
    {},
]
PLACES: list[dict[str, Any]] = [{"source_id": "A"}, {"source_list_id": "L"}, {}]

MOST_SPECIFIC_FIRST = [{**item, **place} for item in ITEMS for place in PLACES]


def a_batch(*products: Product) -> Batch:
    order = an_order()
    for product in products:
        order = order.with_line(product.id)
    request = a_request().with_sources(a_source("A"), a_source("B")).with_list("L", "A", "NOWHERE")
    return request.with_products(*products).with_orders(order).batch()


def decided(lines: list[dict[str, Any]], *products: Product, values: list[int] | None = None) -> list[list[int]]:
    """The table with a line's position as its value; -1 where no line matches."""
    scopes = [Scope(**line) for line in lines]
    table = scope.most_specific(a_batch(*products), scopes, values or list(range(len(lines))), otherwise=-1)
    return [[int(value) for value in row] for row in table]


@pytest.mark.parametrize("position", range(len(MOST_SPECIFIC_FIRST) - 1))
def test_item_comes_before_place_and_the_specific_before_the_general(position: int) -> None:
    pair = MOST_SPECIFIC_FIRST[position : position + 2]
    assert decided(pair, VARIANT)[0][0] == 0
    assert decided(pair[::-1], VARIANT)[0][0] == 1


def test_of_all_kinds_of_lines_at_once_the_most_specific_wins() -> None:
    assert decided(MOST_SPECIFIC_FIRST, VARIANT)[0][0] == 0
    assert decided(MOST_SPECIFIC_FIRST[::-1], VARIANT)[0][0] == len(MOST_SPECIFIC_FIRST) - 1


def test_a_source_outside_the_place_falls_back_to_the_next_line_that_matches() -> None:
    lines = [{"product_id": "SHOE-42", "source_id": "A"}, {"category": "Shoes"}]
    assert decided(lines, VARIANT) == [[0, 1]]


def test_a_general_item_at_a_source_yields_to_a_specific_item_everywhere() -> None:
    assert decided([{"source_id": "A"}, {"category": "Shoes"}], VARIANT) == [[1, 1]]


def test_equally_specific_lines_yield_the_larger_value() -> None:
    assert decided([{"category": "Shoes"}] * 3, VARIANT, values=[5, 7, 6]) == [[7, 7]]


def test_two_categories_of_one_product_are_equally_specific() -> None:
    product = Product("P", categories=("Food", "Cold"))
    assert decided([{"category": "Cold"}, {"category": "Food"}], product, values=[9, 2]) == [[9, 9]]


def test_a_parent_matches_itself_and_its_variants_only() -> None:
    products = [Product("OTHER"), Product("SHOE"), VARIANT]
    assert decided([{"product_id": "SHOE"}], *products) == [[-1, -1], [0, 0], [0, 0]]


def test_a_line_for_unknown_sources_lists_products_or_categories_matches_nothing() -> None:
    lines = [
        {"source_id": "NOWHERE"},
        {"source_list_id": "NO-LIST"},
        {"product_id": "NO-PRODUCT"},
        {"category": "None"},
        {"supplementary_category": "None"},
    ]
    assert decided(lines, VARIANT) == [[-1, -1]]


def test_a_batch_without_lines_has_an_empty_table() -> None:
    assert scope.most_specific(a_batch(), [Scope()], [1], otherwise=0).shape == (0, 2)


def test_lowest_takes_the_smallest_of_all_matching_lines_however_general() -> None:
    lines = [Scope(source_id="A", product_id="SHOE-42"), Scope(), Scope(category="Shoes", source_list_id="L")]
    table = scope.lowest(a_batch(VARIANT, Product("Z")), lines, [900, 500, 100], otherwise=999)
    assert table.tolist() == [[100, 500], [500, 500]]


def test_lowest_is_the_sentinel_where_no_line_matches() -> None:
    table = scope.lowest(a_batch(VARIANT), [Scope(source_id="A")], [5], otherwise=999)
    assert table.tolist() == [[5, 999]]


def test_covered_products_are_those_that_a_line_names_at_any_place() -> None:
    covered = scope.covered_products(a_batch(Product("P"), VARIANT), [Scope(category="Shoes", source_id="NOWHERE")])
    assert covered.tolist() == [False, True]


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (PlaceScope(), [0, 1]),
        (PlaceScope(source_id="B"), [1]),
        (PlaceScope(source_list_id="L"), [0]),
        (PlaceScope(source_id="NOWHERE"), []),
        (PlaceScope(source_list_id="NO-LIST"), []),
    ],
)
def test_source_positions_are_those_of_the_place_that_the_batch_knows(place: PlaceScope, expected: list[int]) -> None:
    positions = scope.source_positions(a_batch(VARIANT), place)
    assert positions.dtype == np.int64
    assert positions.tolist() == expected
