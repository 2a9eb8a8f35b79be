"""Where everything is kept, as the settings say: one file, or Cosmos DB, Storage queues and blobs.

Only what is chosen is imported: the SDKs take long to load.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dom_core.charges import ChargeRecorder
from dom_core.ports import Blobs, Clock, DocumentStore, MessageQueues
from dom_core.settings import Settings

if TYPE_CHECKING:
    from dom_core.adapters.cosmos import Connection
    from dom_core.adapters.storage_blob import StorageBlobs
    from dom_core.adapters.storage_queue import StorageQueues


@dataclass(frozen=True, slots=True)
class Storage:
    """The documents, the queues and the blobs of an installation."""

    documents: DocumentStore
    queues: MessageQueues
    blobs: Blobs


@contextmanager
def opened(settings: Settings, clock: Clock, charges: ChargeRecorder | None = None) -> Iterator[Storage]:
    """The storage that the settings choose, closed after the block. Nothing is connected before its first use."""
    with _on_azure(settings, charges) if settings.store == "azure" else _in_a_file(settings, clock) as storage:
        yield storage


@contextmanager
def _in_a_file(settings: Settings, clock: Clock) -> Iterator[Storage]:
    from dom_core.adapters.sqlite import Database, SqliteBlobs, SqliteDocuments, SqliteQueues

    with Database(settings.store_path) as database:
        yield Storage(SqliteDocuments(database), SqliteQueues(database, clock), SqliteBlobs(database, clock))


@contextmanager
def _on_azure(settings: Settings, charges: ChargeRecorder | None) -> Iterator[Storage]:
    from dom_core.adapters.cosmos import CosmosDocuments

    with (
        closing(_cosmos(settings)) as connection,
        closing(_queues(settings)) as queues,
        closing(_blobs(settings)) as blobs,
    ):
        yield Storage(CosmosDocuments(connection, charges), queues, blobs)


def _cosmos(settings: Settings) -> "Connection":
    from dom_core.adapters.azure_identity import make_credential
    from dom_core.adapters.cosmos import Connection

    key = settings.cosmos_key
    return Connection(settings.cosmos_endpoint, settings.cosmos_database, (lambda: key) if key else make_credential)


def _queues(settings: Settings) -> "StorageQueues":
    from dom_core.adapters.azure_identity import make_credential
    from dom_core.adapters.storage_queue import from_connection_string, from_identity

    if settings.storage_connection:
        return from_connection_string(settings.storage_connection)
    return from_identity(settings.storage_queue_uri, make_credential)


def _blobs(settings: Settings) -> "StorageBlobs":
    from dom_core.adapters.azure_identity import make_credential
    from dom_core.adapters.storage_blob import from_connection_string, from_identity

    if settings.storage_connection:
        return from_connection_string(settings.storage_connection)
    return from_identity(settings.storage_blob_uri, make_credential)
