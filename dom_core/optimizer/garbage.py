"""Fewer looks for unreachable cycles of objects while a plan is made.

Python looks for them after every 700 new objects, and from time to time through all that are there. A plan of a million
lines is many millions of objects, which refer to each other in one direction only: there is nothing to find, and a look
through all of them takes seconds. So only new objects are looked at until the plan is there.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

NEW_OBJECTS = 50_000
"""So many more objects before Python looks through them for cycles. What is unreachable until then stays: some
megabytes."""

NOT_ALL = 1 << 30
"""So many looks at new objects before one at all of them: more than a plan has."""

_lock = Lock()
_plans = 0
_usual = gc.get_threshold()


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Look for cycles seldom, as long as any thread of this process is inside; then as before the first."""
    global _plans, _usual  # the collector is the process's own, and so is who is inside
    with _lock:
        if not _plans:
            _usual = gc.get_threshold()
            gc.set_threshold(NEW_OBJECTS, _usual[1], NOT_ALL)
        _plans += 1
    try:
        yield
    finally:
        with _lock:
            _plans -= 1
            if not _plans:
                gc.set_threshold(*_usual)
