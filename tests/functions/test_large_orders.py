"""Orders of a thousand lines on their way through HTTP and the queue, on a file and on Azure's own services."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from dom_core.use_cases.context import Ports
from tests.functions.app import call, content_of, message, problem_of
from tests.functions.conftest import PlaceBook
from tests.functions.shop import SHOP, an_intake, deliver
from tests.functions.stores import STORAGES, serving

LINES = 1000


@pytest.fixture(params=STORAGES.values(), ids=list(STORAGES))
def large_shop(request: pytest.FixtureRequest, geocoder: PlaceBook) -> Iterator[Ports]:
    with serving(request.param(request), geocoder) as ports:
        assert call("PUT", "config/products", SHOP["products"]).status_code == 200
        yield ports


def a_large_intake(**fields: Any) -> dict[str, Any]:
    """An order of a thousand lines and some 250 KB."""
    ship_to = {"street": "1234 Long Street Name, Apartment 17", "city": "Seattle", "region": "WA"}
    lines = [
        {"id": str(number), "product_id": "SKU-1", "units": 2, "ship_to": {**ship_to, "postal_code": "98101"}}
        for number in range(LINES)
    ]
    return an_intake(lines=lines, **fields)


def blobs(ports: Ports) -> int:
    return len(list(ports.blobs.every()))


def test_a_thousand_lines_come_in_through_http_and_the_queue_and_leave_no_blob(large_shop: Ports) -> None:
    order = a_large_intake()
    assert 150_000 < len(json.dumps(order)) < 300_000

    answer = call("POST", "orders", order)

    assert (answer.status_code, blobs(large_shop)) == (202, 1)
    assert deliver(large_shop, large_shop.settings.orders_queue, "collect_order") == 1
    stored = content_of(call("GET", "orders/O1"))
    assert [line["id"] for line in stored["lines"]] == [line["id"] for line in order["lines"]]
    assert blobs(large_shop) == 0
    assert call("POST", "orders", order).status_code == 202
    assert (deliver(large_shop, large_shop.settings.orders_queue, "collect_order"), blobs(large_shop)) == (0, 0)


def test_a_poisoned_large_order_is_replayed_from_its_dead_letter(large_shop: Ports) -> None:
    queue = large_shop.settings.orders_queue
    call("POST", "orders", a_large_intake())
    (received,) = large_shop.queues.receive(queue)
    large_shop.queues.delete(queue, received)
    message("keep_poisoned_order", received.body, "poison-1")
    (letter,) = content_of(call("GET", "deadletters"))["items"]

    answer = call("POST", f"deadletters/{letter['day']}/{letter['id']}/replay", {"who": "Ann"})

    assert answer.status_code == 200
    assert deliver(large_shop, queue, "collect_order") == 1
    assert len(content_of(call("GET", "orders/O1"))["lines"]) == LINES


def test_a_letter_of_which_the_content_is_lost_says_so_when_it_is_replayed(large_shop: Ports) -> None:
    queue = large_shop.settings.orders_queue
    call("POST", "orders", a_large_intake())
    for blob in large_shop.blobs.every():
        large_shop.blobs.delete(blob.name)
    deliver(large_shop, queue, "collect_order")
    (letter,) = content_of(call("GET", "deadletters"))["items"]
    assert "is gone" in letter["problems"][0]["message"]

    problem = problem_of(call("POST", f"deadletters/{letter['day']}/{letter['id']}/replay", {"who": "Ann"}), 409)

    assert problem["type"] == "urn:problem-type:dom:conflict"
    assert "send it again" in problem["detail"]
