"""What a choice of whole columns for less than a value could still use: most often little of a large program.

The program's shares, with cuts that they broke, prove a bound. A column whose cost at their prices takes it above the
value is in no such choice. The fewer columns are left, the more the cuts say, and so on. Nothing is taken on trust of
the solver: the bound is computed from its prices, and any prices prove one.
"""

from copy import copy
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from dom_core.domain.reason import BoolArray, FloatArray, IntArray
from dom_core.optimizer import cuts
from dom_core.optimizer.linear import Basis, Linear, LinearAnswer, LinearProgram

ROUNDS, CUTS_A_ROUND, LARGEST = 20, 200, 30_000
"""Rounds at most, new cuts in each, and the largest number that a cut may have: so two bytes hold it."""

FEW = 4_000
"""From so few columns a solver chooses sooner than more cuts leave fewer."""

SIFTS, A_ROW, MISSED_AT_MOST = 12, 8, 0.5
"""Linear programs for one relaxation at most, columns that each row may add, and points that may be missing after."""

LOOK_BACK, LEAST_PROGRESS = 3, 0.06
"""Over so many rounds the distance to the value must shrink by this share, or it ends."""

Coefficients = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True, eq=False)
class _Relaxed:
    """How much is taken of each column (N), what each costs at the prices (N), the cuts' prices, and the bound."""

    taken: FloatArray
    reduced: FloatArray
    cut_prices: FloatArray
    bound: float


def _stalls(distances: list[float]) -> bool:
    return len(distances) > LOOK_BACK and distances[-1] > (1 - LEAST_PROGRESS) * distances[-1 - LOOK_BACK]


class Narrowing:
    """The columns that are left of a program, with cuts (K, N) and their limits (K).

    `positions` (N) are those of the columns in the whole program, rising; `reduced` (N) is what each costs at the
    prices that proved `bound`. `asked` are those that the solver was shown: the others cost too much at its prices.
    `corner` is where its last program ended: the next begins there, and takes half of the time.
    """

    def __init__(self, program: LinearProgram) -> None:
        self.program, self.positions, self.reduced = program, np.arange(len(program.costs)), program.costs
        self.bound = float(np.minimum(program.costs, 0.0).sum())
        self.cuts: Coefficients = np.zeros((0, len(program.costs)), dtype=np.int16)
        self.cut_limits = np.zeros(0)
        self.asked = np.zeros(len(program.costs), dtype=bool)
        self.taken = np.zeros(len(program.costs))
        self.corner: Basis | None = None
        self._index()

    def below(self, value: float, solve: Linear) -> Self:
        """What is left for choices that cost less than the value: nothing where none does. Raises SolverFailed."""
        left, distances = copy(self), list[float]()
        left._drop(value)
        while len(left.positions) > FEW and len(distances) < ROUNDS:
            left._relax(solve)
            distances.append(value - left.bound)
            left._drop(value)
            if _stalls(distances) or not left._cut():
                break
        return left

    @property
    def with_cuts(self) -> LinearProgram:
        """The program of the columns that are left, and the cuts as further rows."""
        return _with_rows(self.program, self.cuts, self.cut_limits)

    def _index(self) -> None:
        """Entries by column and by row."""
        self.column_of = np.repeat(np.arange(len(self.program.costs)), np.diff(self.program.starts))
        self.by_row = np.argsort(self.program.rows, kind="stable")
        counts = np.bincount(self.program.rows, minlength=len(self.program.limits))
        self.row_starts = np.concatenate((np.zeros(1, dtype=np.int64), counts.cumsum()))

    def _relax(self, solve: Linear) -> None:
        """The best choice in shares: the solver sees the columns that may matter, and more of them as prices say."""
        found = self._asked(self._worth_asking(self.reduced), solve)
        for _ in range(SIFTS):
            fresh = self._worth_asking(found.reduced)
            if not len(fresh) or np.minimum(found.reduced, 0.0).sum() >= -MISSED_AT_MOST:
                break
            found = self._asked(fresh, solve)
        self._forget_cuts(found.cut_prices > cuts.WHOLE_WITHIN)
        self.taken = found.taken
        if found.bound > self.bound:
            self.bound, self.reduced = found.bound, found.reduced

    def _asked(self, fresh: IntArray, solve: Linear) -> _Relaxed:
        """What the solver says when it is shown these columns, too."""
        self.asked = self.asked.copy()
        self.asked[fresh] = True
        shown = np.flatnonzero(self.asked)
        if not len(shown):
            return self._relaxed(
                shown, LinearAnswer(0.0, np.zeros(0), np.zeros(len(self.program.limits) + len(self.cuts)))
            )
        program = _with_rows(self.program.part(shown), self.cuts[:, shown], self.cut_limits)
        answer = solve(replace(program, start=self._start(shown, len(fresh))))
        self.corner = None
        if answer.basis is not None:
            columns = np.zeros(len(self.program.costs), dtype=bool)
            columns[shown] = answer.basis.columns
            self.corner = Basis(columns, answer.basis.rows)
        return self._relaxed(shown, answer)

    def _start(self, shown: IntArray, fresh: int) -> Basis | None:
        """The corner as one of the program that is shown, with the cuts that came since; None where it is none."""
        if self.corner is None:
            return None
        rows = np.zeros(len(self.program.limits) + len(self.cuts), dtype=bool)
        rows[: len(self.corner.rows)] = self.corner.rows
        start = Basis(self.corner.columns[shown], rows, fresh)
        return start if start.whole else None

    def _forget_cuts(self, says: BoolArray) -> None:
        """Keep the cuts that say something, and those that the corner stands on."""
        if self.corner is not None:
            rows, of_cuts = np.split(self.corner.rows, [len(self.program.limits)])
            says = says | of_cuts
            self.corner = Basis(self.corner.columns, np.concatenate((rows, of_cuts[says])))
        self.cuts, self.cut_limits = self.cuts[says], self.cut_limits[says]

    def _worth_asking(self, reduced: FloatArray) -> IntArray:
        """Of the columns that lower the value some for each row, those with a row of their own last."""
        lower = np.flatnonzero((reduced < -cuts.WHOLE_WITHIN) & ~self.asked)
        last = self.program.rows[self.program.starts[lower + 1] - 1]
        order = np.lexsort((reduced[lower], last))
        rank = np.arange(len(order)) - np.searchsorted(last[order], last[order])
        return lower[order[rank < A_ROW]]

    def _relaxed(self, shown: IntArray, answer: LinearAnswer) -> _Relaxed:
        taken = np.zeros(len(self.program.costs))
        taken[shown] = answer.amounts
        prices = np.maximum(answer.prices, 0.0)
        row_prices, cut_prices = np.split(prices, [len(self.program.limits)])
        paid = self.program.amounts * row_prices[self.program.rows]
        charges = np.bincount(self.column_of, weights=paid, minlength=len(taken))
        for number in np.flatnonzero(cut_prices):
            charges += cut_prices[number] * self.cuts[number]
        reduced = self.program.costs + charges
        there = float(row_prices @ self.program.limits + cut_prices @ self.cut_limits)
        return _Relaxed(taken, reduced, cut_prices, float(np.minimum(reduced, 0.0).sum()) - there)

    def _drop(self, value: float) -> None:
        """Forget columns that take any choice to the value."""
        room = value - self.bound
        columns = np.flatnonzero((self.reduced <= room + MISSED_AT_MOST) & (room > 0))
        if len(columns) < len(self.positions):
            self.program, self.positions = self.program.part(columns), self.positions[columns]
            self.cuts, self.asked = self.cuts[:, columns], self.asked[columns]
            self.taken, self.reduced = self.taken[columns], self.reduced[columns]
            if self.corner is not None:
                self.corner = Basis(self.corner.columns[columns], self.corner.rows)
            self._index()

    def _cut(self) -> bool:
        """Add cuts that the shares break; whether there were any."""
        support = np.flatnonzero(self.taken > cuts.WHOLE_WITHIN)
        shown = self.program.part(support)
        amounts = np.zeros((len(shown.limits), len(support)))
        amounts[shown.rows, np.repeat(np.arange(len(support)), np.diff(shown.starts))] = shown.amounts
        amounts = np.vstack((amounts, self.cuts[:, support]))
        limits = np.concatenate((self.program.limits, self.cut_limits))
        sets = cuts.zero_half(amounts, limits, self.taken[support], CUTS_A_ROUND)
        new = [(halves, limits[rows].sum() // 2) for rows in sets if (halves := self._halved(rows)) is not None]
        if new:
            self.cuts = np.vstack((self.cuts, *(halves for halves, _ in new)))
            self.cut_limits = np.concatenate((self.cut_limits, [limit for _, limit in new]))
        return bool(new)

    def _halved(self, rows: IntArray) -> Coefficients | None:
        """Half of the sum of these rows, rounded down, for every column; None where that becomes too large."""
        own = rows[rows < len(self.program.limits)]
        entries = [self.by_row[self.row_starts[row] : self.row_starts[row + 1]] for row in own.tolist()]
        mine = np.concatenate((np.zeros(0, dtype=np.int64), *entries))
        sums = np.bincount(self.column_of[mine], weights=self.program.amounts[mine], minlength=len(self.program.costs))
        sums += self.cuts[rows[rows >= len(self.program.limits)] - len(self.program.limits)].sum(axis=0)
        halves = sums // 2
        return halves.astype(np.int16) if halves.max(initial=0.0) <= LARGEST else None


def _with_rows(program: LinearProgram, more: Coefficients, limits: FloatArray) -> LinearProgram:
    """The program with rows (K, N) added."""
    row, column = np.nonzero(more)
    columns = np.concatenate((np.repeat(np.arange(len(program.costs)), np.diff(program.starts)), column))
    order = np.argsort(columns, kind="stable")
    starts = np.concatenate((np.zeros(1, dtype=np.int64), np.bincount(columns, minlength=len(program.costs)).cumsum()))
    rows = np.concatenate((program.rows, len(program.limits) + row))
    amounts = np.concatenate((program.amounts, more[row, column].astype(np.float64)))
    return LinearProgram(program.costs, starts, rows[order], amounts[order], np.concatenate((program.limits, limits)))
