"""Blobs in SQLite, beside the queues whose messages point to them."""

from collections.abc import Iterator

from dom_core.adapters import blob_limits
from dom_core.adapters.sqlite.database import Database
from dom_core.adapters.sqlite.moments import moment, number
from dom_core.ports import Clock, StoredBlob


class SqliteBlobs:
    """The blobs of an embedded installation. Implements `ports.Blobs`.

    Raises InvalidInput for what `blob_limits` refuses. See `Database` for Unavailable and StoreUnusable.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def put(self, content: bytes) -> str:
        """Keep the content (1 byte to 100 MB) until it is deleted. Its name."""
        blob_limits.require_content(content)
        name = blob_limits.new_name()
        with self._database.writing() as connection:
            stored_at = number(self._clock.now())
            connection.execute(
                "INSERT INTO blobs (name, content, stored_at) VALUES (?, ?, ?)", (name, content, stored_at)
            )
        return name

    def get(self, name: str) -> bytes | None:
        """The content, or None."""
        blob_limits.require_name(name)
        with self._database.reading() as connection:
            row = connection.execute("SELECT content FROM blobs WHERE name = ?", (name,)).fetchone()
        return bytes(row[0]) if row else None

    def delete(self, name: str) -> None:
        """Remove the blob. One that is gone already is no error."""
        blob_limits.require_name(name)
        with self._database.writing() as connection:
            connection.execute("DELETE FROM blobs WHERE name = ?", (name,))

    def every(self) -> Iterator[StoredBlob]:
        """All blobs as they are at the first question, in the order of their names."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT name, stored_at FROM blobs ORDER BY name").fetchall()
        for name, stored_at in rows:
            yield StoredBlob(name, moment(stored_at))
