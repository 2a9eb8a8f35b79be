"""Messages in Azure Storage queues."""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Lock
from typing import Any, TypeVar

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.queue import ExponentialRetry, QueueClient, QueueMessage, QueueServiceClient

from dom_core.adapters import queue_limits
from dom_core.adapters.azure_logs import only_warnings
from dom_core.adapters.azure_storage import Subject, client_options, code_of, typed_errors
from dom_core.ports import ReceivedMessage

T = TypeVar("T")

_ROLE = "Storage Queue Data Contributor"

MOST_PEEKED = 32
"""The most messages that the service shows without handing them out."""


def from_connection_string(text: str) -> "StorageQueues":
    """Queues of the account in a connection string: Azurite, or an account that still allows shared keys."""
    return StorageQueues(lambda: QueueServiceClient.from_connection_string(text, **_client_options()))


def from_identity(queue_service_uri: str, make_credential: Callable[[], Any]) -> "StorageQueues":
    """Queues of the account at this address, as the app's identity."""
    return StorageQueues(lambda: QueueServiceClient(queue_service_uri, make_credential(), **_client_options()))


def _client_options() -> dict[str, Any]:
    # Half a second, a second and a half, and then some: less than a caller over HTTP would wait.
    retry = ExponentialRetry(initial_backoff=0, increment_base=2, retry_total=3, random_jitter_range=1)
    return client_options(retry)


class StorageQueues:
    """The queues of an installation in Azure. Implements `ports.MessageQueues`. A queue exists once something is sent.

    A body must be text that XML can carry, as message encoding `none` has it: JSON is. Seconds are whole here, so
    fractions are rounded up. One client, made at the first use. Raises InvalidInput for what `queue_limits` refuses,
    Unavailable when the service does not answer, StoreUnusable when access is denied.
    """

    def __init__(self, make_client: Callable[[], QueueServiceClient]) -> None:
        self._make_client = make_client
        self._lock = Lock()
        self._client: QueueServiceClient | None = None

    def send(self, queue: str, body: bytes, *, visible_after_s: float = 0, time_to_live_s: float | None = None) -> str:
        """Add a message that lives 7 days unless told otherwise (-1: for ever). Its id. InvalidInput over 64 KiB."""
        life_s = queue_limits.DEFAULT_LIFE_S if time_to_live_s is None else time_to_live_s
        text = queue_limits.require_send(queue, body, visible_after_s, life_s)

        def send() -> QueueMessage:
            return self._queue(queue).send_message(
                text, visibility_timeout=math.ceil(visible_after_s), time_to_live=math.ceil(life_s)
            )

        with typed_errors(_subject(queue)):
            try:
                return str(send().id)
            except ResourceNotFoundError:
                self._make_queue(queue)
                return str(send().id)

    def receive(self, queue: str, *, limit: int = 1, visibility_timeout_s: float = 600) -> list[ReceivedMessage]:
        """Take up to `limit` (1..32) visible messages and hide them; each receive raises the dequeue count."""
        queue_limits.require_receive(queue, limit, visibility_timeout_s)
        with typed_errors(_subject(queue)):
            found = self._queue(queue).receive_messages(
                messages_per_page=limit, max_messages=limit, visibility_timeout=math.ceil(visibility_timeout_s)
            )
            try:
                return [_received(message) for message in next(found.by_page(), ())]
            except ResourceNotFoundError:
                return []

    def renew(self, queue: str, message: ReceivedMessage, visibility_timeout_s: float) -> ReceivedMessage:
        """Hide a received message for longer. Raises StoreConflict when the receipt is no longer the newest.

        A timeout of 0 shows it to everybody again.
        """
        queue_limits.require_renew(queue, visibility_timeout_s)
        with typed_errors(_subject(queue, message)):
            renewed = self._queue(queue).update_message(
                message.id, message.pop_receipt, visibility_timeout=math.ceil(visibility_timeout_s)
            )
        return ReceivedMessage(
            id=message.id,
            body=message.body,
            dequeue_count=message.dequeue_count,
            inserted_at=message.inserted_at,
            expires_at=message.expires_at,
            next_visible_at=_aware(renewed.next_visible_on),
            pop_receipt=str(renewed.pop_receipt),
        )

    def delete(self, queue: str, message: ReceivedMessage) -> None:
        """Remove a received message. Raises StoreConflict when the receipt is no longer the newest."""
        queue_limits.require_name(queue)
        with typed_errors(_subject(queue, message)):
            self._queue(queue).delete_message(message.id, message.pop_receipt)

    def waiting_since(self, queue: str) -> datetime | None:
        """When the oldest of the visible messages at the front was put on the queue; None when none is visible."""
        queue_limits.require_name(queue)
        with typed_errors(_subject(queue)):
            try:
                seen = self._queue(queue).peek_messages(max_messages=MOST_PEEKED)
            except ResourceNotFoundError:
                return None
        return min((_aware(message.inserted_on) for message in seen), default=None)

    def length(self, queue: str) -> int:
        """About how many messages there are, hidden ones included."""
        queue_limits.require_name(queue)
        with typed_errors(_subject(queue)):
            try:
                return self._queue(queue).get_queue_properties().approximate_message_count or 0
            except ResourceNotFoundError:
                return 0

    def close(self) -> None:
        """Close the client's connections. A later use opens them again."""
        with self._lock:
            if self._client is not None:
                self._client.close()
            self._client = None

    def _queue(self, queue: str) -> QueueClient:
        with self._lock:
            if self._client is None:
                only_warnings()
                self._client = self._make_client()
            return self._client.get_queue_client(queue)

    def _make_queue(self, queue: str) -> None:
        try:
            self._queue(queue).create_queue()
        except AzureError as error:
            # Somebody else may have been faster.
            if code_of(error) != "QueueAlreadyExists":
                raise


def _subject(queue: str, message: ReceivedMessage | None = None) -> Subject:
    named = f"queue '{queue}'"
    return Subject(named, _ROLE, f"message '{message.id}' of {named}" if message else None)


def _received(message: QueueMessage) -> ReceivedMessage:
    return ReceivedMessage(
        id=str(message.id),
        body=str(message.content or "").encode(),
        dequeue_count=message.dequeue_count or 0,
        inserted_at=_aware(message.inserted_on),
        expires_at=_aware(message.expires_on),
        next_visible_at=_aware(message.next_visible_on),
        pop_receipt=str(message.pop_receipt),
    )


def _aware(moment: datetime | None) -> datetime:
    assert moment is not None, "the service dates every message"  # noqa: S101 - its protocol says so
    return moment.astimezone(UTC)
