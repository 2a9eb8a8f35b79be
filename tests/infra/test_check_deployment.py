"""A deployment counts as good only when every function is there and the app is healthy."""

import io
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from infra import check_deployment
from tests.architecture.source_code import ROOT


class Time:
    """A clock that only pauses move."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.now += seconds


def _complaint(answers: list[tuple[int, str]]) -> str | None:
    """What is wrong with an app that gives these answers, and the last one for ever."""
    time, asked = Time(), iter(answers)

    def ask(_: str) -> tuple[int, str]:
        return next(asked, answers[-1])

    return check_deployment.unhealthy("https://app/api/health", ask, clock=time, pause=time.pause)


def test_a_function_that_is_missing_is_named() -> None:
    deployed = ["shop/health", "shop/plan_orders"]
    assert check_deployment.missing_functions(deployed, ["health", "plan_orders", "collect_order"]) == ["collect_order"]
    assert check_deployment.missing_functions([*deployed, "shop/more"], ["health", "plan_orders"]) == []


def test_a_healthy_app_is_good_at_once() -> None:
    assert _complaint([(200, "{}")]) is None


def test_an_app_may_take_some_minutes_to_become_healthy() -> None:
    assert _complaint([(0, "refused"), (503, "{}"), (403, ""), (200, "{}")]) is None


def test_an_app_that_stays_unhealthy_is_quoted() -> None:
    complaint = _complaint([(503, '{"healthy": false, "checks": [{"name": "store"}]}')])
    assert complaint is not None
    assert "answered 503 for 300 s" in complaint
    assert '"store"' in complaint


def test_an_app_that_never_answers_is_given_up() -> None:
    complaint = _complaint([(0, "refused")])
    assert complaint is not None
    assert "answered nothing for 300 s. Last: refused" in complaint


def test_the_functions_of_this_checkout_are_expected() -> None:
    # In a process of its own: an app object can be indexed only once.
    script = "from infra.check_deployment import expected_functions; print(*expected_functions())"
    told = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {"health", "collect_order", "plan_orders"} <= set(told.stdout.split())


def test_a_deployment_without_functions_ends_with_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_deployment, "expected_functions", lambda: {"health"})
    with pytest.raises(SystemExit, match="Deployed without: health"):
        check_deployment.main(["https://app"], names=io.StringIO(""))


def test_a_good_deployment_is_said_to_be_good(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(check_deployment, "expected_functions", lambda: {"health"})
    with _server(200) as url:
        check_deployment.main([url], names=io.StringIO("app/health\n"))
    assert "healthy" in capsys.readouterr().out


@pytest.mark.parametrize("status", [200, 503])
def test_a_real_answer_is_read_with_its_status(status: int) -> None:
    with _server(status) as url:
        assert check_deployment.ask(f"{url}/api/health") == (status, '{"healthy": true}')


def test_a_server_that_is_not_there_is_no_answer() -> None:
    with _server(200) as url:
        pass
    assert check_deployment.ask(url)[0] == 0


@pytest.mark.parametrize("url", ["file:///etc/hostname", "http://app.example"])
def test_only_https_is_asked(url: str) -> None:
    with pytest.raises(ValueError, match="https"):
        check_deployment.ask(url)


@contextmanager
def _server(status: int) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b'{"healthy": true}'
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the test's output is not the place."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
