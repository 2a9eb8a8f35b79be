"""How stored parameters are read, for every kind alike."""

import pytest

from dom_core.errors import InvalidInput
from dom_core.rules import build
from tests.builders import a_rule
from tests.rules.evidence import paths, problems, the_rule


def test_every_problem_is_reported_at_once_with_its_path() -> None:
    lines = [
        {"units": -1},
        {"units": 2.5, "source_id": "A", "source_list_id": "L"},
        {"units": "2", "colour": "red"},
        {"product_id": "P", "category": "C"},
    ]
    assert paths("minimum_inventory", lines=lines, mode="sometimes", extra=1) == [
        "params.lines[0].units",
        "params.lines[1].source_list_id",
        "params.lines[1].units",
        "params.lines[2].units",
        "params.lines[2].colour",
        "params.lines[3].category",
        "params.lines[3].units",
        "params.mode",
        "params.extra",
    ]


def test_the_subject_of_a_problem_is_the_rule() -> None:
    with pytest.raises(InvalidInput, match=r"invalid rule maximum_rejects: params\.threshold: is required"):
        the_rule("maximum_rejects")


def test_an_unknown_kind_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidInput, match=r"unknown rule kind 'magic'; known: location_priority, maximum_distance"):
        build(a_rule("magic"))


def test_a_place_is_a_source_or_a_list_not_both() -> None:
    (problem,) = problems("maximum_orders", lines=[{"source_id": "A", "source_list_id": "L", "limit": 1}])
    assert str(problem) == "params.lines[0].source_list_id: name a source or a source list, not both"


@pytest.mark.parametrize(
    ("item", "path"),
    [
        ({"product_id": "P", "supplementary_category": "S"}, "params.lines[0].supplementary_category"),
        ({"product_id": "P", "category": "C"}, "params.lines[0].category"),
        ({"supplementary_category": "S", "category": "C"}, "params.lines[0].category"),
    ],
)
def test_an_item_is_one_thing(item: dict[str, str], path: str) -> None:
    assert paths("maximum_distance", lines=[{**item, "km": 1}]) == [path]


@pytest.mark.parametrize("kind", ["minimum_inventory", "location_priority", "maximum_distance", "maximum_orders"])
def test_a_rule_without_lines_is_a_mistake(kind: str) -> None:
    assert paths(kind, lines=[]) == ["params.lines"]


def test_an_id_with_a_space_is_refused_where_it_stands() -> None:
    assert paths("maximum_distance", lines=[{"km": 1}, {"source_id": "A B", "km": 1}]) == ["params.lines[1].source_id"]


def test_references_name_sources_lists_and_products_with_their_paths() -> None:
    rule = the_rule(
        "minimum_inventory",
        lines=[{"source_id": "A", "product_id": "P", "units": 1}, {"source_list_id": "L", "category": "C", "units": 1}],
    )
    assert list(rule.references()) == [
        ("params.lines[0].source_id", "source", "A"),
        ("params.lines[0].product_id", "product", "P"),
        ("params.lines[1].source_list_id", "source_list", "L"),
    ]


def test_the_write_in_product_may_be_named_though_no_catalogue_has_it() -> None:
    rule = the_rule("location_priority", lines=[{"product_id": "write-in", "priority": 1}])
    assert list(rule.references()) == []
