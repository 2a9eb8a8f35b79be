from dataclasses import replace

import numpy as np
import pytest

from dom_core.domain.batch import UNKNOWN_DISTANCE_M, Batch, PlaceTable
from dom_core.domain.network import Product
from dom_core.domain.reason import Reason, Verdict
from dom_core.rules.base import Rule
from tests.builders import RequestBuilder, a_request, a_source, an_order
from tests.plans import broken, from_source
from tests.rules.evidence import paths, reasons, the_rule


def two_sources() -> RequestBuilder:
    builder = a_request().with_sources(a_source("A"), a_source("B")).with_list("L", "B")
    products = (Product("P", categories=("Food",)), Product("Q"))
    return builder.with_products(*products).with_orders(an_order().with_line("P").with_line("Q"))


def batch_with(distances_m: list[list[int]]) -> Batch:
    """The lines of P and Q with these distances to A and B."""
    return replace(
        two_sources().batch(), metres=PlaceTable(np.arange(len(distances_m)), np.array(distances_m, dtype=np.int32))
    )


def too_far(limit: str, actual: str) -> Reason:
    return Reason(Verdict.EXCLUDED, "maximum_distance", "maximum_distance", limit, actual)


def everywhere(km: float) -> Rule:
    return the_rule("maximum_distance", lines=[{"km": km}])


def test_a_source_is_out_one_metre_beyond_the_limit_and_not_at_it() -> None:
    found = reasons(everywhere(80.0), batch_with([[79_999, 80_000], [80_001, 91_200]]))
    assert found == {(1, 0): too_far("80.0 km", "80.0 km"), (1, 1): too_far("80.0 km", "91.2 km")}


@pytest.mark.parametrize("km", [80.1, 64.1, 0.3, 1001.7])
def test_a_limit_in_decimals_means_exactly_its_metres(km: float) -> None:
    metres = round(km * 1000)
    found = reasons(everywhere(km), batch_with([[metres - 1, metres], [metres + 1, 0]]))
    assert list(found) == [(1, 0)]


def test_the_lowest_of_all_matching_lines_wins_over_the_most_specific() -> None:
    lines = [{"km": 50}, {"source_id": "B", "product_id": "P", "km": 900}, {"source_list_id": "L", "km": 10}]
    found = reasons(the_rule("maximum_distance", lines=lines), batch_with([[60_000, 20_000], [40_000, 5_000]]))
    assert found == {(0, 0): too_far("50.0 km", "60.0 km"), (0, 1): too_far("10.0 km", "20.0 km")}


def test_an_unknown_distance_is_out_wherever_a_limit_holds() -> None:
    rule = the_rule("maximum_distance", lines=[{"source_id": "A", "km": 800}])
    unknown = batch_with([[UNKNOWN_DISTANCE_M, UNKNOWN_DISTANCE_M], [1, 1]])
    assert reasons(rule, unknown) == {(0, 0): too_far("800.0 km", "unknown")}


def test_pairs_that_no_line_covers_have_no_limit() -> None:
    rule = the_rule("maximum_distance", lines=[{"category": "Food", "km": 1}])
    assert list(reasons(rule, batch_with([[2_000, 1_000], [99_999_999, 2_000]]))) == [(0, 0)]


@pytest.mark.parametrize("km", [-0.1, 100_001, "80", None, True])
def test_a_limit_is_a_distance_on_earth(km: object) -> None:
    assert paths("maximum_distance", lines=[{"km": km}]) == ["params.lines[0].km"]


@pytest.mark.parametrize(("km", "breaks"), [(79.999, False), (80.0, False), (80.001, True), (None, True)])
def test_a_plan_goes_no_farther_than_the_limit(km: float | None, breaks: bool) -> None:
    found = broken(everywhere(80.0), two_sources().build(), {("O1", "1"): (from_source("A", km=km),)})
    assert found == ([("O1", "1", "A")] if breaks else [])


def test_a_plan_obeys_the_lowest_line_too() -> None:
    lines = [{"km": 50}, {"source_id": "B", "product_id": "P", "km": 900}]
    rule = the_rule("maximum_distance", lines=lines)
    assigned = {("O1", "1"): (from_source("B", km=60),), ("O1", "2"): (from_source("B", km=40),)}
    assert broken(rule, two_sources().build(), assigned) == [("O1", "1", "B")]


def test_an_unknown_distance_without_a_limit_breaks_nothing() -> None:
    rule = the_rule("maximum_distance", lines=[{"source_id": "B", "km": 1}])
    assert broken(rule, two_sources().build(), {("O1", "1"): (from_source("A", km=None),)}) == []
