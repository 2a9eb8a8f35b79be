"""Storage queues that are away, refuse us, or lost what we hold."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from azure.storage.queue import LinearRetry, QueueServiceClient

from dom_core.adapters.storage_queue import StorageQueues, from_connection_string
from dom_core.errors import DomError, StoreConflict, StoreUnusable, Unavailable
from tests import azure_servers
from tests.contract.scripted_proxy import Trouble, proxy_before

AT_ONCE = LinearRetry(backoff=0, retry_total=2, random_jitter_range=0)
ONCE = LinearRetry(backoff=0, retry_total=0, random_jitter_range=0)


def queues_at(connection_string: str, retry: LinearRetry = ONCE) -> StorageQueues:
    return StorageQueues(lambda: QueueServiceClient.from_connection_string(connection_string, retry_policy=retry))


@pytest.fixture
def away(azurite_connection: str) -> Iterator[str]:
    """The connection string of an account where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield azure_servers.with_queue_port(azurite_connection, taken.getsockname()[1])


@pytest.mark.parametrize("ask", ["receive", "length"])
def test_queues_that_are_not_reached_are_unavailable(away: str, ask: str) -> None:
    with closing(queues_at(away)) as queues:
        with pytest.raises(Unavailable, match="orders"):
            queues.send("orders", b"{}")
        with pytest.raises(Unavailable, match="orders"):
            getattr(queues, ask)("orders")


@pytest.mark.parametrize(
    ("status", "error"),
    [(500, Unavailable), (503, Unavailable), (429, Unavailable), (401, StoreUnusable), (403, StoreUnusable)],
)
def test_what_the_service_refuses_is_told_apart(azurite_connection: str, status: int, error: type[DomError]) -> None:
    with (
        proxy_before(azure_servers.queue_url(azurite_connection), about="/orders") as proxy,
        closing(queues_at(azure_servers.with_queue_port(azurite_connection, proxy.port))) as queues,
    ):
        proxy.then(Trouble(status, body=b""))
        with pytest.raises(error, match="orders"):
            queues.send("orders", b"{}")


def test_a_service_that_stumbles_is_asked_again(azurite_connection: str) -> None:
    with proxy_before(azure_servers.queue_url(azurite_connection), about="/stumble") as proxy:
        connection = azure_servers.with_queue_port(azurite_connection, proxy.port)
        with closing(queues_at(connection, AT_ONCE)) as queues:
            proxy.then(Trouble(503, body=b""), Trouble(0))
            queues.send("stumble", b"{}")
            assert queues.length("stumble") == 1


def test_a_message_of_a_queue_that_somebody_removed_is_a_conflict(azurite_connection: str) -> None:
    with closing(from_connection_string(azurite_connection)) as queues:
        queues.send("removed", b"{}")
        (message,) = queues.receive("removed")
        azure_servers.forget_queues(azurite_connection)

        with pytest.raises(StoreConflict):
            queues.delete("removed", message)
        assert queues.receive("removed") == []


def test_a_queue_that_several_name_for_the_first_time_at_once_is_made_once(azurite_connection: str) -> None:
    azure_servers.forget_queues(azurite_connection)
    with closing(from_connection_string(azurite_connection)) as queues, ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: queues.send("new-queue", b"{}"), range(16)))
        assert queues.length("new-queue") == 16
