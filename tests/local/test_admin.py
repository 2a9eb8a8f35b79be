"""The host's own routes."""

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest

from local.host import Host
from tests.local.toys import KEYS, MASTER, body_of, eventually, running


class Toy:
    """An app with one function of each kind, and what they saw."""

    def __init__(self) -> None:
        self.app = func.FunctionApp()
        self.messages: list[bytes] = []
        self.late: list[bool] = []

        @self.app.route("hello", methods=["GET"])
        async def hello(req: func.HttpRequest) -> str:
            return "hello"

        @self.app.queue_trigger(arg_name="message", queue_name="orders", connection="")
        def collect(message: func.QueueMessage) -> None:
            self.messages.append(message.get_body())

        @self.app.timer_trigger(arg_name="timer", schedule="0 */15 * * * *")
        def plan(timer: func.TimerRequest) -> None:
            self.late.append(timer.past_due)


def test_a_queue_and_a_timer_function_are_fired_by_hand(tmp_path: Path) -> None:
    toy = Toy()

    async def scenario() -> None:
        async with running(toy.app, tmp_path) as (_, client):
            for name, body in (("collect", {"input": '{"id": 1}'}), ("plan", {})):
                async with client.post(f"/admin/functions/{name}", json=body, headers=MASTER) as response:
                    assert response.status == 202
            async with client.post("/admin/functions/plan", headers=MASTER) as response:
                assert response.status == 202
            await eventually(lambda: toy.messages and len(toy.late) == 2)

    asyncio.run(scenario())
    assert toy.messages == [b'{"id": 1}']
    assert toy.late == [False, False]


def test_a_run_fired_by_hand_ends_before_the_host_stops(tmp_path: Path) -> None:
    toy = Toy()

    async def scenario() -> None:
        async with running(toy.app, tmp_path) as (_, client):
            response = await client.post("/admin/functions/plan", headers=MASTER)
            assert response.status == 202

    asyncio.run(scenario())
    assert toy.late == [False]


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("nobody", "{}", 404),
        ("hello", "{}", 400),
        ("collect", "{", 400),
        ("collect", '{"inputs": "x"}', 400),
        ("collect", '{"input": 5}', 400),
        ("collect", json.dumps({"input": "x" * 65_537}), 400),
        ("collect", json.dumps({"input": "é" * 40_000}), 413),
    ],
)
def test_a_bad_request_to_fire_runs_nothing(tmp_path: Path, name: str, body: str, status: int) -> None:
    toy = Toy()

    async def scenario() -> None:
        async with running(toy.app, tmp_path) as (_, client):
            response = await client.post(f"/admin/functions/{name}", data=body, headers=MASTER)
            assert response.status == status
            assert response.content_type == "application/problem+json"

    asyncio.run(scenario())
    assert toy.messages == []


@pytest.mark.parametrize("key", [None, "wrong", KEYS.function])
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/admin/functions/collect"), ("GET", "/admin/functions"), ("GET", "/admin/host/status")],
)
def test_only_the_master_key_opens_the_hosts_own_routes(
    tmp_path: Path, method: str, path: str, key: str | None
) -> None:
    toy = Toy()

    async def scenario() -> None:
        headers = {"x-functions-key": key} if key else {}
        async with running(toy.app, tmp_path) as (_, client):
            response = await client.request(method, path, headers=headers)
            assert response.status == 401
            assert "in the header 'x-functions-key'" in (await response.json())["detail"]

    asyncio.run(scenario())
    assert toy.messages == []


async def _get(host: Host, client: Any, path: str) -> Any:
    async with client.get(path, headers=MASTER) as response:
        assert response.status == 200
        return await body_of(response)


def test_the_functions_are_listed_with_their_triggers(tmp_path: Path) -> None:
    async def scenario() -> Any:
        async with running(Toy().app, tmp_path) as (host, client):
            return host.url, await _get(host, client, "/admin/functions")

    url, functions = asyncio.run(scenario())
    assert functions == [
        {"name": "collect", "trigger": "queue", "queue": "orders"},
        {"name": "hello", "trigger": "http", "url": f"{url}/api/hello", "methods": ["GET"], "level": "function"},
        {"name": "plan", "trigger": "timer", "schedule": "0 */15 * * * *", "next": "2026-03-02T12:15:00+00:00"},
    ]


def test_the_status_says_that_the_host_runs_and_is_for_development(tmp_path: Path) -> None:
    async def scenario() -> Any:
        async with running(Toy().app, tmp_path) as (host, client):
            return await _get(host, client, "/admin/host/status")

    status = asyncio.run(scenario())
    assert status == {"state": "Running", "development": True, "processUptime": 0, "messagesInWork": {"collect": 0}}


def test_a_handler_that_does_not_end_in_time_is_reported_by_stop(tmp_path: Path) -> None:
    app = func.FunctionApp()
    entered, leave = threading.Event(), threading.Event()

    @app.timer_trigger(arg_name="timer", schedule="0 */15 * * * *")
    def plan(timer: func.TimerRequest) -> None:
        entered.set()
        leave.wait(10)

    async def scenario() -> bool:
        async with running(app, tmp_path, drain_limit_s=0) as (host, client):
            async with client.post("/admin/functions/plan", headers=MASTER):
                await asyncio.to_thread(entered.wait, 10)
            ended = await host.stop()
            leave.set()
            return ended

    assert asyncio.run(scenario()) is False
