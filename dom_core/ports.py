"""What the core needs from the world. Adapters implement these; only use cases call them.

Each port has a contract suite in `tests/contract/` that every adapter passes.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from dom_core.domain.network import Address, Location

Body = dict[str, Any]
"""A JSON object."""


class Container(StrEnum):
    """The containers of the document store. Every document lives in one partition of one container."""

    ORDERS = "orders"
    STOCK = "stock"
    PLANS = "plans"
    CONFIG = "config"
    RUNS = "runs"
    DEAD_LETTERS = "deadletters"


@dataclass(frozen=True, slots=True)
class Document:
    """A stored JSON object. The ETag changes with every write."""

    partition: str
    id: str
    body: Body
    etag: str


@dataclass(frozen=True, slots=True)
class Page:
    """Some documents of an answer, and the token that continues it (None at the end)."""

    documents: tuple[Document, ...]
    continuation: str | None


@dataclass(frozen=True, slots=True)
class Create:
    """Write a document that must not exist yet."""

    id: str
    body: Body


@dataclass(frozen=True, slots=True)
class Replace:
    """Write a document that must still have this ETag."""

    id: str
    body: Body
    etag: str


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove a document that must still have this ETag."""

    id: str
    etag: str


Write = Create | Replace | Delete
"""One operation of an atomic batch."""


class DocumentStore(Protocol):
    """JSON documents in partitions, with optimistic concurrency.

    There is no unconditional write: a caller creates what must be new, or replaces what it has read. In RUNS every
    document is a partition of its own: its partition is its id.
    """

    def read(self, container: Container, partition: str, id: str) -> Document | None:
        """The document, or None. A point read."""
        ...

    def create(self, container: Container, partition: str, id: str, body: Body) -> Document:
        """Store a new document. Raises AlreadyExists."""
        ...

    def replace(self, container: Container, partition: str, id: str, body: Body, etag: str) -> Document:
        """Overwrite the document that has this ETag. Raises StoreConflict if it changed or vanished."""
        ...

    def delete(self, container: Container, partition: str, id: str, etag: str) -> None:
        """Remove the document that has this ETag. Raises StoreConflict if it changed or vanished."""
        ...

    def batch(self, container: Container, partition: str, writes: Sequence[Write]) -> tuple[str | None, ...]:
        """All writes or none (at most 100, one partition). The new ETags, None for deletes.

        Raises AlreadyExists or StoreConflict for the first write that fails, InvalidInput for more than 100 or for
        several writes over 1.2 MB.
        """
        ...

    def query(
        self,
        container: Container,
        *,
        partition: str | None = None,
        where: Mapping[str, str | int | bool] | None = None,
        limit: int = 100,
        continuation: str | None = None,
    ) -> Page:
        """Documents whose top-level fields equal `where`, at most `limit` (1..1000) a page.

        Without a partition the query crosses partitions. Within one partition documents come in the order of their
        ids; across partitions the order is the store's own. Following the continuation visits each document that
        did not change meanwhile exactly once; only the last page may be empty. Raises InvalidInput for a continuation
        that is not one.
        """
        ...


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """A message that is invisible to others until `next_visible_at`; deleting it needs the pop receipt."""

    id: str
    body: bytes
    dequeue_count: int
    inserted_at: datetime
    expires_at: datetime
    next_visible_at: datetime
    pop_receipt: str


class MessageQueues(Protocol):
    """Queues with at-least-once delivery, no order, and messages of at most 64 KiB.

    A body is UTF-8 text without control characters other than tab and line feed, as JSON is: InvalidInput otherwise.
    """

    def send(self, queue: str, body: bytes, *, visible_after_s: float = 0, time_to_live_s: float | None = None) -> str:
        """Add a message that lives 7 days unless told otherwise (-1: for ever). Its id. InvalidInput over 64 KiB."""
        ...

    def receive(self, queue: str, *, limit: int = 1, visibility_timeout_s: float = 600) -> list[ReceivedMessage]:
        """Take up to `limit` (1..32) visible messages and hide them; each receive raises the dequeue count."""
        ...

    def renew(self, queue: str, message: ReceivedMessage, visibility_timeout_s: float) -> ReceivedMessage:
        """Hide a received message for longer. Raises StoreConflict when the receipt is no longer the newest."""
        ...

    def delete(self, queue: str, message: ReceivedMessage) -> None:
        """Remove a received message. Raises StoreConflict when the receipt is no longer the newest."""
        ...

    def waiting_since(self, queue: str) -> datetime | None:
        """When the oldest visible message was put on the queue; None when none is visible. Nothing is hidden by it.

        A service looks at the 32 messages at the front of the queue, which are about the oldest.
        """
        ...

    def length(self, queue: str) -> int:
        """About how many messages there are, hidden ones included; a service may still count expired ones."""
        ...


class WebhookReceiver(Protocol):
    """Whoever is told over HTTP."""

    def post(self, body: bytes, headers: Mapping[str, str]) -> int:
        """The HTTP status of the receiver's answer. Raises Unavailable when there is none."""
        ...


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """The name of a blob, and when it was put."""

    name: str
    stored_at: datetime


class Blobs(Protocol):
    """Contents too large for a queue message, in one container that holds nothing else.

    The store makes the names, 32 hexadecimal digits that nobody can guess; asked for any other name it raises
    InvalidInput, so no caller can reach out of the container. A blob never changes.
    """

    def put(self, content: bytes) -> str:
        """Keep the content (1 byte to 100 MB) until it is deleted. Its name."""
        ...

    def get(self, name: str) -> bytes | None:
        """The content, or None."""
        ...

    def delete(self, name: str) -> None:
        """Remove the blob. One that is gone already is no error."""
        ...

    def every(self) -> Iterator[StoredBlob]:
        """All blobs, in the order of their names. What is put or deleted meanwhile may be among them or not."""
        ...


class Clock(Protocol):
    """The time. Always aware, always UTC."""

    def now(self) -> datetime:
        """The current moment."""
        ...


class Pulse(Protocol):
    """Something that beats while work goes on that cannot be interrupted."""

    def every(self, seconds: float, beat: Callable[[], bool]) -> AbstractContextManager[None]:
        """Call `beat` each time so many seconds have passed, until the block ends or it answers False.

        It is called by a thread of its own; when the block has ended no call is under way any more.
        """
        ...


class Pauses(Protocol):
    """Waiting for somebody else, without a sign from them."""

    def pause(self, seconds: float) -> None:
        """Do nothing for so long."""
        ...


@dataclass(frozen=True, slots=True)
class Journeys:
    """The ways from every origin to every destination."""

    origins: tuple[Location, ...]
    destinations: tuple[Location, ...]


@dataclass(frozen=True, slots=True)
class Measured:
    """Whole metres by road: a row per origin, a column per destination; None where there is no way."""

    journeys: Journeys
    metres: tuple[tuple[int | None, ...], ...]


class RoadDistances(Protocol):
    """How far it is by road."""

    @property
    def name(self) -> str:
        """What measures, and for which vehicle: `osrm driving`. Answers of one name may be kept together."""
        ...

    def measure(self, wanted: Iterable[Journeys], limit_s: float) -> Iterator[Measured]:
        """The distances of all these ways, in parts that suit the engine, in the order in which they were asked for.

        Raises Unavailable when there is no further answer, or none within the limit: what came before it is good.
        Questions that a caller leaves unread are not asked, but for the few that are under way.
        """
        ...


class Geocoder(Protocol):
    """Where an address is."""

    def locate(self, address: Address) -> Location | None:
        """The address's location; None if there is no such place. Raises Unavailable when it cannot be asked."""
        ...
