"""Documents in SQLite. It keeps the limits of Cosmos DB, so that what works here works there."""

import base64
import hashlib
import json
import re
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from dom_core.adapters.sqlite.database import Database
from dom_core.errors import AlreadyExists, InvalidInput, Problem, StoreConflict
from dom_core.ports import Body, Container, Create, Delete, Document, Page, Replace, Write

MAX_DOCUMENT_BYTES = 2 * 1024 * 1024
MAX_NESTING = 128
MAX_BATCH = 100
MAX_PAGE = 1000
MAX_KEY_BYTES = 1023
MAX_EXACT_INTEGER = 2**53 - 1
"""JSON numbers are exact up to here in every store."""

_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_NOT_IN_IDS = frozenset("/\\?#")

Where = Mapping[str, str | int | bool]


class SqliteDocuments:
    """The document store of an embedded installation. Implements `ports.DocumentStore`.

    Raises InvalidInput for a document over 2 MiB or nested deeper than 128 levels, and for keys that are empty, over
    1,023 bytes or (ids) hold one of `/ \\ ? #`. See `Database` for Unavailable and StoreUnusable.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, container: Container, partition: str, id: str) -> Document | None:
        """The document, or None. A point read."""
        _require_key(partition, id)
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
        if len(writes) > MAX_BATCH:
            raise _invalid("writes", f"a batch has at most {MAX_BATCH} operations, not {len(writes)}")
        for write in writes:
            _require_key(partition, write.id)
        # Encoded before the transaction begins: other writers wait no longer than they must.
        texts = [None if isinstance(write, Delete) else _encode(write.body) for write in writes]
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
        if not 1 <= limit <= MAX_PAGE:
            raise _invalid("limit", f"must be from 1 to {MAX_PAGE}")
        scope = _scope(container, partition, where or {})
        after = ("", "") if continuation is None else _position(continuation, scope)
        condition, values = _condition(container, partition, where or {}, after)
        # One row more than the page shows whether it is the last.
        found = self._select(condition, [*values, limit + 1])
        documents = tuple(found[:limit])
        return Page(documents, _continuation(scope, documents[-1]) if len(found) > limit else None)

    def _select(self, condition: str, values: Sequence[str | int]) -> list[Document]:
        statement = f"SELECT partition, id, body, etag FROM documents WHERE {condition} ORDER BY partition, id LIMIT ?"  # noqa: S608 - made of constants
        try:
            with self._database.reading() as connection:
                rows = connection.execute(statement, values).fetchall()
        except UnicodeEncodeError as error:
            raise _invalid("where", "holds what is not valid text") from error
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


def _encode(body: Body) -> str:
    """The body as JSON text. A value that JSON does not know at all is our own mistake and stays a TypeError."""
    if _nesting(body) > MAX_NESTING:
        raise _invalid("body", f"is nested deeper than {MAX_NESTING} levels")
    try:
        text = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        size = len(text.encode())
    except ValueError as error:
        raise _invalid("body", "holds a number or a text that JSON cannot hold") from error
    if size > MAX_DOCUMENT_BYTES:
        raise _invalid("body", f"has {size} bytes; a document has at most {MAX_DOCUMENT_BYTES}")
    return text


def _nesting(body: Body) -> int:
    """How many levels the body has, counted to just above the limit: SQLite cannot search deeper documents."""
    depth = 0
    level: list[Any] = [body]
    while level and depth <= MAX_NESTING:
        depth += 1
        children = (child for node in level for child in (node.values() if isinstance(node, dict) else node))
        level = [child for child in children if isinstance(child, dict | list | tuple)]
    return depth


def _require_key(partition: str, id: str) -> None:
    problems = [*_key_problems("partition", partition), *_key_problems("id", id)]
    if not _NOT_IN_IDS.isdisjoint(id):
        problems.append(Problem("id", "must not hold any of / \\ ? #"))
    if problems:
        raise InvalidInput(problems, "document key")


def _key_problems(path: str, key: str) -> list[Problem]:
    try:
        fits = 0 < len(key.encode()) <= MAX_KEY_BYTES
    except UnicodeEncodeError:
        return [Problem(path, "is not valid text")]
    return [] if fits else [Problem(path, f"must have 1 to {MAX_KEY_BYTES} bytes")]


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
    if not _FIELD.fullmatch(field):
        raise _invalid("where", "field names are letters, digits and _, beginning with a letter or _")
    path = f"$.{field}"
    if isinstance(value, bool):
        return "json_type(body, ?) = ?", [path, "true" if value else "false"]
    if isinstance(value, str):
        return "json_type(body, ?) = 'text' AND json_extract(body, ?) = ?", [path, path, value]
    if abs(value) > MAX_EXACT_INTEGER:
        raise _invalid(f"where.{field}", f"must be at most {MAX_EXACT_INTEGER}")
    return "json_type(body, ?) IN ('integer', 'real') AND json_extract(body, ?) = ?", [path, path, value]


def _scope(container: Container, partition: str | None, where: Where) -> str:
    """A fingerprint of the query, so that a token continues only the query that gave it."""
    text = json.dumps([container, partition, sorted(where.items())])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _continuation(scope: str, last: Document) -> str:
    return base64.urlsafe_b64encode(json.dumps([scope, last.partition, last.id]).encode()).decode()


def _position(continuation: str, scope: str) -> tuple[str, str]:
    """The partition and id after which the next page begins. Raises InvalidInput for anything we did not issue."""
    try:
        content = json.loads(base64.b64decode(continuation, altchars=b"-_", validate=True))
    except (ValueError, RecursionError) as error:
        raise _invalid("continuation", "is not a token of this store") from error
    match content:
        case [str() as given, str() as partition, str() as id] if given == scope:
            return partition, id
    raise _invalid("continuation", "belongs to another query")


def _invalid(path: str, message: str) -> InvalidInput:
    return InvalidInput([Problem(path, message)], "store request")
