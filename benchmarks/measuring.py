"""Starts one measurement as a process of its own, watches its memory, and ends it when it is far over its limit."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from benchmarks.cases import TASK, Task
from benchmarks.child import RESULT, RESULT_FILE, SOLVED_FILE, TASK_FILE
from benchmarks.memory import kill_tree, tree_mb
from benchmarks.records import Outcome, Result
from benchmarks.ways import BY_KEY

ROOT = Path(__file__).parents[1]

LOOK_EVERY_S = 0.05
OVERTIME_S = 300.0
"""A measurement is ended so long after its limit: requests and models are made besides."""

_LAST_WORDS = 1000

Watch = Callable[[float], None]
"""Told the seconds that have gone, again and again."""


def measured(task: Task, watch: Watch) -> Result:
    """Run the task. Whatever happens to its process is a result."""
    if not BY_KEY[task.way].installed:
        return Result(Outcome.NOT_INSTALLED, note=f"needs {BY_KEY[task.way].needs}")
    with tempfile.TemporaryDirectory(prefix="dom-bench-") as name:
        folder = Path(name)
        (folder / TASK_FILE).write_bytes(TASK.dump_json(task))
        with _process(folder) as process:
            peak_mb, in_time = _followed(process, folder, task.limit_s + OVERTIME_S, watch)
        return _result(folder, process.returncode, peak_mb, in_time=in_time)


@contextmanager
def _process(folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(  # noqa: S603  # our own module, in this Python
            [sys.executable, "-m", "benchmarks.child", str(folder)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield process
        finally:
            kill_tree(process.pid)
            process.wait()


def _followed(process: "subprocess.Popen[bytes]", folder: Path, end_after_s: float, watch: Watch) -> tuple[int, bool]:
    """The most memory seen until there was an answer; and whether the process ended by itself."""
    started, peak_mb = time.monotonic(), 0
    while True:
        gone_s = time.monotonic() - started
        watch(gone_s)
        seen_mb = tree_mb(process.pid)
        # Judging takes its time, and its memory: neither is the way's.
        if not (folder / SOLVED_FILE).exists():
            peak_mb = max(peak_mb, seen_mb)
            if gone_s > end_after_s:
                return peak_mb, False
        try:
            process.wait(LOOK_EVERY_S)
        except subprocess.TimeoutExpired:
            continue
        return peak_mb, True


def _result(folder: Path, code: int, peak_mb: int, *, in_time: bool) -> Result:
    if not in_time:
        return Result(Outcome.NO_ANSWER, peak_mb=peak_mb, note="ended from outside")
    file = folder / RESULT_FILE
    if code == 0 and file.is_file():
        result = RESULT.validate_json(file.read_bytes())
        return replace(result, peak_mb=max(peak_mb, result.peak_mb or 0))
    words = (folder / "output").read_text(encoding="utf-8", errors="replace")
    if "MemoryError" in words or "bad_alloc" in words or code == -9:
        return Result(Outcome.OUT_OF_MEMORY, peak_mb=peak_mb)
    return Result(Outcome.FAILED, peak_mb=peak_mb, note=words[-_LAST_WORDS:].strip() or f"ended with code {code}")
