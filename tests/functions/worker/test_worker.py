"""Microsoft's worker reads this app and runs it as the local host does.

Not covered: what Azure's host does before and after (routing, keys, timers, polling), and protobuf between the two.
"""

import base64
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dom_core import __version__
from dom_core.domain.notice import Happening, Notice
from dom_core.messages.plan_task import PlanTaskMessage
from dom_core.messages.reading import write_value
from dom_core.optimizer.costs import Flow
from dom_core.optimizer.solving import CbcSolver
from dom_core.optimizer.task_wire import answer_of, task_of
from dom_core.optimizer.tasks import Task
from dom_core.ports import Container
from dom_core.repositories.plan_tasks import PlanTasks
from tests.builders import NOW
from tests.functions.shop import SHOP, an_intake
from tests.functions.test_index import HTTP, QUEUES, TIMERS
from tests.functions.worker.hosts import SETTINGS, Answer, Host, LocalHost, Worker, recorded

pytestmark = pytest.mark.skipif(
    sys.version_info < (3, 13), reason="Microsoft's azure-functions-runtime needs Python 3.13"
)

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOMENT = re.compile(r'20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z|20\d{6}T\d{6}Z(-\d+)?|(?<="day": ")[\d-]+')


RECORDED_TASK = Path(__file__).parent / "payloads" / "plan_task.b64"

UNTOLD = write_value(Notice(9, NOW, Happening.HELD, "1", "SKU-1", "seattle", "P1", 2, 2), Notice)
"""What somebody who was killed left in an outbox."""


def flows_of_recorded_task(host: Host) -> tuple[Flow, ...]:
    """What a worker answers to a task as it was sent when the form was made: two orders want the only pen."""
    ticket_id, tasks = "_task-" + "0" * 40, PlanTasks(host.documents, host.blobs)
    tasks.open(ticket_id, "R1", NOW)
    engine = f"{__version__}, {CbcSolver().name}"
    task = base64.b64decode(RECORDED_TASK.read_bytes())
    host.queues.send("plan-tasks", PlanTaskMessage.of(ticket_id, "R1", engine, task).encoded)
    host.deliver("plan-tasks", "perform_plan_task")
    ticket = tasks.find(ticket_id)
    assert ticket is not None
    answer = tasks.answer(ticket)
    assert answer is not None
    asked = task_of(task)
    assert isinstance(asked, Task)
    return answer_of(base64.b64decode(answer), asked).flows


def story(host: Host) -> Iterator[tuple[str, Answer]]:
    """A shop opens, takes orders in by HTTP and queue, plans by the clock and on request, and refuses nonsense."""
    for kind, objects in SHOP.items():
        if objects:
            yield f"save {kind}", host.call("save_many_configuration", "PUT", f"config/{kind}", objects)
    stock = {"on_hand": 5}
    yield "stock", host.call("set_stock", "PUT", "stock/SKU-1/seattle", stock)
    yield "health", host.call("health", "GET", "health")

    yield "post", host.call("post_order", "POST", "orders", an_intake("O1"))
    host.deliver("orders", "collect_order")
    yield "taken in", host.call("get_order", "GET", "orders/O1")
    host.tick("plan_orders", lambda: host.queues.length("assignments") == 1)
    yield "planned by the clock", host.call("get_order", "GET", "orders/O1")

    host.queues.send("orders", json.dumps(an_intake("O2", ship_to={"postal_code": "98101", "city": "Zürich"})).encode())
    host.deliver("orders", "collect_order")
    yield "run", host.call("run_strategy", "POST", "strategies/daily/run", {"who": "Ann"})
    yield "cancel", host.call("cancel_run", "POST", "runs/unknown/cancel", {"who": "Ann"})
    host.deliver("plan-runs", "execute_run")
    yield "planned on request", host.call("get_order", "GET", "orders/O2")

    host.documents.create(Container.ORDERS, "O1", "outbox-left", {"kind": "outbox", "notices": [UNTOLD]})
    host.tick("send_assignments", lambda: host.documents.read(Container.ORDERS, "O1", "outbox-left") is None)
    yield "sent", Answer(200, {}, str(host.queues.length("assignments")))
    yield "deliveries", host.call("list_deliveries", "GET", "orders/O1/deliveries")

    host.queues.send("webhooks", b"this is no ticket")
    host.deliver("webhooks", "deliver_webhook")
    host.queues.send("webhooks-poison", b"this is no ticket")
    host.deliver("webhooks-poison", "keep_poisoned_webhook")
    yield "plan task", Answer(200, {}, str(flows_of_recorded_task(host)))
    host.queues.send("plan-tasks", b"this is no task")
    host.deliver("plan-tasks", "perform_plan_task")
    host.queues.send("plan-tasks-poison", b"this is no task")
    host.deliver("plan-tasks-poison", "keep_poisoned_plan_task")
    host.queues.send("orders", b"this is no order")
    host.deliver("orders", "collect_order")
    host.queues.send("orders-poison", json.dumps(an_intake("O4")).encode())
    host.deliver("orders-poison", "keep_poisoned_order")
    yield "dead letters", host.call("list_dead_letters", "GET", "deadletters")
    yield "refused", host.call("post_order", "POST", "orders", {"id": "O3", "lines": []})
    yield "missing", host.call("get_order", "GET", "orders/nobody")


@pytest.fixture(scope="module")
def by_worker(worker: Worker) -> dict[str, Answer]:
    return dict(story(worker))


@pytest.fixture(scope="module")
def by_local_host(local_host: LocalHost) -> dict[str, Answer]:
    return dict(story(local_host))


def told_again(answer: Answer) -> tuple[int, dict[str, str], str]:
    """An answer without the ids and moments that no two tellings share."""
    headers = {name: _without_occasion(value) for name, value in answer.headers.items()}
    return answer.status, headers, _without_occasion(answer.body)


def _without_occasion(text: str) -> str:
    return _MOMENT.sub("<moment>", _UUID.sub("<id>", text))


def test_the_worker_indexes_every_function_and_no_other(worker: Worker) -> None:
    assert worker.index["started"] == {"status": "success", "message": ""}
    assert set(worker.functions) == {*HTTP, *QUEUES, *TIMERS}


def test_both_hosts_find_the_same_functions_with_the_same_triggers(worker: Worker, local_host: LocalHost) -> None:
    assert {name: as_told_locally(*bindings, host=local_host) for name, bindings in worker.functions.items()} == {
        name: {key: value for key, value in function.items() if key not in ("name", "next")}
        for name, function in local_host.functions.items()
    }


def as_told_locally(trigger: dict[str, Any], *outputs: dict[str, Any], host: LocalHost) -> dict[str, Any]:
    """A function's bindings, as the worker tells them to Azure's host, in the words of the local host."""
    match trigger["type"]:
        case "httpTrigger":
            assert [output["type"] for output in outputs] == ["http"]
            url = f"http://{host.address}/api/{trigger['route']}"
            return {
                "trigger": "http",
                "url": url,
                "methods": trigger["methods"],
                "level": trigger["authLevel"].lower(),
            }
        case "queueTrigger":
            assert (outputs, trigger["connection"]) == ((), "AzureWebJobsStorage")
            return {"trigger": "queue", "queue": with_settings(trigger["queueName"])}
        case _:
            assert (outputs, trigger["type"], trigger["runOnStartup"]) == ((), "timerTrigger", False)
            return {"trigger": "timer", "schedule": with_settings(trigger["schedule"])}


def with_settings(text: str) -> str:
    """A binding's text as Azure's host reads it: `%NAME%` is a setting."""
    return re.sub(r"%(\w+)%", lambda found: SETTINGS[found[1]], text)


def test_an_order_is_taken_in_and_planned_by_every_kind_of_trigger(by_worker: dict[str, Answer]) -> None:
    assert by_worker["post"].status == 202
    assert by_worker["taken in"].content["lines"][0]["state"] == "unassigned"
    for moment in ("planned by the clock", "planned on request"):
        assert by_worker[moment].content["lines"][0]["assignment"]["source_id"] == "seattle"


def test_both_hosts_give_the_same_answers(by_worker: dict[str, Answer], by_local_host: dict[str, Answer]) -> None:
    assert by_worker.keys() == by_local_host.keys()
    for moment, answer in by_worker.items():
        assert told_again(answer) == told_again(by_local_host[moment]), moment


def test_assignments_leave_by_themselves_and_what_was_left_by_the_clock(by_worker: dict[str, Answer]) -> None:
    assert by_worker["sent"].body == "3"
    assert by_worker["deliveries"].content == []


def test_bad_and_poisoned_messages_become_dead_letters_and_bad_input_a_problem(by_worker: dict[str, Answer]) -> None:
    assert len(by_worker["dead letters"].content["items"]) == 6
    assert by_worker["plan task"].body == "((0, 0, 1),)"
    assert (by_worker["refused"].status, by_worker["missing"].status) == (422, 404)
    assert by_worker["refused"].headers["content-type"] == "application/problem+json"


def test_a_payload_of_another_kind_fails_in_the_worker_and_runs_no_code(worker: Worker) -> None:
    timer = recorded("timer")["input_data"]["timer"]
    assert "unsupported" in worker.fails_on("collect_order", {"input_data": {"msg": timer}, "trigger_metadata": {}})
