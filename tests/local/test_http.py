"""HTTP triggers, asked over a real socket."""

import asyncio
import contextvars
import io
import threading
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest

from local.host_json import HostJson
from tests.local.toys import KEYS, body_of, running

ANONYMOUS = func.AuthLevel.ANONYMOUS


def echo_app() -> func.FunctionApp:
    """Answers with what the handler saw."""
    app = func.FunctionApp()

    @app.route("orders/{id}/lines/{line:int?}", methods=["POST"], auth_level=ANONYMOUS)
    def echo(req: func.HttpRequest) -> func.HttpResponse:
        seen = {
            "method": req.method,
            "url": req.url,
            "route": dict(req.route_params),
            "params": dict(req.params),
            "header": req.headers.get("X-Colour"),
            "body": req.get_body().decode(),
        }
        return func.HttpResponse(repr(seen), status_code=201, headers={"Location": "/somewhere"}, mimetype="text/x-py")

    return app


def answering_app(result: Any) -> func.FunctionApp:
    """Answers with this result."""
    app = func.FunctionApp(http_auth_level=ANONYMOUS)

    @app.route("answer")
    async def answer(req: func.HttpRequest) -> Any:
        if isinstance(result, Exception):
            raise result
        return result

    return app


def test_a_handler_sees_the_request_and_its_answer_arrives(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(echo_app(), tmp_path) as (host, client):
            path = "/api/orders/A%201/lines/7?q=1&q=2&empty="
            async with client.post(path, data=b"{}", headers={"x-colour": "red"}) as response:
                assert response.status == 201
                assert response.headers["Location"] == "/somewhere"
                assert response.headers["Content-Type"] == "text/x-py; charset=utf-8"
                seen = eval(await response.text())  # noqa: S307 what our own toy wrote
            assert seen == {
                "method": "POST",
                "url": host.url + path,
                "route": {"id": "A 1", "line": "7"},
                "params": {"q": "1,2", "empty": ""},
                "header": "red",
                "body": "{}",
            }

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/orders/1/lines/7"),
        ("HEAD", "/api/orders/1/lines/7"),
        ("POST", "/api/orders/1/lines/x"),
        ("POST", "/orders/1/lines/7"),
        ("POST", "/api"),
        ("GET", "/"),
        ("PUT", "/admin/functions"),
    ],
)
def test_a_path_or_method_that_no_function_takes_is_not_found(tmp_path: Path, method: str, path: str) -> None:
    async def scenario() -> None:
        async with running(echo_app(), tmp_path) as (_, client), client.request(method, path) as response:
            assert response.status == 404
            assert response.content_type == "application/problem+json"

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("result", "status", "content_type", "body"),
    [
        (None, 204, None, b""),
        ("h\u00e9", 200, "text/plain; charset=utf-8", "h\u00e9".encode()),
        (func.HttpResponse(b"{}", mimetype="application/json"), 200, "application/json", b"{}"),
        (func.HttpResponse(status_code=202), 202, "text/plain; charset=utf-8", b""),
        (
            func.HttpResponse("<p>", headers={"Content-Type": "text/html", "Content-Length": "99"}),
            200,
            "text/html",
            b"<p>",
        ),
    ],
)
def test_what_a_handler_returns_becomes_the_answer(
    tmp_path: Path, result: Any, status: int, content_type: str | None, body: bytes
) -> None:
    async def scenario() -> None:
        async with running(answering_app(result), tmp_path) as (_, client), client.get("/api/answer") as response:
            assert (response.status, response.headers.get("Content-Type")) == (status, content_type)
            assert await response.read() == body

    asyncio.run(scenario())


@pytest.mark.parametrize("result", [ValueError("a secret inside"), {"a": "dict"}, 7])
def test_a_failing_handler_is_a_500_that_tells_nothing(
    tmp_path: Path, result: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        async with running(answering_app(result), tmp_path) as (_, client):
            async with client.get("/api/answer?code=hush") as response:
                assert response.status == 500
                assert response.content_type == "application/problem+json"
                text = await response.text()
            assert "Traceback" not in text
            assert "secret" not in text

    asyncio.run(scenario())
    assert "GET /api/answer failed" in caplog.text
    assert "hush" not in caplog.text


def levels_app() -> func.FunctionApp:
    app = func.FunctionApp()
    for level in func.AuthLevel:

        @app.function_name(level.value)
        @app.route(f"level/{level.value}", auth_level=level)
        async def handler(req: func.HttpRequest) -> str:
            return "in"

    return app


@pytest.mark.parametrize(
    ("header", "code", "allowed"),
    [
        (None, None, {"anonymous"}),
        ("wrong", None, {"anonymous"}),
        (None, "wrong", {"anonymous"}),
        ("", KEYS.master, {"anonymous"}),
        ("wrong", KEYS.master, {"anonymous"}),
        (KEYS.function, "wrong", {"anonymous", "function"}),
        (None, KEYS.function, {"anonymous", "function"}),
        (KEYS.master, None, {"anonymous", "function", "admin"}),
        (None, KEYS.master, {"anonymous", "function", "admin"}),
    ],
)
def test_the_header_comes_before_the_code_and_only_a_right_key_gets_in(
    tmp_path: Path, header: str | None, code: str | None, allowed: set[str]
) -> None:
    async def scenario() -> None:
        async with running(levels_app(), tmp_path) as (_, client):
            for level in ("anonymous", "function", "admin"):
                async with client.get(
                    f"/api/level/{level}",
                    params={} if code is None else {"code": code},
                    headers={} if header is None else {"x-functions-key": header},
                ) as response:
                    assert response.status == (200 if level in allowed else 401), level

    asyncio.run(scenario())


@pytest.mark.parametrize("level", ["function", "admin"])
def test_a_missing_key_is_answered_with_where_to_send_it(tmp_path: Path, level: str) -> None:
    async def scenario() -> str:
        async with running(levels_app(), tmp_path) as (_, client), client.get(f"/api/level/{level}") as response:
            return str((await response.json())["detail"])

    where = "send it in the header 'x-functions-key', or in the query parameter 'code'"
    assert asyncio.run(scenario()) == f"this needs a key of level '{level}': {where}"


def test_a_body_up_to_the_limit_reaches_the_handler_and_one_above_is_a_413(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(echo_app(), tmp_path, body_limit_bytes=5000) as (_, client):
            async with client.post("/api/orders/1/lines", data=b"x" * 5000) as response:
                assert response.status == 201
            async with client.post("/api/orders/1/lines", data=b"x" * 5001) as response:
                assert response.status == 413
                assert response.content_type == "application/problem+json"
                assert (await body_of(response))["status"] == 413

    asyncio.run(scenario())


def test_a_body_of_three_megabytes_is_left_to_the_app_to_refuse(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(echo_app(), tmp_path) as (_, client):
            response = await client.post("/api/orders/1/lines", data=io.BytesIO(b"x" * 3_000_000))
            assert response.status == 201
            assert len(await response.read()) > 3_000_000

    asyncio.run(scenario())


def test_a_def_handler_runs_on_a_thread_with_the_callers_context_and_an_async_one_on_the_loop(tmp_path: Path) -> None:
    app = func.FunctionApp(http_auth_level=ANONYMOUS)
    colour = contextvars.ContextVar("colour", default="none")

    @app.route("thread")
    def on_thread(req: func.HttpRequest) -> str:
        return str(threading.current_thread() is threading.main_thread())

    @app.route("loop")
    async def on_loop(req: func.HttpRequest) -> str:
        return str(threading.current_thread() is threading.main_thread())

    @app.route("colour")
    def in_context(req: func.HttpRequest) -> str:
        return colour.get()

    async def scenario() -> list[str]:
        colour.set("red")
        async with running(app, tmp_path) as (_, client):
            return [await (await client.get(f"/api/{path}")).text() for path in ("thread", "loop", "colour")]

    assert asyncio.run(scenario()) == ["False", "True", "red"]


def test_the_more_exact_route_wins_and_a_method_falls_through_to_the_next(tmp_path: Path) -> None:
    app = func.FunctionApp(http_auth_level=ANONYMOUS)
    for name, route, methods in (
        ("anything", "{*path}", ["GET", "DELETE"]),
        ("by_id", "orders/{id}", ["GET"]),
        ("latest", "orders/latest", ["GET"]),
    ):
        app.function_name(name)(app.route(route, methods=methods)(_answering(name)))
    assert asyncio.run(_names(app, tmp_path)) == ["latest", "by_id", "anything"]


def _answering(text: str) -> Any:
    async def handler(req: func.HttpRequest) -> str:
        return text

    return handler


async def _names(app: func.FunctionApp, folder: Path) -> list[str]:
    async with running(app, folder) as (_, client):
        latest = await client.get("/api/orders/LATEST")
        by_id = await client.get("/api/orders/7")
        anything = await client.delete("/api/orders/7")
        return [await response.text() for response in (latest, by_id, anything)]


def test_the_route_prefix_of_host_json_stands_before_every_route(tmp_path: Path) -> None:
    async def statuses(prefix: str) -> list[int]:
        host_json = HostJson.model_validate({"version": "2.0", "extensions": {"http": {"routePrefix": prefix}}})
        async with running(answering_app("x"), tmp_path, host_json=host_json) as (_, client):
            return [(await client.get(path)).status for path in ("/answer", "/api/answer", "/v1/dom/answer")]

    assert asyncio.run(statuses("")) == [200, 404, 404]
    assert asyncio.run(statuses("v1/dom")) == [404, 404, 200]


def test_a_path_that_is_not_utf_8_is_a_400(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(echo_app(), tmp_path) as (host, _):
            reader, writer = await asyncio.open_connection("127.0.0.1", host.port)
            writer.write(b"GET /api/%ff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert (await reader.readline()).startswith(b"HTTP/1.1 400")
            writer.close()
            await writer.wait_closed()

    asyncio.run(scenario())


def test_several_cookies_all_arrive(tmp_path: Path) -> None:
    answer = func.HttpResponse("x")
    answer.headers.add("Set-Cookie", "a=1")
    answer.headers.add("Set-Cookie", "b=2")

    async def scenario() -> None:
        async with running(answering_app(answer), tmp_path) as (_, client), client.get("/api/answer") as response:
            assert response.headers.getall("Set-Cookie") == ["a=1", "b=2"]

    asyncio.run(scenario())


def test_a_request_in_work_is_answered_before_the_host_stops(tmp_path: Path) -> None:
    app = func.FunctionApp(http_auth_level=ANONYMOUS)
    entered, leave = threading.Event(), threading.Event()

    @app.route("slow")
    def slow(req: func.HttpRequest) -> str:
        entered.set()
        leave.wait(10)
        return "done"

    async def scenario() -> None:
        async with running(app, tmp_path) as (host, client):
            asking = asyncio.create_task(client.get("/api/slow"))
            await asyncio.to_thread(entered.wait, 10)
            stopping = asyncio.create_task(host.stop())
            leave.set()
            assert await (await asking).text() == "done"
            assert await stopping is True

    asyncio.run(scenario())
