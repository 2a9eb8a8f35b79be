"""Settings of the storage: what must be given, what must not, and what is then opened."""

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from dom_core.adapters import storage
from dom_core.adapters.clock import SystemClock
from dom_core.adapters.cosmos import CosmosDocuments
from dom_core.adapters.sqlite import SqliteBlobs, SqliteDocuments, SqliteQueues
from dom_core.adapters.storage_blob import StorageBlobs
from dom_core.adapters.storage_queue import StorageQueues
from dom_core.errors import InvalidInput, StoreUnusable
from dom_core.ports import Container
from dom_core.settings import from_environment
from tests import azure_servers

CLOUD = {
    "DOM_STORE": "azure",
    "DOM_COSMOS_ENDPOINT": "https://dom.documents.azure.com:443/",
    "AzureWebJobsStorage__queueServiceUri": "https://dom.queue.core.windows.net",
    "AzureWebJobsStorage__blobServiceUri": "https://dom.blob.core.windows.net",
}


def named(variables: Mapping[str, str]) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        from_environment(variables)
    return [problem.path for problem in caught.value.problems]


def test_without_settings_everything_is_in_a_file(tmp_path: Path) -> None:
    settings = from_environment({"DOM_STORE_PATH": str(tmp_path / "dom.sqlite3")})

    with storage.opened(settings, SystemClock()) as opened:
        assert isinstance(opened.documents, SqliteDocuments)
        assert isinstance(opened.queues, SqliteQueues)
        assert isinstance(opened.blobs, SqliteBlobs)


def test_azure_needs_an_account_for_documents_and_one_for_queues_and_blobs() -> None:
    storage_account = ["AzureWebJobsStorage__queueServiceUri", "AzureWebJobsStorage__blobServiceUri"]
    assert named({"DOM_STORE": "azure"}) == ["DOM_COSMOS_ENDPOINT", *storage_account]


def test_azure_is_opened_without_a_connection_to_it() -> None:
    with storage.opened(from_environment(CLOUD), SystemClock()) as opened:
        assert isinstance(opened.documents, CosmosDocuments)
        assert isinstance(opened.queues, StorageQueues)
        assert isinstance(opened.blobs, StorageBlobs)


@pytest.mark.parametrize(
    "address",
    ["dom", "ftp://dom.example", "https://", "https://me:secret@dom.example", "http://dom.example", "https://x?y=1"],
)
@pytest.mark.parametrize(
    "variable",
    [
        "DOM_COSMOS_ENDPOINT",
        "AzureWebJobsStorage__queueServiceUri",
        "AzureWebJobsStorage__blobServiceUri",
        "DOM_NOMINATIM_URL",
        "DOM_OSRM_URL",
        "DOM_VALHALLA_URL",
    ],
)
def test_an_address_that_would_not_be_safe_is_refused(variable: str, address: str) -> None:
    assert named({**CLOUD, variable: address}) == [variable]


def test_a_key_is_for_servers_on_this_machine_only() -> None:
    assert named({**CLOUD, "DOM_COSMOS_KEY": "a2V5"}) == ["DOM_COSMOS_KEY"]
    here = {**CLOUD, "DOM_COSMOS_ENDPOINT": "http://localhost:8081/", "DOM_COSMOS_KEY": "a2V5"}
    assert from_environment(here).cosmos_key == "a2V5"


@pytest.mark.parametrize("text", ["nonsense", "AccountName=a;AccountKey", "UseDevelopmentStorage=false"])
def test_a_connection_string_that_cannot_be_read_is_refused(text: str) -> None:
    assert named({**CLOUD, "AzureWebJobsStorage": text}) == ["AzureWebJobsStorage"]


@pytest.mark.parametrize("text", ["UseDevelopmentStorage=true", "AccountName=a;AccountKey=bQ==;", " "])
def test_other_connection_strings_are_taken(text: str) -> None:
    assert from_environment({**CLOUD, "AzureWebJobsStorage": text}).storage_connection == text.strip()


def test_a_message_about_a_connection_string_does_not_repeat_it() -> None:
    with pytest.raises(InvalidInput) as caught:
        from_environment({**CLOUD, "AzureWebJobsStorage": "AccountKey=secret"})

    assert "secret" not in str(caught.value)


def test_the_settings_of_the_servers_open_documents_queues_and_blobs(
    cosmos_endpoint: str, azurite_connection: str
) -> None:
    settings = from_environment(azure_servers.settings(cosmos_endpoint, azurite_connection))
    azure_servers.provision(cosmos_endpoint)

    with storage.opened(settings, SystemClock()) as opened:
        assert opened.documents.read(Container.ORDERS, "O-1", "none") is None
        opened.queues.send("storage-test", b"{}")
        assert opened.queues.length("storage-test") == 1
        assert opened.blobs.get(opened.blobs.put(b"{}")) == b"{}"


def test_without_azure_identity_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "azure.identity", None)

    with storage.opened(from_environment(CLOUD), SystemClock()) as opened:
        with pytest.raises(StoreUnusable, match="azure-identity"):
            opened.documents.read(Container.ORDERS, "O-1", "order")
        with pytest.raises(StoreUnusable, match="azure-identity"):
            opened.queues.length("orders")
        with pytest.raises(StoreUnusable, match="azure-identity"):
            opened.blobs.put(b"{}")
