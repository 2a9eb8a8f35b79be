"""How much memory a process has used, and its children with it.

A process may start solvers as programs of their own. Their memory counts at the moment at which they use it, so the
tree of processes is looked at again and again. Without /proc only the process itself is measured, at its end.
"""

import os
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")


def own_peak_mb() -> int:
    """The most that this process has used. Not what the operating system calls so: that counts its parent's, too."""
    status = _PROC / "self" / "status"
    if status.is_file():
        return _field_kb(status, "VmHWM") // 1024
    usage = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return usage // (2**20 if sys.platform == "darwin" else 2**10)


def tree_mb(pid: int) -> int:
    """What a process and all that it started use now; pages that programs share count for each.

    A child that is still a copy of who started it, on its way to be a program of its own, uses the same pages.
    """
    return _tree_kb(pid) // 1024


def tree(pid: int) -> Iterator[int]:
    """A process and all that it started, and so on. Those that have ended are left out."""
    yield pid
    for child in _children(pid):
        yield from tree(child)


def _tree_kb(pid: int, starter: bytes = b"") -> int:
    command = _command(pid)
    is_copy = command == starter != b""
    own = 0 if is_copy else _field_kb(_PROC / str(pid) / "status", "VmRSS")
    return own + sum(_tree_kb(child, command) for child in _children(pid))


def _children(pid: int) -> Iterator[int]:
    with suppress(OSError):
        for thread in (_PROC / str(pid) / "task").iterdir():
            yield from map(int, (thread / "children").read_text(encoding="ascii").split())


def _command(pid: int) -> bytes:
    """How a process was called; nothing where it has ended."""
    with suppress(OSError):
        return (_PROC / str(pid) / "cmdline").read_bytes()
    return b""


def kill_tree(pid: int) -> None:
    """End a process and all that it started: solvers are leaders of groups of their own."""
    for each in list(tree(pid)):
        with suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)


def _field_kb(status: Path, field: str) -> int:
    with suppress(OSError):
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith(f"{field}:"):
                return int(line.split()[1])
    return 0
