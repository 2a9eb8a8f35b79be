"""HTTP triggers: find the function, check the key, read the body, call, answer.

A path or a method that no function takes is a 404, as in the cloud; a wrong or missing key is a 401, told before the
body is read.
"""

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Protocol

import azure.functions as func
from aiohttp import web
from azure.functions.http import HttpRequest
from multidict import CIMultiDict

from local.handlers import HandlerPool
from local.indexing import HttpFunction
from local.keys import Keys, Level
from local.problem_documents import problem
from local.routes import path_parts

_SET_BY_THE_SERVER = frozenset({"content-length", "transfer-encoding", "connection", "date"})


class Pairs(Protocol):
    """A multi-valued mapping: headers or a query."""

    def items(self) -> Iterable[tuple[str, str]]:
        """Every name with every value."""
        ...


class HttpTriggers:
    """Answers requests with the HTTP functions of an app, all below one route prefix."""

    def __init__(self, functions: Iterable[HttpFunction], route_prefix: str, keys: Keys, pool: HandlerPool) -> None:
        self._functions = sorted(functions, key=lambda function: (function.route.precedence, function.name))
        self._prefix = path_parts(route_prefix.lower())
        self._keys = keys
        self._pool = pool

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The answer to any request."""
        try:
            parts = path_parts(request.rel_url.raw_path)
        except ValueError:
            return problem(HTTPStatus.BAD_REQUEST, "the path is not UTF-8 text: percent-encode it")
        found = self._find(request.method, parts)
        if found is None:
            return problem(HTTPStatus.NOT_FOUND, "no function has this path and method; GET /admin/functions lists all")
        function, route_params = found
        if not self._keys.allow(function.level, presented_key(request)):
            return key_missing(function.level)
        sdk_request = await _sdk_request(request, route_params)
        return _answer(await self._pool.run(function, sdk_request))

    def _find(self, method: str, parts: Sequence[str]) -> tuple[HttpFunction, Mapping[str, str]] | None:
        depth = len(self._prefix)
        if [part.lower() for part in parts[:depth]] != self._prefix:
            return None
        for function in self._functions:
            route_params = function.route.match(parts[depth:])
            if route_params is not None and function.takes(method):
                return function, route_params
        return None


def presented_key(request: web.Request) -> str | None:
    """The key that the caller shows: the header if there is one, else `?code=`."""
    return request.headers.get("x-functions-key", request.query.get("code"))


def key_missing(level: Level) -> web.Response:
    """The refusal of a caller without the right key; says where a key is looked for."""
    places = "send it in the header 'x-functions-key', or in the query parameter 'code'"
    return problem(HTTPStatus.UNAUTHORIZED, f"this needs a key of level '{level}': {places}")


async def _sdk_request(request: web.Request, route_params: Mapping[str, str]) -> HttpRequest:
    return HttpRequest(
        method=request.method,
        url=str(request.url),
        headers=_joined(request.headers),
        params=_joined(request.query),
        route_params=route_params,
        body_type="bytes",
        body=await request.read(),
    )


def _joined(pairs: Pairs) -> dict[str, str]:
    """One value a name, in lower or upper case as first seen; repeated ones with commas, as the cloud's host does."""
    joined: CIMultiDict[str] = CIMultiDict()
    for name, value in pairs.items():
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return dict(joined)


def _answer(result: object) -> web.Response:
    """What a handler returned, as a response. Raises TypeError for anything that the cloud refuses too."""
    if result is None:
        return web.Response(status=HTTPStatus.NO_CONTENT)
    if isinstance(result, str):
        return web.Response(text=result)
    if not isinstance(result, func.HttpResponse):
        raise TypeError(f"an HTTP function returns HttpResponse, str or None, not {type(result).__name__}")
    headers = CIMultiDict(
        (name, value) for name, value in result.headers.items() if name.lower() not in _SET_BY_THE_SERVER
    )
    if "content-type" not in headers:
        charset = f"; charset={result.charset}" if result.mimetype.startswith("text/") else ""
        headers["Content-Type"] = result.mimetype + charset
    return web.Response(status=result.status_code, body=result.get_body(), headers=headers)
