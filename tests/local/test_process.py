"""`python -m local` as a user starts it: a real process, real signals."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path

import pytest

from dom_core.adapters.clock import SystemClock
from dom_core.adapters.sqlite.database import Database
from dom_core.adapters.sqlite.queues import SqliteQueues
from local.__main__ import main

REPOSITORY = Path(__file__).resolve().parents[2]
APP = """
import os, time
from pathlib import Path
import azure.functions as func

app = func.FunctionApp()

@app.route("hello/{name}", methods=["GET"])
def hello(req):
    return "hello " + req.route_params["name"]

@app.queue_trigger(arg_name="message", queue_name="%DOM_ORDERS_QUEUE%", connection="AzureWebJobsStorage")
def collect(message):
    Path(os.environ["TOY_SEEN"]).write_bytes(message.get_body())
    if message.get_body() == b"slow":
        time.sleep(600)

@app.timer_trigger(arg_name="timer", schedule="%DOM_PLAN_SCHEDULE%")
def plan(timer):
    pass
"""
DEADLINE_S = 30.0


class Process:
    """A started host and what it has printed."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        environment = {
            **os.environ,
            "PYTHONPATH": str(REPOSITORY),
            "DOM_STORE_PATH": str(folder / "dom.sqlite3"),
            "DOM_LOCAL_FUNCTION_KEY": "function-key",
            "DOM_LOCAL_MASTER_KEY": "master-key",
            "TOY_SEEN": str(folder / "seen"),
        }
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "local", "--port", "0", *arguments],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.popen.stdout is not None
        for line in self.popen.stdout:
            self.lines.append(line.rstrip("\n"))

    def text(self) -> str:
        return "\n".join(self.lines)

    def url(self) -> str:
        wait_until(lambda: "Listening on" in self.text() or self.popen.poll() is not None)
        found = re.search(r"Listening on (\S+)", self.text())
        assert found is not None, self.text()
        return found[1]

    def end(self) -> int:
        code = self.popen.wait(DEADLINE_S)
        self._reader.join(DEADLINE_S)
        assert self.popen.stdout is not None
        self.popen.stdout.close()
        return code


def wait_until(condition: Callable[[], object]) -> None:
    """Ask until it holds; between two questions wait a moment for the other process."""
    waiting, deadline = threading.Event(), datetime.now(UTC) + timedelta(seconds=DEADLINE_S)
    while not condition():
        assert datetime.now(UTC) < deadline, "nothing happened in time"
        waiting.wait(0.02)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "function_app.py").write_text(APP)
    (tmp_path / "host.json").write_bytes((REPOSITORY / "host.json").read_bytes())
    return tmp_path


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[..., Process]]:
    started: list[Process] = []

    def start(*arguments: str) -> Process:
        started.append(Process(folder, *arguments))
        return started[-1]

    yield start
    for process in started:
        process.popen.kill()
        process.end()


def get(url: str, path: str, key: str) -> tuple[int, str]:
    connection = HTTPConnection(url.removeprefix("http://"), timeout=DEADLINE_S)
    try:
        connection.request("GET", path, headers={"x-functions-key": key})
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def test_it_says_what_it_is_serves_and_stops_in_order(start: Callable[..., Process], folder: Path) -> None:
    process = start()
    url = process.url()
    assert url.startswith("http://127.0.0.1:")
    assert "development host" in process.text()
    assert f"hello    http   GET {url}/api/hello/{{name}}  [function]" in process.text()
    assert "collect  queue  orders" in process.text()
    assert "plan     timer  0 */15 * * * *  (next " in process.text()
    assert "-key" not in process.text()

    assert get(url, "/api/hello/you", "function-key") == (200, "hello you")
    assert get(url, "/api/hello/you", "wrong")[0] == 401
    assert json.loads(get(url, "/admin/host/status", "master-key")[1])["state"] == "Running"

    with Database(folder / "dom.sqlite3") as database:
        queues = SqliteQueues(database, SystemClock())
        queues.send("orders", b"an order")
        wait_until(lambda: queues.length("orders") == 0)
    assert (folder / "seen").read_bytes() == b"an order"
    assert json.loads((folder / "dom.timers.json").read_text())["plan"]["schedule"] == "0 */15 * * * *"

    process.popen.send_signal(signal.SIGTERM)
    assert process.end() == 0


def test_a_message_that_does_not_end_in_time_is_visible_again_after_the_stop(
    start: Callable[..., Process], folder: Path
) -> None:
    process = start("--drain-limit", "0")
    process.url()
    with Database(folder / "dom.sqlite3") as database:
        queues = SqliteQueues(database, SystemClock())
        queues.send("orders", b"slow")
        wait_until(lambda: (folder / "seen").exists())
        process.popen.send_signal(signal.SIGINT)
        assert process.end() == 0
        assert "left" in process.lines[-1]
        (again,) = queues.receive("orders")
        assert (again.body, again.dequeue_count) == (b"slow", 2)


def test_keys_that_nobody_gave_are_made_and_printed(
    start: Callable[..., Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    process = start("--function-key", "", "--admin-key", "mine")
    process.url()
    assert "mine" not in process.text()


def test_a_taken_port_is_named_and_exits_with_1(start: Callable[..., Process]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = start("--port", str(port))
        assert process.end() == 1
    assert f"cannot listen on 127.0.0.1:{port}" in process.text()


@pytest.mark.parametrize("arguments", [("--port", "70000"), ("--port", "x"), ("--drain-limit", "-1"), ("--nonsense",)])
def test_wrong_arguments_exit_with_2(arguments: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments, {})


def test_wrong_input_is_listed_and_exits_with_2(start: Callable[..., Process], folder: Path) -> None:
    (folder / "host.json").write_text('{"version": "2.0", "extensions": {"queues": {"batchSize": 99, "x": 1}}}')
    process = start()
    assert process.end() == 2
    assert "host.json: extensions.queues.batchSize:" in process.text()
    assert "host.json: extensions.queues.x:" in process.text()
    assert "Traceback" not in process.text()
