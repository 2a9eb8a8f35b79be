"""The app on each storage that an installation may choose: a file, or Azure's own services on this machine."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from uuid import uuid4

import pytest

from dom_core import settings
from dom_core.adapters import storage
from dom_core.adapters.clock import FixedClock
from dom_core.adapters.cosmos.containers import create_all
from dom_core.optimizer.solving import CbcSolver
from dom_core.ports import Geocoder
from dom_core.use_cases.context import Ports
from functions import bootstrap
from tests import azure_servers
from tests.builders import NOW


def _file(request: pytest.FixtureRequest) -> Mapping[str, str]:
    return {"DOM_STORE_PATH": str(request.getfixturevalue("tmp_path") / "dom.sqlite3")}


def _azure(request: pytest.FixtureRequest) -> Mapping[str, str]:
    endpoint, queues = (request.getfixturevalue(name) for name in ("cosmos_endpoint", "azurite_connection"))
    azure_servers.forget_queues(queues)
    azure_servers.forget_blobs(queues)
    database = f"test-{uuid4().hex}"
    with closing(azure_servers.connect(endpoint, database)) as connection:
        create_all(connection.client(), database)
    return {**azure_servers.settings(endpoint, queues), "DOM_COSMOS_DATABASE": database}


@contextmanager
def serving(variables: Mapping[str, str], geocoder: Geocoder) -> Iterator[Ports]:
    """The app, on the storage that these variables choose."""
    chosen, clock = settings.from_environment(variables), FixedClock(NOW)
    with storage.opened(chosen, clock) as kept:
        ports = Ports(
            store=kept.documents,
            queues=kept.queues,
            blobs=kept.blobs,
            clock=clock,
            geocoder=geocoder,
            settings=chosen,
            solver=CbcSolver(),
        )
        bootstrap.use(ports)
        yield ports
        bootstrap.use(None)


STORAGES: Mapping[str, Callable[[pytest.FixtureRequest], Mapping[str, str]]] = {"sqlite": _file, "azure": _azure}
"""The settings of an empty installation, by what it is kept in."""
