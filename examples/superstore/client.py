"""A storefront's view of the app: a small HTTP client with the standard library only."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

Json = Any


class CallFailed(Exception):
    """The app refused a call, or did not answer."""


@dataclass(frozen=True)
class Client:
    """Calls the app under `base_url` (without /api) with a function key."""

    base_url: str
    key: str

    def get(self, path: str, **query: str) -> Json:
        """The JSON answer of a GET."""
        return self._call("GET", f"{path}?{urlencode(query)}" if query else path)

    def post(self, path: str, body: Json) -> Json:
        """The JSON answer of a POST."""
        return self._call("POST", path, body)

    def put(self, path: str, body: Json) -> Json:
        """The JSON answer of a PUT."""
        return self._call("PUT", path, body)

    def pages(self, path: str, **query: str) -> Iterator[Json]:
        """Every item of a list, page after page."""
        continuation: dict[str, str] = {}
        while True:
            page = self.get(path, **query, **continuation)
            yield from page["items"]
            if not page["continuation"]:
                return
            continuation = {"continuation": page["continuation"]}

    def wait_for(self, path: str, done: Callable[[Json], bool], limit_s: float = 120) -> Json:
        """Ask again until the answer is as wanted. Raises CallFailed after `limit_s` seconds."""
        deadline = time.monotonic() + limit_s
        while time.monotonic() < deadline:
            answer = self.get(path)
            if done(answer):
                return answer
            time.sleep(0.2)
        raise CallFailed(f"{path} did not get there within {limit_s:.0f} s")

    def run_and_wait(self, strategy_id: str) -> Json:
        """Ask for a run and wait for its end. Raises CallFailed when it fails."""
        asked = self.post(f"strategies/{strategy_id}/run", {"who": "example"})
        run = self.wait_for(f"runs/{asked['run_id']}", lambda run: run["state"] in ("finished", "failed"))
        if run["state"] == "failed":
            raise CallFailed(f"run {run['id']} failed: {run['error']}")
        return run

    def wait_until_up(self, limit_s: float = 60) -> None:
        """Wait for the first answer of /health. Raises CallFailed when there is none."""
        deadline = time.monotonic() + limit_s
        while time.monotonic() < deadline:
            try:
                self.get("health")
            except CallFailed:
                time.sleep(0.1)
            else:
                return
        raise CallFailed(f"nothing answers at {self.base_url}")

    def _call(self, method: str, path: str, body: Json = None) -> Json:
        url = f"{self.base_url}/api/{path}"
        data = None if body is None else json.dumps(body).encode()
        headers = {"x-functions-key": self.key, "content-type": "application/json"}
        request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310  # the address is our own
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310  # as above
                raw = answer.read()
        except urllib.error.HTTPError as error:
            raise CallFailed(f"{method} {path}: {error.code} {error.read().decode(errors='replace')[:2000]}") from error
        except (urllib.error.URLError, OSError) as error:
            raise CallFailed(f"{method} {path}: {error}") from error
        return json.loads(raw) if raw else None
