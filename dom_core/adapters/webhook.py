"""The receiver of webhooks, over HTTP. Its address comes from the settings and from nowhere else."""

import http.client
from collections.abc import Mapping
from threading import Timer
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
            watch = Timer(self._limit_s, connection.sock.close)
            watch.daemon = True
            watch.start()
            try:
                return self._ask(connection, body, headers)
            finally:
                watch.cancel()
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


def from_settings(settings: "Settings") -> HttpWebhook | None:
    """The receiver that the settings name, if they name one."""
    return HttpWebhook(settings.webhook_url) if settings.webhook_url else None
