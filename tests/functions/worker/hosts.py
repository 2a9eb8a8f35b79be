"""The two hosts that run this app: Microsoft's worker, and the one of this repository. Both as processes of their own.

Each serves from an empty store, which the caller sees too: that is how the worker gets its messages, as Azure's host
would take them from a queue.
"""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

from dom_core.adapters.clock import SystemClock
from dom_core.adapters.sqlite import Database, SqliteBlobs, SqliteDocuments, SqliteQueues

ROOT = Path(__file__).parents[3]
PAYLOADS = Path(__file__).parent / "payloads"
DEADLINE_S = 60.0
FUNCTION_KEY, MASTER_KEY = "function-key", "master-key"
SETTINGS = {
    "DOM_STORE": "sqlite",
    "DOM_ORDERS_QUEUE": "orders",
    "DOM_RUNS_QUEUE": "plan-runs",
    # New Year: timers fire when a test says so.
    "DOM_PLAN_SCHEDULE": "0 0 0 1 1 *",
    "DOM_CLEANUP_SCHEDULE": "0 0 1 1 1 *",
    "DOM_OUTBOX_SCHEDULE": "0 0 2 1 1 *",
    "DOM_ASSIGNMENTS_QUEUE": "assignments",
    "DOM_WEBHOOKS_QUEUE": "webhooks",
    "DOM_PLAN_TASKS_QUEUE": "plan-tasks",
    "DOM_WATCH_SCHEDULE": "0 0 1 1 1 *",
    "DOM_LOCAL_FUNCTION_KEY": FUNCTION_KEY,
    "DOM_LOCAL_MASTER_KEY": MASTER_KEY,
}


@dataclass(frozen=True)
class Answer:
    """An answer to a request, without what differs from one connection to the next."""

    status: int
    headers: Mapping[str, str]
    body: str

    @property
    def content(self) -> Any:
        return json.loads(self.body)


class Host(Protocol):
    """What a test asks of either host."""

    queues: SqliteQueues
    documents: SqliteDocuments
    blobs: SqliteBlobs

    def call(self, function: str, method: str, path: str, content: object = None) -> Answer:
        """The answer to a request, for whose path the host must find this function."""
        ...

    def deliver(self, queue: str, function: str) -> None:
        """Let the function take every message of the queue; return when it has."""
        ...

    def tick(self, function: str, happened: Callable[[], object]) -> None:
        """Let a timer's time come; return when that has happened by which one sees that its function worked."""
        ...


class _Process:
    """A child process with a store of its own, stopped at the end."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self._database = Database(folder / "dom.sqlite3")
        self.queues = SqliteQueues(self._database, SystemClock())
        self.documents = SqliteDocuments(self._database)
        self.blobs = SqliteBlobs(self._database, SystemClock())
        self._log = (folder / "log").open("w+")
        self._popen = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=ROOT,
            env={**os.environ, **SETTINGS, "DOM_STORE_PATH": str(folder / "dom.sqlite3")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        self._popen.stdin.close()
        self._popen.terminate()
        self._popen.wait(DEADLINE_S)
        self._popen.stdout.close()
        self._log.close()
        self._database.close()

    def read_line(self) -> str:
        """The next line that the process prints. Fails with its log when it ended instead."""
        assert self._popen.stdout is not None
        line = self._popen.stdout.readline()
        self._log.seek(0)
        assert line, self._log.read()
        return line

    def write_line(self, content: object) -> None:
        assert self._popen.stdin is not None
        self._popen.stdin.write(json.dumps(content) + "\n")
        self._popen.stdin.flush()


class Worker(_Process):
    """Microsoft's worker. Routing and keys are the business of Azure's host, so a request says whom it is for."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "tests.functions.worker.process")
        self.index: dict[str, Any] = json.loads(self.read_line())

    @cached_property
    def functions(self) -> dict[str, list[dict[str, Any]]]:
        """The bindings of every function, by its name."""
        return {function["name"]: function["bindings"] for function in self.index["functions"]}

    def call(self, function: str, method: str, path: str, content: object = None) -> Answer:
        payload = recorded("http")
        payload["input_data"]["req"]["http"] |= {
            "method": method,
            "url": f"https://dom.azurewebsites.net/api/{path}",
            "params": route_params(self.functions[function][0]["route"], path),
            "body": {"bytes": "" if content is None else json.dumps(content)},
        }
        answer = self._invoke(function, payload)["http"]
        return Answer(answer["status"], comparable(answer["headers"]), answer["body"])

    def deliver(self, queue: str, function: str) -> None:
        while received := self.queues.receive(queue):
            payload = recorded("queue")
            payload["input_data"]["msg"]["string"] = received[0].body.decode()
            payload["trigger_metadata"]["Id"]["string"] = received[0].id
            self._invoke(function, payload)
            self.queues.delete(queue, received[0])

    def tick(self, function: str, happened: Callable[[], object]) -> None:
        self._invoke(function, recorded("timer"))
        assert happened()

    def fails_on(self, function: str, payload: Mapping[str, Any]) -> str:
        """The error with which an invocation ends."""
        self.write_line({"function": function, "payload": payload})
        result = json.loads(self.read_line())["result"]
        assert result["status"] == "failure"
        return str(result["message"])

    def _invoke(self, function: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        self.write_line({"function": function, "payload": payload})
        ended: dict[str, Any] = json.loads(self.read_line())
        assert ended["result"] == {"status": "success", "message": ""}
        return ended


class LocalHost(_Process):
    """The host of this repository, over HTTP. It finds the function for a path and takes messages by itself."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "local", "--port", "0")
        found = None
        while found is None:
            found = re.search(r"Listening on (\S+)", self.read_line())
        self.address = urlsplit(found[1]).netloc
        # What it prints besides must not fill the pipe.
        threading.Thread(target=self._forget_output, daemon=True).start()

    @cached_property
    def functions(self) -> dict[str, dict[str, Any]]:
        """Every function with its trigger, by its name."""
        return {found["name"]: found for found in json.loads(self._send("GET", "/admin/functions", b"").body)}

    def call(self, function: str, method: str, path: str, content: object = None) -> Answer:  # noqa: ARG002  # as Host
        return self._send(method, f"/api/{path}", b"" if content is None else json.dumps(content).encode())

    def deliver(self, queue: str, function: str) -> None:  # noqa: ARG002  # as Host
        wait_until(lambda: self.queues.length(queue) == 0)

    def tick(self, function: str, happened: Callable[[], object]) -> None:
        assert self._send("POST", f"/admin/functions/{function}", b"{}").status == 202
        wait_until(happened)

    def _send(self, method: str, path: str, body: bytes) -> Answer:
        connection = HTTPConnection(self.address, timeout=DEADLINE_S)
        key = MASTER_KEY if path.startswith("/admin") else FUNCTION_KEY
        try:
            connection.request(method, path, body, {"Content-Type": "application/json", "x-functions-key": key})
            answer = connection.getresponse()
            return Answer(answer.status, comparable(dict(answer.getheaders())), answer.read().decode())
        finally:
            connection.close()

    def _forget_output(self) -> None:
        assert self._popen.stdout is not None
        for _line in self._popen.stdout:
            pass


def recorded(kind: str) -> dict[str, Any]:
    """What Azure's host sends for a trigger of this kind."""
    payload: dict[str, Any] = json.loads((PAYLOADS / f"{kind}.json").read_text())
    return payload


def route_params(route: str, path: str) -> dict[str, str]:
    """What the host finds in a path for the parameters of a route."""
    found = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", route), path)
    assert found is not None, f"{path} is not of the route {route}"
    return found.groupdict()


def comparable(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers by lower-case name, without those that the server of the connection sets."""
    own = {"date", "server", "content-length", "connection"}
    return {name.lower(): value for name, value in headers.items() if name.lower() not in own}


def wait_until(condition: Callable[[], object]) -> None:
    """Ask until it holds; between two questions wait a moment for the other process."""
    waiting, deadline = threading.Event(), datetime.now(UTC) + timedelta(seconds=DEADLINE_S)
    while not condition():
        assert datetime.now(UTC) < deadline, "nothing happened in time"
        waiting.wait(0.02)
