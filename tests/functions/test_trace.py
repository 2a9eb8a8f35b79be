"""One trace follows an order from intake to assignment and beyond, over HTTP, queue and run."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from dom_core.telemetry.ways import order_way, run_way
from dom_core.use_cases.context import Ports
from functions import bootstrap
from tests.functions.app import call, content_of, tick
from tests.functions.shop import an_intake, deliver
from tests.telemetry.open_telemetry_in_memory import Seen, trace_of, traces_linked_from


@pytest.fixture
def seen(shop: Ports) -> Iterator[Seen]:
    """What every process of the installation tells."""
    seen = Seen()
    bootstrap.use(replace(shop, telemetry=seen.watch()))
    yield seen
    bootstrap.use(None)


def the_run() -> str:
    (run,) = content_of(call("GET", "runs"))["items"]
    return str(run["id"])


def test_a_trace_follows_an_order_from_intake_to_assignment(shop: Ports, seen: Seen) -> None:
    assert call("POST", "orders", an_intake("O1")).status_code == 202
    assert deliver(shop, "orders", "collect_order") == 1
    assert call("POST", "strategies/daily/run", {"who": "Ann"}).status_code == 202
    assert deliver(shop, "plan-runs", "execute_run") == 1
    (line,) = content_of(call("GET", "orders/O1"))["lines"]
    assert line["state"] in ("assigned", "accepted")

    assert seen.names(order_way("O1")) == ["submit_order", "take_order", "apply_to_order"]
    assert seen.names(run_way(the_run())) == ["start_run", "apply_plan", "plan_batch"]


def test_the_assignment_links_to_the_run_that_made_it(shop: Ports, seen: Seen) -> None:
    for order_id in ("O1", "O2"):
        call("POST", "orders", an_intake(order_id))
    deliver(shop, "orders", "collect_order")
    tick("plan_orders")
    assigned = [span for span in seen.spans() if span.name == "apply_to_order"]
    assert [trace_of(span) for span in assigned] == [order_way("O1").trace_id, order_way("O2").trace_id]
    assert [traces_linked_from(span) for span in assigned] == [[run_way(the_run()).trace_id]] * 2


def test_what_a_source_and_people_do_to_an_order_is_on_its_way_too(shop: Ports, seen: Seen) -> None:
    call("POST", "orders", an_intake("O1"))
    deliver(shop, "orders", "collect_order")
    tick("plan_orders")
    (line,) = content_of(call("GET", "orders/O1"))["lines"]
    source_id = line["assignment"]["source_id"]
    refusal = {"source_id": source_id, "reason_code": "damaged", "who": "clerk"}
    assert call("POST", "orders/O1/lines/1/reject", refusal).status_code == 200
    assert call("POST", "orders/O1/cancel", {"who": "Ann", "why": "changed her mind"}).status_code == 200
    assert seen.names(order_way("O1"))[3:] == ["reject_line", "cancel_order"]


def test_an_order_that_a_provider_queued_is_on_the_same_way(shop: Ports, seen: Seen) -> None:
    shop.queues.send("orders", json.dumps(an_intake("O1")).encode())
    deliver(shop, "orders", "collect_order")
    tick("plan_orders")
    assert seen.names(order_way("O1")) == ["take_order", "apply_to_order"]


def test_reading_an_order_is_no_step_on_its_way(shop: Ports, seen: Seen) -> None:
    call("GET", "orders/O1")
    assert seen.spans() == ()
