"""One SQLite file: a connection per thread, transactions that wait for each other, and typed errors."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread, current_thread
from types import TracebackType
from typing import Self

from dom_core.adapters.sqlite import faults, schema


class Database:
    """The file that holds the documents and the queues. Opened at the first use, made if there is none.

    Several threads and processes may use the same file; each writer waits up to `busy_timeout_s` for its turn.
    Everything raises Unavailable when that was not enough or the disk is full, and StoreUnusable when a person
    must act.
    """

    def __init__(self, path: Path | str, *, busy_timeout_s: float = 30) -> None:
        self.path = Path(path).resolve()
        self._busy_timeout_s = busy_timeout_s
        # A forked process inherits this table but must not touch its parent's connections, hence the process id.
        self._connections: dict[tuple[int, Thread], sqlite3.Connection] = {}

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The thread's connection. Each statement sees one consistent state."""
        with self._typed_errors():
            yield self._connection()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """The thread's connection in a transaction that no other writer enters. An exception undoes everything."""
        with self._typed_errors(), self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection

    def close(self) -> None:
        """Close every connection of this process. A later use opens the file again."""
        for key in list(self._connections):
            self._close_connection(key)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _connection(self) -> sqlite3.Connection:
        key = (os.getpid(), current_thread())
        if key not in self._connections:
            self._close_finished_threads()
            self._connections[key] = self._open()
        return self._connections[key]

    def _open(self) -> sqlite3.Connection:
        self._make_folder()
        connection = sqlite3.connect(
            self.path,
            timeout=self._busy_timeout_s,
            isolation_level=None,  # transactions begin where we say so
            check_same_thread=False,  # only to close the connections of threads that have ended
        )
        try:
            # An answer "stored" survives a power cut: the log is flushed at every commit.
            connection.execute("PRAGMA synchronous = FULL")
            schema.prepare(connection, self.path, self._busy_timeout_s)
        except BaseException:
            connection.close()
            raise
        return connection

    def _make_folder(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise faults.unreachable(error, self.path) from error

    def _close_finished_threads(self) -> None:
        for key in list(self._connections):
            if not key[1].is_alive():
                self._close_connection(key)

    def _close_connection(self, key: tuple[int, Thread]) -> None:
        if key[0] != os.getpid():
            return
        # Another thread may be closing the same one: who takes it out of the table closes it.
        connection = self._connections.pop(key, None)
        if connection is not None:
            connection.close()

    @contextmanager
    def _typed_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            explained = faults.explain(error, self.path)
            if explained is None:
                raise
            raise explained from error
