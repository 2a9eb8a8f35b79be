"""How many requests one caller may send: a bucket of tokens for each caller, in the memory of this process.

A request takes a token; tokens come back evenly, and a caller that was silent may send some at once. This keeps one
caller from crowding out the others on an instance. It is no limit for the whole installation: each instance counts for
itself, and how many there are changes by the minute (docs/security.md says what to put in front for that).
"""

import hashlib
import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

import azure.functions as func

from dom_core.errors import DomError
from functions.principals import Caller

BURST_S = 10
"""A caller may send at once what it may send in so many seconds."""

MOST_CALLERS = 10_000
"""Callers remembered at a time. Whoever was silent longest is forgotten first, and begins anew."""


class TooManyRequests(DomError):
    """The caller has sent more than its share; the same request may be served later."""

    retryable = True

    def __init__(self, per_minute: int, retry_after_s: int) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(
            f"You may send {per_minute:,} requests a minute. Send this one again in {retry_after_s} seconds."
        )


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: datetime


class Buckets:
    """The buckets of all callers, by the clock `now`. Any number of threads may take tokens.

    With `per_minute` 0 nobody is limited.
    """

    def __init__(self, per_minute: int, now: Callable[[], datetime], most_callers: int = MOST_CALLERS) -> None:
        self._per_minute = per_minute
        self._now = now
        self._most_callers = most_callers
        self._lock = Lock()
        self._by_caller: OrderedDict[str, _Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._by_caller)

    def take(self, caller: str) -> None:
        """Take a token of this caller's. Raises TooManyRequests when there is none."""
        if self._per_minute == 0:
            return
        with self._lock:
            bucket = self._refilled(caller)
            if bucket.tokens < 1:
                raise TooManyRequests(self._per_minute, self._wait_s(1 - bucket.tokens))
            bucket.tokens -= 1

    @property
    def _size(self) -> float:
        return max(1.0, self._per_minute * BURST_S / 60)

    def _refilled(self, caller: str) -> _Bucket:
        now = self._now()
        bucket = self._by_caller.setdefault(caller, _Bucket(self._size, now))
        self._by_caller.move_to_end(caller)
        if len(self._by_caller) > self._most_callers:
            self._by_caller.popitem(last=False)
        # A clock that was set back gives nothing, and takes nothing.
        passed_s = max(0.0, (now - bucket.at).total_seconds())
        bucket.tokens = min(self._size, bucket.tokens + passed_s * self._per_minute / 60)
        bucket.at = now
        return bucket

    def _wait_s(self, missing: float) -> int:
        return max(1, math.ceil(missing * 60 / self._per_minute))


def name_of(caller: Caller, request: func.HttpRequest) -> str:
    """Who pays for the request: whom Entra ID vouches for, or else the key by which the host let the request in.

    The host takes the key from the header if there is one there, and from the query otherwise; so do we, or a caller
    could name a new key in the other place each time. Of a key only a digest is kept.
    """
    if caller.object_id is not None:
        return caller.object_id
    key = request.headers.get("x-functions-key") or request.params.get("code", "")
    return "key " + hashlib.sha256(key.encode()).hexdigest()
