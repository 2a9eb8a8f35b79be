"""The cheapest patterns of groups of lines, all groups of one kind at once.

Per subset B of a group's n lines, the cheapest source is found for all groups in one pass:

    block[B] = min over s of  together[s] + Σ of alone[l, s] for l in B
    best[M]  = min( best[M − lowest line] where lines may wait,
                    min over B ⊆ M with the lowest line of  block[B] + best[M − B] )

Where the number of sources binds, `best` has a level per source.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dom_core.domain.reason import BoolArray, FloatArray, IntArray
from dom_core.optimizer.pattern_costs import Kind

NOWHERE = -1
"""In `places`: the line waits."""


@dataclass(frozen=True, slots=True, eq=False)
class Patterns:
    """The cheapest pattern of each group: `worth` (G), zero or less; `places` (G, n), columns of its sources."""

    worth: FloatArray
    places: IntArray


def cheapest_patterns(kind: Kind, together: FloatArray, alone: FloatArray, helpers: FloatArray | None) -> Patterns:
    """The best of every group: together (G, K), alone (G, n, K); `helpers` (G, K) are paid by a group in one place."""
    if kind[0] == 1:
        return _of_one_line(together, alone, helpers)
    cost, where = _blocks(together, alone, helpers)
    best, pick = _covers(kind, cost, _on_the_way(len(cost)))
    worth = best[-1, -1]
    return Patterns(np.where(worth < 0.0, worth, 0.0), _places(kind, worth < 0.0, pick, where))


def slacks(kind: Kind, together: FloatArray, alone: FloatArray, helpers: FloatArray | None) -> FloatArray:
    """Per pair (G, n, K), how much dearer than the best pattern of its group is the best pattern that uses it."""
    size, most, _ = kind
    sums = _sums(together, alone)
    cost = np.stack([_full(sums, subset, size, together, helpers).min(axis=1) for subset in range(1 << size)])
    cost[0] = 0.0
    best, _ = _covers(kind, cost)
    rest = best[-2] if most < size else best[-1]
    slack = np.full(alone.shape, np.inf)
    for subset in range(1, 1 << size):
        whole = _full(sums, subset, size, together, helpers) + rest[((1 << size) - 1) & ~subset][:, None]
        for line in range(size):
            if subset >> line & 1:
                np.minimum(slack[:, line], whole, out=slack[:, line])
    above: FloatArray = slack - np.minimum(best[-1, -1], 0.0)[:, None, None]
    return above


def completions(
    kind: Kind, together: FloatArray, alone: FloatArray, helpers: FloatArray | None
) -> tuple[list[FloatArray], FloatArray, FloatArray]:
    """Per subset of the lines what it costs whole at each source (2^n of (G, K)), and at the cheapest one (2^n, G).

    And the best cover of it (level, 2^n, G), with a level per source where their number binds, else one.
    """
    sums = _sums(together, alone)
    full = [_full(sums, subset, kind[0], together, helpers) for subset in range(1 << kind[0])]
    cost = np.stack([one.min(axis=1) for one in full])
    cost[0] = 0.0
    return full, cost, _covers(kind, cost)[0]


def _of_one_line(together: FloatArray, alone: FloatArray, helpers: FloatArray | None) -> Patterns:
    full = together + alone[:, 0]
    if helpers is not None:
        full += helpers
    where = full.argmin(axis=1)
    worth = full[np.arange(len(full)), where]
    return Patterns(np.where(worth < 0.0, worth, 0.0), np.where(worth < 0.0, where, NOWHERE)[:, None])


def _sums(together: FloatArray, alone: FloatArray) -> list[FloatArray]:
    """What each subset of lines costs alone, at each source."""
    sums: list[FloatArray] = [np.zeros((1, together.shape[1]))]
    for subset in range(1, 1 << alone.shape[1]):
        lowest, others = (subset & -subset).bit_length() - 1, subset & (subset - 1)
        sums.append(sums[others] + alone[:, lowest, :] if others else alone[:, lowest, :])
    return sums


def full_costs(
    size: int, together: FloatArray, alone: FloatArray, helpers: FloatArray | None
) -> Iterator[tuple[int, FloatArray]]:
    """Each subset of the lines, with what it costs whole at each source (G, K)."""
    sums = _sums(together, alone)
    for subset in range(1, 1 << size):
        yield subset, _full(sums, subset, size, together, helpers)


def _full(
    sums: list[FloatArray], subset: int, size: int, together: FloatArray, helpers: FloatArray | None
) -> FloatArray:
    full = together + sums[subset]
    if helpers is not None and subset == (1 << size) - 1:
        full += helpers
    return full


def _blocks(together: FloatArray, alone: FloatArray, helpers: FloatArray | None) -> tuple[FloatArray, IntArray]:
    """Per subset and group: the cost of its cheapest source, and which that is (2^n, G). Ties take the lowest."""
    count, size = alone.shape[:2]
    sums = _sums(together, alone)
    cost = np.zeros((1 << size, count))
    where = np.zeros((1 << size, count), dtype=np.int64)
    rows = np.arange(count)
    for subset in range(1, 1 << size):
        full = _full(sums, subset, size, together, helpers)
        where[subset] = full.argmin(axis=1)
        cost[subset] = full[rows, where[subset]]
    return cost, where


def _on_the_way(subsets: int) -> Sequence[int]:
    """The subsets that the cover of all lines is made of: itself, and those without the first line.

    Whatever is taken away first has the lowest line.
    """
    return (*range(2, subsets, 2), subsets - 1)


def _covers(kind: Kind, cost: FloatArray, asked: Sequence[int] | None = None) -> tuple[FloatArray, IntArray]:
    """The best cover of each subset (level, 2^n, G), and the picks to follow back; a pick of 0 is waiting.

    `asked` are the only subsets for which that is found, if not all. Where the number of sources binds, a level per
    source; otherwise one level that leads to itself.
    """
    size, most, may_wait = kind
    subsets, count = cost.shape
    bound = most < size
    levels = most + 1 if bound else 1
    best = np.full((levels, subsets, count), np.inf)
    best[:, 0] = 0.0
    pick = np.zeros((levels, subsets, count), dtype=np.int64)
    if bound and may_wait:
        best[0] = 0.0
    for level in range(1 if bound else 0, levels):
        for subset in asked or range(1, subsets):
            _improve(best, pick, cost, level, level - 1 if bound else 0, subset, may_wait)
    return best, pick


def _improve(
    best: FloatArray, pick: IntArray, cost: FloatArray, level: int, before: int, subset: int, may_wait: bool
) -> None:
    lowest = subset & -subset
    rest = subset & ~lowest
    if may_wait:
        best[level, subset] = best[level, rest]
    least, picked, earlier = best[level, subset], pick[level, subset], best[before]
    part = rest
    while True:
        block = part | lowest
        worth = cost[block] + earlier[subset & ~block]
        picked[:] = np.where(worth < least, block, picked)
        np.minimum(least, worth, out=least)
        if part == 0:
            return
        part = (part - 1) & rest


def _places(kind: Kind, taken: BoolArray, pick: IntArray, where: IntArray) -> IntArray:
    """Follow each group's picks back to the sources of its lines."""
    size, count = kind[0], len(taken)
    places = np.full((count, size), NOWHERE, dtype=np.int64)
    level = np.full(count, pick.shape[0] - 1)
    left = np.where(taken, (1 << size) - 1, 0)
    rows = np.arange(count)
    while left.any():
        picked = pick[level, left, rows]
        source = where[picked, rows]
        if pick.shape[0] > 1:
            level = np.maximum(level - (picked > 0), 0)
        for bit in range(size):
            goes = (picked >> bit & 1).astype(bool)
            places[goes, bit] = source[goes]
        left = left & ~np.where(picked > 0, picked, left & -left)
    return places
