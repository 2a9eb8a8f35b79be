"""A CBC that this machine can start, and a folder in which it can work.

A deployment by zip loses the executable bit, and the app's folder may be read-only. What cannot be mended is an error
that says what a person can do.
"""

import atexit
import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from dom_core.errors import NoTemporarySpace, SolverNotStarted

_FOLDER_PREFIX = "dom-cbc-"

_EXECUTABLE = stat.S_IRWXU | stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH


class _MendedCopies:
    """Executable copies of programs that lost their executable bit: one a process, removed when it ends."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._copies: dict[Path, Path] = {}

    def of(self, program: Path) -> Path:
        """The copy of this program. Made again if somebody cleaned the temporary folder."""
        with self._lock:
            copy = self._copies.get(program)
            if copy is None or not os.access(copy, os.X_OK):
                copy = self._copies[program] = _executable_copy(program)
            return copy


_mended = _MendedCopies()


def find_cbc(bundled: Path, which: Callable[[str], str | None]) -> Path:
    """The bundled CBC, an executable copy of it, or the one on the PATH, in this order.

    Raises SolverNotStarted when there is none, NoTemporarySpace when there is no room for the copy.
    """
    if bundled.is_file():
        return bundled if os.access(bundled, os.X_OK) else _mended.of(bundled)
    on_path = which("cbc")
    if on_path:
        return Path(on_path)
    raise SolverNotStarted(str(bundled), "there is no such file, and no cbc on the PATH")


@contextmanager
def working_folder() -> Iterator[Path]:
    """A folder in which the solver and we leave files for each other; it is removed at the end.

    Raises NoTemporarySpace when it cannot be made, or when something cannot be written inside.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=_FOLDER_PREFIX, ignore_cleanup_errors=True) as folder:
            yield Path(folder)
    except OSError as error:
        raise _no_space(error) from error


def _executable_copy(program: Path) -> Path:
    try:
        folder = Path(tempfile.mkdtemp(prefix=_FOLDER_PREFIX))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        copy = folder / program.name
        shutil.copyfile(program, copy)
        copy.chmod(_EXECUTABLE)
    except OSError as error:
        raise _no_space(error) from error
    if not os.access(copy, os.X_OK):
        raise _no_space(OSError(errno.EACCES, "programs may not be run from it"))
    return copy


def _no_space(error: OSError) -> NoTemporarySpace:
    return NoTemporarySpace(_temporary_folder(), error.strerror or str(error))


def _temporary_folder() -> str:
    try:
        return tempfile.gettempdir()
    except OSError:
        # None of the usual folders can be written; the error's text lists those that were tried.
        return "$TMPDIR"
