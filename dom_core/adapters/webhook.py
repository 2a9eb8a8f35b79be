"""The receiver of webhooks, over HTTP. Its address comes from the settings and from nowhere else."""

import http.client
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Event, Timer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dom_core import __version__
from dom_core.errors import Unavailable

if TYPE_CHECKING:
    from dom_core.settings import Settings

USER_AGENT = f"dom-optimizer/{__version__}"
"""How we introduce ourselves to the receiver."""


class HttpWebhook:
    """Posts to one address. Implements `ports.WebhookReceiver`.

    No redirect is followed and nothing but the status is read of an answer. `timeout_s` is for each wait, `limit_s` for
    the whole answer: a receiver that answers a byte at a time keeps nobody.
    """

    def __init__(self, url: str, *, timeout_s: float = 10.0, limit_s: float = 20.0) -> None:
        parts = urlsplit(url)
        self._secure = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._timeout_s = timeout_s
        self._limit_s = limit_s

    def post(self, body: bytes, headers: Mapping[str, str]) -> int:
        """The HTTP status of the receiver's answer. Raises Unavailable when there is none in time.

        The error names neither the address, which may hold a key, nor anything that the receiver said.
        """
        connection = self._connection()
        try:
            connection.connect()
            with _hanging_up(connection.sock, self._limit_s):
                return self._ask(connection, body, headers)
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise Unavailable(f"no answer from the receiver ({type(error).__name__})") from error
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        if self._secure:
            return http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout_s)
        return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout_s)

    def _ask(self, connection: http.client.HTTPConnection, body: bytes, headers: Mapping[str, str]) -> int:
        ours = {"Content-Type": "application/json", "User-Agent": USER_AGENT}
        connection.request("POST", self._target, body, {**ours, **headers})
        return connection.getresponse().status


@contextmanager
def _hanging_up(line: socket.socket, limit_s: float) -> Iterator[None]:
    """End whatever waits for the line in the block after so many seconds. Raises TimeoutError when it came to that."""
    late = Event()

    def hang_up() -> None:
        late.set()
        with suppress(OSError):  # it has ended meanwhile
            line.shutdown(socket.SHUT_RDWR)  # closing would not wake the reader

    watch = Timer(limit_s, hang_up)
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()
        if late.is_set():
            # What was read till then may look like an answer.
            raise TimeoutError


def from_settings(settings: "Settings") -> HttpWebhook | None:
    """The receiver that the settings name, if they name one."""
    return HttpWebhook(settings.webhook_url) if settings.webhook_url else None
