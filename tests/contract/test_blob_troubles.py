"""A blob service that is away, refuses us, or holds what is not ours."""

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest
from azure.storage.blob import BlobServiceClient, LinearRetry

from dom_core.adapters.storage_blob import CONTAINER, StorageBlobs, from_connection_string
from dom_core.errors import DomError, StoreUnusable, Unavailable
from dom_core.ports import Blobs
from tests import azure_servers
from tests.contract.scripted_proxy import Trouble, proxy_before

ONCE = LinearRetry(backoff=0, retry_total=0, random_jitter_range=0)
AT_ONCE = LinearRetry(backoff=0, retry_total=2, random_jitter_range=0)
NAME = "0" * 32


def blobs_at(connection_string: str, retry: LinearRetry = ONCE) -> StorageBlobs:
    return StorageBlobs(lambda: BlobServiceClient.from_connection_string(connection_string, retry_policy=retry))


def ask(blobs: Blobs, how: str) -> object:
    match how:
        case "put":
            return blobs.put(b"{}")
        case "every":
            return list(blobs.every())
    return getattr(blobs, how)(NAME)


@pytest.fixture
def away(azurite_connection: str) -> Iterator[str]:
    """The connection string of an account where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield azure_servers.with_blob_port(azurite_connection, taken.getsockname()[1])


@pytest.mark.parametrize("how", ["put", "get", "delete", "every"])
def test_blobs_that_are_not_reached_are_unavailable(how: str, away: str) -> None:
    with closing(blobs_at(away)) as blobs, pytest.raises(Unavailable, match=CONTAINER):
        ask(blobs, how)


@pytest.mark.parametrize("how", ["put", "get", "delete", "every"])
@pytest.mark.parametrize(
    ("status", "error"), [(500, Unavailable), (503, Unavailable), (429, Unavailable), (403, StoreUnusable)]
)
def test_what_the_service_refuses_is_told_apart(
    how: str, status: int, error: type[DomError], azurite_connection: str
) -> None:
    with (
        proxy_before(azure_servers.blob_url(azurite_connection), about=f"/{CONTAINER}") as proxy,
        closing(blobs_at(azure_servers.with_blob_port(azurite_connection, proxy.port))) as blobs,
    ):
        proxy.then(Trouble(status, body=b""))
        with pytest.raises(error, match=CONTAINER):
            ask(blobs, how)


def test_a_put_of_which_the_answer_was_lost_is_one_blob(azurite_connection: str) -> None:
    azure_servers.forget_blobs(azurite_connection)
    with closing(from_connection_string(azurite_connection)) as blobs:
        blobs.put(b"the container is there now")
    with proxy_before(azure_servers.blob_url(azurite_connection), about=f"/{CONTAINER}/") as proxy:
        connection = azure_servers.with_blob_port(azurite_connection, proxy.port)
        with closing(blobs_at(connection, AT_ONCE)) as blobs:
            proxy.then(Trouble(0, done=True))
            name = blobs.put(b"content")
            assert blobs.get(name) == b"content"
            assert len(list(blobs.every())) == 2


def test_what_others_put_into_the_container_is_not_listed(azurite_connection: str) -> None:
    azure_servers.forget_blobs(azurite_connection)
    with closing(from_connection_string(azurite_connection)) as blobs:
        name = blobs.put(b"{}")
        with BlobServiceClient.from_connection_string(azurite_connection) as client:
            client.get_container_client(CONTAINER).upload_blob("notes.txt", b"by hand")
        assert [blob.name for blob in blobs.every()] == [name]
