"""Queue triggers: take messages, run the handler, and give every message exactly one ending.

Numbers and endings are those of Azure's storage queue trigger (see `host_json.QueueNumbers`):

    handler returned        the message is deleted
    handler raised          visible again after visibilityTimeout; at maxDequeueCount to <queue>-poison instead
    not readable            (base64 expected) to <queue>-poison without running any code
    host stopped meanwhile  visible again at once

A running message stays hidden for ten minutes, renewed at half time. Delivery is at least once: copying to the poison
queue and deleting are two steps, and a handler may have worked although its message comes again.
"""

import asyncio
import base64
import binascii
import logging
from dataclasses import dataclass
from enum import Enum, auto

from azure.functions.queue import QueueMessage

from dom_core.errors import StoreConflict
from dom_core.ports import MessageQueues, ReceivedMessage
from local.handlers import HandlerPool
from local.host_json import QueueNumbers
from local.indexing import POISON_SUFFIX, QueueFunction
from local.pace import Pace, pause

HIDDEN_WHILE_RUNNING_S = 600.0
SHORTEST_POLLING_INTERVAL_S = 0.1

logger = logging.getLogger(__name__)


class Ending(Enum):
    """What became of a message."""

    DONE = auto()
    FAILED = auto()
    POISONED = auto()
    INTERRUPTED = auto()


class PollingDelay:
    """How long to wait before looking into an empty queue again: twice as long each time, up to the longest."""

    def __init__(self, longest_s: float) -> None:
        self._longest_s = longest_s
        self._next_s = SHORTEST_POLLING_INTERVAL_S

    def next_s(self) -> float:
        """The delay after one more empty answer."""
        delay_s = min(self._next_s, self._longest_s)
        self._next_s = delay_s * 2
        return delay_s

    def reset(self) -> None:
        """The queue had messages: be quick again."""
        self._next_s = SHORTEST_POLLING_INTERVAL_S


@dataclass(slots=True)
class _Held:
    """A message in work. Renewing it changes the pop receipt, so the newest copy is kept."""

    message: ReceivedMessage


@dataclass(frozen=True, slots=True)
class QueuePools:
    """Threads for handlers, and one for the queues themselves: a busy handler never delays a renewal."""

    handlers: HandlerPool
    io: HandlerPool


class QueueListener:
    """Feeds one queue function. `run` is the whole loop; `poll` and `drain` are its two halves."""

    def __init__(
        self, function: QueueFunction, queues: MessageQueues, numbers: QueueNumbers, pools: QueuePools, pace: Pace
    ) -> None:
        self.function = function
        self._queues = queues
        self._numbers = numbers
        self._pools = pools
        self._pace = pace
        self._running: set[asyncio.Task[None]] = set()

    @property
    def running(self) -> int:
        """How many messages are in work."""
        return len(self._running)

    async def run(self, stopping: asyncio.Event) -> None:
        """Listen until told to stop; messages in work are left to `drain`."""
        delay = PollingDelay(self._numbers.max_polling_interval_s)
        while not stopping.is_set():
            if await self._poll_or_report() > 0:
                delay.reset()
                await self._wait_for_room(stopping)
            else:
                await pause(self._pace, delay.next_s(), stopping)

    async def poll(self) -> int:
        """Take a batch and start a handler for each message; how many there were."""
        if self.running > self._numbers.refill_at:
            return 0
        messages = await self._pools.io.run_on_thread(
            self._queues.receive,
            self.function.queue,
            limit=self._numbers.batch_size,
            visibility_timeout_s=HIDDEN_WHILE_RUNNING_S,
        )
        for message in messages:
            task = asyncio.create_task(self._work_on(message))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return len(messages)

    async def drain(self, limit_s: float | None = None) -> None:
        """Let the messages in work end; after the limit, let go of them: they become visible again."""
        if not self._running:
            return
        _, unfinished = await asyncio.wait(self._running, timeout=limit_s)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)

    async def invoke(self, body: bytes) -> None:
        """Run the handler by hand with this body, without any queue. An error is logged."""
        now = self._pace.now()
        message = ReceivedMessage("by-hand", body, 1, now, now, now, "")
        try:
            await self._pools.handlers.run(self.function, _as_sdk_message(message, body))
        except Exception:
            logger.exception("%s failed when fired by hand", self.function.name)

    async def _poll_or_report(self) -> int:
        try:
            return await self.poll()
        except Exception:
            # A listener outlives every trouble of its queue: it backs off and asks again.
            logger.exception("%s cannot read the queue '%s'", self.function.name, self.function.queue)
            return 0

    async def _wait_for_room(self, stopping: asyncio.Event) -> None:
        stop = asyncio.ensure_future(stopping.wait())
        while self.running > self._numbers.refill_at and not stopping.is_set():
            await asyncio.wait({stop, *self._running}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()

    async def _work_on(self, message: ReceivedMessage) -> None:
        held = _Held(message)
        finished = asyncio.Event()
        renewing = asyncio.create_task(self._keep_hidden(held, finished))
        try:
            ending = await self._handle(message)
        except asyncio.CancelledError:
            # Only `drain` cancels, and this is the end of the line: what remains is to let go of the message.
            ending = Ending.INTERRUPTED
        finished.set()
        await renewing
        await self._settle_or_report(held.message, ending)

    async def _handle(self, message: ReceivedMessage) -> Ending:
        if message.dequeue_count > self._numbers.max_dequeue_count:
            return Ending.POISONED
        try:
            body = self._decoded(message.body)
        except binascii.Error:
            logger.warning("%s: message %s is not base64", self.function.name, message.id)
            return Ending.POISONED
        try:
            await self._pools.handlers.run(self.function, _as_sdk_message(message, body))
        except Exception:
            logger.exception(
                "%s failed on message %s (try %d of %d)",
                self.function.name,
                message.id,
                message.dequeue_count,
                self._numbers.max_dequeue_count,
            )
            last_try = message.dequeue_count >= self._numbers.max_dequeue_count
            return Ending.POISONED if last_try else Ending.FAILED
        return Ending.DONE

    def _decoded(self, body: bytes) -> bytes:
        return base64.b64decode(body, validate=True) if self._numbers.message_encoding == "base64" else body

    async def _keep_hidden(self, held: _Held, finished: asyncio.Event) -> None:
        while True:
            await pause(self._pace, HIDDEN_WHILE_RUNNING_S / 2, finished)
            if finished.is_set():
                return
            try:
                held.message = await self._hide(held.message, HIDDEN_WHILE_RUNNING_S)
            except Exception:
                logger.exception("%s cannot renew message %s", self.function.name, held.message.id)

    async def _settle_or_report(self, message: ReceivedMessage, ending: Ending) -> None:
        try:
            await self._settle(message, ending)
        except StoreConflict:
            logger.warning("%s: message %s was taken by somebody else meanwhile", self.function.name, message.id)
        except Exception:
            # It becomes visible again when its time is over: at least once, as promised.
            logger.exception("%s cannot finish message %s (%s)", self.function.name, message.id, ending.name)

    async def _settle(self, message: ReceivedMessage, ending: Ending) -> None:
        match ending:
            case Ending.DONE:
                await self._delete(message)
            case Ending.POISONED:
                await self._pools.io.run_on_thread(self._queues.send, self.function.queue + POISON_SUFFIX, message.body)
                await self._delete(message)
            case Ending.FAILED:
                await self._hide(message, self._numbers.visibility_timeout_s)
            case Ending.INTERRUPTED:
                await self._hide(message, 0)

    async def _hide(self, message: ReceivedMessage, seconds: float) -> ReceivedMessage:
        return await self._pools.io.run_on_thread(self._queues.renew, self.function.queue, message, seconds)

    async def _delete(self, message: ReceivedMessage) -> None:
        await self._pools.io.run_on_thread(self._queues.delete, self.function.queue, message)


def _as_sdk_message(message: ReceivedMessage, body: bytes) -> QueueMessage:
    return QueueMessage(
        id=message.id,
        body=body,
        dequeue_count=message.dequeue_count,
        expiration_time=message.expires_at,
        insertion_time=message.inserted_at,
        time_next_visible=message.next_visible_at,
        pop_receipt=message.pop_receipt,
    )
