"""Room at sources as patterns see it: what a visit pays at prices, and what visits take.

A visit is a group at a source; a group that is a part of a long order counts as its share. Visits that an earlier plan
already counts, and write-in lines, need no room.
"""

from collections.abc import Iterator

import numpy as np

from dom_core.domain.reason import FloatArray, IntArray
from dom_core.optimizer.pattern_costs import Groups
from dom_core.optimizer.problem import Problem


class Rooms:
    """The capacities of a problem as arrays: `members` (M, 2) capacity and source, of those per order and per line."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.count = len(problem.capacities)
        self.sources = problem.batch.shape[1]
        self.room = np.array([capacity.remaining for capacity in problem.capacities], dtype=np.float64)
        self.per_order = self._members(per_line=False)
        self.per_line = self._members(per_line=True)
        self.free_visits = self._free_visits()
        self.free_lines = self._free_lines()

    def charge(self, groups: Groups, prices: FloatArray, together: FloatArray, alone: FloatArray) -> None:
        """Add what visits pay to the costs together (G, K) and alone (G, n, K) of these groups."""
        if not prices.any():
            return
        # What is free is taken off the prices alone: beside a high one, costs would lose their last digits.
        limited = groups.limited[:, None]
        visits = self._by_source(self.per_order, prices)[groups.sources]
        orders = self.problem.batch.order_of[groups.lines[:, 0]]
        for capacity, rows, columns in _offered(groups, orders, self.free_visits, prices):
            np.subtract.at(visits, (rows, columns), prices[capacity])
        together += visits * groups.shares * limited
        of_lines = self._by_source(self.per_line, prices)[groups.sources]
        for place in range(groups.lines.shape[1]):
            parts = of_lines.copy()
            for capacity, rows, columns in _offered(groups, groups.lines[:, place], self.free_lines, prices):
                np.subtract.at(parts, (rows, columns), prices[capacity])
            alone[:, place] += parts * limited

    def use(self, groups: Groups, places: IntArray) -> FloatArray:
        """What the patterns of these groups take of each capacity (C)."""
        if not self.count:
            return np.zeros(0)
        rows, lines = np.nonzero((places >= 0) & groups.limited[:, None])
        sources = groups.sources[rows, places[rows, lines]]
        visits, first = np.unique(rows * self.sources + sources, return_index=True)
        of_visit = visits % self.sources
        share = groups.shares[rows[first], places[rows[first], lines[first]]]
        use = self._sum(self.per_order, _sums(of_visit, share, self.sources))
        use += self._sum(self.per_line, _sums(sources, np.ones(len(sources)), self.sources))
        orders = self.problem.batch.order_of[groups.lines[rows[first], 0]]
        use -= self._free(self.free_visits, orders, of_visit, share)
        use -= self._free(self.free_lines, groups.lines[rows, lines], sources, np.ones(len(rows)))
        return use

    def entries(
        self, patterns: IntArray, lines: IntArray, orders: IntArray, sources: IntArray, shares: FloatArray
    ) -> tuple[IntArray, IntArray, FloatArray]:
        """What lines of patterns take at their sources: pattern, capacity and amount, for all that counts."""
        if not self.count:
            return patterns[:0], patterns[:0], shares[:0]
        _, first = np.unique(patterns * self.sources + sources, return_index=True)
        visits = self._entries(self.per_order, self.free_visits, patterns[first], orders[first], sources[first])
        parts = self._entries(self.per_line, self.free_lines, patterns, lines, sources)
        amounts = np.concatenate((shares[first][visits[2]], np.ones(len(parts[2]))))
        return np.concatenate((visits[0], parts[0])), np.concatenate((visits[1], parts[1])), amounts

    def _entries(
        self, members: IntArray, free: IntArray, patterns: IntArray, owners: IntArray, sources: IntArray
    ) -> tuple[IntArray, IntArray, IntArray]:
        """Pattern, capacity, and position of the visit."""
        by_source = members[np.argsort(members[:, 1], kind="stable")]
        begin, end = (np.searchsorted(by_source[:, 1], sources, side=side) for side in ("left", "right"))
        counts = end - begin
        visit = np.repeat(np.arange(len(sources)), counts)
        offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        capacity = by_source[np.repeat(begin, counts) + offsets, 0]
        width = self.sources * max(1, self.count)
        keys = owners[visit] * width + sources[visit] * self.count + capacity
        counted = ~np.isin(keys, free[:, 0] * width + free[:, 1] * self.count + free[:, 2])
        return patterns[visit[counted]], capacity[counted], visit[counted]

    def paid(self, prices: FloatArray, lines: IntArray, sources: IntArray) -> FloatArray:
        """What each order (O) pays for the room of these pairs, each visit once."""
        batch, count = self.problem.batch, len(self.problem.batch.orders)
        if not prices.any():
            return np.zeros(count)
        limited = np.array([not batch.is_write_in(line) for line in lines.tolist()], dtype=bool)
        lines, sources = lines[limited], sources[limited]
        visits = np.unique(np.stack((batch.order_of[lines], sources), axis=1), axis=0)
        paid = self._pays(self.per_order, self.free_visits, prices, visits, visits[:, 0])
        pairs = np.unique(np.stack((lines, sources), axis=1), axis=0)
        return paid + self._pays(self.per_line, self.free_lines, prices, pairs, batch.order_of[pairs[:, 0]])

    def _pays(
        self, members: IntArray, free: IntArray, prices: FloatArray, pairs: IntArray, orders: IntArray
    ) -> FloatArray:
        """What (order or line, source) pairs pay for room, summed by order."""
        points = self._by_source(members, prices)[pairs[:, 1]]
        keys = pairs[:, 0] * self.sources + pairs[:, 1]
        place = np.searchsorted(keys, free[:, 0] * self.sources + free[:, 1])
        hit = place < len(keys)
        hit[hit] = keys[place[hit]] == (free[:, 0] * self.sources + free[:, 1])[hit]
        np.subtract.at(points, place[hit], prices[free[hit, 2]])
        return _sums(orders, points, len(self.problem.batch.orders))

    def _members(self, *, per_line: bool) -> IntArray:
        pairs = [
            (number, source)
            for number, capacity in enumerate(self.problem.capacities)
            if capacity.per_line is per_line
            for source in capacity.sources
        ]
        return np.array(pairs, dtype=np.int64).reshape(-1, 2)

    def _free_visits(self) -> IntArray:
        triples = [
            (order, source, number)
            for number, capacity in enumerate(self.problem.capacities)
            if not capacity.per_line
            for order, source in capacity.counted
            if source in capacity.sources
        ]
        return np.array(sorted(triples), dtype=np.int64).reshape(-1, 3)

    def _free_lines(self) -> IntArray:
        triples = [
            (line, source, number)
            for number, capacity in enumerate(self.problem.capacities)
            if capacity.per_line
            for line, source in self.problem.used.limited_line_sources
            if source in capacity.sources
        ]
        return np.array(sorted(triples), dtype=np.int64).reshape(-1, 3)

    def _by_source(self, members: IntArray, prices: FloatArray) -> FloatArray:
        return _sums(members[:, 1], prices[members[:, 0]], self.sources)

    def _sum(self, members: IntArray, by_source: FloatArray) -> FloatArray:
        return _sums(members[:, 0], by_source[members[:, 1]], self.count)

    def _free(self, free: IntArray, owners: IntArray, sources: IntArray, amounts: FloatArray) -> FloatArray:
        """What of these visits needs no room."""
        keys = owners * self.sources + sources
        order = np.argsort(keys, kind="stable")
        sums = np.concatenate(([0.0], np.cumsum(amounts[order])))
        free_keys = free[:, 0] * self.sources + free[:, 1]
        first, last = (np.searchsorted(keys[order], free_keys, side=side) for side in ("left", "right"))
        return _sums(free[:, 2], sums[last] - sums[first], self.count)


def _offered(
    groups: Groups, owners: IntArray, free: IntArray, prices: FloatArray
) -> Iterator[tuple[IntArray, IntArray, IntArray]]:
    """Of what needs no room at priced capacities: the capacity, and the rows and columns of groups that offer it."""
    free = free[prices[free[:, 2]] > 0]
    order = np.argsort(owners, kind="stable")
    first, last = (np.searchsorted(owners[order], free[:, 0], side=side) for side in ("left", "right"))
    counts = last - first
    entry = np.repeat(np.arange(len(free)), counts)
    offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    rows = order[np.repeat(first, counts) + offsets]
    hit, columns = np.nonzero(groups.sources[rows] == free[entry, 1][:, None])
    yield free[entry[hit], 2], rows[hit], columns


def _sums(positions: IntArray, amounts: FloatArray, count: int) -> FloatArray:
    """Amounts summed by position. NumPy gives whole numbers back for nothing at all."""
    return np.bincount(positions, weights=amounts, minlength=count).astype(np.float64)
