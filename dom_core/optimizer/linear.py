"""Linear programs as arrays, and who solves them: min c·x with A x ≤ b and x ≥ 0.

The restricted master is such a program. What is wanted of it is its prices: one for each row, zero or more.
"""

from dataclasses import dataclass

import numpy as np

from dom_core.domain.reason import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """A corner of what a program allows: the columns (N) that may be above zero, and the rows (M) that are used up.

    A solver can start from it. There are as many of these columns as of these rows.
    """

    columns: BoolArray
    rows: BoolArray

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


@dataclass(frozen=True, slots=True, eq=False)
class LinearAnswer:
    """The value, the columns' amounts (N), and the rows' prices (M), none below zero; the corner, if it is told."""

    value: float
    amounts: FloatArray
    prices: FloatArray
    basis: Basis | None = None
