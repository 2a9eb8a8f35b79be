"""The function app as a host sees it: indexed once, called by route with the SDK's own types."""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import azure.functions as func
from azure.functions.timer import TimerRequest

import function_app

JSON = {"Content-Type": "application/json"}


@cache
def functions() -> dict[str, Any]:
    """The app's functions by name. An app object may be indexed only once."""
    return {str(function.get_function_name()): function for function in function_app.app.get_functions()}


@cache
def binding(name: str) -> dict[str, Any]:
    """The trigger of a function, as the host reads it."""
    description = json.loads(functions()[name].get_function_json())
    trigger: dict[str, Any] = description["bindings"][0]
    return trigger


def message(name: str, body: bytes, id: str = "M1") -> None:
    """Deliver a queue message to a function, as the worker does: by the name of its binding."""
    functions()[name].get_user_function()(**{binding(name)["name"]: func.QueueMessage(id=id, body=body)})


def tick(name: str) -> None:
    """Let a timer function's time come."""
    functions()[name].get_user_function()(**{binding(name)["name"]: TimerRequest()})


def call(
    method: str,
    path: str,
    content: object = None,
    *,
    raw: bytes | None = None,
    headers: Mapping[str, str] = JSON,
    params: Mapping[str, str] | None = None,
) -> func.HttpResponse:
    """Send a request to the function whose route and method fit."""
    name, route_params = routed(method, path)
    body = raw if raw is not None else b"" if content is None else json.dumps(content).encode()
    request = func.HttpRequest(
        method, f"https://dom.example/api/{path}", headers=headers, params=params, route_params=route_params, body=body
    )
    answer = functions()[name].get_user_function()(**{binding(name)["name"]: request})
    assert isinstance(answer, func.HttpResponse)
    return answer


def content_of(answer: func.HttpResponse) -> Any:
    """The JSON in an answer."""
    return json.loads(answer.get_body())


def problem_of(answer: func.HttpResponse, status: int) -> dict[str, Any]:
    """The problem document in an answer of this status."""
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json"), answer.get_body()
    problem: dict[str, Any] = content_of(answer)
    assert problem["status"] == status
    assert {"type", "title", "status", "detail"} <= problem.keys()
    return problem


def paths_of(problem: Mapping[str, Any]) -> list[str]:
    """The places that a problem document complains about."""
    return [error["path"] for error in problem["errors"]]


def routed(method: str, path: str) -> tuple[str, dict[str, str]]:
    """The function that answers this, and what its route takes from the path."""
    for name in functions():
        trigger = binding(name)
        if method in trigger.get("methods", ()) and (match := _pattern(trigger["route"]).fullmatch(path)):
            return name, match.groupdict()
    raise LookupError(f"no function answers {method} {path}")


@cache
def _pattern(route: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", route))
