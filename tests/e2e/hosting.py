"""The local host as a process of its own, on whatever store the settings choose."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from examples.superstore.client import Client

ROOT = Path(__file__).parents[2]
SETTINGS = {
    # New Year: runs begin when the test asks for them.
    "DOM_PLAN_SCHEDULE": "0 0 0 1 1 *",
    "DOM_CLEANUP_SCHEDULE": "0 0 1 1 1 *",
    "DOM_LOCAL_FUNCTION_KEY": "function-key",
    "DOM_LOCAL_MASTER_KEY": "master-key",
}


@contextmanager
def host(folder: Path, variables: Mapping[str, str]) -> Iterator[Client]:
    """The local host as a process of its own, with these settings."""
    environment = {**os.environ, **SETTINGS, "DOM_STORE_PATH": str(folder / "dom.sqlite3"), **variables}
    command = [sys.executable, "-m", "local", "--port", "0"]
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        assert process.stdout is not None
        try:
            found = next(filter(None, (re.search(r"Listening on (\S+)", line) for line in process.stdout)), None)
            assert found is not None, (folder / "log").read_text()
            # What it prints besides must not fill the pipe.
            threading.Thread(target=process.stdout.read, daemon=True).start()
            yield Client(found[1], SETTINGS["DOM_LOCAL_FUNCTION_KEY"])
        finally:
            process.terminate()
            process.wait(60)
