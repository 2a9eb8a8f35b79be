"""The lines that the app really writes: alerts fire on them, and they say nothing that somebody sent."""

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from dom_core.adapters.clock import FixedClock
from dom_core.optimizer.solving import CbcSolver
from dom_core.repositories.stock import Stock
from dom_core.use_cases.context import Ports
from functions import bootstrap
from tests.functions.app import call, content_of, message, tick
from tests.functions.shop import an_intake, deliver
from tests.infra.alert_conditions import GIVEN, conditions
from tests.telemetry.open_telemetry_in_memory import Seen


@dataclass
class App:
    """The app that is watched, and what it has logged."""

    ports: Ports
    log: pytest.LogCaptureFixture

    def wait(self, minutes: float) -> None:
        assert isinstance(self.ports.clock, FixedClock)
        self.ports.clock.time += timedelta(minutes=minutes)

    def lines(self) -> list[str]:
        return [record.getMessage() for record in self.log.records if record.name == "dom.events"]

    def events(self) -> list[str]:
        return [json.loads(line)["event"] for line in self.lines()]

    def alarms(self) -> set[str]:
        """The alerts that the log raises."""
        return {name for name, condition in conditions().items() for line in self.lines() if condition.fires(line)}

    def take(self, order_id: str) -> None:
        assert call("POST", "orders", an_intake(order_id)).status_code == 202
        deliver(self.ports, "orders", "collect_order")

    def serve(self, **ports: Any) -> None:
        self.ports = replace(self.ports, **ports)
        bootstrap.use(self.ports)


@pytest.fixture
def app(shop: Ports, caplog: pytest.LogCaptureFixture) -> Iterator[App]:
    caplog.set_level(logging.INFO)
    caplog.clear()
    yield App(shop, caplog)
    bootstrap.use(None)


@dataclass
class SlowSolver:
    """Takes this long for every answer, as the clock sees it."""

    app: App
    minutes: float
    name: str = "slow"

    def solve(self, *given: Any) -> Any:
        self.app.wait(self.minutes)
        return CbcSolver().solve(*given)

    def solve_strictly(self, *given: Any) -> Any:
        self.app.wait(self.minutes)
        return CbcSolver().solve_strictly(*given)


def a_queue_waits(app: App) -> None:
    assert call("POST", "orders", an_intake()).status_code == 202
    app.wait(GIVEN["queueAgeLimitMinutes"] + 0.1)
    tick("watch_queues")


def a_message_is_poison(app: App) -> None:
    message("keep_poisoned_order", b"{}", "M9")


def a_run_fails(app: App) -> None:
    message("execute_run", json.dumps({"run_id": "R1", "strategy_id": "nobody"}).encode())


def a_run_is_slow(app: App) -> None:
    app.take("O1")
    app.serve(solver=SlowSolver(app, GIVEN["runLimitMinutes"] + 0.1))
    tick("plan_orders")


def stock_is_promised_twice(app: App) -> None:
    app.take("O1")
    tick("plan_orders")
    stock = Stock(app.ports.store)
    for product in list(stock.every()):
        found = stock.find(product.product_id)
        assert found is not None
        cells = tuple(replace(cell, on_hand=1) for cell in product.cells)
        stock.save(replace(product, cells=cells), found.etag)
    tick("clean_up")


ALARMING: dict[str, Callable[[App], None]] = {
    "queue-age": a_queue_waits,
    "poison": a_message_is_poison,
    "run-failed": a_run_fails,
    "run-too-long": a_run_is_slow,
    "oversold": stock_is_promised_twice,
}


@pytest.mark.parametrize(("alert", "happens"), ALARMING.items(), ids=ALARMING)
def test_an_alert_fires_on_the_lines_that_the_app_writes(alert: str, happens: Callable[[App], None], app: App) -> None:
    happens(app)
    assert app.alarms() == {alert}


def test_every_alert_is_made_to_fire_here() -> None:
    assert set(ALARMING) == set(conditions())


def test_an_ordinary_day_raises_no_alert(app: App) -> None:
    app.take("O1")
    app.wait(GIVEN["queueAgeLimitMinutes"] - 0.1)
    tick("plan_orders")
    tick("watch_queues")
    tick("clean_up")
    assert app.events() == [
        "order_queued",
        "order_taken",
        "run_started",
        "plan_applied",
        "run_ended",
        *["queue_age"] * 6,
        "cleaned_up",
    ]
    assert app.alarms() == set()


PRIVATE = "Wisteria Lane 4352"


def test_no_event_and_no_span_holds_anything_that_somebody_wrote(app: App, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    seen = Seen()
    app.serve(telemetry=seen.watch())
    address = {"postal_code": "98101", "street": PRIVATE, "city": PRIVATE}
    order = an_intake("O1", ship_to=address, customer_reference=PRIVATE, sales_origin=PRIVATE, mode_of_delivery=PRIVATE)
    assert call("POST", "orders", order).status_code == 202
    deliver(app.ports, "orders", "collect_order")
    assert call("POST", "strategies/daily/run", {"who": PRIVATE}).status_code == 202
    deliver(app.ports, "plan-runs", "execute_run")
    (line,) = content_of(call("GET", "orders/O1"))["lines"]
    refusal = {"source_id": line["assignment"]["source_id"], "reason_code": PRIVATE, "who": PRIVATE, "why": PRIVATE}
    assert call("POST", "orders/O1/lines/1/reject", refusal).status_code == 200
    assert call("POST", "orders/O1/cancel", {"who": PRIVATE, "why": PRIVATE}).status_code == 200
    message("collect_order", json.dumps(an_intake("O2", customer_reference=[PRIVATE])).encode(), "M2")
    message("keep_poisoned_order", json.dumps(order).encode(), "M3")
    tick("clean_up")

    assert set(app.events()) >= {"order_taken", "run_ended", "line_rejected", "dead_letter_kept", "message_poisoned"}
    assert len(seen.spans()) >= 6
    assert PRIVATE not in caplog.text + "".join(span.to_json() for span in seen.spans()) + str(seen.measured())


def test_every_line_is_one_object_with_a_name_and_the_trace_of_what_it_is_about(app: App) -> None:
    app.take("O1")
    tick("plan_orders")
    lines = [json.loads(line) for line in app.lines()]
    assert all(next(iter(line)) == "event" and "\n" not in json.dumps(line) for line in lines)
    assert all(("trace_id" in line) == bool({"order_id", "run_id"} & set(line)) for line in lines)
