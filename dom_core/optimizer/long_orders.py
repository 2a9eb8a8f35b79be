"""What an order with many lines asks for: a few sources for all of its lines, chosen together.

Patterns cut such an order into groups that know nothing of each other: what the groups choose may use more sources
than the order is allowed, and pays for a shipment more than once. Here its sources are chosen as places for depots are
in the p-median problem: added while the next one saves more than it costs, then exchanged for others, one by one
(Teitz and Bart, 1968). What comes of it is a plan, never a bound.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from dom_core.domain.reason import BoolArray, FloatArray, IntArray
from dom_core.optimizer.cheapest import NOWHERE
from dom_core.optimizer.pattern_costs import GROUP_LINES, CostBlock, Groups
from dom_core.optimizer.prices import Prices
from dom_core.optimizer.pricing import Pricer

EXCHANGES = 1_000
"""Exchanges of one order at most; a few are usual."""

TOGETHER_TRIES = 10
"""How often an order chooses anew when its own lines take more from a cell than there is."""

LEAST_SAVING = 1e-6
"""Points that a source must save to be added or exchanged: less is what floating point makes of equal sums."""


@dataclass(frozen=True, slots=True, eq=False)
class Costs:
    """One order's costs: `together` (S) once for each source it uses, `alone` (n, S) for each line, inf where none can.

    It may use `most` sources besides those that `started` (S) before. `waiting` is what a line costs that waits.
    """

    together: FloatArray
    alone: FloatArray
    most: int
    started: BoolArray
    waiting: float

    def best(self, sources: list[int]) -> FloatArray:
        """What each line (n) costs when it may choose between these sources and waiting."""
        cheapest: FloatArray = self.alone[:, sources].min(axis=1, initial=self.waiting)
        return cheapest

    def worth(self, chosen: IntArray) -> float:
        """What these sources (n) are worth against filling nothing; no less than nothing where a line must not wait."""
        placed = np.flatnonzero(chosen != NOWHERE)
        if self.waiting and len(placed) < len(chosen):
            return 0.0
        return float(self.together[np.unique(chosen[placed])].sum() + self.alone[placed, chosen[placed]].sum())

    def savings(self, now: FloatArray) -> FloatArray:
        """What each source (S) would save lines that cost this `now` (n)."""
        saved: FloatArray = np.maximum(now[:, None] - self.alone, 0.0).sum(axis=0) - self.together
        return saved


def choose(costs: Costs) -> IntArray:
    """The source of each line (n) of one order, NOWHERE for one that waits; nothing at all where that is cheapest."""
    sources = np.flatnonzero(costs.started).tolist()
    limit = len(sources) + costs.most
    _add(costs, sources, limit)
    _exchange(costs, sources, limit)
    if not sources:
        return np.full(len(costs.alone), NOWHERE, dtype=np.int64)
    mine = costs.alone[:, sources]
    return np.where(mine.min(axis=1) < costs.waiting, np.array(sources)[mine.argmin(axis=1)], NOWHERE)


def _add(costs: Costs, sources: list[int], limit: int) -> None:
    """Add what saves most, while there is room for one more that saves anything."""
    while len(sources) < limit:
        savings = costs.savings(costs.best(sources))
        savings[sources] = -np.inf
        best = int(savings.argmax())
        if savings[best] <= LEAST_SAVING:
            return
        sources.append(best)


def _exchange(costs: Costs, sources: list[int], limit: int) -> None:
    """Give up one source, for another or for none, and take in one more, as long as that saves anything."""
    for _ in range(EXCHANGES):
        if not _exchanged(costs, sources):
            return
        _add(costs, sources, limit)


def _exchanged(costs: Costs, sources: list[int]) -> bool:
    """Make the first exchange that saves something; whether there was one."""
    now = costs.best(sources).sum()
    for gone in [source for source in sources if not costs.started[source]]:
        others = [source for source in sources if source != gone]
        without = costs.best(others)
        lost = without.sum() - now - costs.together[gone]
        savings = costs.savings(without)
        savings[sources] = -np.inf
        best = int(savings.argmax())
        if max(0.0, savings[best]) - lost > LEAST_SAVING:
            sources.remove(gone)
            if savings[best] > 0.0:
                sources.append(best)
            return True
    return False


def wishes(pricer: Pricer, prices: Prices, stock: IntArray) -> Iterator[tuple[IntArray, IntArray]]:
    """What each order with more than GROUP_LINES ordinary lines asks for: its lines (n), and the source of each (n).

    At these prices, and only from sources whose `stock` (P, S) holds whole lines.
    """
    costs = pricer.costs
    long_rows = np.flatnonzero(np.bincount(costs.order_row[~costs.write_in], minlength=len(costs.orders)) > GROUP_LINES)
    if len(long_rows):
        asked = _Asked(
            pricer, prices, stock, pricer.problem.used.sources_by_order(), pricer.problem.used.sources_by_line()
        )
        for row in long_rows.tolist():
            pricer.watch.go_on()
            yield _wish(asked, CostBlock(costs, row, row + 1))


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """What all long orders are asked with: prices, what is left, and the sources that orders and lines had before."""

    pricer: Pricer
    prices: Prices
    stock: IntArray
    by_order: Mapping[int, set[int]]
    by_line: Mapping[int, set[int]]


def _wish(asked: _Asked, block: CostBlock) -> tuple[IntArray, IntArray]:
    pricer, stock = asked.pricer, asked.stock
    rows = np.flatnonzero(~pricer.costs.write_in[block.rows])
    lines, wanted = block.lines[rows], pricer.problem.wanted[block.lines[rows]]
    costs = _priced(asked, block, rows)
    products = pricer.problem.batch.product_of[lines]
    chosen = choose(costs)
    for _ in range(TOGETHER_TRIES):
        over = _taking_too_much(chosen, products, wanted, stock)
        if not over.any():
            break
        costs.alone[over, chosen[over]] = np.inf
        chosen = choose(costs)
    return lines, chosen if costs.worth(chosen) < 0 else np.full(len(lines), NOWHERE, dtype=np.int64)


def _priced(asked: _Asked, block: CostBlock, rows: IntArray) -> Costs:
    """The costs of the lines in these rows of the block, all of one order."""
    pricer, prices = asked.pricer, asked.prices
    together, alone = block.together.copy(), (block.alone + block.charges(prices))[rows][None]
    sources, lines = alone.shape[2], block.lines[rows][None]
    shares = np.ones((1, sources))
    kind = (len(rows), int(pricer.costs.most_sources[block.rows][rows[0]]), True)
    limited = np.array([True])
    every = np.arange(sources)[None]
    groups = Groups(kind, lines, every, together, alone, shares, None, None, np.zeros(1), limited)
    pricer.rooms.charge(groups, prices.capacity, together, alone)
    alone = np.where(block.holds(asked.stock)[rows] & ~_closed(asked, lines[0]), alone[0], np.inf)
    finite = alone[np.isfinite(alone)]
    # A line that must not wait is served at any cost there is.
    dear = float(np.abs(finite).max(initial=0.0)) * len(rows) * 2 + float(together.sum()) + 1.0
    started = np.zeros(sources, dtype=bool)
    order = int(block.orders[0])
    started[sorted(asked.by_order.get(order, ()))] = True
    limit = pricer.problem.split_limits[order].max_sources
    most = sources if limit is None else max(0, limit - int(started.sum()))
    waits = bool(pricer.costs.may_wait[block.rows][rows[0]])
    return Costs(together[0], alone, most, started, 0.0 if waits else dear)


def _closed(asked: _Asked, lines: IntArray) -> BoolArray:
    """Where lines (n) that came from as many sources before as they may must not come from another one (n, S)."""
    problem = asked.pricer.problem
    closed = np.zeros((len(lines), problem.batch.shape[1]), dtype=bool)
    most = problem.split_limits[int(problem.batch.order_of[lines[0]])].max_sources_per_line
    for row, line in enumerate(lines.tolist()):
        before = asked.by_line.get(line, ())
        if most is not None and len(before) >= most:
            closed[row] = True
            closed[row, sorted(before)] = False
    return closed


def _taking_too_much(chosen: IntArray, products: IntArray, wanted: IntArray, stock: IntArray) -> BoolArray:
    """Which lines (n) ask a cell for units that lines of the same order before them have asked for."""
    over = np.zeros(len(chosen), dtype=bool)
    asked: dict[tuple[int, int], int] = {}
    for line in np.flatnonzero(chosen != NOWHERE).tolist():
        cell = int(products[line]), int(chosen[line])
        asked[cell] = asked.get(cell, 0) + int(wanted[line])
        if asked[cell] > stock[cell]:
            asked[cell] -= int(wanted[line])
            over[line] = True
    return over
