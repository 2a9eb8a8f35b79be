"""A document store around another one, for tests that watch or disturb what is asked of it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from dom_core.ports import Body, Container, Document, DocumentStore, Page, Write


@dataclass
class PassingStore:
    """Passes everything on. A subclass does what it is for around `writing`, or around a method of its choice."""

    store: DocumentStore

    @contextmanager
    def writing(self) -> Iterator[None]:
        """The block is a write."""
        yield

    def read(self, container: Container, partition: str, id: str) -> Document | None:
        return self.store.read(container, partition, id)

    def create(self, container: Container, partition: str, id: str, body: Body) -> Document:
        with self.writing():
            return self.store.create(container, partition, id, body)

    def replace(self, container: Container, partition: str, id: str, body: Body, etag: str) -> Document:
        with self.writing():
            return self.store.replace(container, partition, id, body, etag)

    def delete(self, container: Container, partition: str, id: str, etag: str) -> None:
        with self.writing():
            self.store.delete(container, partition, id, etag)

    def batch(self, container: Container, partition: str, writes: Sequence[Write]) -> tuple[str | None, ...]:
        with self.writing():
            return self.store.batch(container, partition, writes)

    def query(
        self,
        container: Container,
        *,
        partition: str | None = None,
        where: Mapping[str, str | int | bool] | None = None,
        limit: int = 100,
        continuation: str | None = None,
    ) -> Page:
        return self.store.query(container, partition=partition, where=where, limit=limit, continuation=continuation)
