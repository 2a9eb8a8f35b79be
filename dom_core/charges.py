"""What requests cost: request units (RU) of Cosmos DB, counted for the use case that caused them.

Whoever runs a use case names it with `charged_to`; the store tells a recorder what each request cost. A use case inside
another has an account of its own, so that nothing is counted twice. Threads that a use case starts pay from its account
when they run in a copy of its context (`contextvars.copy_context`).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import Lock
from typing import Protocol

from dom_core.ports import Container

NO_USE_CASE = "none"


@dataclass(slots=True)
class Account:
    """What one execution of a use case has asked of the store so far. Any number of threads may charge it."""

    use_case: str
    requests: int = 0
    request_units: float = 0.0
    _lock: Lock = field(default_factory=Lock, repr=False)

    def add(self, request_units: float) -> None:
        """One request more."""
        with self._lock:
            self.requests += 1
            self.request_units += request_units


_account: ContextVar[Account | None] = ContextVar("account", default=None)


@contextmanager
def charged_to(use_case: str) -> Iterator[Account]:
    """Requests of this thread or task are charged to the use case until the block ends. Its account."""
    account = Account(use_case)
    token = _account.set(account)
    try:
        yield account
    finally:
        _account.reset(token)


def current_use_case() -> str:
    """The use case that pays for requests now."""
    account = _account.get()
    return account.use_case if account else NO_USE_CASE


@dataclass(frozen=True, slots=True)
class Charge:
    """One request that the store answered."""

    use_case: str
    container: Container
    operation: str
    request_units: float


def charge(container: Container, operation: str, request_units: float) -> Charge:
    """Charge a request to whoever pays now."""
    account = _account.get()
    if account is not None:
        account.add(request_units)
    return Charge(current_use_case(), container, operation, request_units)


class ChargeRecorder(Protocol):
    """Who wants to know of charges. Called from the thread of the request, so it must be quick."""

    def record(self, charge: Charge, /) -> None:
        """Take note of one charge."""
        ...


@dataclass(frozen=True, slots=True)
class Total:
    """How many requests there were, and what they cost together."""

    requests: int = 0
    request_units: float = 0.0

    def plus(self, request_units: float) -> "Total":
        """This total and one request more."""
        return Total(self.requests + 1, self.request_units + request_units)


class ChargeTotals:
    """Adds charges up since the process began. Any number of threads may record."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._totals: dict[tuple[str, str], Total] = {}

    def record(self, charge: Charge) -> None:
        """Add one charge."""
        key = (charge.use_case, charge.operation)
        with self._lock:
            self._totals[key] = self._totals.get(key, Total()).plus(charge.request_units)

    def by_use_case_and_operation(self) -> Mapping[tuple[str, str], Total]:
        """The totals so far, by use case and operation (read, create, replace, delete, batch, query)."""
        with self._lock:
            return dict(sorted(self._totals.items()))
