"""The starter of the real Azure parts says what it misses, and leaves nothing behind."""

import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests import azure_servers


def test_without_node_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(azure_servers.NodeMissing, match=r"Node\.js 20"), azure_servers.cosmos_server():
        raise AssertionError("started")


def test_an_old_node_is_refused_with_its_version(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    node = tmp_path / "node"
    node.write_text("#!/bin/sh\necho v18.1.0\n")
    node.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    with pytest.raises(azure_servers.NodeMissing, match=r"not v18\.1\.0"), azure_servers.azurite():
        raise AssertionError("started")


@pytest.mark.usefixtures("cosmos_endpoint", "azurite_connection")
def test_a_command_runs_with_the_settings_of_the_servers_and_its_exit_code_is_kept() -> None:
    script = (
        "import os, sys; from dom_core.settings import from_environment as read; "
        "sys.exit(7 if read(os.environ).store == 'azure' else 1)"
    )
    command = [sys.executable, "-m", "tests.azure_servers", sys.executable, "-c", script]

    assert subprocess.run(command, cwd=azure_servers.ROOT, check=False).returncode == 7


@pytest.mark.usefixtures("cosmos_endpoint", "azurite_connection")
def test_servers_end_with_whoever_started_them_even_if_that_is_killed() -> None:
    script = (
        "import signal; from tests import azure_servers as servers\n"
        "with servers.cosmos_server() as endpoint, servers.azurite() as connection:\n"
        "    print(endpoint, servers.queue_url(connection), flush=True)\n"
        "    signal.pause()"
    )
    with subprocess.Popen([sys.executable, "-c", script], cwd=azure_servers.ROOT, stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None
        urls = starter.stdout.readline().decode().split()
        assert all(is_listening(url) for url in urls)
        starter.kill()

    deadline = time.monotonic() + 20
    while any(is_listening(url) for url in urls):
        assert time.monotonic() < deadline, "a server is still there"


def is_listening(url: str) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", urlsplit(url).port or 0)) == 0
