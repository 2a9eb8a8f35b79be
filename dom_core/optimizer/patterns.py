"""Patterns that prices brought up: the columns of the restricted master.

A pattern is kept once. It remembers its sources, not their columns in a working set, so that the set may grow.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dom_core.domain.reason import BoolArray, FloatArray, IntArray
from dom_core.optimizer.cheapest import NOWHERE
from dom_core.optimizer.prices import DIVISORS
from dom_core.optimizer.working_set import Pass, Table, WorkingSet

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)

Hashes = npt.NDArray[np.uint64]
_NONE: Hashes = np.zeros(0, dtype=np.uint64)


@dataclass(frozen=True, slots=True, eq=False)
class Entries:
    """Which pattern takes how much of which row: scarce cells by divisor, then capacities."""

    patterns: IntArray
    rows: IntArray
    amounts: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """All patterns of a pool (N): the group that each belongs to, its cost without prices, and their entries."""

    groups: IntArray
    costs: FloatArray
    entries: Entries


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    """Patterns of one table that came up together: groups by row, the sources of their lines (N, n), their costs."""

    table: int
    rows: IntArray
    sources: IntArray
    costs: FloatArray
    shares: FloatArray


class PatternPool:
    """The patterns that came up so far, in the order in which they did."""

    def __init__(self, working: WorkingSet) -> None:
        self.working = working
        self._batches: list[_Batch] = []
        self._known: dict[int, Hashes] = {}

    def __len__(self) -> int:
        return sum(len(batch.rows) for batch in self._batches)

    def add(self, found: Pass) -> int:
        """Keep the patterns of a pass; how many were new."""
        new = 0
        for number, (table, patterns) in enumerate(zip(self.working.tables, found.patterns, strict=True)):
            rows = np.flatnonzero((patterns.places != NOWHERE).any(axis=1))
            places = patterns.places[rows]
            sources = np.where(places >= 0, table.groups.sources[rows[:, None], places], NOWHERE)
            hashes = _hashes(rows, sources)
            fresh, self._known[number] = with_new(self._known.get(number, _NONE), hashes)
            if fresh.any():
                batch = _batch(number, table, rows[fresh], places[fresh], sources[fresh])
                self._batches.append(batch)
                new += len(batch.rows)
        return new

    def columns(self) -> Columns:
        """All patterns, with what they take of the rows that the working set has now."""
        first_of = self.first_groups()
        groups = [first_of[batch.table] + batch.rows for batch in self._batches]
        costs = [batch.costs for batch in self._batches]
        counts = np.cumsum([0] + [len(batch.rows) for batch in self._batches])
        entries = [self._entries(batch, int(first)) for batch, first in zip(self._batches, counts, strict=False)]
        return Columns(_joined(groups, np.int64), _joined(costs, np.float64), all_entries(entries))

    def by_order(self, wanted: BoolArray) -> dict[int, IntArray]:
        """The patterns of these orders (O), each of which is one group: the sources of its lines (N, n)."""
        found: dict[int, IntArray] = {}
        for size in sorted({batch.sources.shape[1] for batch in self._batches}):
            some = [batch for batch in self._batches if batch.sources.shape[1] == size]
            orders = np.concatenate([self._orders_of(batch) for batch in some])
            ranks = np.argsort(orders, kind="stable")
            ranks = ranks[wanted[orders[ranks]]]
            numbers, first = np.unique(orders[ranks], return_index=True)
            sources = np.concatenate([batch.sources for batch in some])[ranks]
            found.update(zip(numbers.tolist(), np.split(sources, first[1:]), strict=False))
        return found

    def _orders_of(self, batch: _Batch) -> IntArray:
        orders: IntArray = self.working.problem.batch.order_of[
            self.working.tables[batch.table].groups.lines[batch.rows, 0]
        ]
        return orders

    def first_groups(self) -> list[int]:
        """The number of each table's first group; groups are numbered table after table. The last: how many."""
        return [0, *np.cumsum([len(table.groups.lines) for table in self.working.tables]).tolist()]

    def chosen(self, taken: BoolArray) -> IntArray:
        """The source of every line (L) with these patterns (N), NOWHERE where none of them places it."""
        chosen = np.full(self.working.problem.batch.shape[0], NOWHERE, dtype=np.int64)
        first = 0
        for batch in self._batches:
            mine = np.flatnonzero(taken[first : first + len(batch.rows)])
            lines = self.working.tables[batch.table].groups.lines[batch.rows[mine]]
            placed = batch.sources[mine] >= 0
            chosen[lines[placed]] = batch.sources[mine][placed]
            first += len(batch.rows)
        return chosen

    def _entries(self, batch: _Batch, first: int) -> Entries:
        table = self.working.tables[batch.table]
        pattern, line = np.nonzero(batch.sources >= 0)
        rows, sources = batch.rows[pattern], batch.sources[pattern, line]
        cells = self.working.cells_of(table.groups.lines[rows, line], sources)
        width = self.working.stock.shape[1]
        parts = []
        for number, taken in enumerate(table.taken):
            amounts = taken[rows, line]
            used = (cells > 0) & (amounts > 0)
            parts.append(Entries(pattern[used], number * width + cells[used], amounts[used].astype(np.float64)))
        groups = table.groups
        orders = self.working.problem.batch.order_of[groups.lines[rows, 0]]
        limited = groups.limited[rows]
        taken_by, room, shares = self.working.pricer.rooms.entries(
            pattern[limited],
            groups.lines[rows, line][limited],
            orders[limited],
            sources[limited],
            batch.shares[pattern, line][limited],
        )
        parts.append(Entries(taken_by, len(DIVISORS) * width + room, shares))
        joined = all_entries(parts)
        return Entries(first + joined.patterns, joined.rows, joined.amounts)


def _batch(number: int, table: Table, rows: IntArray, places: IntArray, sources: IntArray) -> _Batch:
    """The patterns' costs: what their lines pay alone, and once for every source what they pay together."""
    placed = places >= 0
    at = np.maximum(places, 0)
    lines = np.arange(places.shape[1])
    alone = np.where(placed, table.groups.alone[rows[:, None], lines, at], 0.0).sum(axis=1)
    visited = np.zeros((len(rows), table.groups.together.shape[1]), dtype=bool)
    pattern, line = np.nonzero(placed)
    visited[pattern, at[pattern, line]] = True
    costs = alone + np.where(visited, table.groups.together[rows], 0.0).sum(axis=1)
    if table.groups.helpers is not None:
        in_one_place = placed.all(axis=1) & (visited.sum(axis=1) == 1)
        costs += np.where(in_one_place, table.groups.helpers[rows, at[:, 0]], 0.0)
    shares = np.where(placed, table.groups.shares[rows[:, None], at], 0.0)
    return _Batch(number, rows, sources, costs, shares)


def _hashes(rows: IntArray, sources: IntArray) -> Hashes:
    """A number for each pattern. Should two be equal, one pattern is missed, and no bound is wrong for it."""
    hashes = rows.astype(np.uint64) * _MULTIPLIER
    for line in range(sources.shape[1]):
        hashes = (hashes ^ (sources[:, line] + 2).astype(np.uint64)) * _MULTIPLIER
        hashes ^= hashes >> np.uint64(29)
    return hashes


def with_new(known: Hashes, hashes: Hashes) -> tuple[BoolArray, Hashes]:
    """Which of these numbers, each there once, are new; and all that are known then, rising as those before."""
    place = np.searchsorted(known, hashes)
    fresh = place == len(known)
    fresh[~fresh] = known[place[~fresh]] != hashes[~fresh]
    rising = np.argsort(hashes[fresh], kind="stable")
    return fresh, np.insert(known, place[fresh][rising], hashes[fresh][rising])


def _joined(parts: "list[npt.NDArray[Any]]", kind: type) -> "npt.NDArray[Any]":
    return np.concatenate(parts) if parts else np.zeros(0, dtype=kind)


def all_entries(parts: list[Entries]) -> Entries:
    """These entries one after the other."""
    return Entries(
        np.concatenate([np.zeros(0, dtype=np.int64), *(part.patterns for part in parts)]),
        np.concatenate([np.zeros(0, dtype=np.int64), *(part.rows for part in parts)]),
        np.concatenate([np.zeros(0), *(part.amounts for part in parts)]),
    )
