"""The tables of the embedded store, and how a file gets them exactly once.

Only what SQLite 3.31 knows is used: Python builds that link the system's library may bring an old one.
"""

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from dom_core.adapters.sqlite.faults import primary_code
from dom_core.errors import StoreUnusable

APPLICATION_ID = 0x444F4D31
"""Marks the file as ours ("DOM1"), so that no other program's database is written to."""

VERSION = 2
"""Raised with every change of the tables."""

_TABLES = (
    """
    CREATE TABLE documents (
        container TEXT NOT NULL,
        partition TEXT NOT NULL,
        id TEXT NOT NULL,
        etag TEXT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (container, partition, id)
    )
    """,
    # One number for all writes: an id that is deleted and created again never gets an old ETag back.
    "CREATE TABLE last_write (number INTEGER NOT NULL)",
    "INSERT INTO last_write VALUES (0)",
    # Times are microseconds since 1970, UTC. AUTOINCREMENT: the id of a deleted message is never given again.
    """
    CREATE TABLE messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        queue TEXT NOT NULL,
        body BLOB NOT NULL,
        inserted_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        visible_at INTEGER NOT NULL,
        dequeue_count INTEGER NOT NULL DEFAULT 0,
        receipt INTEGER NOT NULL DEFAULT 0
    )
    """,
    "CREATE INDEX messages_by_visibility ON messages (queue, visible_at, id)",
    "CREATE INDEX messages_by_expiry ON messages (queue, expires_at)",
    f"PRAGMA application_id = {APPLICATION_ID}",
    "PRAGMA user_version = 1",
)

_UPGRADES = {
    1: (
        """
        CREATE TABLE blobs (
            name TEXT PRIMARY KEY,
            content BLOB NOT NULL,
            stored_at INTEGER NOT NULL
        )
        """,
        "PRAGMA user_version = 2",
    ),
}
"""What brings the tables of a version to the next one. A new file goes through all of them."""

_RETRY_S = 0.01


def prepare(connection: sqlite3.Connection, path: Path, busy_timeout_s: float) -> None:
    """Give a new file its tables, and an older file the newer ones. Raises StoreUnusable for any other database."""
    if _version(connection, path) == VERSION:
        return
    _write_ahead(connection, busy_timeout_s)
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        # Another process may have been faster.
        found = _version(connection, path)
        for statement in _missing(found):
            connection.execute(statement)


def _missing(found: int) -> Iterator[str]:
    """The statements that bring a file of this version to ours."""
    if found == 0:
        yield from _TABLES
    for version in range(max(found, 1), VERSION):
        yield from _UPGRADES[version]


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """The version of the tables, 0 where there are none."""
    owner, version, objects = connection.execute(
        "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_master)"
        " FROM pragma_application_id, pragma_user_version"
    ).fetchone()
    if (owner, version, objects) == (0, 0, 0):
        return 0
    if owner != APPLICATION_ID:
        raise StoreUnusable(str(path), "it is another program's database", "Set DOM_STORE_PATH to another file.")
    if not 0 < version <= VERSION:
        fault = f"its tables have version {version}, this program knows {VERSION}"
        raise StoreUnusable(str(path), fault, "Use the program version that wrote it, or another DOM_STORE_PATH.")
    return int(version)


def _write_ahead(connection: sqlite3.Connection, busy_timeout_s: float) -> None:
    """Switch the file to a write-ahead log: readers and the writer do not block each other. The file remembers it."""
    deadline = time.monotonic() + busy_timeout_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            # SQLite does not wait here by itself when several processes open a new file at once.
            if primary_code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_RETRY_S)
        else:
            return
