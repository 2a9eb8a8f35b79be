"""Timer triggers: every tick runs the handler once, one run at a time.

However many ticks passed while the host was down, asleep or still busy with the run before, they become one catch-up
run that says `past_due`. A tick counts as done when its run has ended: killed in between, it is caught up on restart.
"""

import asyncio
import logging
from datetime import datetime, timedelta

from azure.functions.timer import TimerRequest

from local.handlers import HandlerPool
from local.indexing import TimerFunction
from local.pace import Pace, pause
from local.timer_states import TimerState, TimerStates

LONGEST_SLEEP_S = 30.0
"""The clock is asked again at least so often, so that a laptop that slept notices what it missed."""

logger = logging.getLogger(__name__)


class TimerListener:
    """Feeds one timer function. `run` is the whole loop; `due`, `tick` and `fire` are its parts."""

    def __init__(self, function: TimerFunction, states: TimerStates, pool: HandlerPool, pace: Pace) -> None:
        self.function = function
        self._states = states
        self._pool = pool
        self._pace = pace
        self._one_at_a_time = asyncio.Lock()
        self._last, self.due = self._recall()

    async def run(self, stopping: asyncio.Event) -> None:
        """Keep the schedule until told to stop; a run in progress ends first."""
        self._remember()
        if self.function.run_on_startup:
            logger.warning("%s runs on startup: never use run_on_startup in production", self.function.name)
            await self.fire()
        while not stopping.is_set():
            missed = self.due < self._pace.now()
            await self._wait_until_due(stopping)
            if not stopping.is_set():
                await self.tick(missed=missed)

    async def tick(self, *, missed: bool = False) -> None:
        """Run for the tick that is due, and for all that were missed with it."""
        started = self._pace.now()
        await self.fire(past_due=missed or self.function.schedule.next_after(self.due) <= started)
        self._last, self.due = started, self.function.schedule.next_after(started)
        self._remember()

    async def fire(self, *, past_due: bool = False) -> None:
        """Run the handler now, or after the run in progress. An error is logged; the next tick comes anyway."""
        async with self._one_at_a_time:
            try:
                await self._pool.run(self.function, self._request(past_due=past_due))
            except Exception:
                logger.exception("%s failed", self.function.name)

    def _recall(self) -> tuple[datetime | None, datetime]:
        state = self._states.get(self.function.name) if self.function.use_monitor else None
        # Under another schedule the old tick means nothing: begin afresh.
        if state is None or state.schedule != self.function.schedule.expression:
            return None, self.function.schedule.next_after(self._pace.now())
        return state.last, state.next

    def _remember(self) -> None:
        if self.function.use_monitor:
            state = TimerState(self.function.schedule.expression, self._last, self.due)
            self._states.save(self.function.name, state)

    async def _wait_until_due(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set() and (left := self.due - self._pace.now()) > timedelta():
            await pause(self._pace, min(left.total_seconds(), LONGEST_SLEEP_S), stopping)

    def _request(self, *, past_due: bool) -> TimerRequest:
        last = self._last.isoformat() if self._last else None
        status = {"Last": last, "Next": self.due.isoformat(), "LastUpdated": last}
        return TimerRequest(past_due=past_due, schedule_status=status, schedule={"AdjustForDST": False})
