"""Dead letters: one partition per day; the id comes from the message's, so that recording twice changes nothing.

Beside each letter an entry says on which day its message first became one. It has a partition of its own, named after
the letter, so that a message that comes again the next day is recognised without a search through all days.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import replace

from dom_core.domain.dead_letter import DeadLetter
from dom_core.errors import AlreadyExists, NotFound
from dom_core.messages.reading import write_value
from dom_core.ports import Body, Container, Document, DocumentStore
from dom_core.repositories.reading import Slice, Versioned, every, read_stored

_KIND_LETTER = "letter"
_KIND_DAY = "day"
_DAY = "first-day"


class DeadLetters:
    """The stored dead letters."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store

    def get(self, day: str, id: str) -> Versioned[DeadLetter]:
        """The dead letter. Raises NotFound."""
        document = self._store.read(Container.DEAD_LETTERS, day, id)
        if document is None or document.body["kind"] != _KIND_LETTER:
            raise NotFound("dead letter", id)
        return Versioned(_read(document), document.etag)

    def record(self, letter: DeadLetter) -> DeadLetter:
        """Store the dead letter, unless its message has one already, from whatever day: then that one."""
        letter = replace(letter, day=self._first_day(letter))
        try:
            self._store.create(Container.DEAD_LETTERS, letter.day, letter.id, _body(letter))
        except AlreadyExists:
            return self.get(letter.day, letter.id).value
        return letter

    def _first_day(self, letter: DeadLetter) -> str:
        try:
            entry = {"kind": _KIND_DAY, "day": letter.day}
            self._store.create(Container.DEAD_LETTERS, letter.id, _DAY, entry)
        except AlreadyExists:
            known = self._store.read(Container.DEAD_LETTERS, letter.id, _DAY)
            return str(known.body["day"]) if known else letter.day
        return letter.day

    def replace(self, letter: DeadLetter, etag: str) -> None:
        """Store a change. Raises StoreConflict."""
        self._store.replace(Container.DEAD_LETTERS, letter.day, letter.id, _body(letter), etag)

    def page(self, limit: int, continuation: str | None) -> Slice[DeadLetter]:
        """Some of the dead letters."""
        where = {"kind": _KIND_LETTER}
        page = self._store.query(Container.DEAD_LETTERS, where=where, limit=limit, continuation=continuation)
        return Slice(tuple(_read(document) for document in page.documents), page.continuation)

    def every(self) -> Iterator[Versioned[DeadLetter]]:
        """All dead letters."""
        found = every(self._store, Container.DEAD_LETTERS, where={"kind": _KIND_LETTER})
        return (Versioned(_read(document), document.etag) for document in found)

    def delete(self, letter: Versioned[DeadLetter]) -> None:
        """Remove a dead letter. Raises StoreConflict when it changed since it was read."""
        # The entry first: killed in between, the letter is found again, and its entry is not missed.
        entry = self._store.read(Container.DEAD_LETTERS, letter.value.id, _DAY)
        if entry is not None:
            self._store.delete(Container.DEAD_LETTERS, letter.value.id, _DAY, entry.etag)
        self._store.delete(Container.DEAD_LETTERS, letter.value.day, letter.value.id, letter.etag)


def dead_letter_id(queue: str, message_id: str) -> str:
    """The id of the dead letter of this message."""
    return hashlib.sha256(f"{queue}\n{message_id}".encode()).hexdigest()[:32]


def _body(letter: DeadLetter) -> Body:
    return {"kind": _KIND_LETTER, "dead_letter": write_value(letter, DeadLetter)}


def _read(document: Document) -> DeadLetter:
    return read_stored(document.body["dead_letter"], DeadLetter, f"stored dead letter {document.id}")
