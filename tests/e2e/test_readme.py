"""The README does what it says: its blocks are run as they stand, and print what it shows."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.architecture.source_code import ROOT, tracked_texts
from tests.e2e.readme_script import PORT_IN_README, Block, blocks, outputs, script, steps, with_outputs, without_times

README = ROOT / "README.md"
PAGE = README.read_text(encoding="utf-8")
LIMIT_S = 120
KINDS = {("sh",), ("sh", "server"), ("sh", "setup"), ("text",)}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the repository as somebody else would clone it."""
    copy = tmp_path / "clone"
    for path, _ in tracked_texts():
        target = copy / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return copy


@pytest.fixture
def environment(checkout: Path, tmp_path: Path) -> dict[str, str]:
    """What the reader has after installing: `python` and `dom`. No timer interferes."""
    bin = tmp_path / "bin"
    bin.mkdir()
    for name, command in (("python", ""), ("dom", "-m dom_core.cli ")):
        program = bin / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" {command}"$@"\n', encoding="utf-8")
        program.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DOM_")}
    path = f"{bin}{os.pathsep}{kept['PATH']}"
    return {**kept, "PATH": path, "PYTHONPATH": str(checkout), "DOM_PLAN_SCHEDULE": "0 0 0 1 1 *"}


@pytest.mark.skipif(not shutil.which("curl") or not shutil.which("bash"), reason="the README uses bash and curl")
def test_the_blocks_of_the_readme_run_and_print_what_it_shows(
    checkout: Path, environment: dict[str, str], pytestconfig: pytest.Config
) -> None:
    wanted = steps(PAGE)
    printed = outputs(_run(script(wanted, _free_port()), checkout, environment))
    if pytestconfig.getoption("--update-golden"):
        README.write_text(with_outputs(PAGE, wanted, printed), encoding="utf-8")
        return
    for step, output in zip(wanted, printed, strict=True):
        if step.output is not None:
            assert without_times(output) == without_times(step.output), f"README.md, line {step.block.line}"


@pytest.mark.parametrize("block", blocks(PAGE), ids=lambda block: f"line-{block.line}")
def test_a_block_that_names_a_file_shows_that_file(block: Block) -> None:
    if block.words not in KINDS:
        _, name = block.words
        assert (ROOT / name).read_text(encoding="utf-8") == block.text


def _run(text: str, folder: Path, environment: dict[str, str]) -> str:
    """What a script prints. It runs in a process group of its own, of which nothing is left behind."""
    with (folder / "errors.log").open("w") as errors:
        process = subprocess.Popen(
            ["bash", "-c", text],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
    try:
        printed, _ = process.communicate(timeout=LIMIT_S)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
    logs = "\n".join(log.read_text() for log in sorted(folder.glob("*.log")))
    assert process.returncode == 0, f"{printed}\n{logs}"
    return printed


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    assert str(port) != PORT_IN_README
    return port
