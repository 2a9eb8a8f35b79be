"""What each function asks of the store: point reads and queries of one partition, with few exceptions.

Every function of the app is called once, with what makes it read most, on a store that writes down the queries over
all partitions. Those must be in a table, each with its reason.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import azure.functions as func
import pytest

from dom_core.messages.plan_task import PlanTaskMessage
from dom_core.ports import Container, Page
from dom_core.use_cases.context import Ports
from functions import bootstrap
from tests.functions.app import call, functions, message, routed, tick
from tests.functions.conftest import PlaceBook
from tests.functions.shop import SHOP, an_intake
from tests.functions.stores import STORAGES, serving
from tests.passing_store import PassingStore

Query = tuple[Container, tuple[str, ...]]
"""A query over all partitions of a container, by these fields."""


@dataclass
class RecordingStore(PassingStore):
    """Passes everything on, and notes for the function of the moment its queries over all partitions."""

    function: str = ""
    asked: dict[str, set[Query]] = field(default_factory=dict)

    def query(
        self,
        container: Container,
        *,
        partition: str | None = None,
        where: Mapping[str, str | int | bool] | None = None,
        limit: int = 100,
        continuation: str | None = None,
    ) -> Page:
        if partition is None:
            self.asked.setdefault(self.function, set()).add((container, tuple(sorted(where or {}))))
        return super().query(container, partition=partition, where=where, limit=limit, continuation=continuation)


@dataclass
class Scenario:
    """Calls functions and remembers which."""

    ports: Ports
    store: RecordingStore
    called: set[str] = field(default_factory=set)

    def http(self, method: str, path: str, content: object = None, **params: str) -> Any:
        """The content of a good answer."""
        self._begin(routed(method, path)[0])
        answer = call(method, path, content, params=params)
        assert isinstance(answer, func.HttpResponse)
        assert answer.status_code < 300, (method, path, answer.get_body())
        return json.loads(answer.get_body()) if answer.mimetype == "application/json" and answer.get_body() else None

    def message(self, name: str, body: bytes, id: str) -> None:
        self._begin(name)
        message(name, body, id)

    def tick(self, name: str) -> None:
        self._begin(name)
        tick(name)

    def deliver(self, queue: str, name: str) -> None:
        for received in self.ports.queues.receive(queue, limit=32):
            self.message(name, received.body, received.id)
            self.ports.queues.delete(queue, received)

    def _begin(self, name: str) -> None:
        self.called.add(name)
        self.store.function = name


@pytest.fixture(params=STORAGES.values(), ids=list(STORAGES))
def scenario(request: pytest.FixtureRequest, geocoder: PlaceBook) -> Iterator[Scenario]:
    with serving(request.param(request), geocoder) as ports:
        store = RecordingStore(ports.store)
        recorded = replace(ports, store=store)
        bootstrap.use(recorded)
        yield Scenario(recorded, store)


ANN = {"who": "Ann"}
WHY = {"who": "Ann", "why": "the customer rang"}


def configure(shop: Scenario) -> None:
    for kind, objects in SHOP.items():
        if objects:
            shop.http("PUT", f"config/{kind}", objects)
    shop.http("PUT", "config/strategies/asked", {"id": "asked", "source_list_id": "west", "auto_apply": False})
    for kind, id in (("sources", "spare"), ("products", "spare")):
        shop.http("PUT", f"config/{kind}/{id}", {"id": id} | ({"type": "store"} if kind == "sources" else {}))
        shop.http("GET", f"config/{kind}/{id}")
        shop.http("GET", f"config/{kind}/{id}/changes")
        shop.http("DELETE", f"config/{kind}/{id}")
    shop.http("GET", "config/products")
    shop.http("PUT", "stock/SKU-1/seattle", {"on_hand": 30})
    shop.http("PUT", "stock", [{"product_id": "SKU-1", "source_id": "portland", "on_hand": 50}])
    shop.http("GET", "stock/SKU-1")


def take_orders(shop: Scenario) -> None:
    shop.http("POST", "suggest", {"order": an_intake(), "strategy_id": "daily"})
    for number in range(1, 6):
        shop.http("POST", "orders", an_intake(f"O{number}"))
    shop.deliver(shop.ports.settings.orders_queue, "collect_order")
    shop.message("collect_order", b"{}", "M1")
    shop.message("keep_poisoned_order", b"{}", "M2")
    shop.message("keep_poisoned_run", b"{}", "M3")
    letters = shop.http("GET", "deadletters")["items"]
    assert len(letters) == 3
    shop.http("POST", f"deadletters/{letters[0]['day']}/{letters[0]['id']}/replay", ANN)
    shop.http("GET", "orders", state="unassigned")
    shop.http("POST", f"runs/{shop.http('POST', 'strategies/asked/run', ANN)['run_id']}/cancel", ANN)
    shop.http("POST", "orders/O5/hold", WHY)


def plan(shop: Scenario, strategy_id: str) -> str:
    run_id = shop.http("POST", f"strategies/{strategy_id}/run", ANN)["run_id"]
    shop.deliver(shop.ports.settings.runs_queue, "execute_run")
    run = shop.http("GET", f"runs/{run_id}")
    assert run["state"] == "finished", run
    return str(run["plan_id"])


def read_plans(shop: Scenario, plan_id: str) -> None:
    shop.http("GET", "runs")
    shop.http("GET", "plans")
    shop.http("GET", f"plans/{plan_id}", reasons="true")
    shop.http("GET", f"plans/{plan_id}/report")
    shop.http("GET", f"plans/{plan_id}/lines/O1/1", force="portland")
    shop.http("POST", f"plans/{plan_id}/replay", {})


def fulfil(shop: Scenario) -> None:
    def at(number: int) -> tuple[str, dict[str, str]]:
        line = shop.http("GET", f"orders/O{number}")["lines"][0]
        return f"orders/O{number}/lines/1", {"source_id": line["assignment"]["source_id"], "who": "Sam"}

    line, body = at(1)
    for verb in ("accept", "pick", "ship"):
        shop.http("POST", f"{line}/{verb}", body)
    for number in (2, 3):
        line, body = at(number)
        shop.http("POST", f"{line}/reject", body | {"reason_code": "damaged"})
    shop.http("POST", "orders/O2/lines/1/reset", WHY)
    shop.http("POST", "orders/O3/reset", WHY)
    shop.http("POST", "orders/O2/lines/1/exclude", WHY)
    shop.http("POST", "orders/O2/lines/1/include", WHY)
    shop.http("POST", "orders/O4/lines/1/cancel", WHY)
    shop.http("POST", "orders/O5/release", WHY)
    shop.http("POST", "orders/O5/cancel", WHY)


def everything(shop: Scenario) -> None:
    """Call every function of the app."""
    shop.http("GET", "health")
    configure(shop)
    take_orders(shop)
    read_plans(shop, plan(shop, "daily"))
    fulfil(shop)
    shop.http("POST", f"plans/{plan(shop, 'asked')}/approve", ANN)
    shop.http("POST", "orders", an_intake("O6"))
    shop.deliver(shop.ports.settings.orders_queue, "collect_order")
    shop.http("POST", f"plans/{plan(shop, 'asked')}/expire", WHY)
    shop.tick("plan_orders")
    shop.tick("send_assignments")
    shop.message("deliver_webhook", b"{}", "M4")
    shop.message("keep_poisoned_webhook", b"{}", "M5")
    shop.message("perform_plan_task", PlanTaskMessage.of("_task-" + "0" * 40, "R1", "nobody's", b"").encoded, "M6")
    shop.message("keep_poisoned_plan_task", b"{}", "M7")
    shop.http("GET", "orders/O1/deliveries")
    shop.tick("watch_queues")
    shop.tick("clean_up")


@dataclass(frozen=True)
class Allowance:
    """A query over all partitions that is allowed, who may make it, and why there is no other way."""

    functions: frozenset[str]
    container: Container
    fields: tuple[str, ...]
    reason: str


RUNS = frozenset({"execute_run", "plan_orders"})
TURNS = RUNS | {"approve_plan"}

ALLOWED = (
    Allowance(
        frozenset({"list_orders"}),
        Container.ORDERS,
        ("kind", "line_unassigned"),
        "a person looks through all orders, a page at a time; every order has a partition of its own",
    ),
    Allowance(frozenset({"list_runs"}), Container.RUNS, ("kind",), "a page of all runs, each its own partition"),
    Allowance(frozenset({"list_plans"}), Container.PLANS, ("kind",), "a page of all plans, each its own partition"),
    Allowance(frozenset({"list_dead_letters"}), Container.DEAD_LETTERS, ("kind",), "a page of the letters of all days"),
    Allowance(RUNS, Container.ORDERS, ("plannable",), "a run plans whatever is open: it cannot know the ids"),
    Allowance(
        TURNS | {"suggest", "clean_up"},
        Container.ORDERS,
        ("in_work",),
        "what a source has to do, and which reservations are needed, is spread over all orders in work",
    ),
    Allowance(
        frozenset({"delete_configuration"}),
        Container.ORDERS,
        ("in_work",),
        "a source goes only when no open line is assigned to it; a person asks, rarely",
    ),
    Allowance(
        TURNS | {"suggest"},
        Container.ORDERS,
        ("last_assigned_on",),
        "limits of a calendar day count orders that have shipped since",
    ),
    Allowance(
        TURNS | {"suggest", "clean_up"},
        Container.PLANS,
        ("kind", "to_apply"),
        "reservations of plans under way are no orphans, and who takes a turn undoes what was left half applied",
    ),
    Allowance(
        TURNS,
        Container.PLANS,
        ("kind", "state", "strategy_id", "to_apply"),
        "an applied plan takes the place of older ones that wait; it does not know their ids",
    ),
    Allowance(
        frozenset({"plan_orders", "clean_up"}),
        Container.PLANS,
        ("kind", "state", "to_apply"),
        "plans that nobody approved in time expire by the clock",
    ),
    Allowance(frozenset({"clean_up"}), Container.PLANS, ("kind",), "once a night, all that is old is looked for"),
    Allowance(frozenset({"clean_up"}), Container.RUNS, ("kind",), "once a night, all that is old is looked for"),
    Allowance(
        frozenset({"clean_up"}), Container.DEAD_LETTERS, ("kind",), "once a night, all that is old is looked for"
    ),
    Allowance(
        TURNS | {"send_assignments"},
        Container.ORDERS,
        ("kind",),
        "what is still to be told may be left beside any order that a run or an approval confirmed",
    ),
    Allowance(
        TURNS | {"clean_up"},
        Container.RUNS,
        ("kind", "state"),
        "runs whose holder died are found by their state: whoever takes a turn does not know how many there were",
    ),
    Allowance(
        frozenset({"clean_up"}),
        Container.RUNS,
        ("kind", "last_day"),
        "once a night, measured distances that have expired are looked for, a day at a time",
    ),
    Allowance(frozenset({"clean_up"}), Container.STOCK, (), "once a night, every reservation is looked at"),
)
"""Every query over all partitions. What is not here must be a point read, or a query within one partition."""


def test_every_function_reads_points_and_single_partitions_with_these_exceptions(scenario: Scenario) -> None:
    everything(scenario)

    assert sorted(scenario.called) == sorted(functions()), "let `everything` call each function of the app"
    found = {(name, *query) for name, queries in scenario.store.asked.items() for query in queries}
    allowed = {(name, each.container, each.fields) for each in ALLOWED for name in each.functions}
    assert sorted(found - allowed) == []
    assert sorted(allowed - found) == []


def test_what_an_order_goes_through_needs_no_search() -> None:
    searching = {name for each in ALLOWED for name in each.functions}
    assert searching.isdisjoint({"post_order", "collect_order", "get_order", "health", "keep_poisoned_order"})
    assert searching.isdisjoint({"accept_line", "reject_line", "pick_line", "ship_line", "cancel_order"})


def test_every_exception_is_one_query_with_its_reason() -> None:
    assert all(len(each.reason) > 20 for each in ALLOWED)
    named = [(name, each.container, each.fields) for each in ALLOWED for name in each.functions]
    assert len(named) == len(set(named))
