"""Azurite and the Cosmos DB server on this machine, as processes of their own.

    python -m tests.azure_servers COMMAND …

runs a command with both of them running and with the settings that point to them.
"""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from dom_core.adapters.cosmos import Connection
from dom_core.adapters.cosmos.containers import create_all

ROOT = Path(__file__).parent.parent
SETUP = Path(__file__).parent / "cosmos_server"
NEEDED_NODE = 20

COSMOS_KEY = "bG9jYWwta2V5"
"""Any base64 text: the local server believes everybody."""

DATABASE = "dom"

# The account that Azurite documents; known to everybody, and of no use elsewhere.
_AZURITE_ACCOUNT = "devstoreaccount1"
_AZURITE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

_AZURITE_FLAGS = ("--silent", "--inMemoryPersistence", "--disableTelemetry", "--skipApiVersionCheck")
_ANY_PORTS = ("--blobPort", "0", "--queuePort", "0", "--tablePort", "0")


class NodeMissing(Exception):
    """Node.js is not installed, or too old: the servers cannot run."""


@contextmanager
def cosmos_server() -> Iterator[str]:
    """The endpoint of an empty Cosmos DB server, until the block ends. Raises NodeMissing."""
    with _node_process(str(SETUP / "server.js")) as process:
        yield f"http://127.0.0.1:{int(_first_line(process, ''))}/"


@contextmanager
def azurite() -> Iterator[str]:
    """The connection string of empty queues and no blobs, until the block ends. Raises NodeMissing."""
    with _node_process("azurite/dist/src/azurite.js", *_AZURITE_FLAGS, *_ANY_PORTS) as process:
        ports = {service: _azurite_port(process, service) for service in ("Blob", "Queue")}
        endpoints = (
            f"{service}Endpoint=http://127.0.0.1:{port}/{_AZURITE_ACCOUNT};" for service, port in ports.items()
        )
        yield (
            f"DefaultEndpointsProtocol=http;AccountName={_AZURITE_ACCOUNT};AccountKey={_AZURITE_KEY};"
            f"{''.join(endpoints)}"
        )


@contextmanager
def database(endpoint: str) -> Iterator[Connection]:
    """A connection to a new database with all containers."""
    with closing(connect(endpoint, f"test-{uuid4().hex}")) as connection:
        create_all(connection.client(), connection.database)
        yield connection


def connect(endpoint: str, name: str = DATABASE) -> Connection:
    """A connection to a database of the local server."""
    return Connection(endpoint, name, lambda: COSMOS_KEY)


def provision(endpoint: str) -> None:
    """Make the containers of the default database, as Bicep does in Azure."""
    with closing(connect(endpoint)) as connection:
        create_all(connection.client(), connection.database)


def queue_url(connection_string: str) -> str:
    """Where the queues of a connection string are."""
    return _url(connection_string, "QueueEndpoint")


def blob_url(connection_string: str) -> str:
    """Where the blobs of a connection string are."""
    return _url(connection_string, "BlobEndpoint")


def _url(connection_string: str, endpoint: str) -> str:
    parts = (part.partition("=") for part in connection_string.split(";"))
    return next(value for name, _, value in parts if name == endpoint)


def with_queue_port(connection_string: str, port: int) -> str:
    """The same account, with its queues at another port of this machine."""
    return connection_string.replace(f":{urlsplit(queue_url(connection_string)).port}/", f":{port}/")


def with_blob_port(connection_string: str, port: int) -> str:
    """The same account, with its blobs at another port of this machine."""
    return connection_string.replace(f":{urlsplit(blob_url(connection_string)).port}/", f":{port}/")


def forget_queues(connection_string: str) -> None:
    """Remove all queues from Azurite."""
    with QueueServiceClient.from_connection_string(connection_string) as client:
        for queue in client.list_queues():
            client.delete_queue(queue.name)


def forget_blobs(connection_string: str) -> None:
    """Remove all containers from Azurite."""
    with BlobServiceClient.from_connection_string(connection_string) as client:
        for container in client.list_containers():
            client.delete_container(container.name)


def settings(endpoint: str, connection: str) -> Mapping[str, str]:
    """The variables with which the app uses these servers."""
    return {
        "DOM_STORE": "azure",
        "DOM_COSMOS_ENDPOINT": endpoint,
        "DOM_COSMOS_DATABASE": DATABASE,
        "DOM_COSMOS_KEY": COSMOS_KEY,
        "AzureWebJobsStorage": connection,
    }


def main(command: Sequence[str]) -> int:
    """Run the command; its exit code."""
    try:
        with cosmos_server() as endpoint, azurite() as connection:
            provision(endpoint)
            return _run(command, settings(endpoint, connection))
    except NodeMissing as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _run(command: Sequence[str], variables: Mapping[str, str]) -> int:
    with subprocess.Popen(list(command), env={**os.environ, **variables}) as process:
        # Ctrl-C is for the command: it ends in order, while the servers still answer it; then so do we.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            return process.wait()
        finally:
            signal.signal(signal.SIGINT, before)


@contextmanager
def _node_process(script: str, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    node, modules = _node(), _modules()
    with tempfile.TemporaryDirectory() as folder, subprocess.Popen(
        [node, "--require", str(SETUP / "end_with_starter.js"), str(modules / script), *arguments],
        cwd=folder,
        env={**os.environ, "NODE_PATH": str(modules)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is not for the servers
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def _azurite_port(process: "subprocess.Popen[str]", service: str) -> int:
    line = _first_line(process, f"{service} service is successfully listening at ")
    return int(urlsplit(line.rpartition(" ")[2]).port or 0)


def _first_line(process: "subprocess.Popen[str]", wanted: str) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if wanted in line:
            return line.strip()
    raise RuntimeError(f"a server did not start: {process.args!r}")


def _node() -> str:
    node = shutil.which("node")
    if node is None:
        raise NodeMissing(f"Node.js {NEEDED_NODE} or newer is not on the PATH: the real Azure parts cannot be started")
    version = subprocess.run([node, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    if int(version.removeprefix("v").split(".")[0]) < NEEDED_NODE:
        raise NodeMissing(f"Node.js {NEEDED_NODE} or newer is needed for the real Azure parts, not {version}")
    return node


def _modules() -> Path:
    """The installed packages: made once per content of package-lock.json, under var/."""
    fingerprint = hashlib.sha256((SETUP / "package-lock.json").read_bytes()).hexdigest()[:16]
    folder = ROOT / "var" / "node" / fingerprint
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        _install(folder)
    return folder / "node_modules"


def _install(folder: Path) -> None:
    """Beside its place, then moved there: whoever comes at the same time sees all of it or nothing."""
    npm = shutil.which("npm")
    if npm is None:
        raise NodeMissing("npm is not on the PATH: the real Azure parts cannot be installed")
    sys.stderr.write(f"Installing Azurite and the Cosmos DB server into {folder} (once; some 240 MB) …\n")
    with tempfile.TemporaryDirectory(dir=folder.parent) as made:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(SETUP / name, made)
        command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        done = subprocess.run(command, cwd=made, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"`npm ci` failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        target = Path(made) / "installed"
        target.mkdir()
        (Path(made) / "node_modules").rename(target / "node_modules")
        if not folder.exists():
            target.rename(folder)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
