"""What the host says when it starts."""

from collections.abc import Iterator
from typing import Any

from local.host import Host


def announcement(host: Host) -> Iterator[str]:
    """The lines to print for a started host: that it is a development host, and every function with its trigger."""
    yield "This is a development host: one machine, plain HTTP, no scale. Do not use it in production."
    if ignored := host.host_json.without_effect:
        yield f"Without effect here (host.json): {', '.join(ignored)}"
    yield ""
    yield f"Functions ({len(host.functions)}):"
    functions = host.describe_functions()
    width = max((len(function["name"]) for function in functions), default=0)
    for function in functions:
        yield f"  {function['name']:<{width}}  {_trigger(function)}"
    yield ""
    yield f"Listening on {host.url}  (Ctrl+C stops)"


def _trigger(function: dict[str, Any]) -> str:
    match function["trigger"]:
        case "http":
            return f"http   {','.join(function['methods'])} {function['url']}  [{function['level']}]"
        case "queue":
            return f"queue  {function['queue']}"
        case _:
            return f"timer  {function['schedule']}  (next {function['next']})"
