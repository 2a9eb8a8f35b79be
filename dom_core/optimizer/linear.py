"""Linear programs as arrays, and who solves them: min c·x with A x ≤ b and x ≥ 0.

The restricted master is such a program. What is wanted of it is its prices: one for each row, zero or more.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dom_core.domain.plan import Ending
from dom_core.domain.reason import BoolArray, FloatArray, IntArray

ROUNDING = 1e-6
"""By so much a row may be beyond its limit: float arithmetic's share."""


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """A corner of what a program allows: the columns (N) that may be above zero, and the rows (M) that are used up.

    A solver can start from it. There are as many of these columns as of these rows. `fresh` is how many columns came
    after it was found: none where only rows did.
    """

    columns: BoolArray
    rows: BoolArray
    fresh: int = 0

    @property
    def whole(self) -> bool:
        """Whether it names as many columns as rows."""
        return int(np.count_nonzero(self.columns)) == int(np.count_nonzero(self.rows))


@dataclass(frozen=True, slots=True, eq=False)
class LinearProgram:
    """Columns (N) of a matrix with M rows: the entries of column j are those from `starts[j]` to `starts[j + 1]`.

    `start` is where the optimum is likely to be near, if that is known.
    """

    costs: FloatArray
    starts: IntArray
    rows: IntArray
    amounts: FloatArray
    limits: FloatArray
    start: Basis | None = None

    @property
    def much_choice(self) -> bool:
        """Whether it is large, with far more columns than rows: such programs take simplex methods long."""
        return len(self.costs) > max(10_000, 2 * len(self.limits))

    @property
    def columns(self) -> IntArray:
        """The column of each entry."""
        return np.repeat(np.arange(len(self.costs)), np.diff(self.starts))

    def part(self, columns: IntArray) -> "LinearProgram":
        """The program of these columns (their positions, rising) alone."""
        chosen = np.zeros(len(self.costs), dtype=bool)
        chosen[columns] = True
        counts = np.diff(self.starts)
        entries = np.repeat(chosen, counts)
        starts = _starts(counts[columns])
        return LinearProgram(self.costs[columns], starts, self.rows[entries], self.amounts[entries], self.limits)

    def with_rows(self, columns: IntArray, rows: IntArray, amounts: FloatArray, limits: FloatArray) -> "LinearProgram":
        """The program with further rows: their entries, row by row, `rows` counted from the first of them."""
        column = np.concatenate((self.columns, columns))
        order = np.argsort(column, kind="stable")
        starts = _starts(np.bincount(column, minlength=len(self.costs)))
        row = np.concatenate((self.rows, len(self.limits) + rows))[order]
        amount = np.concatenate((self.amounts, amounts))[order]
        return LinearProgram(self.costs, starts, row, amount, np.concatenate((self.limits, limits)))

    def of_rows(self, kept: BoolArray) -> "LinearProgram":
        """The program of these rows (M) alone."""
        entries = kept[self.rows]
        starts = _starts(np.bincount(self.columns[entries], minlength=len(self.costs)))
        row = (np.cumsum(kept) - 1)[self.rows[entries]]
        return LinearProgram(self.costs, starts, row, self.amounts[entries], self.limits[kept])

    def allows(self, taken: BoolArray) -> bool:
        """Whether these columns (N), taken whole, keep all limits."""
        use = np.bincount(self.rows, weights=self.amounts * taken[self.columns], minlength=len(self.limits))
        return bool((use <= self.limits + ROUNDING).all())


def _starts(counts: IntArray) -> IntArray:
    return np.concatenate((np.zeros(1, dtype=np.int64), counts.cumsum()))


@dataclass(frozen=True, slots=True, eq=False)
class LinearAnswer:
    """The value, the columns' amounts (N), and the rows' prices (M), none below zero; the corner, if it is told."""

    value: float
    amounts: FloatArray
    prices: FloatArray
    basis: Basis | None = None


@dataclass(frozen=True, slots=True, eq=False)
class WholeAnswer:
    """Which columns (N) are taken when each is taken whole or not at all; None where nothing was found.

    `bound` is proven for every choice that was asked for; infinite where there is none.
    """

    taken: BoolArray | None
    bound: float
    ending: Ending


Linear = Callable[[LinearProgram], LinearAnswer]
"""The optimum of a linear program. Raises SolverFailed."""

Choose = Callable[[LinearProgram, float], WholeAnswer]
"""The best choice of whole columns that costs less than a value. Raises SolverFailed."""
