"""Requests side by side: many documents are read or written in the time that a few would take one after the other."""

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def side_by_side(
    work: Callable[[T], R], items: Iterable[T], *, at_once: int, before: Callable[[], None] = lambda: None
) -> list[R]:
    """What `work` makes of each item, in the order of the items; at most `at_once` items are worked on at a time.

    `before` is called before each item begins, by the caller's own thread. After an error (of either) nothing new
    begins; it is raised once everything that has begun has ended. Of several errors that of the first item is raised.
    With `at_once=1` no thread is used. Work sees the caller's context: requests are charged to the same use case.
    """
    if at_once == 1:
        return [_next_to(before, work, item) for item in items]
    done: list[R] = []
    with ThreadPoolExecutor(at_once, thread_name_prefix="side-by-side") as threads:
        begun: deque[Future[R]] = deque()
        try:
            for item in items:
                if len(begun) == at_once:
                    done.append(begun.popleft().result())
                before()
                begun.append(threads.submit(copy_context().run, work, item))
            done += [future.result() for future in begun]
        finally:
            # Those that wait for a thread have not begun.
            threads.shutdown(cancel_futures=True)
    return done


def _next_to(before: Callable[[], None], work: Callable[[T], R], item: T) -> R:
    before()
    return work(item)
