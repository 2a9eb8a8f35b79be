"""Documents in SQLite. It keeps the limits of Cosmos DB, so that what works here works there."""

import json
import sqlite3
from collections.abc import Sequence

from dom_core.adapters import document_limits
from dom_core.adapters.document_limits import Where
from dom_core.adapters.sqlite.database import Database
from dom_core.errors import AlreadyExists, StoreConflict
from dom_core.ports import Body, Container, Create, Delete, Document, Page, Replace, Write


class SqliteDocuments:
    """The document store of an embedded installation. Implements `ports.DocumentStore`.

    Raises InvalidInput for what `document_limits` refuses. See `Database` for Unavailable and StoreUnusable.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, container: Container, partition: str, id: str) -> Document | None:
        """The document, or None. A point read."""
        document_limits.require_key(container, partition, id)
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT etag, body FROM documents WHERE container = ? AND partition = ? AND id = ?",
                (container, partition, id),
            ).fetchone()
        return Document(partition, id, body=json.loads(row[1]), etag=row[0]) if row else None

    def create(self, container: Container, partition: str, id: str, body: Body) -> Document:
        """Store a new document. Raises AlreadyExists."""
        return self._put(container, partition, Create(id, body))

    def replace(self, container: Container, partition: str, id: str, body: Body, etag: str) -> Document:
        """Overwrite the document that has this ETag. Raises StoreConflict if it changed or vanished."""
        return self._put(container, partition, Replace(id, body, etag))

    def delete(self, container: Container, partition: str, id: str, etag: str) -> None:
        """Remove the document that has this ETag. Raises StoreConflict if it changed or vanished."""
        self.batch(container, partition, [Delete(id, etag)])

    def batch(self, container: Container, partition: str, writes: Sequence[Write]) -> tuple[str | None, ...]:
        """All writes or none (at most 100, one partition). The new ETags, None for deletes.

        Raises AlreadyExists or StoreConflict for the first write that fails, InvalidInput for more than 100.
        """
        # Encoded before the transaction begins: other writers wait no longer than they must.
        texts = document_limits.require_batch(container, partition, writes)
        with self._database.writing() as connection:
            return tuple(
                _apply(connection, (container, partition, write.id), write, text)
                for write, text in zip(writes, texts, strict=True)
            )

    def query(
        self,
        container: Container,
        *,
        partition: str | None = None,
        where: Where | None = None,
        limit: int = 100,
        continuation: str | None = None,
    ) -> Page:
        """One page of the documents whose top-level fields equal `where`, in the order of partition and id."""
        where = where or {}
        document_limits.require_query(partition, where, limit)
        scope = document_limits.query_scope(container, partition, where)
        condition, values = _condition(container, partition, where, _position(continuation, scope))
        # One row more than the page shows whether it is the last.
        found = self._select(condition, [*values, limit + 1])
        documents = tuple(found[:limit])
        return Page(documents, _continuation(scope, documents[-1]) if len(found) > limit else None)

    def _select(self, condition: str, values: Sequence[str | int]) -> list[Document]:
        statement = f"SELECT partition, id, body, etag FROM documents WHERE {condition} ORDER BY partition, id LIMIT ?"  # noqa: S608 - made of constants
        with self._database.reading() as connection:
            rows = connection.execute(statement, values).fetchall()
        return [Document(partition, id, json.loads(body), etag) for partition, id, body, etag in rows]

    def _put(self, container: Container, partition: str, write: Create | Replace) -> Document:
        (etag,) = self.batch(container, partition, [write])
        assert etag is not None, "only a delete has no ETag"  # noqa: S101 - our own mistake
        return Document(partition, write.id, write.body, etag)


def _apply(connection: sqlite3.Connection, key: tuple[str, str, str], write: Write, text: str | None) -> str | None:
    match write:
        case Create():
            return _insert(connection, key, text)
        case Replace(etag=etag):
            return _update(connection, key, text, etag)
        case Delete(etag=etag):
            _remove(connection, key, etag)
            return None


def _insert(connection: sqlite3.Connection, key: tuple[str, str, str], text: str | None) -> str:
    etag = _next_etag(connection)
    inserted = connection.execute(
        "INSERT INTO documents (container, partition, id, etag, body) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (*key, etag, text),
    )
    if inserted.rowcount == 0:
        raise AlreadyExists(f"{_named(key)} exists already")
    return etag


def _update(connection: sqlite3.Connection, key: tuple[str, str, str], text: str | None, etag: str) -> str:
    new_etag = _next_etag(connection)
    updated = connection.execute(
        "UPDATE documents SET etag = ?, body = ? WHERE container = ? AND partition = ? AND id = ? AND etag = ?",
        (new_etag, text, *key, etag),
    )
    _require_hit(updated, key)
    return new_etag


def _remove(connection: sqlite3.Connection, key: tuple[str, str, str], etag: str) -> None:
    removed = connection.execute(
        "DELETE FROM documents WHERE container = ? AND partition = ? AND id = ? AND etag = ?", (*key, etag)
    )
    _require_hit(removed, key)


def _require_hit(cursor: sqlite3.Cursor, key: tuple[str, str, str]) -> None:
    if cursor.rowcount == 0:
        raise StoreConflict(f"{_named(key)} changed or vanished since it was read")


def _next_etag(connection: sqlite3.Connection) -> str:
    connection.execute("UPDATE last_write SET number = number + 1")
    return str(connection.execute("SELECT number FROM last_write").fetchone()[0])


def _named(key: tuple[str, str, str]) -> str:
    return f"document '{key[2]}' in partition '{key[1]}' of '{key[0]}'"


def _condition(
    container: Container, partition: str | None, where: Where, after: tuple[str, str]
) -> tuple[str, list[str | int]]:
    """SQL made of constants only, and the values to bind to it (field names are bound, too)."""
    # Within one partition the pair is not compared, so that SQLite goes straight to the place in its index.
    terms = ["container = ?", *(["(partition, id) > (?, ?)"] if partition is None else ["partition = ?", "id > ?"])]
    bound: list[str | int] = [container, *(after if partition is None else (partition, after[1]))]
    for field, value in where.items():
        term, operands = _equality(field, value)
        terms.append(term)
        bound.extend(operands)
    return " AND ".join(terms), bound


def _equality(field: str, value: str | int | bool) -> tuple[str, list[str | int]]:
    """Equality of the JSON values: true is not 1, and "1" is not 1."""
    path = f"$.{field}"
    if isinstance(value, bool):
        return "json_type(body, ?) = ?", [path, "true" if value else "false"]
    if isinstance(value, str):
        return "json_type(body, ?) = 'text' AND json_extract(body, ?) = ?", [path, path, value]
    return "json_type(body, ?) IN ('integer', 'real') AND json_extract(body, ?) = ?", [path, path, value]


def _continuation(scope: str, last: Document) -> str:
    return document_limits.continuation_token(scope, [last.partition, last.id])


def _position(continuation: str | None, scope: str) -> tuple[str, str]:
    """The partition and id after which the page begins."""
    if continuation is None:
        return "", ""
    match document_limits.continued_position(continuation, scope):
        case [partition, id]:
            return partition, id
    raise document_limits.invalid("continuation", "belongs to another store")
