"""What shipments and parts cost. The arrays and the audit's plain methods are asked alike, and must agree."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dom_core.costs.base import CostFactor
from dom_core.domain.batch import Batch
from dom_core.rules.checking import Facts
from tests.builders import a_request, a_source, an_order
from tests.costs.prices import problems, the_cost_factor, values


def a_batch() -> Batch:
    """Two orders with three lines; the sources A (in the lists L and M), B (in L) and C (in none)."""
    request = a_request().with_sources(a_source("A"), a_source("B"), a_source("C"))
    request = request.with_list("L", "A", "B", "NOWHERE").with_list("M", "A")
    return request.with_orders(an_order("O1").with_line("P").with_line("Q"), an_order("O2").with_line("P")).batch()


def per_source(factor: CostFactor) -> tuple[list[int], list[int]]:
    """Cents per shipment and per part at A, B and C, on which arrays and audit agree for every line."""
    batch = a_batch()
    facts, ids = Facts.of(batch.request), ("A", "B", "C")
    shipments = [factor.cost_of_shipment_cents(facts, id) for id in ids]
    parts = [factor.cost_of_part_cents(facts, id) for id in ids]
    for table, plain in ((factor.shipment_cents(batch), shipments), (factor.part_cents(batch), parts)):
        if table is None:
            assert plain == [0, 0, 0]
        else:
            assert values(table, batch) == [plain] * 3
    return shipments, parts


def shipments(*lines: dict[str, Any]) -> list[int]:
    return per_source(the_cost_factor("handling", *lines))[0]


def test_an_amount_without_a_place_holds_everywhere() -> None:
    factor = the_cost_factor("handling", {"per_order_cents": 250, "per_line_cents": 40})
    assert per_source(factor) == ([250, 250, 250], [40, 40, 40])


def test_a_source_beats_a_list_and_a_list_beats_everywhere() -> None:
    lines: list[dict[str, Any]] = [
        {"source_id": "A", "per_order_cents": 1},
        {"source_list_id": "L", "per_order_cents": 20},
        {"per_order_cents": 300},
    ]
    assert shipments(*lines) == shipments(*lines[::-1]) == [1, 20, 300]


def test_between_equals_the_larger_amount_decides() -> None:
    lines: list[dict[str, Any]] = [
        {"source_list_id": "M", "per_order_cents": 7},
        {"source_list_id": "L", "per_order_cents": 5},
    ]
    assert shipments(*lines) == shipments(*lines[::-1]) == [7, 5, 0]


def test_each_amount_is_decided_by_itself_among_the_lines_that_give_it() -> None:
    lines: list[dict[str, Any]] = [
        {"per_order_cents": 250, "per_line_cents": 40},
        {"source_list_id": "L", "per_order_cents": 600},
    ]
    assert per_source(the_cost_factor("handling", *lines)) == ([600, 600, 250], [40, 40, 40])


def test_an_amount_of_zero_lifts_a_more_general_one() -> None:
    assert shipments({"per_order_cents": 250}, {"source_id": "B", "per_order_cents": 0}) == [250, 0, 250]


def test_lines_for_places_that_the_run_does_not_know_cost_nothing() -> None:
    lines: list[dict[str, Any]] = [
        {"source_id": "NOWHERE", "per_order_cents": 1},
        {"source_list_id": "NO-LIST", "per_order_cents": 2},
    ]
    assert shipments(*lines) == [0, 0, 0]


def test_an_amount_that_no_line_gives_has_no_table() -> None:
    per_order = the_cost_factor("handling", {"per_order_cents": 1})
    per_line = the_cost_factor("handling", {"per_line_cents": 1})
    assert (per_order.part_cents(a_batch()), per_line.shipment_cents(a_batch())) == (None, None)
    assert (per_order.leg_cents(a_batch()), per_line.leg_cents(a_batch())) == (None, None)


def test_sources_and_lists_are_references_with_their_paths() -> None:
    lines = [{"source_id": "A", "per_line_cents": 1}, {"source_list_id": "L", "per_line_cents": 1}]
    assert list(the_cost_factor("handling", *lines).references()) == [
        ("params.lines[0].source_id", "source", "A"),
        ("params.lines[1].source_list_id", "source_list", "L"),
    ]


@pytest.mark.parametrize("field", ["per_order_cents", "per_line_cents"])
@pytest.mark.parametrize("cents", [-1, 0.5, "1", True, 10**12 + 1])
def test_amounts_are_whole_cents(field: str, cents: object) -> None:
    (problem,) = problems("handling", {field: cents})
    assert problem.startswith(f"params.lines[0].{field}: ")


def test_every_problem_is_listed_at_once_with_its_path() -> None:
    lines: list[dict[str, Any]] = [
        {"source_id": "A"},
        {"source_id": "A", "source_list_id": "L", "per_order_cents": 1},
        {"per_line_cents": 1, "per_source_cents": 1},
    ]
    assert problems("handling", *lines) == [
        "params.lines[0].per_line_cents: give per_order_cents, per_line_cents or both",
        "params.lines[1].source_list_id: name a source or a source list, not both",
        "params.lines[2].per_source_cents: there is no such field; correct its name or leave it out",
    ]


places = st.sampled_from([{}, *({"source_id": id} for id in "ABC"), *({"source_list_id": id} for id in "LM")])
amounts = st.fixed_dictionaries({}, optional=dict.fromkeys(("per_order_cents", "per_line_cents"), st.integers(0, 9)))
handling_lines = st.builds(lambda place, amount: {**place, **amount}, places, amounts.filter(bool))


@settings(derandomize=True, deadline=None, database=None)
@given(st.lists(handling_lines, min_size=1, max_size=8))
def test_arrays_and_audit_agree_in_any_order_of_the_lines(lines: list[dict[str, Any]]) -> None:
    assert per_source(the_cost_factor("handling", *lines)) == per_source(the_cost_factor("handling", *lines[::-1]))
