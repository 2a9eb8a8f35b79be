"""Contents in a container of Azure Storage."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from threading import Lock
from typing import Any

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.blob import BlobServiceClient, ContainerClient, ExponentialRetry

from dom_core.adapters import blob_limits
from dom_core.adapters.azure_logs import only_warnings
from dom_core.adapters.azure_storage import Subject, client_options, code_of, typed_errors
from dom_core.ports import StoredBlob

CONTAINER = "claims"
"""The container, which holds nothing else. No caller and no message can name another one."""

_SUBJECT = Subject(f"container '{CONTAINER}'", "Storage Blob Data Owner")


def from_connection_string(text: str) -> "StorageBlobs":
    """Blobs of the account in a connection string: Azurite, or an account that still allows shared keys."""
    return StorageBlobs(lambda: BlobServiceClient.from_connection_string(text, **_client_options()))


def from_identity(blob_service_uri: str, make_credential: Callable[[], Any]) -> "StorageBlobs":
    """Blobs of the account at this address, as the app's identity."""
    return StorageBlobs(lambda: BlobServiceClient(blob_service_uri, make_credential(), **_client_options()))


def _client_options() -> dict[str, Any]:
    # As for queues: a caller over HTTP would not wait longer.
    return client_options(ExponentialRetry(initial_backoff=0, increment_base=2, retry_total=3, random_jitter_range=1))


class StorageBlobs:
    """The blobs of an installation in Azure. Implements `ports.Blobs`. The container is made at the first put.

    One client, made at the first use. Raises InvalidInput for what `blob_limits` refuses, Unavailable when the service
    does not answer, StoreUnusable when access is denied.
    """

    def __init__(self, make_client: Callable[[], BlobServiceClient]) -> None:
        self._make_client = make_client
        self._lock = Lock()
        self._client: BlobServiceClient | None = None

    def put(self, content: bytes) -> str:
        """Keep the content (1 byte to 100 MB) until it is deleted. Its name."""
        blob_limits.require_content(content)
        name = blob_limits.new_name()

        def put() -> None:
            # The name is new: whatever has it came from an attempt of this very call, whose answer was lost.
            self._container().upload_blob(name, content, overwrite=True)

        with typed_errors(_SUBJECT):
            try:
                put()
            except ResourceNotFoundError:
                self._make_container()
                put()
        return name

    def get(self, name: str) -> bytes | None:
        """The content, or None."""
        blob_limits.require_name(name)
        with typed_errors(_SUBJECT):
            try:
                # One byte more than we ever put: whatever is longer is not ours, and is not read to its end.
                most = blob_limits.MAX_CONTENT_BYTES + 1
                content = self._container().download_blob(name, offset=0, length=most).readall()
            except ResourceNotFoundError:
                return None
        return bytes(content)

    def delete(self, name: str) -> None:
        """Remove the blob. One that is gone already is no error."""
        blob_limits.require_name(name)
        with typed_errors(_SUBJECT):
            try:
                self._container().delete_blob(name)
            except ResourceNotFoundError:
                return

    def every(self) -> Iterator[StoredBlob]:
        """All blobs with names of ours, in the order of their names."""
        with typed_errors(_SUBJECT):
            try:
                for blob in self._container().list_blobs():
                    if blob_limits.is_name(str(blob.name)):
                        yield StoredBlob(str(blob.name), _stored_at(blob.last_modified))
            except ResourceNotFoundError:
                return

    def close(self) -> None:
        """Close the client's connections. A later use opens them again."""
        with self._lock:
            if self._client is not None:
                self._client.close()
            self._client = None

    def _container(self) -> ContainerClient:
        with self._lock:
            if self._client is None:
                only_warnings()
                self._client = self._make_client()
            return self._client.get_container_client(CONTAINER)

    def _make_container(self) -> None:
        try:
            self._container().create_container()
        except AzureError as error:
            # Somebody else may have been faster.
            if code_of(error) != "ContainerAlreadyExists":
                raise


def _stored_at(moment: datetime | None) -> datetime:
    assert moment is not None, "the service dates every blob"  # noqa: S101 - its protocol says so
    return moment.astimezone(UTC)
