"""Dead letters: one partition per day; the id comes from the message's, so that recording twice changes nothing."""

import hashlib
from collections.abc import Iterator

from dom_core.domain.dead_letter import DeadLetter
from dom_core.errors import AlreadyExists, NotFound
from dom_core.messages.reading import write_value
from dom_core.ports import Body, Container, Document, DocumentStore
from dom_core.repositories.reading import Slice, Versioned, every, read_stored


class DeadLetters:
    """The stored dead letters."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store

    def get(self, day: str, id: str) -> Versioned[DeadLetter]:
        """The dead letter. Raises NotFound."""
        document = self._store.read(Container.DEAD_LETTERS, day, id)
        if document is None:
            raise NotFound("dead letter", id)
        return Versioned(_read(document), document.etag)

    def record(self, letter: DeadLetter) -> DeadLetter:
        """Store the dead letter, unless its message has one already, from whatever day: then that one."""
        known = self._store.query(Container.DEAD_LETTERS, where={"key": letter.id}, limit=1).documents
        if known:
            return _read(known[0])
        try:
            self._store.create(Container.DEAD_LETTERS, letter.day, letter.id, _body(letter))
        except AlreadyExists:
            return self.get(letter.day, letter.id).value
        return letter

    def replace(self, letter: DeadLetter, etag: str) -> None:
        """Store a change. Raises StoreConflict."""
        self._store.replace(Container.DEAD_LETTERS, letter.day, letter.id, _body(letter), etag)

    def page(self, limit: int, continuation: str | None) -> Slice[DeadLetter]:
        """Some of the dead letters."""
        page = self._store.query(Container.DEAD_LETTERS, limit=limit, continuation=continuation)
        return Slice(tuple(_read(document) for document in page.documents), page.continuation)

    def every(self) -> Iterator[Versioned[DeadLetter]]:
        """All dead letters."""
        return (Versioned(_read(document), document.etag) for document in every(self._store, Container.DEAD_LETTERS))

    def delete(self, letter: Versioned[DeadLetter]) -> None:
        """Remove a dead letter. Raises StoreConflict when it changed since it was read."""
        self._store.delete(Container.DEAD_LETTERS, letter.value.day, letter.value.id, letter.etag)


def dead_letter_id(queue: str, message_id: str) -> str:
    """The id of the dead letter of this message."""
    return hashlib.sha256(f"{queue}\n{message_id}".encode()).hexdigest()[:32]


def _body(letter: DeadLetter) -> Body:
    return {"key": letter.id, "dead_letter": write_value(letter, DeadLetter)}


def _read(document: Document) -> DeadLetter:
    return read_stored(document.body["dead_letter"], DeadLetter, f"stored dead letter {document.id}")
