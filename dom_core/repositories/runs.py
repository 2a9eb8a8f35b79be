"""Runs: a record per run, when each strategy last began one, and the lease, whose fence number only grows."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from dom_core.domain.ids import RunId, StrategyId
from dom_core.domain.run import Lease, Run, RunState
from dom_core.domain.units import UtcTime
from dom_core.errors import Busy, LeaseLost, NotFound
from dom_core.messages.reading import write_value
from dom_core.ports import Body, Container, Document, DocumentStore
from dom_core.repositories.reading import Slice, Versioned, deciding_again, every, read_stored

_KIND_RUN = "run"
_KIND_LEASE = "lease"
_KIND_START = "start"

_LEASE = "_lease"
"""Partition and id of the lease. A run's id never begins like this: ids begin with a letter or a digit."""


class Runs:
    """The stored runs and the lease."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store

    def find(self, run_id: RunId) -> Versioned[Run] | None:
        """The run, if it is stored."""
        document = self._store.read(Container.RUNS, run_id, run_id)
        return Versioned(_read(document), document.etag) if document else None

    def get(self, run_id: RunId) -> Versioned[Run]:
        """The run. Raises NotFound."""
        found = self.find(run_id)
        if found is None:
            raise NotFound("run", run_id)
        return found

    def create(self, run: Run) -> Versioned[Run]:
        """Store a new run. Raises AlreadyExists."""
        return Versioned(run, self._store.create(Container.RUNS, run.id, run.id, _body(run)).etag)

    def change(self, run_id: RunId, change: Callable[[Run], Run]) -> Run:
        """Store what `change` makes of the run, however often others write meanwhile. Raises NotFound."""
        return deciding_again(lambda: self._change(run_id, change))

    def _change(self, run_id: RunId, change: Callable[[Run], Run]) -> Run:
        stored = self.get(run_id)
        run = change(stored.value)
        self._store.replace(Container.RUNS, run_id, run_id, _body(run), stored.etag)
        return run

    def page(self, limit: int, continuation: str | None) -> Slice[Run]:
        """Some of the runs."""
        page = self._store.query(Container.RUNS, where={"kind": _KIND_RUN}, limit=limit, continuation=continuation)
        return Slice(tuple(_read(document) for document in page.documents), page.continuation)

    def in_state(self, state: RunState) -> Iterator[Run]:
        """The runs in this state."""
        found = every(self._store, Container.RUNS, where={"kind": _KIND_RUN, "state": state})
        return (_read(document) for document in found)

    def lease(self) -> Lease | None:
        """The newest lease, expired or not."""
        document = self._store.read(Container.RUNS, _LEASE, _LEASE)
        return _read_lease(document) if document else None

    def take_lease(self, holder: str, now: datetime, lease_s: int) -> Lease:
        """A lease with a fence higher than any before. Raises Busy while somebody else holds one.

        The same holder may take its own lease again: whoever had it before is fenced off.
        """
        return deciding_again(lambda: self._take(holder, now, lease_s))

    def _take(self, holder: str, now: datetime, lease_s: int) -> Lease:
        document = self._store.read(Container.RUNS, _LEASE, _LEASE)
        held = _read_lease(document) if document else None
        if held and held.holder != holder and held.is_held(now):
            raise Busy(f"planning is held by '{held.holder}' until {held.expires_at:%H:%M:%S} UTC at the latest")
        fence = held.fence + 1 if held else 1
        lease = Lease(holder, fence, taken_at=now, expires_at=now + timedelta(seconds=lease_s))
        if document is None:
            self._store.create(Container.RUNS, _LEASE, _LEASE, _lease_body(lease))
        else:
            self._store.replace(Container.RUNS, _LEASE, _LEASE, _lease_body(lease), document.etag)
        return lease

    def renew_lease(self, lease: Lease, now: datetime, lease_s: int) -> Lease:
        """The same lease for longer. Raises LeaseLost when somebody took a higher fence."""
        return self._write_own(replace(lease, expires_at=now + timedelta(seconds=lease_s)))

    def release_lease(self, lease: Lease, now: datetime) -> None:
        """Let others plan at once. The fence stays. Raises LeaseLost when somebody took a higher one."""
        self._write_own(replace(lease, expires_at=now, released=True))

    def _write_own(self, lease: Lease) -> Lease:
        return deciding_again(lambda: self._write_own_once(lease))

    def _write_own_once(self, lease: Lease) -> Lease:
        document = self._store.read(Container.RUNS, _LEASE, _LEASE)
        if document is None or _read_lease(document).fence != lease.fence:
            raise LeaseLost(f"'{lease.holder}' took too long, and somebody else took over: fence {lease.fence} is old")
        self._store.replace(Container.RUNS, _LEASE, _LEASE, _lease_body(lease), document.etag)
        return lease

    def last_start(self, strategy_id: StrategyId) -> datetime | None:
        """When a run of the strategy last began."""
        document = self._store.read(Container.RUNS, *_start_key(strategy_id))
        return read_stored(document.body["at"], UtcTime, f"stored start of {strategy_id}") if document else None

    def note_start(self, strategy_id: StrategyId, at: datetime) -> None:
        """A run of the strategy begins."""
        deciding_again(lambda: self._note_start(strategy_id, {"kind": _KIND_START, "at": write_value(at, UtcTime)}))

    def _note_start(self, strategy_id: StrategyId, body: Body) -> None:
        key = _start_key(strategy_id)
        document = self._store.read(Container.RUNS, *key)
        if document is None:
            self._store.create(Container.RUNS, *key, body)
        else:
            self._store.replace(Container.RUNS, *key, body, document.etag)

    def every(self) -> Iterator[Versioned[Run]]:
        """All runs."""
        found = every(self._store, Container.RUNS, where={"kind": _KIND_RUN})
        return (Versioned(_read(document), document.etag) for document in found)

    def delete(self, run: Versioned[Run]) -> None:
        """Remove a run. Raises StoreConflict when it changed since it was read."""
        self._store.delete(Container.RUNS, run.value.id, run.value.id, run.etag)


def _start_key(strategy_id: StrategyId) -> tuple[str, str]:
    return (f"_start-{strategy_id}", f"_start-{strategy_id}")


def _body(run: Run) -> Body:
    return {"kind": _KIND_RUN, "strategy_id": run.strategy_id, "state": run.state, "run": write_value(run, Run)}


def _read(document: Document) -> Run:
    return read_stored(document.body["run"], Run, f"stored run {document.id}")


def _lease_body(lease: Lease) -> Body:
    return {"kind": _KIND_LEASE, "lease": write_value(lease, Lease)}


def _read_lease(document: Document) -> Lease:
    return read_stored(document.body["lease"], Lease, f"stored lease {document.id}")
