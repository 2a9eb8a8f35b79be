"""The one client of a process, made at the first request."""

import logging
from collections.abc import Callable
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from azure.core.exceptions import ResourceNotFoundError
from azure.cosmos import ContainerProxy, CosmosClient

from dom_core.adapters.azure_logs import only_warnings
from dom_core.adapters.cosmos.faults import missing_container
from dom_core.ports import Container

CONNECT_LIMIT_S = 5
READ_LIMIT_S = 10
"""A request is given up after this, and repeated by us: the SDK would wait for a minute."""

NEEDED_CONSISTENCY = "Strong"
"""Of the account: a run decides by many documents, and some of them another instance wrote a moment ago."""

_logger = logging.getLogger(__name__)


class Connection:
    """An account's database. Any number of threads may use it; a failed first attempt is repeated by the next request.

    `make_credential` gives a token credential, or a key for a local server. Only a local server speaks plain HTTP; it
    is asked directly, as it would name an address at which it does not listen.
    """

    def __init__(self, endpoint: str, database: str, make_credential: Callable[[], Any]) -> None:
        self.endpoint = endpoint
        self.database = database
        self._make_credential = make_credential
        self._lock = Lock()
        self._client: CosmosClient | None = None
        self._containers: dict[Container, ContainerProxy] = {}

    def container(self, container: Container) -> ContainerProxy:
        """The container, known to exist. Raises StoreUnusable when it does not, and the SDK's other errors."""
        found = self._containers.get(container)
        return found if found is not None else self._open(container)

    def client(self) -> CosmosClient:
        """The client. Raises the SDK's errors when the account cannot be reached."""
        with self._lock:
            if self._client is None:
                made = make_client(self.endpoint, self._make_credential())
                if _is_an_account(self.endpoint):
                    warn_of_weak_consistency(made, self.endpoint)
                self._client = made
            return self._client

    def close(self) -> None:
        """Close the client's connections. A later request opens them again."""
        with self._lock:
            if self._client is not None:
                self._client.close()
            self._client = None
            self._containers.clear()

    def _open(self, container: Container) -> ContainerProxy:
        location = f"{self.endpoint} {self.database}/{container}"
        try:
            opened = self.client().get_database_client(self.database).get_container_client(container)
            # Later, "not found" shall mean the document.
            opened.read()
        except ResourceNotFoundError as error:
            raise missing_container(location) from error
        self._containers[container] = opened
        return opened


def make_client(endpoint: str, credential: Any) -> CosmosClient:
    """A client that leaves waiting to us: its retries would hide what happened, and are not bounded together."""
    only_warnings()
    return CosmosClient(
        endpoint,
        credential,
        enable_endpoint_discovery=_is_an_account(endpoint),
        connection_timeout=CONNECT_LIMIT_S,
        read_timeout=READ_LIMIT_S,
        retry_total=0,
        retry_connect=0,
        retry_read=0,
        retry_throttle_total=1,  # it takes 0 for "the default", which is 9
        enable_compact_utf8_item_writes=True,
    )


def warn_of_weak_consistency(client: CosmosClient, endpoint: str) -> None:
    """Log it when instances may read what others have already overwritten. Raises the SDK's errors."""
    policy = client.get_database_account().ConsistencyPolicy or {}
    level = policy.get("defaultConsistencyLevel")
    if level != NEEDED_CONSISTENCY:
        _logger.warning(
            "Cosmos DB account %s has the consistency %s; where several instances run, it must be %s, or stock may be "
            "promised twice (docs/operations.md)",
            endpoint,
            level,
            NEEDED_CONSISTENCY,
        )


def _is_an_account(endpoint: str) -> bool:
    """Whether this is Azure: only a server on this machine speaks plain HTTP."""
    return urlsplit(endpoint).scheme == "https"
