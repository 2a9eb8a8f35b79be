"""The host's own routes, all behind the master key: what there is, how it is, and firing a function by hand."""

from http import HTTPStatus
from typing import Annotated, Any, Protocol

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from dom_core.errors import InvalidInput
from dom_core.messages.reading import read_json
from local.http import key_missing, presented_key
from local.keys import Keys, Level
from local.problem_documents import problem

MESSAGE_LIMIT_BYTES = 64 * 1024


class Fire(BaseModel):
    """The body of `POST /admin/functions/{name}`: the message for a queue function; a timer needs none."""

    model_config = ConfigDict(extra="forbid", strict=True)

    input: Annotated[str, Field(max_length=MESSAGE_LIMIT_BYTES)] = ""


class Host(Protocol):
    """What these routes need from the host."""

    def describe_functions(self) -> list[dict[str, Any]]:
        """Every function with its trigger."""
        ...

    def describe_status(self) -> dict[str, Any]:
        """How the host is."""
        ...

    def fire(self, name: str, body: bytes) -> bool:
        """Start a timer or queue function; False if it is neither. Raises KeyError for an unknown name."""
        ...


class AdminRoutes:
    """Adds the routes to a web application."""

    def __init__(self, host: Host, keys: Keys) -> None:
        self._host = host
        self._keys = keys

    def add_to(self, app: web.Application) -> None:
        """Register every route."""
        app.router.add_get("/admin/functions", self._functions, allow_head=False)
        app.router.add_post("/admin/functions/{name}", self._fire)
        app.router.add_get("/admin/host/status", self._status, allow_head=False)

    async def _functions(self, request: web.Request) -> web.Response:
        return self._refusal(request) or web.json_response(self._host.describe_functions())

    async def _status(self, request: web.Request) -> web.Response:
        return self._refusal(request) or web.json_response(self._host.describe_status())

    async def _fire(self, request: web.Request) -> web.Response:
        if refusal := self._refusal(request):
            return refusal
        try:
            body = _input(await request.read())
        except InvalidInput as error:
            return problem(HTTPStatus.BAD_REQUEST, str(error))
        if len(body) > MESSAGE_LIMIT_BYTES:
            return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a message has at most {MESSAGE_LIMIT_BYTES} bytes")
        return self._start(request.match_info["name"], body)

    def _start(self, name: str, body: bytes) -> web.Response:
        try:
            started = self._host.fire(name, body)
        except KeyError:
            return problem(HTTPStatus.NOT_FOUND, "there is no function of this name; GET /admin/functions lists all")
        if not started:
            return problem(HTTPStatus.BAD_REQUEST, "an HTTP function is called at its own URL")
        return web.Response(status=HTTPStatus.ACCEPTED)

    def _refusal(self, request: web.Request) -> web.Response | None:
        if self._keys.allow(Level.ADMIN, presented_key(request)):
            return None
        return key_missing(Level.ADMIN)


def _input(raw: bytes) -> bytes:
    return read_json(raw, Fire, "request").input.encode() if raw else b""
