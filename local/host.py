"""The host: HTTP, queue and timer triggers of one function app, in one process and on one event loop."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from dom_core.ports import MessageQueues
from local.admin import AdminRoutes
from local.handlers import HandlerPool
from local.host_json import HostJson
from local.http import HttpTriggers
from local.indexing import Function, HttpFunction, QueueFunction, TimerFunction
from local.keys import Keys
from local.pace import Pace, SystemPace
from local.problem_documents import errors_as_problems
from local.queues import QueueListener, QueuePools
from local.timer_states import TimerStates
from local.timers import TimerListener

BODY_LIMIT_BYTES = 100 * 1024 * 1024
"""What Azure takes; the app sets its own, smaller limit and must be able to answer for it."""


logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Options:
    """Where the host listens, who may call it, and how patient it is. Port 0 means any free port."""

    keys: Keys
    address: str = "127.0.0.1"
    port: int = 7071
    body_limit_bytes: int = BODY_LIMIT_BYTES
    drain_limit_s: float = 30.0


class Host:
    """Runs functions until it is stopped. Not for production: no scale, no leases between hosts, plain HTTP.

    `async with Host(...) as host:` starts and stops it; `host.url` is where it listens.
    """

    def __init__(
        self,
        functions: Sequence[Function],
        host_json: HostJson,
        queues: MessageQueues,
        states: TimerStates,
        options: Options,
        pace: Pace | None = None,
    ) -> None:
        self.functions = tuple(functions)
        self.host_json = host_json
        self._options = options
        self._pace = pace or SystemPace()
        self._stopping = asyncio.Event()
        self._started = self._pace.now()
        self._listening: list[asyncio.Task[None]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        timers = [function for function in functions if isinstance(function, TimerFunction)]
        self._pools = {
            "http": HandlerPool("http"),
            "queue": HandlerPool("queue"),
            "queue-io": HandlerPool("queue-io", threads=1),
            "timer": HandlerPool("timer", threads=max(1, len(timers))),
        }
        queue_pools = QueuePools(handlers=self._pools["queue"], io=self._pools["queue-io"])
        numbers = host_json.extensions.queues
        self._queues = {
            function.name: QueueListener(function, queues, numbers, queue_pools, self._pace)
            for function in functions
            if isinstance(function, QueueFunction)
        }
        self._timers = {
            function.name: TimerListener(function, states, self._pools["timer"], self._pace) for function in timers
        }
        self._runner = self._web_runner()

    async def __aenter__(self) -> "Host":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def port(self) -> int:
        """The port on which the started host listens."""
        port: int = self._runner.addresses[0][1]
        return port

    @property
    def url(self) -> str:
        """Where the started host listens."""
        address = f"[{self._options.address}]" if ":" in self._options.address else self._options.address
        return f"http://{address}:{self.port}"

    async def start(self) -> None:
        """Listen on HTTP, then on queues and timers. Raises OSError when the port is taken."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._options.address, self._options.port).start()
        except OSError:
            await self.stop()
            raise
        for timer in self._timers.values():
            self._keep(asyncio.create_task(timer.run(self._stopping)))
        self._listening = [asyncio.create_task(self._listen(listener)) for listener in self._queues.values()]

    async def stop(self) -> bool:
        """Take no more work, let running handlers end within the limit. True if all of them did.

        After the limit, queue messages in work become visible again and a timer's run is caught up on the next start.
        """
        self._stopping.set()
        await asyncio.gather(self._runner.cleanup(), self._end_tasks(), *self._listening)
        ended = not any(pool.busy for pool in self._pools.values())
        for pool in self._pools.values():
            pool.close()
        return ended

    def fire(self, name: str, body: bytes) -> bool:
        """Start a timer or queue function by hand; False if it is neither. Raises KeyError for an unknown name."""
        if name in self._timers:
            self._keep(asyncio.create_task(self._timers[name].fire()))
        elif name in self._queues:
            self._keep(asyncio.create_task(self._queues[name].invoke(body)))
        elif not any(function.name == name for function in self.functions):
            raise KeyError(name)
        else:
            return False
        return True

    def describe_functions(self) -> list[dict[str, Any]]:
        """Every function with its trigger, as `GET /admin/functions` answers."""
        return [self._describe(function) for function in self.functions]

    def describe_status(self) -> dict[str, Any]:
        """How the host is, as `GET /admin/host/status` answers."""
        return {
            "state": "Stopping" if self._stopping.is_set() else "Running",
            "development": True,
            "processUptime": int((self._pace.now() - self._started).total_seconds() * 1000),
            "messagesInWork": {name: listener.running for name, listener in self._queues.items()},
        }

    def _describe(self, function: Function) -> dict[str, Any]:
        match function:
            case HttpFunction():
                path = "/".join(
                    part for part in (self.host_json.extensions.http.route_prefix, function.route.template) if part
                )
                methods = sorted(function.methods) or ["any"]
                details = {"trigger": "http", "url": f"{self.url}/{path}", "methods": methods, "level": function.level}
            case QueueFunction():
                details = {"trigger": "queue", "queue": function.queue}
            case TimerFunction():
                due = self._timers[function.name].due.isoformat()
                details = {"trigger": "timer", "schedule": function.schedule.expression, "next": due}
        return {"name": function.name, **details}

    async def _listen(self, listener: QueueListener) -> None:
        await listener.run(self._stopping)
        await listener.drain(self._options.drain_limit_s)

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._report_end)

    def _report_end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            logger.error("a timer or a function fired by hand broke off", exc_info=error)

    async def _end_tasks(self) -> None:
        """Timers, and functions fired by hand."""
        if not self._tasks:
            return
        _, unfinished = await asyncio.wait(self._tasks, timeout=self._options.drain_limit_s)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)

    def _web_runner(self) -> web.AppRunner:
        prefix = self.host_json.extensions.http.route_prefix
        http_functions = [function for function in self.functions if isinstance(function, HttpFunction)]
        triggers = HttpTriggers(http_functions, prefix, self._options.keys, self._pools["http"])
        app = web.Application(middlewares=[errors_as_problems], client_max_size=self._options.body_limit_bytes)
        AdminRoutes(self, self._options.keys).add_to(app)
        app.router.add_route("*", r"/{path:(?s:.*)}", triggers.answer)
        # aiohttp's own access log would show `?code=`, which is a key.
        return web.AppRunner(app, access_log=None, shutdown_timeout=self._options.drain_limit_s)
