"""Queues that fail: killed after so many messages, or away."""

from dataclasses import dataclass
from datetime import datetime

from dom_core.errors import Unavailable
from dom_core.ports import MessageQueues, ReceivedMessage
from tests.use_cases.killing import Killed


@dataclass
class KillingQueues:
    """Passes everything on, and raises Killed right after the message that uses up `messages_left`."""

    queues: MessageQueues
    messages_left: int

    def send(self, queue: str, body: bytes, *, visible_after_s: float = 0, time_to_live_s: float | None = None) -> str:
        id = self.queues.send(queue, body, visible_after_s=visible_after_s, time_to_live_s=time_to_live_s)
        self.messages_left -= 1
        if self.messages_left == 0:
            raise Killed
        return id

    def receive(self, queue: str, *, limit: int = 1, visibility_timeout_s: float = 600) -> list[ReceivedMessage]:
        return self.queues.receive(queue, limit=limit, visibility_timeout_s=visibility_timeout_s)

    def renew(self, queue: str, message: ReceivedMessage, visibility_timeout_s: float) -> ReceivedMessage:
        return self.queues.renew(queue, message, visibility_timeout_s)

    def delete(self, queue: str, message: ReceivedMessage) -> None:
        self.queues.delete(queue, message)

    def waiting_since(self, queue: str) -> datetime | None:
        return self.queues.waiting_since(queue)

    def length(self, queue: str) -> int:
        return self.queues.length(queue)


class QueuesAway:
    """Queues that do not answer."""

    def __getattr__(self, name: str) -> object:
        raise Unavailable("the queue does not answer")
