"""Start the app under Microsoft's host on this machine: `func start` of Azure Functions Core Tools, where they are.

    python -m infra.func_start [--port PORT]

The host needs `local.settings.json` and, for its triggers, Azurite. The file is made from the example if it is missing.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]

MISSING = (
    "Azure Functions Core Tools are not on the PATH: there is no `func`. https://aka.ms/func-core-tools says how to "
    "install them. Without them, `make run` starts the same app on our own host."
)

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


def main(
    arguments: Sequence[str] | None = None,
    *,
    folder: Path = ROOT,
    environment: Mapping[str, str] = os.environ,
    run: Run = subprocess.run,
) -> None:
    """Run the host until it ends, with this Python and its packages; exit as it does."""
    parser = argparse.ArgumentParser(prog="python -m infra.func_start", description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, default=7071)
    port: int = parser.parse_args(arguments).port
    func = shutil.which("func", path=environment.get("PATH", ""))
    if func is None:
        sys.exit(MISSING)
    settings = folder / "local.settings.json"
    if not settings.exists():
        shutil.copyfile(folder / "local.settings.json.example", settings)
    # Core Tools take the Python of the active virtual environment, which this one may not be.
    known = {"VIRTUAL_ENV": sys.prefix, "languageWorkers__python__defaultExecutablePath": sys.executable}
    started = run([func, "start", "--port", str(port)], cwd=folder, env={**environment, **known}, check=False)
    sys.exit(started.returncode)


if __name__ == "__main__":
    main()
