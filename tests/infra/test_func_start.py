"""`make run-func` starts Microsoft's host where it is installed, and says so where it is not."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra import func_start
from tests.architecture.source_code import ROOT


class Runs:
    """Notes what is run, and ends with 3."""

    def __init__(self) -> None:
        self.calls: list[tuple[list[str], dict[str, Any]]] = []

    def __call__(self, command: list[str], **options: Any) -> "subprocess.CompletedProcess[bytes]":
        self.calls.append((command, options))
        return subprocess.CompletedProcess(command, 3)


def _folder(tmp_path: Path) -> Path:
    (tmp_path / "local.settings.json.example").write_text('{"example": true}')
    return tmp_path


def _path_with_func(tmp_path: Path) -> str:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "func").write_text("#!/bin/sh\n")
    (folder / "func").chmod(0o755)
    return str(folder)


def test_without_core_tools_it_says_what_to_install(tmp_path: Path) -> None:
    runs = Runs()
    with pytest.raises(SystemExit, match=r"Core Tools are not on the PATH.*`make run` starts"):
        func_start.main([], folder=_folder(tmp_path), environment={"PATH": str(tmp_path)}, run=runs)
    assert runs.calls == []
    assert not (tmp_path / "local.settings.json").exists()


def test_with_core_tools_it_starts_the_host_and_ends_as_it_does(tmp_path: Path) -> None:
    runs, path = Runs(), _path_with_func(tmp_path)
    with pytest.raises(SystemExit) as ended:
        func_start.main(["--port", "7099"], folder=_folder(tmp_path), environment={"PATH": path}, run=runs)
    assert ended.value.code == 3
    [(command, options)] = runs.calls
    assert command == [f"{path}/func", "start", "--port", "7099"]
    assert options["cwd"] == tmp_path
    assert options["env"]["VIRTUAL_ENV"] == sys.prefix
    assert (tmp_path / "local.settings.json").read_text() == '{"example": true}'


def test_settings_that_exist_are_left_alone(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    (folder / "local.settings.json").write_text("mine")
    with pytest.raises(SystemExit):
        func_start.main([], folder=folder, environment={"PATH": _path_with_func(tmp_path)}, run=Runs())
    assert (folder / "local.settings.json").read_text() == "mine"


def test_own_settings_never_reach_version_control() -> None:
    ignored = subprocess.run(["git", "check-ignore", "-q", "local.settings.json"], cwd=ROOT, check=False)
    assert ignored.returncode == 0
