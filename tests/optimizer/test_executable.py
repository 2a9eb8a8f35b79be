"""CBC where it is deployed: without its executable bit, without a library, for another processor, without room.

The real CBC is used, as PuLP's wheel brings it.
"""

import errno
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pulp
import pytest

from dom_core.domain.plan import Ending
from dom_core.domain.strategy import SolverLimits
from dom_core.errors import NoTemporarySpace, SolverFailed, SolverNotStarted
from dom_core.optimizer import executable, solving
from tests.optimizer.test_solving import a_model, rivals

REAL_CBC = Path(pulp.PULP_CBC_CMD.pulp_cbc_path).resolve()
ELF_MACHINE = slice(18, 20)
NOT_ON_THE_PATH = "there is no such file, and no cbc on the PATH"

elf_only = pytest.mark.skipif(sys.platform != "linux", reason="changes an executable of Linux")


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder that is this test's own."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def deployed(tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The CBC of a deployed app: without its executable bit, in a folder that cannot be written."""
    cbc = tmp_path / "app" / "cbc"
    cbc.parent.mkdir()
    shutil.copyfile(REAL_CBC, cbc)
    cbc.chmod(0o444)
    cbc.parent.chmod(0o555)
    monkeypatch.setattr(pulp.PULP_CBC_CMD, "pulp_cbc_path", str(cbc))
    return cbc


def started_from(cbc: Path, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the solver be this program."""
    cbc.write_bytes(content)
    cbc.chmod(0o755)
    monkeypatch.setattr(pulp.PULP_CBC_CMD, "pulp_cbc_path", str(cbc))


def solve() -> Ending:
    return solving.CbcSolver().solve(a_model(rivals(2)), SolverLimits(solve_limit_s=20)).ending


def test_a_deployed_cbc_without_its_executable_bit_solves_from_a_copy(deployed: Path, temporary: Path) -> None:
    assert solve() is Ending.OPTIMAL
    copy = solving.cbc_executable()
    assert copy.parent.parent == temporary
    assert copy.read_bytes() == deployed.read_bytes()
    # The app's folder is as it was.
    assert list(deployed.parent.iterdir()) == [deployed]
    assert stat.S_IMODE(deployed.stat().st_mode) == 0o444


def test_one_copy_serves_the_whole_process(deployed: Path, temporary: Path) -> None:
    assert solving.cbc_executable() == solving.cbc_executable()
    assert len(list(temporary.iterdir())) == 1


def test_a_copy_that_somebody_cleaned_away_is_made_again(deployed: Path, temporary: Path) -> None:
    first = solving.cbc_executable()
    shutil.rmtree(first.parent)
    assert solve() is Ending.OPTIMAL
    assert solving.cbc_executable() != first


def test_a_copy_is_removed_when_the_process_ends(deployed: Path, temporary: Path) -> None:
    script = (
        "import pathlib, sys\n"
        "from dom_core.optimizer.executable import find_cbc\n"
        "print(find_cbc(pathlib.Path(sys.argv[1]), str))\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", script, str(deployed)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    assert Path(found.stdout.strip()).parent.parent == temporary
    assert list(temporary.iterdir()) == []


def test_a_cbc_that_can_be_executed_is_used_where_it_is(temporary: Path) -> None:
    assert executable.find_cbc(REAL_CBC, lambda _: None) == REAL_CBC
    assert list(temporary.iterdir()) == []


def test_without_any_cbc_the_error_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(SolverNotStarted, match="pip install") as failed:
        executable.find_cbc(tmp_path / "nothing", lambda _: None)
    assert (failed.value.executable, failed.value.fault) == (str(tmp_path / "nothing"), NOT_ON_THE_PATH)


def test_a_cbc_on_the_path_serves_when_none_is_bundled(tmp_path: Path) -> None:
    assert executable.find_cbc(tmp_path / "nothing", lambda name: f"/opt/{name}") == Path("/opt/cbc")


def test_a_temporary_folder_that_is_gone_is_named_with_the_way_out(deployed: Path, temporary: Path) -> None:
    temporary.rmdir()
    with pytest.raises(NoTemporarySpace, match="TMPDIR") as failed:
        solve()
    assert (failed.value.folder, failed.value.fault) == (str(temporary), os.strerror(errno.ENOENT))


def test_a_model_that_finds_no_temporary_folder_is_the_same_error(temporary: Path) -> None:
    temporary.rmdir()
    with pytest.raises(NoTemporarySpace) as failed:
        solve()
    assert failed.value.folder == str(temporary)


def test_when_no_folder_at_all_can_be_written_the_error_lists_those_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_folder() -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr(tempfile, "gettempdir", no_folder)
    monkeypatch.setattr(tempfile, "tempdir", None)
    with pytest.raises(NoTemporarySpace, match=r"'\$TMPDIR' cannot be used: .*'/tmp'"), executable.working_folder():
        pass


def test_a_folder_from_which_programs_may_not_be_run_is_no_use(
    deployed: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What the system answers for a file system that is mounted with noexec.
    monkeypatch.setattr(os, "access", lambda *asked: not asked)
    with pytest.raises(NoTemporarySpace, match="programs may not be run from it"):
        solving.cbc_executable()


def test_a_disk_that_fills_up_while_the_model_is_written_is_named(temporary: Path) -> None:
    # A limit on the size of files stops a write half-way, as a full disk does.
    script = (
        "import resource\n"
        "from dom_core.errors import NoTemporarySpace\n"
        "from tests.optimizer.test_executable import solve\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n"
        "    solve()\n"
        "except NoTemporarySpace as error:\n"
        "    print(error.folder)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert found.stdout.strip() == str(temporary)
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("rest", ["", "Optimal - objective value 0\\n 0 X0 1", "Optimal - objective value 0\\n"])
def test_an_answer_that_is_cut_short_is_refused(rest: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # CBC ends with code 0 although a full disk took the rest of its answer.
    script = f"#!/bin/sh\nfor last; do :; done\nprintf '{rest}' > \"$last\"\n"
    started_from(tmp_path / "cbc", script.encode(), monkeypatch)
    with pytest.raises(NoTemporarySpace, match="cut short"):
        solve()


@elf_only
def test_a_missing_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = REAL_CBC.read_bytes()
    assert content.count(b"\0libm.so.6\0") == 1
    started_from(tmp_path / "cbc", content.replace(b"\0libm.so.6\0", b"\0libq.so.6\0"), monkeypatch)
    with pytest.raises(SolverNotStarted, match=r"libq\.so\.6") as failed:
        solve()
    assert failed.value.executable == str(tmp_path / "cbc")
    assert "infra.package" in str(failed.value)


@elf_only
def test_a_cbc_for_another_processor_cannot_be_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = bytearray(REAL_CBC.read_bytes())
    content[ELF_MACHINE] = b"\xfe\xca"
    started_from(tmp_path / "cbc", bytes(content), monkeypatch)
    with pytest.raises(SolverNotStarted) as failed:
        solve()
    assert failed.value.fault == os.strerror(errno.ENOEXEC)


@pytest.mark.parametrize(
    ("signal_name", "message"), [("KILL", "memory ran out"), ("ILL", "this processor"), ("TERM", "ended with code -15")]
)
def test_a_cbc_that_a_signal_ends_says_what_that_usually_means(
    signal_name: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started_from(tmp_path / "cbc", f"#!/bin/sh\nkill -{signal_name} $$\n".encode(), monkeypatch)
    with pytest.raises(SolverFailed, match=message):
        solve()


def test_a_machine_without_room_for_a_process_is_not_called_the_wrong_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*args: object, **kwargs: object) -> None:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(subprocess, "Popen", no_room)
    with pytest.raises(SolverFailed, match="no room for another process") as failed:
        solve()
    assert not isinstance(failed.value, SolverNotStarted)
