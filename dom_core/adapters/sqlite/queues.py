"""Queues in SQLite. They keep the limits of Azure Storage queues, so that what works here works there."""

import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Any

from dom_core.adapters import queue_limits
from dom_core.adapters.sqlite.database import Database
from dom_core.adapters.sqlite.moments import moment, number
from dom_core.errors import StoreConflict
from dom_core.ports import Clock, ReceivedMessage

_FOREVER = datetime.max.replace(tzinfo=UTC)


class SqliteQueues:
    """The queues of an embedded installation. Implements `ports.MessageQueues`. A queue exists once it is named.

    Raises InvalidInput for queue names that Azure does not allow (3 to 63 lower-case letters, digits and single
    hyphens), and for times out of range: hiding for at most 7 days, and at least 1 second when receiving. See
    `Database` for Unavailable and StoreUnusable.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def send(self, queue: str, body: bytes, *, visible_after_s: float = 0, time_to_live_s: float | None = None) -> str:
        """Add a message that lives 7 days unless told otherwise (-1: for ever). Its id. InvalidInput over 64 KiB."""
        life_s = queue_limits.DEFAULT_LIFE_S if time_to_live_s is None else time_to_live_s
        queue_limits.require_send(queue, body, visible_after_s, life_s)
        with self._database.writing() as connection:
            now = self._clock.now()
            expires = _FOREVER if life_s == queue_limits.FOREVER_S else now + timedelta(seconds=life_s)
            sent = connection.execute(
                "INSERT INTO messages (queue, body, inserted_at, expires_at, visible_at) VALUES (?, ?, ?, ?, ?)",
                (queue, body, number(now), number(expires), number(now + timedelta(seconds=visible_after_s))),
            )
        return str(sent.lastrowid)

    def receive(self, queue: str, *, limit: int = 1, visibility_timeout_s: float = 600) -> list[ReceivedMessage]:
        """Take up to `limit` (1..32) visible messages and hide them; each receive raises the dequeue count."""
        queue_limits.require_receive(queue, limit, visibility_timeout_s)
        # Whoever polls an empty queue only reads, and so never keeps a writer waiting.
        if not self._has_visible(queue):
            return []
        with self._database.writing() as connection:
            # The time after the wait for our turn: a message is hidden for as long as was asked.
            now = self._clock.now()
            _forget_expired(connection, queue, now)
            return _take(connection, queue, now, now + timedelta(seconds=visibility_timeout_s), limit)

    def renew(self, queue: str, message: ReceivedMessage, visibility_timeout_s: float) -> ReceivedMessage:
        """Hide a received message for longer. Raises StoreConflict when the receipt is no longer the newest.

        A timeout of 0 shows it to everybody again.
        """
        queue_limits.require_renew(queue, visibility_timeout_s)
        with self._database.writing() as connection:
            next_visible_at = self._clock.now() + timedelta(seconds=visibility_timeout_s)
            renewed = connection.execute(
                "UPDATE messages SET visible_at = ?, receipt = receipt + 1 WHERE queue = ? AND id = ? AND receipt = ?",
                (number(next_visible_at), queue, message.id, message.pop_receipt),
            )
            _require_hit(renewed, queue, message)
            row = connection.execute(f"{_SELECT} WHERE id = ?", (message.id,)).fetchone()
        return _received(row)

    def delete(self, queue: str, message: ReceivedMessage) -> None:
        """Remove a received message. Raises StoreConflict when the receipt is no longer the newest."""
        with self._database.writing() as connection:
            deleted = connection.execute(
                "DELETE FROM messages WHERE queue = ? AND id = ? AND receipt = ?",
                (queue, message.id, message.pop_receipt),
            )
            _require_hit(deleted, queue, message)

    def waiting_since(self, queue: str) -> datetime | None:
        """When the oldest visible message was put on the queue; None when none is visible."""
        queue_limits.require_name(queue)
        now = number(self._clock.now())
        with self._database.reading() as connection:
            (oldest,) = connection.execute(
                "SELECT min(inserted_at) FROM messages WHERE queue = ? AND visible_at <= ? AND expires_at > ?",
                (queue, now, now),
            ).fetchone()
        return None if oldest is None else moment(oldest)

    def length(self, queue: str) -> int:
        """How many messages there are, hidden ones included, expired ones not."""
        queue_limits.require_name(queue)
        with self._database.reading() as connection:
            counted = connection.execute(
                "SELECT count(*) FROM messages WHERE queue = ? AND expires_at > ?", (queue, number(self._clock.now()))
            ).fetchone()
        return int(counted[0])

    def _has_visible(self, queue: str) -> bool:
        """Expired messages count: the receive that follows removes them."""
        with self._database.reading() as connection:
            found = connection.execute(
                "SELECT 1 FROM messages WHERE queue = ? AND visible_at <= ? LIMIT 1",
                (queue, number(self._clock.now())),
            ).fetchone()
        return found is not None


_SELECT = "SELECT id, body, dequeue_count, inserted_at, expires_at, visible_at, receipt FROM messages"


def _forget_expired(connection: sqlite3.Connection, queue: str, now: datetime) -> None:
    connection.execute("DELETE FROM messages WHERE queue = ? AND expires_at <= ?", (queue, number(now)))


def _take(
    connection: sqlite3.Connection, queue: str, now: datetime, hidden_until: datetime, limit: int
) -> list[ReceivedMessage]:
    visible = connection.execute(
        "SELECT id FROM messages WHERE queue = ? AND visible_at <= ? ORDER BY visible_at, id LIMIT ?",
        (queue, number(now), limit),
    ).fetchall()
    connection.executemany(
        "UPDATE messages SET visible_at = ?, dequeue_count = dequeue_count + 1, receipt = receipt + 1 WHERE id = ?",
        [(number(hidden_until), id) for (id,) in visible],
    )
    return [_received(connection.execute(f"{_SELECT} WHERE id = ?", row).fetchone()) for row in visible]


def _received(row: tuple[Any, ...]) -> ReceivedMessage:
    id, body, dequeue_count, inserted_at, expires_at, visible_at, receipt = row
    return ReceivedMessage(
        id=str(id),
        body=body,
        dequeue_count=dequeue_count,
        inserted_at=moment(inserted_at),
        expires_at=moment(expires_at),
        next_visible_at=moment(visible_at),
        pop_receipt=str(receipt),
    )


def _require_hit(cursor: sqlite3.Cursor, queue: str, message: ReceivedMessage) -> None:
    if cursor.rowcount == 0:
        raise StoreConflict(f"message '{message.id}' of queue '{queue}' was deleted, or received by somebody else")
