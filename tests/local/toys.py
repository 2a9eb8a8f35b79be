"""Small function apps and a host for them, with time that stands still until a test moves it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import azure.functions as func
from aiohttp import ClientResponse, ClientSession

from dom_core.adapters.sqlite.database import Database
from dom_core.adapters.sqlite.queues import SqliteQueues
from dom_core.ports import MessageQueues
from local.host import Host, Options
from local.host_json import HostJson
from local.indexing import index
from local.keys import Keys
from local.timer_states import TimerStates

NOON = datetime(2026, 3, 2, 12, 0, 0, tzinfo=UTC)
KEYS = Keys(function="function-key-of-tests", master="master-key-of-tests")
MASTER = {"x-functions-key": KEYS.master}


@dataclass
class HeldPace:
    """A clock that only a test moves. Sleepers wait until `advance` has passed their time."""

    time: datetime = NOON
    slept_s: list[float] = field(default_factory=list)
    _sleepers: list[tuple[datetime, asyncio.Event]] = field(default_factory=list)

    def now(self) -> datetime:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        woken = asyncio.Event()
        self._sleepers.append((self.time + timedelta(seconds=seconds), woken))
        await woken.wait()

    def advance(self, **duration: float) -> None:
        self.time += timedelta(**duration)
        for wake_at, woken in self._sleepers:
            if wake_at <= self.time:
                woken.set()
        self._sleepers = [sleeper for sleeper in self._sleepers if not sleeper[1].is_set()]


@dataclass
class EagerPace(HeldPace):
    """A clock that jumps over every sleep."""

    async def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        self.advance(seconds=seconds)
        await asyncio.sleep(0)


async def eventually(condition: Any, limit_s: float = 10) -> None:
    """Let the loop and real threads go on until the condition holds."""
    async with asyncio.timeout(limit_s):
        while not condition():
            await asyncio.sleep(0)


@contextmanager
def queues_in(folder: Path, pace: HeldPace) -> Iterator[SqliteQueues]:
    with Database(folder / "queues.sqlite3") as database:
        yield SqliteQueues(database, pace)


@asynccontextmanager
async def running(
    app: func.FunctionApp,
    folder: Path,
    *,
    queues: MessageQueues | None = None,
    host_json: HostJson | None = None,
    pace: HeldPace | None = None,
    **options: Any,
) -> AsyncIterator[tuple[Host, ClientSession]]:
    """A started host on a free port, and a client whose URLs are relative to it."""
    pace = pace or HeldPace()
    with Database(folder / "host.sqlite3") as database:
        host = Host(
            index(app, {}),
            host_json or HostJson.model_validate({"version": "2.0"}),
            queues or SqliteQueues(database, pace),
            TimerStates(folder / "timers.json"),
            Options(keys=KEYS, port=0, **options),
            pace,
        )
        async with host, ClientSession(host.url) as client:
            yield host, client


async def body_of(response: ClientResponse) -> Any:
    return await response.json(content_type=None)
