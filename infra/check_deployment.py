"""Check what was deployed: every function is there, and the app says that it works.

    az functionapp function list -g GROUP -n APP --query '[].name' -o tsv | python -m infra.check_deployment URL

A deployment can succeed and leave an app without functions, so their names are compared with those of this checkout.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from http import HTTPStatus
from typing import Any, TextIO
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

PATIENCE_S = 300
"""How long the app may take to become healthy: a cold start, and a new role takes minutes to be known everywhere."""

PAUSE_S = 5
ANSWER_LIMIT_S = 60

Ask = Callable[[str], tuple[int, str]]
"""Asks a URL; the status and the body of the answer. Status 0: no answer."""


def main(arguments: Sequence[str] | None = None, names: TextIO = sys.stdin) -> None:
    """Exit with what is wrong, or say that nothing is."""
    parser = argparse.ArgumentParser(prog="python -m infra.check_deployment", description=__doc__.partition("\n")[0])
    parser.add_argument("url", help="the app's address, like https://NAME.azurewebsites.net")
    url = parser.parse_args(arguments).url
    if missing := missing_functions(names.read().split(), expected_functions()):
        sys.exit(f"Deployed without: {', '.join(missing)}. The app's log says why; often an import failed.")
    if complaint := unhealthy(f"{url.rstrip('/')}/api/health", ask):
        sys.exit(complaint)
    sys.stdout.write("Every function is deployed, and the app is healthy.\n")


def expected_functions() -> set[str]:
    """The names of the functions of this checkout."""
    from function_app import app

    return {str(function.get_function_name()) for function in app.get_functions()}


def missing_functions(deployed: Iterable[str], expected: Iterable[str]) -> list[str]:
    """Expected functions that were not deployed. Azure names them `app/function`."""
    return sorted(set(expected) - {name.rpartition("/")[2] for name in deployed})


def unhealthy(
    health_url: str,
    ask: Ask,
    *,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> str | None:
    """What is wrong once patience has run out; None as soon as the app is healthy."""
    deadline = clock() + PATIENCE_S
    while True:
        status, body = ask(health_url)
        if status == HTTPStatus.OK:
            return None
        if clock() >= deadline:
            return f"{health_url} answered {status or 'nothing'} for {PATIENCE_S} s. Last: {_shown(body)}"
        pause(PAUSE_S)


def ask(url: str) -> tuple[int, str]:
    """The status and the body of the answer. Status 0: no answer."""
    if not url.startswith(("https://", "http://127.0.0.1:")):
        raise ValueError(f"'{url}' does not begin with https://")
    try:
        with urlopen(Request(url), timeout=ANSWER_LIMIT_S) as answer:  # noqa: S310 - the scheme is checked above
            return answer.status, answer.read().decode(errors="replace")
    except HTTPError as error:
        with error:
            return error.code, error.read().decode(errors="replace")
    except (URLError, TimeoutError, ConnectionError) as error:
        return 0, str(error)


def _shown(body: str) -> str:
    """The answer in one short line."""
    try:
        parsed: Any = json.loads(body)
    except ValueError:
        return body[:200]
    return json.dumps(parsed)[:500]


if __name__ == "__main__":
    main()
