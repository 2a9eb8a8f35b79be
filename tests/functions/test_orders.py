"""Orders over HTTP and through the queue."""

import json
from typing import Any

import pytest

from dom_core.errors import DamagedDocument, Unavailable
from dom_core.ports import Container
from dom_core.use_cases.context import Ports
from tests.functions.app import call, content_of, message, paths_of, problem_of
from tests.functions.conftest import PlaceBook
from tests.functions.shop import an_intake, deliver


def line(**fields: Any) -> dict[str, Any]:
    return {"id": "1", "product_id": "SKU-1", "units": 2} | fields


def queued(ports: Ports) -> int:
    return ports.queues.length(ports.settings.orders_queue)


def test_a_posted_order_is_queued_and_not_stored(shop: Ports) -> None:
    answer = call("POST", "orders", an_intake())
    assert answer.status_code == 202
    assert content_of(answer) == {"order_id": "O1", "revision": 1, "status_url": "/api/orders/O1"}
    assert answer.headers["Location"] == "/api/orders/O1"
    assert queued(shop) == 1
    assert shop.store.read(Container.ORDERS, "O1", "order") is None


def test_a_collected_order_can_be_read(placed: Ports) -> None:
    order = content_of(call("GET", "orders/O1"))
    assert order["id"] == "O1"
    assert order["lines"][0]["state"] == "unassigned"
    assert order["lines"][0]["location"] == {"latitude": 47.61, "longitude": -122.34}


def test_the_same_order_again_gets_the_same_answer_and_changes_nothing(placed: Ports) -> None:
    before = content_of(call("GET", "orders/O1"))
    answer = call("POST", "orders", an_intake())
    assert (answer.status_code, content_of(answer)["order_id"]) == (202, "O1")
    deliver(placed, placed.settings.orders_queue, "collect_order")
    assert content_of(call("GET", "orders/O1")) == before


def test_the_same_key_with_other_content_is_a_conflict(placed: Ports) -> None:
    problem = problem_of(call("POST", "orders", an_intake(lines=[line(units=3)])), 409)
    assert problem["type"].endswith(":different-content")


BAD_ORDERS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "unknown product": ({"lines": [line(product_id="SKU-9")]}, ["lines[0].product_id"]),
    "negative units": ({"lines": [line(units=-1)]}, ["lines[0].units"]),
    "fractional units": ({"lines": [line(units=1.5)]}, ["lines[0].units"]),
    "units as text": ({"lines": [line(units="2")]}, ["lines[0].units"]),
    "ZIP that does not exist": ({"ship_to": {"postal_code": "00000"}}, ["ship_to"]),
    "coordinates out of range": (
        {"location": {"latitude": 91, "longitude": -181}},
        ["location.latitude", "location.longitude"],
    ),
    "unknown field": ({"discount": 1}, ["discount"]),
    "no lines": ({"lines": []}, ["lines"]),
    "naive time": ({"ordered_at": "2026-03-02T08:00:00"}, ["ordered_at"]),
    "several at once": (
        {"priority_class": 9, "lines": [line(units=0), line(id="2", colour="red")]},
        ["priority_class", "lines[0].units", "lines[1].colour"],
    ),
}


@pytest.mark.parametrize("name", BAD_ORDERS)
def test_an_invalid_order_is_refused_with_every_bad_field(name: str, shop: Ports) -> None:
    fields, paths = BAD_ORDERS[name]
    problem = problem_of(call("POST", "orders", an_intake(**fields)), 422)
    assert sorted(paths_of(problem)) == sorted(paths)
    assert all(error["message"] for error in problem["errors"])
    assert queued(shop) == 0


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"\xff\xfe", b'{"id": NaN}', b"[" * 100_000, b'{"a":' * 50_000],
    ids=["empty", "cut", "not UTF-8", "NaN", "deep arrays", "deep objects"],
)
def test_what_is_not_json_is_refused(raw: bytes, shop: Ports) -> None:
    assert problem_of(call("POST", "orders", raw=raw), 400)["type"].endswith(":unreadable-body")
    assert queued(shop) == 0


@pytest.mark.parametrize("depth", range(50, 1500, 50))
def test_nesting_never_breaks_the_reader(depth: int, shop: Ports) -> None:
    raw = b'{"a":' + b"[" * depth + b"]" * depth + b"}"
    assert call("POST", "orders", raw=raw).status_code in (400, 422)


def test_a_body_of_three_megabytes_is_too_large(shop: Ports) -> None:
    problem = problem_of(call("POST", "orders", raw=b" " * 3_000_000), 413)
    assert "1,000,000 bytes" in problem["detail"]


def test_a_body_at_the_limit_is_read_and_one_byte_more_is_not(shop: Ports) -> None:
    assert call("POST", "orders", raw=b" " * 1_000_000).status_code == 400
    assert call("POST", "orders", raw=b" " * 1_000_001).status_code == 413


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
    ids=["none", "text", "form", "compressed"],
)
def test_a_body_must_say_that_it_is_plain_json(headers: dict[str, str], shop: Ports) -> None:
    problem_of(call("POST", "orders", an_intake(), headers=headers), 415)
    assert queued(shop) == 0


def test_json_may_name_its_charset(shop: Ports) -> None:
    headers = {"content-type": "Application/JSON; charset=utf-8"}
    assert call("POST", "orders", an_intake(), headers=headers).status_code == 202


@pytest.mark.parametrize("id", ["O2", "x" * 121, "a b", "..", "<script>", "%00"])
def test_an_order_that_is_not_there_is_not_found(id: str, placed: Ports) -> None:
    problem_of(call("GET", f"orders/{id}"), 404)


def test_orders_are_listed_page_by_page(shop: Ports) -> None:
    ids = [f"O{number}" for number in range(5)]
    for id in ids:
        message("collect_order", json.dumps(an_intake(id)).encode(), id)
    found, params = [], {"limit": "2"}
    while True:
        page = content_of(call("GET", "orders", params=params))
        assert len(page["items"]) <= 2
        found += [order["id"] for order in page["items"]]
        if page["continuation"] is None:
            break
        params = {"limit": "2", "continuation": page["continuation"]}
    assert sorted(found) == ids


def test_orders_are_listed_by_the_state_of_their_lines(placed: Ports, geocoder: PlaceBook) -> None:
    message("collect_order", json.dumps(an_intake("lost", ship_to={"postal_code": "00000"})).encode(), "M2")

    def ids(**params: str) -> list[str]:
        return [order["id"] for order in content_of(call("GET", "orders", params=params))["items"]]

    assert ids(state="unassigned") == ["O1"]
    assert ids(state="exception") == ids(exception="no_location") == ["lost"]
    assert ids(state="shipped") == []


@pytest.mark.parametrize(
    ("params", "path"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "1001"}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"state": "lost"}, "state"),
        ({"exception": "bad_luck"}, "exception"),
        ({"continuation": "made-up"}, "continuation"),
        ({"stat": "shipped"}, "stat"),
    ],
)
def test_a_bad_query_is_refused_by_name(params: dict[str, str], path: str, placed: Ports) -> None:
    assert paths_of(problem_of(call("GET", "orders", params=params), 422)) == [path]


def test_a_key_in_the_query_is_not_a_parameter_of_ours(placed: Ports) -> None:
    assert call("GET", "orders", params={"code": "k", "clientId": "default"}).status_code == 200


@pytest.mark.parametrize("body", [b"\xff\xfe", b"no json", b"{}"], ids=["bytes", "text", "incomplete"])
def test_a_bad_queue_message_becomes_a_dead_letter(body: bytes, shop: Ports) -> None:
    message("collect_order", body, "M7")
    (letter,) = content_of(call("GET", "deadletters"))["items"]
    assert (letter["queue"], letter["message_id"]) == ("orders", "M7")
    assert letter["problems"]


def test_an_address_that_cannot_be_asked_about_sends_the_message_back(shop: Ports, geocoder: PlaceBook) -> None:
    geocoder.silent = True
    with pytest.raises(Unavailable):
        message("collect_order", json.dumps(an_intake()).encode())
    assert content_of(call("GET", "deadletters"))["items"] == []


def damage(ports: Ports, container: Container, partition: str, id: str, field: str) -> None:
    """Change a stored document as no use case would."""
    stored = ports.store.read(container, partition, id)
    assert stored is not None
    ports.store.replace(container, partition, id, {**stored.body, field: {"id": 7}}, stored.etag)


def test_a_damaged_document_is_not_the_callers_fault(placed: Ports, caplog: pytest.LogCaptureFixture) -> None:
    damage(placed, Container.ORDERS, "O1", "order", "order")
    problem_of(call("GET", "orders/O1"), 500)
    assert "DamagedDocument" in caplog.text
    assert "O1" in caplog.text


def test_a_damaged_product_does_not_make_a_good_order_a_dead_letter(shop: Ports) -> None:
    damage(shop, Container.CONFIG, "products", "SKU-1", "value")
    with pytest.raises(DamagedDocument):
        message("collect_order", json.dumps(an_intake()).encode())
    assert content_of(call("GET", "deadletters"))["items"] == []


def test_an_order_that_no_document_could_hold_is_refused_with_the_limit(shop: Ports) -> None:
    lines = [
        line(id=f"{'L' * 100}{number}", ship_to={"postal_code": "98101", "street": "s" * 200}) for number in range(1000)
    ]
    problem = problem_of(call("POST", "orders", an_intake(lines=lines)), 422)
    assert "500,000" in problem["errors"][0]["message"]
    assert queued(shop) == 0
