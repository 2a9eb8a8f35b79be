"""A store that is killed after so many writes: what crashes leave behind can be looked at one by one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dom_core.ports import Body, Container, Document, DocumentStore, Page, Write


class Killed(Exception):
    """The process ended here."""


@dataclass
class KillingStore:
    """Passes everything on, and raises Killed right after the write that uses up `writes_left`."""

    store: DocumentStore
    writes_left: int

    def _count(self) -> None:
        self.writes_left -= 1
        if self.writes_left == 0:
            raise Killed

    def read(self, container: Container, partition: str, id: str) -> Document | None:
        return self.store.read(container, partition, id)

    def create(self, container: Container, partition: str, id: str, body: Body) -> Document:
        document = self.store.create(container, partition, id, body)
        self._count()
        return document

    def replace(self, container: Container, partition: str, id: str, body: Body, etag: str) -> Document:
        document = self.store.replace(container, partition, id, body, etag)
        self._count()
        return document

    def delete(self, container: Container, partition: str, id: str, etag: str) -> None:
        self.store.delete(container, partition, id, etag)
        self._count()

    def batch(self, container: Container, partition: str, writes: Sequence[Write]) -> tuple[str | None, ...]:
        etags = self.store.batch(container, partition, writes)
        self._count()
        return etags

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
