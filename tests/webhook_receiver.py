"""A receiver of webhooks on this machine, which keeps what it gets and answers what a test wants."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread


@dataclass(frozen=True, slots=True)
class Post:
    """One request as it was received."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Receiver:
    """Where it listens and what it got. `answers` are taken one after the other, then it answers 200.

    While `open` is not set it answers nobody, and drips a byte now and then to whoever waits if it is told to `drip`.
    """

    url: str
    answers: list[int] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    open: Event = field(default_factory=Event)
    drip: bool = False

    def answer(self) -> int:
        return self.answers.pop(0) if self.answers else 200


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on a free port of this machine, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): text for name, text in self.headers.items()}
            receiver.posts.append(Post(self.path, headers, body))
            if not receiver.open.is_set():
                _keep_waiting(receiver, self.wfile.write if receiver.drip else None)
                return
            status = receiver.answer()
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", receiver.url + "elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            """A redirect that is followed would come like this."""
            receiver.posts.append(Post(self.path, {}, b""))

        def log_message(self, format: str, *args: object) -> None:
            """Requests are not printed."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        receiver = Receiver(f"http://127.0.0.1:{http.server_port}/")
        receiver.open.set()
        thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield receiver
        finally:
            receiver.open.set()
            http.shutdown()
            thread.join()


def _keep_waiting(receiver: Receiver, write: Callable[[bytes], object] | None) -> None:
    """Until the receiver opens, or whoever waits has gone."""
    if write is not None:
        write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not receiver.open.wait(0.02):
        if write is not None:
            try:
                write(b"O")
            except OSError:
                return
