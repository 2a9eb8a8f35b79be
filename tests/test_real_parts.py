"""A part that must be there fails its tests where it is missing; any other skips them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import real_parts
from tests.architecture.source_code import ROOT
from tests.real_parts import VARIABLE, Part

AWAY = RuntimeError("it is away")


@pytest.mark.parametrize("names", ["azure", "roads, azure"])
def test_a_part_that_must_be_there_fails_the_test(names: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, names)
    with pytest.raises(pytest.fail.Exception, match=f"NOT TESTED ON AZURITE: it is away .{VARIABLE}"):
        real_parts.missing(Part.AZURE, "AZURITE", AWAY)


@pytest.mark.parametrize("names", ["", "azure"])
def test_any_other_part_skips_it(names: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, names)
    with pytest.raises(pytest.skip.Exception, match="NOT TESTED ON A REAL ROUTING ENGINE: it is away"):
        real_parts.missing(Part.ROADS, "A REAL ROUTING ENGINE", AWAY)


def test_a_part_that_does_not_exist_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "azur")
    with pytest.raises(ValueError, match="'azur'"):
        real_parts.required()


@pytest.mark.parametrize(("names", "exit_code", "ending"), [("azure", 1, "1 error"), ("", 0, "1 skipped")])
def test_without_node_the_tests_of_the_azure_parts_fail_or_are_skipped(
    names: str, exit_code: int, ending: str, tmp_path: Path
) -> None:
    chosen = (
        "tests/test_azure_servers.py::test_a_command_runs_with_the_settings_of_the_servers_and_its_exit_code_is_kept"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", chosen]
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        command, cwd=ROOT, env=ours | {"PATH": str(tmp_path), VARIABLE: names}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == exit_code, done.stdout + done.stderr
    assert "NOT TESTED ON COSMOS DB: Node.js" in done.stdout
    assert ending in done.stdout.splitlines()[-1]


def test_make_and_ci_say_which_parts_must_be_there() -> None:
    assert f"{VARIABLE}=$(REAL_PARTS) $(BIN)/python -m pytest" in (ROOT / "Makefile").read_text("utf-8")
    assert "REAL_PARTS ?= azure\n" in (ROOT / "Makefile").read_text("utf-8")
    assert f"make test REAL_PARTS={','.join(Part)} " in (ROOT / ".ci" / "run").read_text("utf-8")


def test_no_test_skips_a_real_part_by_itself() -> None:
    own = {ROOT / "tests" / "real_parts.py", Path(__file__)}
    files = [path for path in sorted((ROOT / "tests").rglob("*.py")) if path not in own]
    assert [path.name for path in files if "NOT TESTED ON" in path.read_text("utf-8")] == []
