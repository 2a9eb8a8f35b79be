"""What a leg costs. Each price is asked of the arrays and of the audit's plain methods, and they must agree."""

from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dom_core.domain.batch import Batch
from dom_core.domain.network import Location
from tests.builders import RequestBuilder, a_request, a_source, an_order
from tests.costs.prices import both_ways, problems, the_cost_factor, with_distances

MODES = ("standard", "express")
PLACES: list[dict[str, Any]] = [{"source_id": "A"}, {"source_list_id": "L"}, {}]
MOST_SPECIFIC_FIRST = [{**mode, **place} for mode in ({"mode_of_delivery": "standard"}, {}) for place in PLACES]


def two_lines() -> RequestBuilder:
    """A standard line and an express line; the sources A (in the lists L and M) and B."""
    order = an_order().with_line("P", mode_of_delivery="standard").with_line("P", mode_of_delivery="express")
    request = a_request().with_sources(a_source("A"), a_source("B")).with_list("L", "A", "NOWHERE").with_list("M", "A")
    return request.with_orders(order)


def at(*distances_m: int | None) -> Batch:
    """The standard line and the express line: one pair of distances to A and B for both."""
    return with_distances(two_lines(), [distances_m, distances_m])


def fixed(cents: int, **scope: Any) -> dict[str, Any]:
    return {**scope, "basis": "fixed", "cents": cents}


def per_km(cents_per_km: float, default_cents: int = 99, **scope: Any) -> dict[str, Any]:
    return {**scope, "basis": "per_km", "cents_per_km": cents_per_km, "default_cents": default_cents}


def standard_from_a(distance_m: int | None, *lines: dict[str, Any]) -> int:
    """What the standard line costs from A over this distance."""
    return both_ways(the_cost_factor("shipping", *lines), at(distance_m, 0))[0][0]


def test_a_fixed_amount_holds_at_every_distance_known_or_not() -> None:
    assert both_ways(the_cost_factor("shipping", fixed(795)), at(0, None)) == [[795, 795], [795, 795]]


@pytest.mark.parametrize(
    ("cents_per_km", "distance_m", "cents"),
    [
        (1.75, 100_000, 175),
        (1, 499, 0),
        (1, 500, 1),
        (1, 1_499, 1),
        (1, 1_500, 2),
        (0.0001, 4_999_999, 0),
        (0.0001, 5_000_000, 1),
        (0.07, 50_000, 4),
        (1.005, 100_000, 101),
        (0, 100_000, 0),
        (1_000_000, 100_000_000, 100_000_000_000),
        (999_999.9999, 99_999_999, 99_999_998_990),
    ],
)
def test_kilometres_are_multiplied_exactly_and_rounded_half_up(
    cents_per_km: float, distance_m: int, cents: int
) -> None:
    assert standard_from_a(distance_m, per_km(cents_per_km)) == cents


def test_an_unknown_distance_costs_the_default_where_kilometres_count() -> None:
    assert both_ways(the_cost_factor("shipping", per_km(2, 4900)), at(None, 1_000)) == [[4900, 2], [4900, 2]]


def tiered(**amounts: Any) -> dict[str, Any]:
    """100 below 50 km (but not below 10), 200 below 80.5 km; 999 elsewhere."""
    bands = [{"from_km": 10, "to_km": 50, "cents": 100}, {"from_km": 50, "to_km": 80.5, "cents": 200}]
    return {"basis": "fixed", "bands": bands, "default_cents": 999, **amounts}


@pytest.mark.parametrize(
    ("distance_m", "cents"),
    [(9_999, 999), (10_000, 100), (49_999, 100), (50_000, 200), (80_499, 200), (80_500, 999), (None, 999)],
)
def test_a_band_holds_from_its_beginning_to_before_its_end(distance_m: int | None, cents: int) -> None:
    assert standard_from_a(distance_m, tiered()) == cents


@pytest.mark.parametrize(("distance_m", "cents"), [(49_999, 100), (50_000, 25), (100_000_000, 50_000), (None, 7)])
def test_a_band_per_kilometre_counts_the_whole_leg_and_an_open_one_has_no_end(
    distance_m: int | None, cents: int
) -> None:
    near, far = {"from_km": 0, "to_km": 50, "cents_per_km": 2}, {"from_km": 50, "to_km": None, "cents_per_km": 0.5}
    assert standard_from_a(distance_m, {"basis": "per_km", "bands": [near, far], "default_cents": 7}) == cents


@pytest.mark.parametrize(("wide", "narrow"), [pair[::-1] for pair in pairwise(MOST_SPECIFIC_FIRST)])
def test_mode_comes_before_place_and_the_specific_before_the_general(
    wide: dict[str, Any], narrow: dict[str, Any]
) -> None:
    assert standard_from_a(1_000, fixed(900, **wide), fixed(1, **narrow)) == 1
    assert standard_from_a(1_000, fixed(1, **narrow), fixed(900, **wide)) == 1


def test_each_mode_and_source_has_its_own_most_specific_line() -> None:
    lines = [fixed(1), fixed(2, source_list_id="L"), fixed(3, mode_of_delivery="express")]
    assert both_ways(the_cost_factor("shipping", *lines), at(0, 0)) == [[2, 1], [3, 3]]


def test_between_equals_the_dearer_decides_leg_by_leg() -> None:
    lines = [fixed(500, source_list_id="L"), per_km(10, source_list_id="M"), fixed(9_999)]
    assert [standard_from_a(metres, *lines) for metres in (49_000, 50_000, 51_000)] == [500, 500, 510]


def test_a_dearer_general_line_does_not_beat_a_specific_one_that_costs_nothing() -> None:
    assert standard_from_a(1_000, fixed(0, source_id="A"), fixed(500)) == 0


def test_a_leg_that_no_line_covers_costs_nothing() -> None:
    lines = [fixed(5, source_id="NOWHERE"), fixed(6, source_list_id="NO-LIST"), fixed(7, mode_of_delivery="drone")]
    assert both_ways(the_cost_factor("shipping", *lines), at(1, 1)) == [[0, 0], [0, 0]]


def test_lines_that_travel_together_cost_the_same_leg() -> None:
    order = an_order().with_line("P").with_line("Q").with_line("R", location=Location(45.5, -122.7))
    batch = a_request().with_sources(a_source("A", at=(40.0, -100.0))).with_orders(order).batch()
    first, second, elsewhere = (row[0] for row in both_ways(the_cost_factor("shipping", per_km(1)), batch))
    assert list(batch.destination_of) == [0, 0, 1]
    assert first == second != elsewhere


def test_a_batch_without_lines_has_an_empty_table() -> None:
    batch = a_request().with_sources(a_source("A")).batch()
    assert both_ways(the_cost_factor("shipping", fixed(1)), batch) == []


def test_sources_and_lists_are_references_with_their_paths() -> None:
    factor = the_cost_factor("shipping", fixed(1, source_id="A"), fixed(1), fixed(1, source_list_id="L"))
    assert list(factor.references()) == [
        ("params.lines[0].source_id", "source", "A"),
        ("params.lines[2].source_list_id", "source_list", "L"),
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ({"basis": "fixed"}, ["cents: is required with basis fixed and no bands"]),
        (
            {"basis": "fixed", "cents_per_km": 1, "default_cents": 2},
            [
                "cents: is required with basis fixed and no bands",
                "cents_per_km: means nothing with basis fixed and no bands",
                "default_cents: means nothing with basis fixed and no bands",
            ],
        ),
        (
            {"basis": "per_km", "cents": 1},
            [
                "cents: means nothing with basis per_km and no bands",
                "cents_per_km: is required with basis per_km and no bands",
                "default_cents: is required with basis per_km and no bands",
            ],
        ),
        (
            {"basis": "fixed", "bands": [{"from_km": 0, "cents": 1}], "cents": 1, "cents_per_km": 1},
            [
                "cents: means nothing with bands",
                "cents_per_km: means nothing with bands",
                "default_cents: is required with bands",
            ],
        ),
        ({"cents": 1}, ["basis: is required"]),
    ],
)
def test_a_line_has_the_amounts_of_its_form_and_no_others(line: dict[str, Any], expected: list[str]) -> None:
    assert problems("shipping", line) == [f"params.lines[0].{problem}" for problem in expected]


def test_bad_bands_are_bands_all_the_same() -> None:
    found = problems("shipping", {"basis": "fixed", "bands": [{"from_km": -1, "cents": 1}]})
    assert [problem.partition(":")[0] for problem in found] == [
        "params.lines[0].bands[0].from_km",
        "params.lines[0].default_cents",
    ]


@pytest.mark.parametrize("rate", ["1.5", True, -0.1, 0.00001, 1.23456, 1_000_000.0001, [1]])
def test_an_amount_per_kilometre_is_a_number_with_at_most_four_decimals(rate: object) -> None:
    paths = {problem.partition(":")[0] for problem in problems("shipping", {**per_km(1), "cents_per_km": rate})}
    assert paths == {"params.lines[0].cents_per_km"}


def test_a_decimal_too_many_is_said_in_plain_words() -> None:
    assert problems("shipping", per_km(0.00001)) == ["params.lines[0].cents_per_km: may have at most 4 decimals"]


@pytest.mark.parametrize("cents", [-1, 0.5, "1", True, 10**12 + 1])
def test_amounts_are_whole_cents(cents: object) -> None:
    (problem,) = problems("shipping", {"basis": "fixed", "cents": cents})
    assert problem.startswith("params.lines[0].cents: ")


def test_a_place_is_a_source_or_a_list_and_lines_are_needed() -> None:
    both = fixed(1, source_id="A", source_list_id="L")
    assert problems("shipping", both) == [
        "params.lines[0].source_list_id: name a source or a source list, not both",
    ]
    assert [problem.partition(":")[0] for problem in problems("shipping")] == ["params.lines"]


the_same_every_time = settings(derandomize=True, deadline=None, database=None)
rates = st.integers(0, 10**10).map(lambda ten_thousandths: ten_thousandths / 10_000)
metres = st.one_of(st.none(), st.integers(0, 10**8), st.integers(0, 3_000), st.sampled_from([1_000, 2_000, 3_000]))


@st.composite
def shipping_lines(draw: st.DrawFn) -> dict[str, Any]:
    """Any line that is accepted; edges of bands lie where many of the distances do."""
    mode = draw(st.sampled_from([{}, *({"mode_of_delivery": mode} for mode in MODES)]))
    place = draw(st.sampled_from([*PLACES, {"source_list_id": "M"}, {"source_id": "B"}]))
    field, basis, amounts = draw(
        st.sampled_from([("cents", "fixed", st.integers(0, 10**6)), ("cents_per_km", "per_km", rates)])
    )
    line: dict[str, Any] = {**mode, **place, "basis": basis}
    edges = sorted(draw(st.sets(st.integers(0, 4_000), max_size=4)))
    if len(edges) < 2:
        line[field] = draw(amounts)
        return line if basis == "fixed" else {**line, "default_cents": draw(st.integers(0, 10**6))}
    ends: list[float | None] = [edge / 1000 for edge in edges[1:]]
    ends += [None] if draw(st.booleans()) else []
    bands = [
        {"from_km": edge / 1000, "to_km": end, field: draw(amounts)} for edge, end in zip(edges, ends, strict=False)
    ]
    return {**line, "bands": bands, "default_cents": draw(st.integers(0, 10**6))}


@the_same_every_time
@given(st.lists(shipping_lines(), min_size=1, max_size=6), st.lists(metres, min_size=4, max_size=4))
def test_arrays_and_audit_agree_on_every_leg(lines: list[dict[str, Any]], distances_m: list[int | None]) -> None:
    batch = with_distances(two_lines(), [distances_m[:2], distances_m[2:]])
    assert all(cents >= 0 for row in both_ways(the_cost_factor("shipping", *lines), batch) for cents in row)


@the_same_every_time
@given(st.permutations([*(fixed(10 + n, **scope) for n, scope in enumerate(MOST_SPECIFIC_FIRST)), fixed(3)]))
def test_the_order_of_the_lines_does_not_matter(lines: list[dict[str, Any]]) -> None:
    assert both_ways(the_cost_factor("shipping", *lines), at(0, 0)) == [[10, 12], [13, 15]]


@the_same_every_time
@given(rates, st.integers(0, 10**8))
def test_a_price_per_kilometre_is_the_decimal_product_rounded_half_up(rate: float, distance_m: int) -> None:
    exact = Decimal(repr(rate)) * distance_m / 1000
    assert standard_from_a(distance_m, per_km(rate)) == int(exact.to_integral_value(ROUND_HALF_UP))
