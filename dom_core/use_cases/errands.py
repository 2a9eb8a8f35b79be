"""One task on its way to whoever takes it, and how it is waited for."""

import base64
import hashlib
import json
import logging
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from dom_core.errors import InvalidInput, StoreConflict, Unavailable
from dom_core.messages.plan_task import PlanTaskMessage
from dom_core.repositories.plan_tasks import PlanTasks
from dom_core.use_cases import claim_check
from dom_core.use_cases.context import Ports
from dom_core.use_cases.perform_plan_task import engine_of

_logger = logging.getLogger(__name__)

_R = TypeVar("_R")
_Result = TypeVar("_Result", covariant=True)


@dataclass(frozen=True, slots=True)
class Pace:
    """How whoever waits waits.

    Looks at the answer after pauses that double from the first to the longest; sends a task again after `resend_after`,
    then after twice that time; and after so many `sends` performs it itself. A piece of a pass, the work of a second or
    two, it performs itself after `price_after`. A message that the run takes itself is hidden from others for
    `hidden_s`.
    """

    first_s: float = 0.05
    longest_s: float = 1.0
    resend_after: timedelta = timedelta(seconds=60)
    sends: int = 3
    price_after: timedelta = timedelta(seconds=15)
    hidden_s: float = 600.0

    @property
    def of_prices(self) -> "Pace":
        """How to wait for a piece of a pass."""
        return replace(self, resend_after=self.price_after, sends=1)

    def pauses(self) -> Iterator[float]:
        """Seconds to wait before each next look."""
        seconds = self.first_s
        while True:
            yield seconds
            seconds = min(2 * seconds, self.longest_s)


USUAL_PACE = Pace()


class Job(Protocol[_Result]):
    """Something to be done, here or there."""

    def content(self) -> bytes:
        """As it is sent."""
        ...

    def here(self) -> _Result:
        """Do it here. Raises SolverFailed, Cancelled."""
        ...

    def read(self, answer: bytes) -> _Result:
        """What somebody answered. Raises InvalidInput."""
        ...


@dataclass(slots=True)
class Errand(Generic[_R]):
    """One task on its way: sent, waited for, sent again, performed here at last.

    `name` tells it from all others of the run.
    """

    ports: Ports
    run_id: str
    name: str
    job: Job[_R]
    pace: Pace
    ticket_id: str = ""
    sends: int = 0
    sent_at: datetime = field(init=False)
    text: str | None = None

    def begin(self) -> None:
        """Wait for the task's answer, and send it. What cannot be sent is performed here."""
        content = self.job.content()
        scope = f"{self.run_id}\n{self.name}\n".encode()
        self.ticket_id = f"_task-{hashlib.sha256(scope + content).hexdigest()[:40]}"
        self._tasks.open(self.ticket_id, self.run_id, self.ports.clock.now())
        self._send(content)

    def is_ready(self) -> bool:
        """Whether there is nothing to wait for: the answer is there, or nobody else will make it."""
        ticket = self._tasks.find(self.ticket_id)
        self.text = self._tasks.answer(ticket) if ticket and ticket.is_answered else None
        return self.text is not None or self.sends > self.pace.sends

    def answer_here_or_there(self) -> _R:
        """The answer that came, or our own. Nobody waits for it any more. Raises SolverFailed, Cancelled."""
        answer = self.job.here() if self.text is None else self.job.read(base64.b64decode(self.text))
        self.end()
        return answer

    def is_overdue(self) -> bool:
        """Whether it was sent long ago; each time it may take twice as long as the time before."""
        limit = self.pace.resend_after * 2 ** (self.sends - 1)
        return bool(self.ticket_id) and self.ports.clock.now() - self.sent_at >= limit

    def send_again_if_overdue(self) -> None:
        """Send it once more, if it was sent long ago and is not answered yet."""
        if self.is_overdue() and not self.is_ready():
            self._send(self.job.content())

    def end(self) -> None:
        """Wait no longer. A store that is away keeps the ticket until the clean-up."""
        if self.ticket_id:
            with suppress(Unavailable, StoreConflict):
                self._tasks.close(self.ticket_id)
                self.ticket_id = ""

    @property
    def _tasks(self) -> PlanTasks:
        return PlanTasks(self.ports.store, self.ports.blobs)

    def _send(self, content: bytes) -> None:
        ports = self.ports
        self.sends, self.sent_at = self.sends + 1, ports.clock.now()
        if self.sends > self.pace.sends:
            return
        message = PlanTaskMessage.of(self.ticket_id, self.run_id, engine_of(ports), content)
        try:
            claim_check.send(ports, ports.settings.plan_tasks_queue, message.encoded, message.about)
        except (Unavailable, InvalidInput) as error:
            _logger.warning(json.dumps({"event": "plan_task_not_sent", "error": type(error).__name__}))
            self.sends = self.pace.sends + 1
