"""Linear programs as arrays, and who solves them: min c·x with A x ≤ b and x ≥ 0.

The restricted master is such a program. What is wanted of it is its prices: one for each row, zero or more.
"""

from dataclasses import dataclass

from dom_core.domain.reason import FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class LinearProgram:
    """Columns (N) of a matrix with M rows: the entries of column j are those from `starts[j]` to `starts[j + 1]`."""

    costs: FloatArray
    starts: IntArray
    rows: IntArray
    amounts: FloatArray
    limits: FloatArray

    @property
    def much_choice(self) -> bool:
        """Whether it is large, with far more columns than rows: such programs take simplex methods long."""
        return len(self.costs) > max(10_000, 2 * len(self.limits))


@dataclass(frozen=True, slots=True, eq=False)
class LinearAnswer:
    """The value, the columns' amounts (N), and the rows' prices (M), none below zero."""

    value: float
    amounts: FloatArray
    prices: FloatArray
