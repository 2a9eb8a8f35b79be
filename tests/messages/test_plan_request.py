"""A run's input survives being written down, and takes nothing personal with it."""

import json
from dataclasses import fields, replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from dom_core.domain.network import Address, Product, WorkingCalendar
from dom_core.domain.order import Event
from dom_core.domain.request import PlanRequest, SourceLoad
from dom_core.errors import InvalidInput
from dom_core.messages.plan_request import RequestDocument, document_of
from dom_core.messages.reading import read_json, write_value
from dom_core.optimizer.hashing import hashes
from tests.builders import NOW, a_cost_factor, a_request, a_rule, a_source, an_order


def a_full_request() -> PlanRequest:
    """Something in every field that JSON does not know by itself."""
    calendar = WorkingCalendar(closed_dates=(date(2026, 12, 25),))
    order = an_order("O1", priority_class=2).with_line("P", 3).rejected_by("S1", NOW + timedelta(days=1))
    return (
        a_request()
        .with_sources(
            a_source("S1", time_zone="America/Los_Angeles", cut_off=time(17, 30), calendar=calendar),
            a_source("S2", at=None),
        )
        .with_list("all", "S1", "S2")
        .with_products(Product("Q"), Product("P", parent_id="Q", categories=("Lamps",)))
        .with_rules(a_rule("maximum_distance", {"lines": [{"km": 500}]}, end_date=date(2026, 12, 31)))
        .with_cost_factors(a_cost_factor("handling", {"per_order_cents": 5}))
        .with_stock({("P", "S2"): 4, ("P", "S1"): 0})
        .with_load("S1", SourceLoad(frozenset({"O8", "O7"}), frozenset({"O8"}), 3))
        .with_orders(order)
        .with_strategy(local_radius_km=1.5)
        .build()
    )


def read_back(request: PlanRequest) -> PlanRequest:
    raw = json.dumps(write_value(document_of(request), RequestDocument)).encode()
    return read_json(raw, RequestDocument, "request").to_request()


def test_a_request_read_back_is_the_same_and_has_the_same_hashes() -> None:
    request = a_full_request()
    again = read_back(request)
    assert again == request
    assert hashes(again) == hashes(request)


def test_the_same_request_is_always_written_the_same() -> None:
    request = a_full_request()
    turned = replace(request, available=dict(sorted(request.available.items(), reverse=True)))
    assert document_of(turned) == document_of(request)
    assert [(cell.source_id, cell.units) for cell in document_of(request).available] == [("S1", 0), ("S2", 4)]
    assert document_of(request).loads[0].open_order_ids == ("O7", "O8")


def test_streets_references_and_histories_are_left_out_and_do_not_count_in_the_hash() -> None:
    request = a_full_request()
    (order,) = request.orders
    (line,) = order.lines
    personal = replace(
        order,
        lines=(replace(line, ship_to=Address(street="Wisteria Lane 4352")),),
        customer_reference="Mrs. Huber",
        content_hash="c" * 64,
        history=(Event(NOW, "Mrs. Huber", "received"),),
    )
    written = write_value(document_of(replace(request, orders=(personal,))), RequestDocument)
    assert "Wisteria" not in json.dumps(written)
    assert "Huber" not in json.dumps(written)
    assert written == write_value(document_of(request), RequestDocument)
    assert hashes(replace(request, orders=(personal,))) == hashes(request)


@pytest.mark.parametrize(
    "change",
    [
        {"now": datetime(2026, 3, 2, 15, 1, tzinfo=UTC)},
        {"available": {("P", "S2"): 5, ("P", "S1"): 0}},
        {"loads": {}},
        {"orders": ()},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_decides_counts_in_the_hash(change: dict[str, object]) -> None:
    request = a_full_request()
    assert hashes(replace(request, **change)).request != hashes(request).request  # type: ignore[arg-type]  # any field


def test_a_document_with_an_unknown_field_is_refused() -> None:
    plain = write_value(document_of(a_full_request()), RequestDocument)
    with pytest.raises(InvalidInput, match="weather"):
        read_json(json.dumps(plain | {"weather": "fair"}).encode(), RequestDocument, "request")


def test_no_field_of_a_request_is_forgotten() -> None:
    """The rows of `roads` are a list of their own: it grows, and is stored in pieces."""
    stored = {field.name for field in fields(RequestDocument)} - {"road_rows"}
    assert stored == {field.name for field in fields(PlanRequest)}
