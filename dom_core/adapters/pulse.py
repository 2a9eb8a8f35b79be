"""A pulse by the machine's time: a thread that waits between two beats."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from threading import Event, Thread


class ThreadPulse:
    """Beats on a thread of its own. It does not keep a process alive that wants to end."""

    @contextmanager
    def every(self, seconds: float, beat: Callable[[], bool]) -> Iterator[None]:
        """Call `beat` each time so many seconds have passed, until the block ends or it answers False."""
        ended = Event()

        def run() -> None:
            while not ended.wait(seconds) and beat():
                pass

        # What it asks of the store is charged to the use case in whose name it beats.
        thread = Thread(target=copy_context().run, args=(run,), name="pulse", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
