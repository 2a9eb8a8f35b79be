"""A proxy in front of a real server that gets into trouble when told to."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

HOP_BY_HOP = frozenset({"connection", "transfer-encoding", "content-length", "keep-alive"})


@dataclass(frozen=True, slots=True)
class Trouble:
    """What happens to one request instead of being served.

    `done`: the server does it, and only its answer is lost. `meanwhile` is called in between. Status 0 breaks the
    connection.
    """

    status: int
    done: bool = False
    retry_after_ms: int | None = None
    body: bytes = b"{}"
    meanwhile: Callable[[], object] = lambda: None


@dataclass(slots=True)
class Proxy:
    """Where the proxy listens, what goes wrong next (for requests whose path has `about` in it), what was asked.

    `always` is asked after that, with the request's line (`POST /…`), whatever its path.
    """

    url: str
    about: str
    troubles: deque[Trouble] = field(default_factory=deque)
    served: list[str] = field(default_factory=list)
    always: Callable[[str], Trouble | None] = lambda _: None

    def then(self, *troubles: Trouble) -> None:
        """The next requests meet these troubles, in this order."""
        self.troubles.extend(troubles)

    def next_trouble(self, method: str, path: str) -> Trouble | None:
        """The trouble of a request; None if it is served."""
        if self.troubles and self.about in path:
            return self.troubles.popleft()
        return self.always(f"{method} {path}")

    @property
    def port(self) -> int:
        """The port of the URL."""
        return urlsplit(self.url).port or 0


@contextmanager
def proxy_before(target: str, port: int = 0, about: str = "/docs") -> Iterator[Proxy]:
    """A proxy on a free port of this machine, until the block ends."""
    host = urlsplit(target).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            trouble = proxy.next_trouble(self.command, self.path)
            if trouble is None:
                self._forward(body)
                return
            if trouble.done:
                self._ask(body)
            trouble.meanwhile()
            if trouble.status == 0:
                self.close_connection = True
            else:
                self._answer(trouble.status, _headers_of(trouble), trouble.body)

        do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - names that the base class calls

        def _forward(self, body: bytes) -> None:
            status, headers, content = self._ask(body)
            self._answer(status, headers, content)

        def _ask(self, body: bytes) -> tuple[int, Sequence[tuple[str, str]], bytes]:
            proxy.served.append(f"{self.command} {self.path}")
            connection = HTTPConnection(host, timeout=30)
            try:
                connection.request(self.command, self.path, body, dict(self.headers.items()))
                return _read(connection.getresponse())
            finally:
                connection.close()

        def _answer(self, status: int, headers: Sequence[tuple[str, str]], content: bytes) -> None:
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Requests are not printed."""

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as http:
        http.daemon_threads = True
        proxy = Proxy(f"http://127.0.0.1:{http.server_port}/", about)
        thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield proxy
        finally:
            http.shutdown()
            thread.join()


def _read(response: HTTPResponse) -> tuple[int, Sequence[tuple[str, str]], bytes]:
    headers = [(name, value) for name, value in response.getheaders() if name.lower() not in HOP_BY_HOP]
    return response.status, headers, response.read()


def _headers_of(trouble: Trouble) -> Sequence[tuple[str, str]]:
    headers = [("Content-Type", "application/json")]
    if trouble.retry_after_ms is not None:
        headers.append(("x-ms-retry-after-ms", str(trouble.retry_after_ms)))
    return headers
