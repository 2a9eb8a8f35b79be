"""Documents in Cosmos DB."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeAlias, TypeVar
from uuid import uuid4

from azure.core import MatchConditions
from azure.core.exceptions import AzureError
from azure.cosmos import ContainerProxy

from dom_core.adapters import document_limits
from dom_core.adapters.cosmos.connection import Connection
from dom_core.adapters.cosmos.items import Item, query_text, to_document, to_item, was_written_by
from dom_core.adapters.cosmos.persistence import no_outcome, persist
from dom_core.adapters.document_limits import Where
from dom_core.adapters.patience import Patience
from dom_core.charges import ChargeRecorder, ChargeTotals, charge
from dom_core.errors import StoreConflict
from dom_core.ports import Body, Container, Create, Delete, Document, Page, Replace, Write

T = TypeVar("T")

Hook: TypeAlias = Callable[..., None]
"""What the SDK calls with the headers of every answer."""

UNKNOWN_ETAG = "unknown"
"""Stands for the ETag of a document that somebody changed right after our batch wrote it: it matches nothing."""

_CHARGE = "x-ms-request-charge"


class CosmosDocuments:
    """The document store of an installation in Azure. Implements `ports.DocumentStore`.

    Requests that are throttled or get no answer are repeated as long as `patience` lasts; then Unavailable. No write is
    made twice, see `persistence`. Raises InvalidInput for what `document_limits` refuses, StoreUnusable when access is
    denied or nothing was provisioned.
    """

    def __init__(
        self, connection: Connection, charges: ChargeRecorder | None = None, patience: Patience | None = None
    ) -> None:
        self._connection = connection
        self._charges = charges or ChargeTotals()
        self._patience = patience or Patience()

    def read(self, container: Container, partition: str, id: str) -> Document | None:
        """The document, or None. A point read."""
        document_limits.require_key(container, partition, id)
        item = self._read_item(_Target(container, partition, id))
        return to_document(container, item) if item else None

    def create(self, container: Container, partition: str, id: str, body: Body) -> Document:
        """Store a new document. Raises AlreadyExists."""

        def send(proxy: ContainerProxy, hook: Hook, item: Item) -> Item:
            return proxy.create_item(item, response_hook=hook)

        return self._put("create", _Target(container, partition, id), Create(id, body), send)

    def replace(self, container: Container, partition: str, id: str, body: Body, etag: str) -> Document:
        """Overwrite the document that has this ETag. Raises StoreConflict if it changed or vanished."""

        def send(proxy: ContainerProxy, hook: Hook, item: Item) -> Item:
            unchanged = MatchConditions.IfNotModified
            return proxy.replace_item(id, item, etag=etag, match_condition=unchanged, response_hook=hook)

        return self._put("replace", _Target(container, partition, id), Replace(id, body, etag), send)

    def delete(self, container: Container, partition: str, id: str, etag: str) -> None:
        """Remove the document that has this ETag. Raises StoreConflict if it changed or vanished."""
        document_limits.require_key(container, partition, id)
        target = _Target(container, partition, id)

        def send(proxy: ContainerProxy, hook: Hook) -> bool:
            unchanged = MatchConditions.IfNotModified
            proxy.delete_item(id, partition, etag=etag, match_condition=unchanged, response_hook=hook)
            return True

        def find_outcome() -> bool | None:
            return True if self._read_item(target) is None else None

        self._request("delete", target, send, find_outcome)

    def batch(self, container: Container, partition: str, writes: Sequence[Write]) -> tuple[str | None, ...]:
        """All writes or none (at most 100, one partition). The new ETags, None for deletes.

        Raises AlreadyExists or StoreConflict for the first write that fails, InvalidInput for more than 100.
        """
        document_limits.require_batch(container, partition, writes)
        if not writes:
            return ()
        write_id = _new_write_id()

        def send(proxy: ContainerProxy, hook: Hook) -> tuple[str | None, ...]:
            # Made anew for every attempt: the SDK takes the ETags out of what it is given.
            operations = [_operation(container, partition, write, write_id) for write in writes]
            results = proxy.execute_item_batch(operations, partition, response_hook=hook)
            return tuple(_etag(write, result) for write, result in zip(writes, results, strict=True))

        def find_outcome() -> tuple[str | None, ...] | None:
            items = [self._read_item(_Target(container, partition, write.id)) for write in writes]
            return _batch_outcome(writes, items, write_id)

        return self._request("batch", _Target(container, partition, writes[0].id), send, find_outcome)

    def query(
        self,
        container: Container,
        *,
        partition: str | None = None,
        where: Where | None = None,
        limit: int = 100,
        continuation: str | None = None,
    ) -> Page:
        """Documents whose top-level fields equal `where`, at most `limit` (1..1000) a page.

        Within a partition they come by id, and the token holds the last one; across partitions it is Cosmos DB's own.
        """
        where = where or {}
        document_limits.require_query(partition, where, limit)
        scope = document_limits.query_scope(container, partition, where)
        position = None if continuation is None else _position(continuation, scope)
        if partition is None:
            items, token = self._query_across(container, where, limit, position)
        else:
            items, token = self._query_partition(_Target(container, partition, "*"), where, limit, position)
        documents = tuple(to_document(container, item) for item in items)
        return Page(documents, None if token is None else document_limits.continuation_token(scope, [token]))

    def _query_partition(
        self, target: "_Target", where: Where, limit: int, after_id: str | None
    ) -> tuple[Sequence[Item], str | None]:
        text, parameters = query_text(where, after_id, by_id=True)

        def send(proxy: ContainerProxy, hook: Hook) -> list[Item]:
            # One item more than the page shows whether it is the last.
            found = proxy.query_items(
                text, parameters, partition_key=target.partition, max_item_count=limit + 1, response_hook=hook
            )
            return list(islice(found, limit + 1))

        items = self._request("query", target, send)
        return items[:limit], items[limit - 1]["id"] if len(items) > limit else None

    def _query_across(
        self, container: Container, where: Where, limit: int, token: str | None
    ) -> tuple[Sequence[Item], str | None]:
        text, parameters = query_text(where, None, by_id=False)

        def send(proxy: ContainerProxy, hook: Hook) -> tuple[list[Item], str | None]:
            found = proxy.query_items(
                text, parameters, enable_cross_partition_query=True, max_item_count=limit, response_hook=hook
            )
            pages: Any = found.by_page(token)
            # The SDK passes over empty pages that others follow: a page without items is the last.
            items = list(next(pages, ()))
            return items, pages.continuation_token if items else None

        try:
            return self._request("query_across", _Target(container, "*", "*"), send)
        except AzureError as error:
            if token is not None and getattr(error, "status_code", None) == 400:
                raise document_limits.invalid("continuation", "is not a token of this store") from error
            raise

    def _read_item(self, target: "_Target") -> Item | None:
        def send(proxy: ContainerProxy, hook: Hook) -> Item:
            return proxy.read_item(target.id, target.partition, response_hook=hook)

        try:
            return self._request("read", target, send)
        except StoreConflict:
            return None

    def _put(
        self,
        operation: str,
        target: "_Target",
        write: Create | Replace,
        send: Callable[[ContainerProxy, Hook, Item], Item],
    ) -> Document:
        document_limits.require_batch(target.container, target.partition, [write])
        write_id = _new_write_id()
        item = to_item(target.container, target.partition, target.id, write.body, write_id)

        def find_outcome() -> Item | None:
            found = self._read_item(target)
            return found if found and was_written_by(found, write_id) else None

        stored = self._request(operation, target, lambda proxy, hook: send(proxy, hook, item), find_outcome)
        return Document(target.partition, target.id, write.body, stored["_etag"])

    def _request(
        self,
        operation: str,
        target: "_Target",
        send: Callable[[ContainerProxy, Hook], T],
        find_outcome: Callable[[], T | None] = no_outcome,
    ) -> T:
        def record(headers: Mapping[str, Any], *_: object) -> None:
            self._charges.record(charge(target.container, operation, float(headers.get(_CHARGE, 0))))

        def attempt() -> T:
            try:
                return send(self._connection.container(target.container), record)
            except AzureError as error:
                record(getattr(error, "headers", None) or {})
                raise

        return persist(attempt, f"{operation} of {target}", self._patience, find_outcome)


@dataclass(frozen=True, slots=True)
class _Target:
    """What a request is about."""

    container: Container
    partition: str
    id: str

    def __str__(self) -> str:
        return f"document '{self.id}' in partition '{self.partition}' of '{self.container}'"


def _new_write_id() -> str:
    return uuid4().hex


def _operation(container: Container, partition: str, write: Write, write_id: str) -> tuple[Any, ...]:
    """One operation of a batch, as the SDK wants it."""
    match write:
        case Create(id=id, body=body):
            return ("create", (to_item(container, partition, id, body, write_id),))
        case Replace(id=id, body=body, etag=etag):
            return ("replace", (id, to_item(container, partition, id, body, write_id)), {"if_match_etag": etag})
        case Delete(id=id, etag=etag):
            return ("delete", (id,), {"if_match_etag": etag})


def _etag(write: Write, result: Mapping[str, Any]) -> str | None:
    return None if isinstance(write, Delete) else str(result["eTag"])


def _batch_outcome(
    writes: Sequence[Write], items: Sequence[Item | None], write_id: str
) -> tuple[str | None, ...] | None:
    """The ETags that a batch left behind, or None if it did not happen. One of its items proves all of it."""
    ours = [item is not None and was_written_by(item, write_id) for item in items]
    only_deletes = all(isinstance(write, Delete) for write in writes)
    if not any(ours) and (not only_deletes or any(items)):
        return None
    return tuple(
        None if isinstance(write, Delete) else item["_etag"] if item and mine else UNKNOWN_ETAG
        for write, item, mine in zip(writes, items, ours, strict=True)
    )


def _position(continuation: str, scope: str) -> str:
    """What continues the query: an id, or a token of Cosmos DB."""
    match document_limits.continued_position(continuation, scope):
        case [position]:
            return position
    raise document_limits.invalid("continuation", "belongs to another store")
