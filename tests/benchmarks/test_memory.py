"""Memory of a process and of all that it started, and its end."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from benchmarks.memory import kill_tree, own_peak_mb, tree, tree_mb

GRANDCHILD = "import time; held = bytearray(60_000_000); print('ready', flush=True); time.sleep(600)"
CHILD = f"""
import subprocess, sys
subprocess.run([sys.executable, "-c", {GRANDCHILD!r}], start_new_session=True)
"""

COPIED = """
import os, time
held = bytearray(60_000_000)
if not os.fork():
    time.sleep(600)
print("ready", flush=True)
os.wait()
"""


@pytest.fixture
def family() -> Iterator["subprocess.Popen[str]"]:
    """A process that has started another one, which holds 60 MB."""
    with subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        kill_tree(process.pid)


def test_what_a_process_started_counts_with_it(family: "subprocess.Popen[str]") -> None:
    assert len(list(tree(family.pid))) == 2
    assert 60 < tree_mb(family.pid) < 300


@pytest.mark.skipif(not hasattr(os, "fork"), reason="programs are started otherwise here")
def test_a_child_that_is_not_yet_a_program_of_its_own_does_not_count_its_parents_memory_again() -> None:
    with subprocess.Popen([sys.executable, "-c", COPIED], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        members, used_mb = len(list(tree(process.pid))), tree_mb(process.pid)
        kill_tree(process.pid)
    assert members == 2
    assert 60 < used_mb < 110


def test_ending_a_process_ends_what_it_started_in_a_session_of_its_own(family: "subprocess.Popen[str]") -> None:
    _, grandchild = tree(family.pid)
    kill_tree(family.pid)
    family.wait()
    deadline = time.monotonic() + 20
    while tree_mb(grandchild) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert tree_mb(grandchild) == 0


def test_a_process_that_has_ended_uses_nothing(family: "subprocess.Popen[str]") -> None:
    kill_tree(family.pid)
    family.wait()
    assert tree_mb(family.pid) == 0


def test_the_peak_of_this_process_is_known() -> None:
    assert 10 < own_peak_mb() < 100_000
