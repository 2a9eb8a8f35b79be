"""Options of the whole test suite, and the real Azure parts: started once, where tests need them."""

from collections.abc import Iterator

import pytest

from tests import azure_servers, real_parts
from tests.real_parts import Part


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write the golden plans and the outputs in the README anew from what happens now; look at the difference",
    )


@pytest.fixture(scope="session")
def cosmos_endpoint() -> Iterator[str]:
    """Where a Cosmos DB server listens. Its databases belong to the tests that make them."""
    try:
        with azure_servers.cosmos_server() as endpoint:
            yield endpoint
    except azure_servers.NodeMissing as error:
        real_parts.missing(Part.AZURE, "COSMOS DB", error)


@pytest.fixture(scope="session")
def azurite_connection() -> Iterator[str]:
    """The connection string of Azurite's queues and blobs."""
    try:
        with azure_servers.azurite() as connection:
            yield connection
    except azure_servers.NodeMissing as error:
        real_parts.missing(Part.AZURE, "AZURITE", error)
