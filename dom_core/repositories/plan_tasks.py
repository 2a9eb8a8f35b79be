"""Plan tasks that somebody waits for: a document for each, in which whoever performs it leaves the answer.

Who waits opens the document before anybody can know of the task, and removes it when the answer was read or is not
wanted any more. Nobody else makes one: an answer that comes too late finds no place, and leaves nothing behind.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from dom_core.domain.ids import RunId
from dom_core.domain.units import UtcTime
from dom_core.errors import AlreadyExists, StoreConflict
from dom_core.messages.reading import write_value
from dom_core.ports import Blobs, Body, Container, Document, DocumentStore
from dom_core.repositories.reading import deciding_again, every, read_stored

_KIND = "plan_task"

LARGEST_ANSWER_CHARACTERS = 1_000_000
"""Longer answers go into a blob: a document may have two million bytes."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """A task that somebody waits for. Of its answer the document holds the text, or the name of the blob with it."""

    id: str
    run_id: RunId
    opened_at: datetime
    document: Document

    @property
    def is_answered(self) -> bool:
        """Whether the answer is there."""
        return bool(self.document.body["answer"] or self.blob)

    @property
    def blob(self) -> str:
        """The blob that holds the answer, if one does."""
        return read_stored(self.document.body["blob"], str, f"plan task {self.id}")


class PlanTasks:
    """The stored tickets."""

    def __init__(self, store: DocumentStore, blobs: Blobs) -> None:
        self._store, self._blobs = store, blobs

    def open(self, ticket_id: str, run_id: RunId, at: datetime) -> None:
        """Begin to wait. What another attempt left under this id is a ticket for the very same task."""
        body: Body = {"kind": _KIND, "run_id": run_id, "opened_at": write_value(at, UtcTime), "answer": "", "blob": ""}
        try:
            self._store.create(Container.RUNS, ticket_id, ticket_id, body)
        except AlreadyExists:
            return

    def find(self, ticket_id: str) -> Ticket | None:
        """The ticket, if anybody waits. A point read."""
        document = self._store.read(Container.RUNS, ticket_id, ticket_id)
        return _read(document) if document else None

    def put_answer(self, ticket: Ticket, answer: str) -> bool:
        """Leave the answer. False when nobody waits any more, or somebody else was faster."""
        blob = self._blobs.put(answer.encode()) if len(answer) > LARGEST_ANSWER_CHARACTERS else ""
        body = ticket.document.body | {"answer": "" if blob else answer, "blob": blob}
        try:
            self._store.replace(Container.RUNS, ticket.id, ticket.id, body, ticket.document.etag)
        except StoreConflict:
            if blob:
                self._blobs.delete(blob)
            return False
        return True

    def answer(self, ticket: Ticket) -> str | None:
        """The answer, if there is one, and its blob is not lost."""
        if ticket.blob:
            content = self._blobs.get(ticket.blob)
            return content.decode() if content is not None else None
        return read_stored(ticket.document.body["answer"], str, f"plan task {ticket.id}") or None

    def close(self, ticket_id: str) -> None:
        """Wait no longer: the ticket goes, with its answer. Safe to repeat."""
        deciding_again(lambda: self._close(ticket_id))

    def _close(self, ticket_id: str) -> None:
        ticket = self.find(ticket_id)
        if ticket is None:
            return
        if ticket.blob:
            self._blobs.delete(ticket.blob)
        self._store.delete(Container.RUNS, ticket.id, ticket.id, ticket.document.etag)

    def every(self) -> Iterator[Ticket]:
        """All tickets."""
        return map(_read, every(self._store, Container.RUNS, where={"kind": _KIND}))


def _read(document: Document) -> Ticket:
    name = f"plan task {document.id}"
    run_id = read_stored(document.body["run_id"], str, name)
    return Ticket(document.id, run_id, read_stored(document.body["opened_at"], UtcTime, name), document)
