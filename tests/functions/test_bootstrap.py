"""The ports of a process: made once, at the first use, from the settings."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from functions import bootstrap
from tests.functions.app import call, problem_of


@pytest.fixture(autouse=True)
def _own_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("DOM_STORE_PATH", str(tmp_path / "dom.sqlite3"))
    bootstrap.use(None)
    yield
    bootstrap.use(None)


def test_the_settings_decide_where_the_store_is(tmp_path: Path) -> None:
    assert bootstrap.ports().settings.store_path == str(tmp_path / "dom.sqlite3")


def test_all_threads_get_the_same_ports() -> None:
    together = Barrier(8)

    def first_use(_: int) -> int:
        together.wait()
        return id(bootstrap.ports())

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(first_use, range(8)))) == 1


def test_bad_settings_are_our_fault_and_stand_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("DOM_LEASE_S", "soon")
    problem = problem_of(call("GET", "orders"), 500)
    assert "DOM_LEASE_S" not in str(problem)
    assert "DOM_LEASE_S" in caplog.text


def test_settings_that_were_mended_work_without_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOM_LEASE_S", "soon")
    problem_of(call("GET", "orders"), 500)
    monkeypatch.setenv("DOM_LEASE_S", "60")
    assert call("GET", "orders").status_code == 200
