"""What orders of more than six lines cost at least. Patterns cut them into groups that know nothing of each other.

Every line is taken to *save* so many points when it is filled, wherever it comes from. Then sources do not share lines
any more, and an order is worth no more than the best of them, as many as it may use, less what its lines save:

    − Σ savings  +  Σ over the best sources of  min(0, together + Σ over its lines of min(0, alone + saving))

That holds for any savings. The best are looked for by steps: less for lines that no source takes, more for those that
several take. It is the Lagrangian relaxation of the p-median problem (Cornuéjols, Fisher and Nemhauser, 1977).
docs/optimizer.md says where it counts.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from dom_core.domain import prices as domain
from dom_core.domain.reason import FloatArray, IntArray
from dom_core.optimizer.pattern_costs import CostBlock, Groups
from dom_core.optimizer.prices import GRAIN, Prices
from dom_core.optimizer.pricing import PricedBest, Pricer
from dom_core.optimizer.problem import Problem

ROUNDS = 150
"""Steps at most; fewer find less, more find next to nothing."""

FIRST_STEP, SHRINK, STALE_ROUNDS, KEEP_DIRECTION = 0.3, 0.7, 5, 0.7
"""The first step, as a share of what sources charge a line beyond what is its own; when and how far steps shrink."""

PAIRS_AT_ONCE = 100_000
"""So many pairs stay near the processor."""

LEAST_GAIN = 0.5
"""Points by which savings must say more of an order than groups do: else nobody needs to know of them."""

LEAST_SHARE = 1e-6
"""The share of what filling nothing costs by which they must say more of all orders: less looks like rounding."""

SHARES_OF_PRICES = (0.5, 0.0)
"""Prices were sought for groups, and are too high for long orders where stock is ample: so these are tried, too.

Each takes a pass over all pairs. So they are tried where most lines belong to such orders.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Savings:
    """Points (N) that these lines (N, rising) are taken to save; all others nothing."""

    lines: IntArray
    points: FloatArray

    def told(self, problem: Problem) -> tuple[domain.Saving, ...]:
        """The same in words of the domain."""
        batch = problem.batch
        return tuple(
            domain.Saving(batch.orders[batch.order_of[line]].id, batch.lines[line].id, points)
            for line, points in zip(self.lines.tolist(), self.points.tolist(), strict=True)
        )


NO_SAVINGS = Savings(np.zeros(0, dtype=np.int64), np.zeros(0))


@dataclass(frozen=True, slots=True, eq=False)
class Raised:
    """What savings prove besides: at the prices that were given (`here`), and at those where it is most (`best`)."""

    here: PricedBest
    best: PricedBest
    savings: Savings

    def told(self, problem: Problem) -> domain.PriceTable:
        """What proves most: prices and savings in words of the domain."""
        return replace(self.best.prices.told(problem), savings=self.savings.told(problem))


def raised(pricer: Pricer, priced: PricedBest, time_is_up: Callable[[], bool]) -> Raised:
    """What prices prove, and a share of them, with savings of the lines of long orders, wherever that is more."""
    lines = _lines_of_long_orders(pricer)
    if not len(lines) or time_is_up():
        return Raised(priced, priced, NO_SAVINGS)
    long = pricer.of(lines)
    least = LEAST_GAIN + LEAST_SHARE * pricer.constant
    here, savings = _with_savings(long, priced, least, time_is_up)
    best = Raised(here, here, savings)
    mostly_long = 2 * len(lines) > len(pricer.costs.lines)
    for share in SHARES_OF_PRICES if mostly_long else ():
        if time_is_up():
            break
        prices = priced.prices.times(share)
        found = pricer.price(prices)
        other, savings = _with_savings(long, PricedBest(prices, found.bound, found), least, time_is_up)
        best = best if other.bound <= best.best.bound else Raised(here, other, savings)
    return best


def _lines_of_long_orders(pricer: Pricer) -> IntArray:
    """The lines of orders that are cut into groups, without those that have write-in lines."""
    costs, order_of = pricer.costs, pricer.problem.batch.order_of
    long = costs.cut_orders()
    long[order_of[costs.lines[costs.write_in]]] = False
    return costs.lines[long[order_of[costs.lines]]]


def _with_savings(
    long: Pricer, priced: PricedBest, least: float, time_is_up: Callable[[], bool]
) -> tuple[PricedBest, Savings]:
    """The same prices with what savings of these orders prove, where that is more than groups do; and the savings.

    None of them where they say no more than `least` points in all.
    """
    worth = priced.patterns.worth.copy()
    lines, points = [NO_SAVINGS.lines], [NO_SAVINGS.points]
    for block in long.by_block(lambda block: _of_block(long, block, priced.prices, time_is_up)):
        for one in block:
            better = one.worth > worth[one.orders] + LEAST_GAIN
            worth[one.orders[better]] = one.worth[better]
            lines.append(one.lines[better].ravel())
            points.append(one.savings[better].ravel())
    bound = priced.bound + float((worth - priced.patterns.worth).sum())
    if bound <= priced.bound + least:
        return priced, NO_SAVINGS
    every, saved = np.concatenate(lines), np.concatenate(points)
    order = np.argsort(every, kind="stable")
    order = order[saved[order] > 0]
    patterns = replace(priced.patterns, worth=worth, bound=bound)
    return replace(priced, bound=bound, patterns=patterns), Savings(every[order], saved[order])


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """Of some orders (G) with as many lines each: their lines (G, n), what these save, and what that proves (G)."""

    orders: IntArray
    lines: IntArray
    savings: FloatArray
    worth: FloatArray


def _of_block(pricer: Pricer, block: CostBlock, prices: Prices, time_is_up: Callable[[], bool]) -> list[_Found]:
    """The orders of a block, those with as many lines together."""
    alone = block.alone + block.charges(prices)
    counts = np.diff(block.starts, append=len(block.lines))
    found = []
    for count in np.unique(counts).tolist():
        mine = np.flatnonzero(counts == count)
        for some in np.array_split(mine, -(-len(mine) * count * alone.shape[1] // PAIRS_AT_ONCE)):
            pricer.watch.go_on()
            rows = block.starts[some][:, None] + np.arange(count)
            orders = _Orders.of(pricer, block, some, rows, alone[rows], prices)
            savings = orders.best_savings(time_is_up)
            worth = np.minimum(orders.worth(savings)[0], 0.0)
            found.append(_Found(block.orders[some], block.lines[rows], savings, worth))
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Orders:
    """Orders of n lines each, at prices: `together` (G, S), `alone` (G, n, S); each may use so many sources (G)."""

    together: FloatArray
    alone: FloatArray
    most: IntArray

    @classmethod
    def of(
        cls, pricer: Pricer, block: CostBlock, some: IntArray, rows: IntArray, alone: FloatArray, prices: Prices
    ) -> "_Orders":
        """These orders of the block, with what they pay for room."""
        count, lines, sources = alone.shape
        together, every = block.together[some], np.broadcast_to(np.arange(sources), (count, sources))
        limited, shares = np.ones(count, dtype=bool), np.ones((count, sources))
        kind = (lines, lines, True)
        groups = Groups(kind, block.lines[rows], every, together, alone, shares, None, None, np.zeros(count), limited)
        pricer.rooms.charge(groups, prices.capacity, together, alone)
        limits = (pricer.problem.split_limits[order].max_sources for order in block.orders[some].tolist())
        return cls(together, alone, np.array([sources if most is None else most for most in limits], dtype=np.int64))

    def worth(self, savings: FloatArray) -> tuple[FloatArray, IntArray]:
        """What savings (G, n) prove of each order (G), and how many of its best sources take each line (G, n)."""
        taken = np.minimum(self.alone + savings[:, :, None], 0.0)
        points = np.minimum(self.together + taken.sum(axis=1), 0.0)
        width = min(int(self.most.max()), points.shape[1])
        best = np.argsort(points, axis=1, kind="stable")[:, :width]
        at_best = np.take_along_axis(points, best, axis=1)
        used = (at_best < 0) & (np.arange(width) < self.most[:, None])
        takers = ((np.take_along_axis(taken, best[:, None, :], axis=2) < 0) & used[:, None, :]).sum(axis=2)
        worth: FloatArray = np.where(used, at_best, 0.0).sum(axis=1) - savings.sum(axis=1)
        return worth, takers

    def best_savings(self, time_is_up: Callable[[], bool]) -> FloatArray:
        """The savings (G, n) that prove most, as far as steps find them, in points that can be told exactly."""
        fair, scale = self._begin()
        now, best = fair, fair.copy()
        proven = np.full(len(now), -np.inf)
        step, stale, direction = np.full(len(now), FIRST_STEP), np.zeros(len(now)), np.zeros_like(now)
        for _ in range(ROUNDS):
            worth, takers = self.worth(now)
            higher = worth > proven
            stale = np.where(higher, 0, stale + 1)
            proven[higher], best[higher] = worth[higher], now[higher]
            back = stale >= STALE_ROUNDS
            step[back], stale[back], now[back], direction[back] = step[back] * SHRINK, 0, best[back], 0.0
            wanted = _towards(takers, now)
            direction = np.where(back[:, None], 0.0, KEEP_DIRECTION * direction + (1 - KEEP_DIRECTION) * wanted)
            now[:] = np.maximum(now - step[:, None] * scale * direction, 0.0)
            if time_is_up():
                break
        rounded: FloatArray = np.rint(best * GRAIN) / GRAIN
        # Savings of nothing are not told. Where nobody is worth serving, the least there is says that they are meant.
        rounded[~rounded.any(axis=1), 0] = 1 / GRAIN
        return rounded

    def _begin(self) -> tuple[FloatArray, FloatArray]:
        """Savings (G, n) at which nobody would use any source, and how far from there the best may be."""
        lines_at = np.maximum(np.isfinite(self.alone).sum(axis=1), 1)
        fair = (self.alone + (self.together / lines_at)[:, None, :]).min(axis=2)
        least, most = self.alone.min(axis=2), (self.alone + self.together[:, None, :]).min(axis=2)
        possible, scale = np.isfinite(least), np.zeros(least.shape)
        scale[possible] = np.minimum(most[possible], 0.0) - np.minimum(least[possible], 0.0)
        return np.where(possible, np.maximum(-fair, 0.0), 0.0), scale


def _towards(takers: IntArray, now: FloatArray) -> FloatArray:
    """Less where nobody takes a line, more where several do; never below nothing."""
    wanted = (1 - takers).astype(np.float64)
    wanted[(now <= 0) & (wanted > 0)] = 0.0
    return wanted
