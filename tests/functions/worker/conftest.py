"""Microsoft's worker and the local host, started once for all tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.functions.worker.hosts import LocalHost, Worker


@pytest.fixture(scope="package")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    with Worker(tmp_path_factory.mktemp("worker")) as running:
        yield running


@pytest.fixture(scope="package")
def local_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHost]:
    with LocalHost(tmp_path_factory.mktemp("local")) as running:
        yield running
