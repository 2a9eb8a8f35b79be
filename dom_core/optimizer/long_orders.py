"""What an order with many lines asks for: a few sources for all of its lines, chosen together.

Patterns cut such an order into groups that know nothing of each other: what the groups choose may use more sources
than the order is allowed, and pays for a shipment more than once. Here its sources are chosen as places for depots are
in the p-median problem: added while the next one saves more than it costs, then exchanged for others, one by one
(Teitz and Bart, 1968). Shorter orders that were crowded out are asked in the same way: unlike a pattern, it looks at
how much room is left. What comes of it is a plan, never a bound.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from dom_core.domain.reason import BoolArray, FloatArray, IntArray
from dom_core.optimizer.cheapest import NOWHERE
from dom_core.optimizer.pattern_costs import GROUP_LINES, CostBlock, Groups
from dom_core.optimizer.prices import Prices
from dom_core.optimizer.pricing import Pricer
from dom_core.optimizer.standing import Left

EXCHANGES = 1_000
"""Exchanges of one order at most; a few are usual."""

TOGETHER_TRIES = 30
"""How often an order chooses anew when its lines together take more units or room than there is."""

LEAST_SAVING = 1e-6
"""Points that a source must save to be added or exchanged: less is what floating point makes of equal sums."""


@dataclass(frozen=True, slots=True, eq=False)
class Costs:
    """One order's costs: `together` (S) once for each source it uses, `alone` (n, S) for each line, inf where none can.

    It may use `most` sources besides those that `started` (S) before, and get `room` (S) lines from each. `waiting` is
    what a line costs that waits.
    """

    together: FloatArray
    alone: FloatArray
    most: int
    started: BoolArray
    waiting: float
    room: IntArray

    def assigned(self, sources: list[int]) -> IntArray:
        """Which of these sources each line (n) gets: the cheapest; where room is short, the cheapest pairs first."""
        lines = len(self.alone)
        places = np.full(lines, NOWHERE, dtype=np.int64)
        if not sources:
            return places
        mine = self.alone[:, sources]
        if (self.room[sources] >= lines).all():
            return np.where(mine.min(axis=1) < self.waiting, np.array(sources)[mine.argmin(axis=1)], NOWHERE)
        room = self.room[sources].copy()
        for cell in np.argsort(mine, axis=None, kind="stable")[: np.count_nonzero(mine < self.waiting)].tolist():
            line, column = divmod(cell, len(sources))
            if places[line] == NOWHERE and room[column] > 0:
                places[line] = sources[column]
                room[column] -= 1
        return places

    def best(self, sources: list[int]) -> FloatArray:
        """What each line (n) costs when these sources are used."""
        places = self.assigned(sources)
        paid: FloatArray = np.where(places == NOWHERE, self.waiting, self.alone[np.arange(len(places)), places])
        return paid

    def worth(self, chosen: IntArray) -> float:
        """What these sources (n) are worth against filling nothing; no less than nothing where a line must not wait."""
        placed = np.flatnonzero(chosen != NOWHERE)
        if self.waiting and len(placed) < len(chosen):
            return 0.0
        return float(self.together[np.unique(chosen[placed])].sum() + self.alone[placed, chosen[placed]].sum())

    def savings(self, now: FloatArray) -> FloatArray:
        """What each source (S) would save lines that cost this `now` (n)."""
        gains = np.maximum(now[:, None] - self.alone, 0.0)
        if (self.room < len(now)).any():
            gains = np.where(np.arange(len(now))[:, None] < self.room, -np.sort(-gains, axis=0), 0.0)
        saved: FloatArray = gains.sum(axis=0) - self.together
        return saved


def choose(costs: Costs) -> IntArray:
    """The source of each line (n) of one order, NOWHERE for one that waits; nothing at all where that is cheapest."""
    sources = np.flatnonzero(costs.started).tolist()
    limit = len(sources) + costs.most
    _add(costs, sources, limit)
    _exchange(costs, sources, limit)
    return costs.assigned(sources)


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


def wishes(
    pricer: Pricer, prices: Prices, left: Left, crowded_out: Collection[int] = ()
) -> Iterator[tuple[IntArray, IntArray]]:
    """What each order with more than GROUP_LINES ordinary lines asks for: its lines (n), and the source of each (n).

    At these prices, only from sources that hold whole lines of what is `left`, and within their room. Orders that were
    `crowded_out` are asked, too: patterns know nothing of room.
    """
    costs = pricer.costs
    long_rows = np.bincount(costs.order_row[~costs.write_in], minlength=len(costs.orders)) > GROUP_LINES
    rows = np.flatnonzero(long_rows | np.isin(costs.orders, sorted(crowded_out)))
    if len(rows):
        used = pricer.problem.used
        asked = _Asked(pricer, prices, left, left.open_stock(), used.sources_by_order(), used.sources_by_line())
        for row in rows.tolist():
            pricer.watch.go_on()
            yield _wish(asked, CostBlock(costs, row, row + 1))


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """What all these orders are asked with: prices, what is left, and the sources that orders and lines had before."""

    pricer: Pricer
    prices: Prices
    left: Left
    stock: IntArray
    by_order: Mapping[int, set[int]]
    by_line: Mapping[int, set[int]]


def _wish(asked: _Asked, block: CostBlock) -> tuple[IntArray, IntArray]:
    pricer = asked.pricer
    rows = np.flatnonzero(~pricer.costs.write_in[block.rows])
    lines = block.lines[rows]
    nothing = np.full(len(lines), NOWHERE, dtype=np.int64)
    if not len(lines):
        return lines, nothing
    costs = _priced(asked, block, rows)
    for _ in range(TOGETHER_TRIES):
        chosen = choose(costs)
        over = _taking_too_much(asked, lines, chosen) | _without_room(asked, costs, lines, chosen)
        if not over.any():
            return lines, chosen if costs.worth(chosen) < 0 else nothing
        costs.alone[over, chosen[over]] = np.inf
    return lines, nothing


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
    return Costs(together[0], alone, most, started, 0.0 if waits else dear, asked.left.line_room())


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


def _taking_too_much(asked: _Asked, lines: IntArray, chosen: IntArray) -> BoolArray:
    """Which lines (n) ask a cell for units that lines of the same order before them have asked for."""
    problem = asked.pricer.problem
    over = np.zeros(len(chosen), dtype=bool)
    taken: dict[tuple[int, int], int] = defaultdict(int)
    for row in np.flatnonzero(chosen != NOWHERE).tolist():
        cell, units = (int(problem.batch.product_of[lines[row]]), int(chosen[row])), int(problem.wanted[lines[row]])
        over[row] = taken[cell] + units > asked.stock[cell]
        taken[cell] += 0 if over[row] else units
    return over


def _without_room(asked: _Asked, costs: Costs, lines: IntArray, chosen: IntArray) -> BoolArray:
    """Which lines (n) ask for room that is not there: those for which their sources do least."""
    over = np.zeros(len(chosen), dtype=bool)
    placed = np.flatnonzero(chosen != NOWHERE)
    paid = np.zeros(len(chosen))
    paid[placed] = costs.alone[placed, chosen[placed]]
    flows = [(int(lines[row]), int(chosen[row]), 1) for row in placed.tolist()]
    for too_many, visits, per_line in asked.left.crowded(flows):
        if per_line:
            rows = placed[np.isin(lines[placed], [line for line, _ in visits])]
            rows = rows[np.isin(chosen[rows], [source for _, source in visits])]
            over[rows[np.argsort(-paid[rows], kind="stable")][:too_many]] = True
        else:
            sources = sorted({source for _, source in visits}, key=lambda source: -paid[chosen == source].sum())
            over |= np.isin(chosen, sources[:too_many])
    return over
