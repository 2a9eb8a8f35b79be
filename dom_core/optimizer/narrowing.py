"""What a choice of whole columns for less than a value could still use: most often little of a large program.

The program's shares, with cuts that they broke, prove a bound. A column whose cost at their prices takes it above the
value is in no such choice. The fewer columns are left, the more the cuts say, and so on. Nothing is taken on trust of
the solver: the bound is computed from its prices, and any prices prove one.
"""

from copy import copy
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from dom_core.domain.reason import BoolArray, FloatArray, IntArray
from dom_core.optimizer import cuts
from dom_core.optimizer.linear import Basis, Linear, LinearAnswer, LinearProgram

ROUNDS, CUTS_A_ROUND, LARGEST = 20, 200, 30_000
"""Rounds at most, new cuts in each, and the largest number that a cut may have: more is hard on a solver's floats."""

FEW = 4_000
"""From so few columns a solver chooses sooner than more cuts leave fewer."""

SIFTS, A_ROW, MISSED_AT_MOST = 12, 8, 0.5
"""Linear programs for one relaxation at most, columns that each row may add, and points that may be missing after."""

LOOK_BACK, LEAST_PROGRESS = 3, 0.06
"""Over so many rounds the distance to the value must shrink by this share, or it ends."""


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
    """The columns that are left of a program, whose further rows, after `own_rows`, are cuts.

    `positions` (N) are those of the columns in the whole program, rising; `reduced` (N) is what each costs at the
    prices that proved `bound`. `asked` are those that the solver was shown: the others cost too much at its prices.
    `corner` is where its last program ended: the next begins there, and takes half of the time.
    """

    def __init__(self, program: LinearProgram) -> None:
        self.program, self.positions, self.reduced = program, np.arange(len(program.costs)), program.costs
        self.own_rows, self.last_row = len(program.limits), program.rows[program.starts[1:] - 1]
        self.bound = float(np.minimum(program.costs, 0.0).sum())
        self.asked = np.zeros(len(program.costs), dtype=bool)
        self.taken = np.zeros(len(program.costs))
        self.corner: Basis | None = None

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
            return self._relaxed(shown, LinearAnswer(0.0, np.zeros(0), np.zeros(len(self.program.limits))))
        answer = solve(replace(self.program.part(shown), start=self._start(shown, len(fresh))))
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
        rows = np.zeros(len(self.program.limits), dtype=bool)
        rows[: len(self.corner.rows)] = self.corner.rows
        start = Basis(self.corner.columns[shown], rows, fresh)
        return start if start.whole else None

    def _forget_cuts(self, says: BoolArray) -> None:
        """Keep the cuts that say something, and those that the corner stands on."""
        kept = np.concatenate((np.ones(self.own_rows, dtype=bool), says))
        if self.corner is not None:
            kept |= self.corner.rows
            self.corner = Basis(self.corner.columns, self.corner.rows[kept])
        if not kept.all():
            self.program = self.program.of_rows(kept)

    def _worth_asking(self, reduced: FloatArray) -> IntArray:
        """Of the columns that lower the value some for each row, those with a row of their own last."""
        lower = np.flatnonzero((reduced < -cuts.WHOLE_WITHIN) & ~self.asked)
        last = self.last_row[lower]
        order = np.lexsort((reduced[lower], last))
        rank = np.arange(len(order)) - np.searchsorted(last[order], last[order])
        return lower[order[rank < A_ROW]]

    def _relaxed(self, shown: IntArray, answer: LinearAnswer) -> _Relaxed:
        taken = np.zeros(len(self.program.costs))
        taken[shown] = answer.amounts
        prices = np.maximum(answer.prices, 0.0)
        paid = self.program.amounts * prices[self.program.rows]
        reduced = self.program.costs + np.bincount(self.program.columns, weights=paid, minlength=len(taken))
        row_prices, cut_prices = np.split(prices, [self.own_rows])
        limits, cut_limits = np.split(self.program.limits, [self.own_rows])
        there = float(row_prices @ limits + cut_prices @ cut_limits)
        return _Relaxed(taken, reduced, cut_prices, float(np.minimum(reduced, 0.0).sum()) - there)

    def _drop(self, value: float) -> None:
        """Forget columns that take any choice to the value."""
        room = value - self.bound
        columns = np.flatnonzero((self.reduced <= room + MISSED_AT_MOST) & (room > 0))
        if len(columns) < len(self.positions):
            self.program, self.positions = self.program.part(columns), self.positions[columns]
            self.last_row, self.asked = self.last_row[columns], self.asked[columns]
            self.taken, self.reduced = self.taken[columns], self.reduced[columns]
            if self.corner is not None:
                self.corner = Basis(self.corner.columns[columns], self.corner.rows)

    def _cut(self) -> bool:
        """Add cuts that the shares break; whether there were any."""
        support = np.flatnonzero(self.taken > cuts.WHOLE_WITHIN)
        shown = self.program.part(support)
        amounts = np.zeros((len(shown.limits), len(support)))
        amounts[shown.rows, shown.columns] = shown.amounts
        sets = cuts.zero_half(amounts, shown.limits, self.taken[support], CUTS_A_ROUND)
        halved = _Halved(self.program)
        new = [(halves, rows) for rows in sets if (halves := halved.sum_of(rows)) is not None]
        if new:
            columns, numbers = zip(*(halves for halves, _ in new), strict=True)
            row = np.repeat(np.arange(len(new)), [len(each) for each in columns])
            limits = np.array([self.program.limits[rows].sum() // 2 for _, rows in new])
            self.program = self.program.with_rows(np.concatenate(columns), row, np.concatenate(numbers), limits)
        return bool(new)


class _Halved:
    """Halves of sums of a program's rows."""

    def __init__(self, program: LinearProgram) -> None:
        order = np.argsort(program.rows, kind="stable")
        self.columns, self.amounts = program.columns[order], program.amounts[order]
        counts = np.bincount(program.rows, minlength=len(program.limits))
        self.starts = np.concatenate((np.zeros(1, dtype=np.int64), counts.cumsum()))

    def sum_of(self, rows: IntArray) -> tuple[IntArray, FloatArray] | None:
        """Half of the sum of these, rounded down: its columns, rising, and numbers; None where one is too large."""
        entries = np.concatenate([np.arange(self.starts[row], self.starts[row + 1]) for row in rows.tolist()])
        sums = np.bincount(self.columns[entries], weights=self.amounts[entries])
        columns = np.flatnonzero(sums >= 2)
        halves: FloatArray = np.floor(sums[columns] / 2)
        if halves.max(initial=0.0) > LARGEST:
            return None
        return columns, halves
