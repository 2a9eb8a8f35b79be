"""Every pattern that is nearly as good as its group's best at prices: what a better plan could be made of.

A plan whose points are the bound plus a gap uses no pattern that costs more than the gap beyond its group's best. So
all patterns within the gap hold every better plan. They are found line by line: the lowest line that is left waits, or
goes with some others to a source, as far as the best that the rest can do leaves it within the gap.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dom_core.domain.reason import FloatArray, IntArray
from dom_core.optimizer.cheapest import NOWHERE, completions
from dom_core.optimizer.pattern_costs import Kind

BEGUN_FOR_ONE = 3
"""Patterns that may be begun for each that may be found: most are found on the way to larger ones."""


class TooMany(Exception):
    """There are more patterns than were allowed."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Patterns (N), the empty ones left out: the group's row of each, and the columns of its sources (N, n)."""

    rows: IntArray
    places: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class _Begun:
    """Patterns of which some lines are decided: their groups' rows (N), their cost so far (N), their places (N, n)."""

    rows: IntArray
    costs: FloatArray
    places: IntArray


class NearBest:
    """Looks for patterns of groups of one kind: together (G, K), alone (G, n, K), helpers as for the cheapest ones."""

    def __init__(self, kind: Kind, together: FloatArray, alone: FloatArray, helpers: FloatArray | None) -> None:
        self.size, _, self.may_wait = kind
        self.blocks, self.cheapest, self.rest = completions(kind, together, alone, helpers)
        self.every, self.levels = (1 << self.size) - 1, len(self.rest)
        self.best = np.minimum(self.rest[-1][self.every], 0.0)

    def within(self, gap: float, most: int) -> Found:
        """Patterns that cost at most `gap` more than their group's best, by group. Raises TooMany beyond `most`."""
        limits = self.best + gap
        rows = np.flatnonzero(self.rest[-1][self.every] <= limits)
        start = _Begun(rows, np.zeros(len(rows)), np.full((len(rows), self.size), NOWHERE))
        begun: dict[tuple[int, int], list[_Begun]] = {(self.every, self.levels - 1): [start]}
        count = 0
        for left in range(self.every, 0, -1):
            for level in range(self.levels):
                if (left, level) in begun:
                    count += self._go_on(begun, left, level, limits)
                    if count > BEGUN_FOR_ONE * most:
                        raise TooMany
        done = _joined([one for ones in begun.values() for one in ones], self.size)
        some = (done.places != NOWHERE).any(axis=1)
        if int(some.sum()) > most:
            raise TooMany
        return _sorted(done.rows[some], done.places[some])

    def _go_on(self, begun: dict[tuple[int, int], list[_Begun]], left: int, level: int, limits: FloatArray) -> int:
        """Decide the lowest line of those left; how many patterns that makes."""
        one, count = _joined(begun.pop((left, level)), self.size), 0
        for block in self._of_lowest(left, level):
            after = left & ~block if block else left & (left - 1)
            below = max(0, level - 1) if block else level
            new = self._with(one, block, limits[one.rows] - self.rest[below][after][one.rows] - one.costs)
            if len(new.rows):
                begun.setdefault((after, below), []).append(new)
                count += len(new.rows)
        return count

    def _with(self, one: _Begun, block: int, most: FloatArray) -> _Begun:
        """These patterns, with a block of lines (0: one waits) at every source that costs at most so much (N).

        No source twice.
        """
        some = np.flatnonzero(self.cheapest[block][one.rows] <= most)
        if not block:
            return _Begun(one.rows[some], one.costs[some], one.places[some])
        costs = self.blocks[block]
        pattern, column = np.nonzero(costs[one.rows[some]] <= most[some, None])
        pattern = some[pattern]
        new = (one.places[pattern] != column[:, None]).all(axis=1)
        pattern, column = pattern[new], column[new]
        rows, places = one.rows[pattern], one.places[pattern]
        places[:, [line for line in range(places.shape[1]) if block >> line & 1]] = column[:, None]
        return _Begun(rows, one.costs[pattern] + costs[rows, column], places)

    def _of_lowest(self, left: int, level: int) -> Iterator[int]:
        """What can become of the lowest line that is left: it waits (0), or goes with a subset of the others."""
        if self.may_wait:
            yield 0
        if self.levels > 1 and level == 0:
            return
        lowest, others = left & -left, left & (left - 1)
        part = others
        while True:
            yield part | lowest
            if not part:
                return
            part = (part - 1) & others


def _joined(parts: Sequence[_Begun], size: int) -> _Begun:
    if len(parts) == 1:
        return parts[0]
    return _Begun(
        np.concatenate([np.zeros(0, dtype=np.int64), *(part.rows for part in parts)]),
        np.concatenate([np.zeros(0), *(part.costs for part in parts)]),
        np.concatenate([np.zeros((0, size), dtype=np.int64), *(part.places for part in parts)]),
    )


def _sorted(rows: IntArray, places: IntArray) -> Found:
    order = np.lexsort((*places.T[::-1], rows))
    return Found(rows[order], places[order])
