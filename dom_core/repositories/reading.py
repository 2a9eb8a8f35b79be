"""What all repositories share: values with their ETag, slices of lists, and deciding again after a conflict."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from dom_core.errors import DamagedDocument, InvalidInput, StoreConflict
from dom_core.messages.reading import read_value
from dom_core.ports import Container, Document, DocumentStore

T = TypeVar("T")
R = TypeVar("R")

PAGE = 1000
"""Documents asked for at a time where all are wanted."""

ATTEMPTS = 20
"""Decisions before giving up against other writers. Each attempt lost means that another writer got on."""


@dataclass(frozen=True, slots=True)
class Versioned(Generic[T]):
    """A stored value with the ETag that it had when it was read."""

    value: T
    etag: str


@dataclass(frozen=True, slots=True)
class Slice(Generic[T]):
    """Part of a list, and the token that continues it (None at the end)."""

    items: tuple[T, ...]
    continuation: str | None


def every(
    store: DocumentStore,
    container: Container,
    *,
    partition: str | None = None,
    where: Mapping[str, str | int | bool] | None = None,
) -> Iterator[Document]:
    """All documents of a query, read page by page."""
    continuation = None
    while True:
        page = store.query(container, partition=partition, where=where, limit=PAGE, continuation=continuation)
        yield from page.documents
        if page.continuation is None:
            return
        continuation = page.continuation


def read_stored(value: object, shape: type[T], name: str) -> T:
    """A stored value. Raises DamagedDocument: whoever asked for it has done nothing wrong."""
    try:
        return read_value(value, shape, name)
    except InvalidInput as error:
        raise DamagedDocument(f"{name} cannot be read: " + "; ".join(map(str, error.problems))) from error


def deciding_again(decide: Callable[[], R]) -> R:
    """Call a function that reads, decides and writes, again after each StoreConflict, up to ATTEMPTS times."""
    for _ in range(ATTEMPTS - 1):
        try:
            return decide()
        except StoreConflict:
            continue
    return decide()
