"""Time for the listeners: what the clock says, and waiting. Tests put in their own."""

import asyncio
from typing import Protocol

from dom_core.adapters.clock import SystemClock
from dom_core.ports import Clock


class Pace(Clock, Protocol):
    """A clock that can also be waited on."""

    async def sleep(self, seconds: float) -> None:
        """Return when so many seconds have passed."""
        ...


class SystemPace(SystemClock):
    """The machine's own time."""

    async def sleep(self, seconds: float) -> None:
        """Return when so many seconds have passed."""
        await asyncio.sleep(seconds)


async def pause(pace: Pace, seconds: float, until: asyncio.Event) -> None:
    """Sleep, but no longer than until the event is set."""
    waiting = [asyncio.ensure_future(pace.sleep(seconds)), asyncio.ensure_future(until.wait())]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
