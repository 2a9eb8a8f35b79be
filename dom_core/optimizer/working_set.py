"""The most promising sources of every group, as padded arrays: what prices are searched on.

A pass over all pairs of 100,000 lines × 1,000 sources takes seconds, a pass over a working set a fraction of one. A
working set alone proves nothing: at the end a pass over all pairs does, and adds what is missing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from dom_core.domain.reason import BoolArray, FloatArray, IntArray
from dom_core.optimizer.cheapest import Patterns, cheapest_patterns
from dom_core.optimizer.pattern_costs import Groups, Kind
from dom_core.optimizer.prices import DIVISORS, Prices, rounded_parts
from dom_core.optimizer.pricing import Priced, Pricer
from dom_core.optimizer.promising import Kept, PriceAll, priced_here


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The groups of one kind: without prices, and the scarce cell of every pair (G, n, K), 0 where nothing is scarce.

    `taken` (G, n) per divisor: what a line takes of its cell. `offered` (G, K): the sources that are no padding.
    """

    groups: Groups
    offered: BoolArray
    cells: IntArray
    taken: tuple[IntArray, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Multipliers:
    """Prices on the rows of a working set: `cells` (T, C) by divisor, `room` (number of capacities)."""

    cells: FloatArray
    room: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Pass:
    """What a working set says at prices: patterns per table, their value, and what they take of each row.

    `value` is no bound of the problem: sources outside the set could serve better.
    """

    multipliers: Multipliers
    patterns: tuple[Patterns, ...]
    value: float
    use: Multipliers


class WorkingSet:
    """Promising sources of all groups of a pricer, found by passes over all pairs; it only grows."""

    def __init__(self, pricer: Pricer, price_all: PriceAll = priced_here) -> None:
        self.pricer, self.problem, self._price_all = pricer, pricer.problem, price_all
        self.tables: tuple[Table, ...] = ()
        self.products = self.sources = np.zeros(1, dtype=np.int64)
        self.stock = np.zeros((len(DIVISORS), 1))
        self._sources_of: dict[Kind, IntArray] = {}

    def grow(self, prices: Prices) -> Priced:
        """Price all pairs, and keep the sources that are promising at these prices besides those already kept."""
        blocks = self._price_all(self.pricer, prices, self._sources_of)
        kept: dict[Kind, list[Kept]] = {}
        for block in blocks:
            for one in block.seen:
                kept.setdefault(one.groups.kind, []).append(one)
        self._rebuild(kept)
        return self.pricer.together(blocks, prices)

    def price(self, at: Multipliers) -> Pass:
        """The best patterns within the set."""
        patterns, use, room = [], np.zeros_like(at.cells), np.zeros_like(at.room)
        value = self.pricer.constant - float((at.cells * self.stock).sum() + (at.room * self.pricer.rooms.room).sum())
        for table in self.tables:
            self.pricer.watch.go_on()
            found = cheapest_patterns(table.groups.kind, *self._at(table, at))
            patterns.append(found)
            value += float(found.worth.sum())
            use += self.use_of(table, found.places)
            room += self.pricer.rooms.use(table.groups, found.places)
        return Pass(at, tuple(patterns), value, Multipliers(use, room))

    def use_of(self, table: Table, places: IntArray) -> FloatArray:
        """What patterns take of each scarce cell (T, C)."""
        rows, lines = np.nonzero(places >= 0)
        cells = table.cells[rows, lines, places[rows, lines]]
        count = len(self.products)
        use = np.stack([np.bincount(cells, weights=taken[rows, lines], minlength=count) for taken in table.taken])
        use[:, 0] = 0.0
        return use.astype(np.float64)

    def nothing_scarce(self) -> Multipliers:
        """All prices zero."""
        return Multipliers(np.zeros((len(DIVISORS), len(self.products))), np.zeros(self.pricer.rooms.count))

    def rows(self) -> int:
        """How many rows there are: scarce cells by divisor, then capacities."""
        return self.stock.size + self.pricer.rooms.count

    def row_names(self) -> IntArray:
        """A number for each row that it keeps when the set grows: of its cell and divisor, or of its capacity."""
        products, width = len(self.problem.batch.products), self.problem.batch.shape[1]
        cells = 1 + self.products * width + self.sources
        divisors = np.arange(len(DIVISORS)) * (products * width + 1)
        return np.concatenate(((divisors[:, None] + cells).ravel(), -1 - np.arange(self.pricer.rooms.count)))

    def shaped(self, rows: FloatArray) -> Multipliers:
        """Prices of all rows, one after the other, as multipliers."""
        return Multipliers(rows[: self.stock.size].reshape(self.stock.shape), rows[self.stock.size :])

    def multipliers(self, prices: Prices) -> Multipliers:
        """These prices on the rows of the set. Cells outside are forgotten."""
        width = self.problem.batch.shape[1]
        keys = self.products[1:] * width + self.sources[1:]
        at = self.nothing_scarce()
        for row, divisor in enumerate(DIVISORS):
            mine = prices.divisors == divisor
            wanted = prices.products[mine] * width + prices.sources[mine]
            place = np.searchsorted(keys, wanted)
            found = place < len(keys)
            found[found] = keys[place[found]] == wanted[found]
            at.cells[row, 1 + place[found]] = prices.points[mine][found]
        return Multipliers(at.cells, prices.capacity.copy())

    def cells_of(self, lines: IntArray, sources: IntArray) -> IntArray:
        """The numbers of the cells that these pairs draw on; 0 where nothing is scarce."""
        width = self.problem.batch.shape[1]
        keys = self.products[1:] * width + self.sources[1:]
        wanted = self.problem.batch.product_of[lines].astype(np.int64) * width + sources
        place = np.searchsorted(keys, wanted)
        found = place < len(keys)
        found[found] = keys[place[found]] == wanted[found]
        return np.where(found, place + 1, 0)

    def prices(self, at: Multipliers) -> Prices:
        """These multipliers as prices of cells."""
        rows, cells = np.nonzero(at.cells > 0)
        divisors = np.array(DIVISORS)[rows]
        return Prices.of(self.products[cells], self.sources[cells], divisors, at.cells[rows, cells], at.room)

    def _at(self, table: Table, at: Multipliers) -> tuple[FloatArray, FloatArray, FloatArray | None]:
        """Costs together, alone, and of helpers, at prices."""
        alone = table.groups.alone.copy()
        for prices, taken in zip(at.cells, table.taken, strict=True):
            if prices.any() and taken.any():
                _charge(alone, prices, table.cells, taken)
        together = table.groups.together.copy()
        self.pricer.rooms.charge(table.groups, at.room, together, alone)
        helpers = None if table.groups.helpers is None else table.groups.helpers_at(at.cells[0][table.cells])
        return together, alone, helpers

    def _rebuild(self, kept: dict[Kind, list[Kept]]) -> None:
        joined = {kind: _joined(parts) for kind, parts in kept.items()}
        self._sources_of = {kind: np.where(one.offered, one.groups.sources, -1) for kind, one in joined.items()}
        tables = [self._table(one) for one in joined.values()]
        self._number_cells(tables)

    def _table(self, one: Kept) -> Table:
        rows = np.searchsorted(self.pricer.costs.lines, one.groups.lines)
        products = self.problem.batch.product_of[one.groups.lines].astype(np.int64)
        keys = products[:, :, None] * self.problem.batch.shape[1] + one.groups.sources[:, None, :]
        keys = np.where(np.isfinite(one.groups.alone), keys, -1)
        return Table(one.groups, one.offered, keys, tuple(self.pricer.costs.taken(rows)))

    def _number_cells(self, tables: Sequence[Table]) -> None:
        """Number the cells that could be asked for more than they hold; position 0 stands for all others."""
        every = [np.zeros(0, dtype=np.int64)]
        wanted = [np.zeros(0, dtype=np.int64)]
        for table in tables:
            asked = table.cells >= 0
            every.append(table.cells[asked])
            wanted.append(np.broadcast_to(table.taken[0][:, :, None], table.cells.shape)[asked])
        keys, place = np.unique(np.concatenate(every), return_inverse=True)
        demand = np.bincount(place, weights=np.concatenate(wanted), minlength=len(keys))
        products, sources = np.divmod(keys, max(1, self.problem.batch.shape[1]))
        stock = self.problem.stock[products, sources]
        scarce = np.flatnonzero(demand > stock)
        number = np.zeros(len(keys), dtype=np.int64)
        number[scarce] = 1 + np.arange(len(scarce))
        self.products = np.concatenate(([0], products[scarce]))
        self.sources = np.concatenate(([-1], sources[scarce]))
        stock = np.concatenate(([0], stock[scarce])).astype(np.int64)
        self.stock = np.stack([rounded_parts(stock, divisor) for divisor in DIVISORS]).astype(np.float64)
        places = np.split(place, np.cumsum([len(part) for part in every])[:-1])[1:]
        self.tables = tuple(replace(t, cells=_numbered(t, number, own)) for t, own in zip(tables, places, strict=True))


def _charge(alone: FloatArray, prices: FloatArray, cells: IntArray, taken: IntArray) -> None:
    """Add what lines pay for their cells. Few lines want enough units to pay for rounded parts."""
    rows = np.flatnonzero(taken.any(axis=1))
    if 2 * len(rows) > len(taken):
        alone += prices[cells] * taken[:, :, None]
    else:
        alone[rows] += prices[cells[rows]] * taken[rows][:, :, None]


def _numbered(table: Table, number: IntArray, places: IntArray) -> IntArray:
    cells = np.zeros(table.cells.shape, dtype=np.int64)
    cells[table.cells >= 0] = number[places]
    return cells


def _joined(parts: Sequence[Kept]) -> Kept:
    """Blocks of groups of one kind as one, as wide as the widest."""
    width = max(part.offered.shape[1] for part in parts)
    groups = [part.groups for part in parts]
    helpers = short = None
    if any(one.helpers is not None for one in groups):
        zeros = [np.zeros(one.together.shape) if one.helpers is None else one.helpers for one in groups]
        nowhere = [np.zeros(one.alone.shape, dtype=bool) if one.short is None else one.short for one in groups]
        helpers, short = _padded(zeros, width, 0.0), _padded(nowhere, width, False)
    return Kept(
        Groups(
            kind=groups[0].kind,
            lines=np.concatenate([one.lines for one in groups]),
            sources=_padded([one.sources for one in groups], width, 0),
            together=_padded([one.together for one in groups], width, 0.0),
            alone=_padded([one.alone for one in groups], width, np.inf),
            shares=_padded([one.shares for one in groups], width, 0.0),
            helpers=helpers,
            short=short,
            unit_gains=np.concatenate([one.unit_gains for one in groups]),
            limited=np.concatenate([one.limited for one in groups]),
        ),
        _padded([part.offered for part in parts], width, False),
    )


def _padded(arrays: "Sequence[npt.NDArray[Any]]", width: int, value: float) -> "npt.NDArray[Any]":
    """Arrays below each other, their last axes filled up to one width."""
    missing = [[(0, 0)] * (array.ndim - 1) + [(0, width - array.shape[-1])] for array in arrays]
    return np.concatenate([np.pad(a, m, constant_values=value) for a, m in zip(arrays, missing, strict=True)])
