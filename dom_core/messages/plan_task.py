"""The message that asks for a plan task: which one, for which run, by which engine, and the task itself.

A task too large for a message travels by claim check; its claim says the ticket too, so that whoever finds a message
that nobody needs any more need not fetch its content.
"""

import base64
import json
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from dom_core.domain.ids import RunId
from dom_core.domain.network import STRICT
from dom_core.errors import InvalidInput, Problem
from dom_core.messages.claim import About, claim_in
from dom_core.messages.reading import read_json, read_value, write_value

TicketId = Annotated[str, Field(pattern=r"^_task-[0-9a-f]{40}$")]
"""The document by which somebody waits for the answer. No run's id begins like this."""

_SUBJECT = "plan task message"


@dataclass(frozen=True, slots=True)
class PlanTaskMessage:
    """A task that stands alone, in base64; `engine` is whose answer is wanted: version and solver."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    ticket_id: TicketId
    run_id: RunId
    engine: Annotated[str, Field(max_length=200)]
    task: str

    @classmethod
    def of(cls, ticket_id: TicketId, run_id: RunId, engine: str, task: bytes) -> "PlanTaskMessage":
        """The message about these bytes."""
        return cls(ticket_id, run_id, engine, base64.b64encode(task).decode())

    @property
    def content(self) -> bytes:
        """The task's bytes. Raises InvalidInput."""
        try:
            return base64.b64decode(self.task, validate=True)
        except ValueError as error:
            raise InvalidInput([Problem("task", "is not base64")], _SUBJECT) from error

    @property
    def about(self) -> About:
        """What is said beside a claim."""
        return {"ticket_id": self.ticket_id, "run_id": self.run_id}

    @property
    def encoded(self) -> bytes:
        """The message as it waits in its queue."""
        return json.dumps(write_value(self, PlanTaskMessage)).encode()


def read_plan_task(raw: bytes) -> PlanTaskMessage:
    """The message that these bytes are. Raises InvalidInput."""
    return read_json(raw, PlanTaskMessage, _SUBJECT)


def ticket_in(message: bytes) -> TicketId:
    """Which ticket a message is about, its content fetched or not. Raises InvalidInput."""
    claim = claim_in(message)
    if claim is None:
        return read_plan_task(message).ticket_id
    ticket_id: TicketId = read_value(claim.about.get("ticket_id"), TicketId, _SUBJECT)
    return ticket_id
