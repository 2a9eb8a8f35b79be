"""Cuts: what rows say together about whole columns, and not about shares of them.

Half of the sum of some rows, with every number rounded down, holds for columns that are taken whole (Caprara and
Fischetti 1996: zero-half cuts). Three orders of which any two compete for a last unit can have one of them whole, and
three halves in shares. Shares at hand break a cut by half of what its rows leave unused and of what is taken of
columns with an odd sum, if that is below one. Sets of rows for which it is little are found by elimination modulo two:
column by column, those that are taken most first (after Andreello, Caprara and Fischetti 2007).
"""

import numpy as np

from dom_core.domain.reason import BoolArray, FloatArray, IntArray

WHOLE_WITHIN = 1e-9
"""By so much a number may be off a whole one: float arithmetic's share."""

LEAST_BREACH = 0.03
"""By so much shares must break a cut at least."""

SPARE_OF_A_PIVOT = 0.5
"""A row that leaves more unused is not added to others: their cuts would hold already."""


def whole(numbers: FloatArray) -> BoolArray:
    """Which of these are whole numbers."""
    return np.abs(numbers - np.rint(numbers)) <= WHOLE_WITHIN


def zero_half(amounts: FloatArray, limits: FloatArray, taken: FloatArray, most: int) -> list[IntArray]:
    """Sets of rows whose cuts these shares break, those that are broken most first.

    `amounts` (M, N) and `limits` (M) of rows: rows with other than whole numbers are left out. `taken` (N) is how much
    of each column the shares take.
    """
    spare = np.maximum(limits - amounts @ taken, 0.0)
    useful = np.flatnonzero((spare < 1.0) & whole(limits) & whole(amounts).all(axis=1))
    system = _Parities(np.rint(amounts[useful]), np.rint(limits[useful]), spare[useful], taken)
    found = dict(system.broken(np.arange(len(useful))))
    for column in np.argsort(-taken, kind="stable").tolist():
        found |= system.broken(system.eliminate(column))
    best = sorted(found.values(), key=lambda one: (one[0], len(one[1]), one[1].tolist()))
    return [useful[rows] for _, rows in best[:most]]


class _Parities:
    """Sums of rows modulo two: of each its odd columns (M, N), whether its limit is odd, and of which rows it is."""

    def __init__(self, amounts: FloatArray, limits: FloatArray, spare: FloatArray, taken: FloatArray) -> None:
        self.odd: BoolArray = amounts % 2 == 1
        self.odd_limit: BoolArray = limits % 2 == 1
        self.of: BoolArray = np.eye(len(limits), dtype=bool)
        self.spare, self.taken = spare.copy(), taken
        self.left: BoolArray = np.ones(len(limits), dtype=bool)

    def eliminate(self, column: int) -> IntArray:
        """Make the column even in all sums but one, which is done with; the sums that this changed."""
        mine = np.flatnonzero(self.left & self.odd[:, column])
        if not len(mine):
            return mine
        pivot = int(mine[np.argmin(self.spare[mine])])
        if self.spare[pivot] > SPARE_OF_A_PIVOT:
            return mine[:0]
        others: IntArray = mine[mine != pivot]
        self.odd[others] ^= self.odd[pivot]
        self.odd_limit[others] ^= self.odd_limit[pivot]
        self.of[others] ^= self.of[pivot]
        self.spare[others] += self.spare[pivot]
        self.left[pivot] = False
        self.left &= self.spare < 1.0
        return others

    def broken(self, sums: IntArray) -> dict[bytes, tuple[float, IntArray]]:
        """Of these sums those whose cuts are broken: what they lack to be broken by a half, and their rows."""
        sums = sums[self.odd_limit[sums]]
        lacking = self.spare[sums] + self.odd[sums] @ self.taken
        near = lacking < 1.0 - 2 * LEAST_BREACH
        pairs = zip(sums[near].tolist(), lacking[near].tolist(), strict=True)
        return {self.of[one].tobytes(): (lack, np.flatnonzero(self.of[one])) for one, lack in pairs}
