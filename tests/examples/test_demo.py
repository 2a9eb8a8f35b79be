"""`make run` as somebody uses it who already has one running, or stops it by other means than Ctrl-C."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from examples.superstore import demo

ROOT = Path(demo.__file__).parents[2]


def test_a_port_that_another_program_has_is_told_before_anything_is_touched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "superstore.sqlite3"
    store.write_text("what the other program may be at work on")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert demo.main(["--port", str(port), "--store", str(store), "--once"]) == 1
    assert f"the host cannot have port {port} (Address already in use)" in capsys.readouterr().out
    assert store.read_text() == "what the other program may be at work on"


def test_who_ends_the_example_ends_its_host(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with _demo(port, tmp_path / "superstore.sqlite3") as process:
        assert process.stdout is not None
        assert any("The development host listens" in line for line in process.stdout)
        with socket.create_connection(("127.0.0.1", port), 10):
            pass
        process.terminate()
        said = process.stdout.read()
        assert process.wait(60) == 130, said
        assert "Stopping." in said
        assert "Traceback" not in said
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 10)


@contextmanager
def _demo(port: int, store: Path) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "examples.superstore.demo", "--port", str(port), "--store", str(store)]
    pipe, both = subprocess.PIPE, subprocess.STDOUT
    # A group of its own, so that nothing is left behind whatever the test finds.
    with subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=both, text=True, start_new_session=True) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
