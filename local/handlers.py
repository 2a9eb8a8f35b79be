"""Runs a function's handler as the cloud's worker does: `def` on a thread, `async def` on the event loop."""

import asyncio
import inspect
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Any, ParamSpec, TypeVar

from local.indexing import Function

P = ParamSpec("P")
T = TypeVar("T")


class HandlerPool:
    """The threads of one kind of trigger.

    Kinds do not share threads, so a full queue never keeps HTTP waiting: in the cloud they do not even share machines.
    """

    def __init__(self, name: str, threads: int | None = None) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._on_thread: set[Future[Any]] = set()

    @property
    def busy(self) -> bool:
        """Whether a handler is on a thread: one that cannot be interrupted."""
        return bool(self._on_thread)

    async def run(self, function: Function, value: object) -> object:
        """Call the handler with its trigger's value; its result, or whatever it raises."""
        call = partial(function.handler, **{function.argument: value})
        if inspect.iscoroutinefunction(function.handler):
            return await call()
        return await self.run_on_thread(call)

    async def run_on_thread(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call on a thread, with the caller's context variables."""
        future = self._threads.submit(copy_context().run, partial(call, *args, **kwargs))
        self._on_thread.add(future)
        future.add_done_callback(self._on_thread.discard)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Take no more calls and forget those that have not begun. Those on a thread go on."""
        self._threads.shutdown(wait=False, cancel_futures=True)
