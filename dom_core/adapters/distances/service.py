"""JSON over HTTP with a routing service: what went wrong, and whether asking again may help.

Addresses come from settings only. Redirects are errors: they would carry coordinates, or a key, to another host.
"""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, Request, build_opener

from dom_core import __version__
from dom_core.errors import InvalidInput, Problem, Unavailable

MAX_ANSWER_BYTES = 10_000_000

_MAY_PASS = frozenset({408, 425, 429})


class NoAnswer(Unavailable):
    """The service did not answer. `again_after_s` is the pause that it asks for, None where asking again is useless."""

    def __init__(self, message: str, again_after_s: float | None) -> None:
        self.again_after_s = again_after_s
        super().__init__(message)


class Refused(Exception):
    """The service understood and will not answer this question: a part of it may be answerable."""


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


@dataclass(frozen=True, slots=True)
class JsonService:
    """A service at a base URL. `setting` is what to check when it refuses us altogether."""

    name: str
    base_url: str
    setting: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    opener: OpenerDirector = field(default_factory=lambda: build_opener(_NoRedirects), repr=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidInput([Problem(self.setting, "must be an http or https URL")], "settings")

    def get(self, path: str, timeout_s: float) -> Any:
        """What the service says. Raises NoAnswer, Refused."""
        return self._send(path, None, timeout_s)

    def post(self, path: str, body: object, timeout_s: float) -> Any:
        """What the service says to a JSON body. Raises NoAnswer, Refused."""
        return self._send(path, json.dumps(body).encode(), timeout_s)

    def _send(self, path: str, data: bytes | None, timeout_s: float) -> Any:
        known = {"Accept": "application/json", "User-Agent": f"dom-optimizer/{__version__}"}
        if data is not None:
            known["Content-Type"] = "application/json"
        url = self.base_url.rstrip("/") + path
        request = Request(url, data, {**known, **self.headers})  # noqa: S310 - the scheme was checked at the start
        try:
            with self.opener.open(request, timeout=timeout_s) as response:
                return json.loads(response.read(MAX_ANSWER_BYTES))
        except HTTPError as error:
            with error:
                raise self._meaning(error) from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            # The error's own text may repeat the question, and so where somebody lives: only its kind is told.
            raise NoAnswer(f"{self.name} gave no answer ({type(error).__name__})", 0.0) from error

    def _meaning(self, error: HTTPError) -> Exception:
        if error.code in (401, 403):
            return NoAnswer(f"{self.name} refuses us (HTTP {error.code}): check {self.setting}", None)
        if error.code in _MAY_PASS or error.code >= 500:
            wait_s = _wanted_pause_s(error.headers.get("Retry-After", ""))
            return NoAnswer(f"{self.name} cannot answer now (HTTP {error.code})", wait_s)
        if error.code == 400:
            return Refused(f"{self.name} refuses the question (HTTP 400)")
        return NoAnswer(f"{self.name} does not know the question (HTTP {error.code}): check {self.setting}", None)


def _wanted_pause_s(text: str) -> float:
    """Seconds of a Retry-After header; nothing where it has a date or is missing."""
    return float(text) if text.isascii() and text.isdecimal() else 0.0


def unknown_shape(name: str, error: Exception) -> NoAnswer:
    """The service answered with something else than distances: another version, or another service."""
    return NoAnswer(f"{name} answered in an unknown shape ({type(error).__name__})", None)


def whole_metres(metres: float | None) -> int | None:
    """A distance of an answer in whole metres. Raises ValueError for what is no distance."""
    if metres is None:
        return None
    if isinstance(metres, bool) or not isinstance(metres, int | float) or not 0 <= metres < 1e8:
        raise ValueError("not a distance")
    return round(metres)
