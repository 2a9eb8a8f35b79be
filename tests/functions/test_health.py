"""Health over HTTP: whether the parts work, telling strangers nothing about the installation."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dom_core.errors import StoreUnusable
from dom_core.optimizer import solving
from dom_core.use_cases.context import Ports
from functions import bootstrap
from tests.functions.app import call, content_of


class BrokenStore:
    """A store whose file is damaged."""

    def __getattr__(self, name: str) -> Any:
        def fail(*args: object, **kwargs: object) -> None:
            raise StoreUnusable("/srv/private/dom.sqlite3", "it is damaged", "Restore a backup.")

        return fail


def test_a_healthy_installation_says_so(ports: Ports) -> None:
    answer = call("GET", "health")
    assert answer.status_code == 200
    health = content_of(answer)
    assert health["healthy"] is True
    assert {check["healthy"] for check in health["checks"]} == {True}


def test_a_solver_that_cannot_be_started_is_reported_without_its_place(
    ports: Ports, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(solving, "cbc_executable", lambda: tmp_path / "cbc")
    answer = call("GET", "health")
    assert answer.status_code == 503
    assert content_of(answer)["checks"][-1] == {"name": "solver", "healthy": False, "detail": "SolverNotStarted"}
    assert str(tmp_path).encode() not in answer.get_body()
    assert str(tmp_path) in caplog.text


def test_a_broken_store_is_reported_without_its_place(ports: Ports) -> None:
    bootstrap.use(replace(ports, store=BrokenStore()))
    answer = call("GET", "health")
    assert answer.status_code == 503
    health = content_of(answer)
    assert health["healthy"] is False
    assert {check["name"]: check["healthy"] for check in health["checks"]}["store"] is False
    assert b"private" not in answer.get_body()
