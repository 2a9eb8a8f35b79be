"""The index: every function with its name, trigger, route and level, exactly as the host will see it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from functions import responses
from tests.functions.app import binding, functions

ROOT = Path(__file__).parents[2]

HTTP = {
    "post_order": ("POST", "orders"),
    "list_orders": ("GET", "orders"),
    "get_order": ("GET", "orders/{order_id}"),
    "list_deliveries": ("GET", "orders/{order_id}/deliveries"),
    "reject_line": ("POST", "orders/{order_id}/lines/{line_id}/reject"),
    "accept_line": ("POST", "orders/{order_id}/lines/{line_id}/accept"),
    "reset_line": ("POST", "orders/{order_id}/lines/{line_id}/reset"),
    "reset_order": ("POST", "orders/{order_id}/reset"),
    "pick_line": ("POST", "orders/{order_id}/lines/{line_id}/pick"),
    "ship_line": ("POST", "orders/{order_id}/lines/{line_id}/ship"),
    "cancel_line": ("POST", "orders/{order_id}/lines/{line_id}/cancel"),
    "exclude_line": ("POST", "orders/{order_id}/lines/{line_id}/exclude"),
    "include_line": ("POST", "orders/{order_id}/lines/{line_id}/include"),
    "hold_order": ("POST", "orders/{order_id}/hold"),
    "release_order": ("POST", "orders/{order_id}/release"),
    "cancel_order": ("POST", "orders/{order_id}/cancel"),
    "run_strategy": ("POST", "strategies/{strategy_id}/run"),
    "cancel_run": ("POST", "runs/{run_id}/cancel"),
    "suggest": ("POST", "suggest"),
    "list_runs": ("GET", "runs"),
    "get_run": ("GET", "runs/{run_id}"),
    "list_plans": ("GET", "plans"),
    "get_plan": ("GET", "plans/{plan_id}"),
    "plan_report": ("GET", "plans/{plan_id}/report"),
    "approve_plan": ("POST", "plans/{plan_id}/approve"),
    "expire_plan": ("POST", "plans/{plan_id}/expire"),
    "explain_plan_line": ("GET", "plans/{plan_id}/lines/{order_id}/{line_id}"),
    "replay_plan": ("POST", "plans/{plan_id}/replay"),
    "list_configuration": ("GET", "config/{kind}"),
    "save_many_configuration": ("PUT", "config/{kind}"),
    "get_configuration": ("GET", "config/{kind}/{id}"),
    "get_configuration_changes": ("GET", "config/{kind}/{id}/changes"),
    "save_configuration": ("PUT", "config/{kind}/{id}"),
    "delete_configuration": ("DELETE", "config/{kind}/{id}"),
    "get_stock": ("GET", "stock/{product_id}"),
    "set_stock": ("PUT", "stock/{product_id}/{source_id}"),
    "set_many_stock": ("PUT", "stock"),
    "list_dead_letters": ("GET", "deadletters"),
    "replay_dead_letter": ("POST", "deadletters/{day}/{id}/replay"),
    "health": ("GET", "health"),
}
QUEUES = {
    "collect_order": "%DOM_ORDERS_QUEUE%",
    "execute_run": "%DOM_RUNS_QUEUE%",
    "deliver_webhook": "%DOM_WEBHOOKS_QUEUE%",
    "perform_plan_task": "%DOM_PLAN_TASKS_QUEUE%",
    "keep_poisoned_order": "%DOM_ORDERS_QUEUE%-poison",
    "keep_poisoned_run": "%DOM_RUNS_QUEUE%-poison",
    "keep_poisoned_plan_task": "%DOM_PLAN_TASKS_QUEUE%-poison",
    "keep_poisoned_webhook": "%DOM_WEBHOOKS_QUEUE%-poison",
}
TIMERS = {
    "plan_orders": "%DOM_PLAN_SCHEDULE%",
    "send_assignments": "%DOM_OUTBOX_SCHEDULE%",
    "clean_up": "%DOM_CLEANUP_SCHEDULE%",
    "watch_queues": "%DOM_WATCH_SCHEDULE%",
}


def test_the_app_has_these_functions_and_no_others() -> None:
    assert set(functions()) == {*HTTP, *QUEUES, *TIMERS}


@pytest.mark.parametrize("name", HTTP)
def test_each_route_answers_one_method_and_wants_a_key_unless_it_is_health(name: str) -> None:
    method, route = HTTP[name]
    level = "ANONYMOUS" if name == "health" else "FUNCTION"
    assert binding(name) == {
        "direction": "IN",
        "type": "httpTrigger",
        "name": "req",
        "methods": [method],
        "route": route,
        "authLevel": level,
    }


@pytest.mark.parametrize("name", QUEUES)
def test_each_queue_is_named_by_a_setting(name: str) -> None:
    assert binding(name) == {
        "direction": "IN",
        "type": "queueTrigger",
        "name": "msg",
        "queueName": QUEUES[name],
        "connection": "AzureWebJobsStorage",
    }


@pytest.mark.parametrize("name", TIMERS)
def test_the_timer_follows_a_setting_and_does_not_run_when_the_host_starts(name: str) -> None:
    assert binding(name) == {
        "direction": "IN",
        "type": "timerTrigger",
        "name": "timer",
        "schedule": TIMERS[name],
        "runOnStartup": False,
    }


def test_status_urls_begin_where_the_host_puts_the_routes() -> None:
    host = json.loads((ROOT / "host.json").read_text())
    assert "/" + host["extensions"]["http"]["routePrefix"] == responses.API_PREFIX


def test_the_app_is_imported_within_a_second() -> None:
    script = "from time import perf_counter as now; start = now(); import function_app; print(now() - start)"

    def import_s() -> float:
        return float(subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, check=True).stdout)

    # The fastest of three: other work on the machine is not the app's.
    assert min(import_s() for _ in range(3)) < 1


def test_indexing_loads_neither_the_solver_nor_the_adapters() -> None:
    heavy = ["numpy", "pulp", "sqlite3", "zipcodes", "geopy", "dom_core.use_cases", "dom_core.optimizer"]
    script = f"import sys, function_app; print([name for name in {heavy} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"
