"""The restricted master: of the patterns found so far, which to take, within stock and room.

    min Σ cost · x   with   Σ use · x ≤ what there is  (cells by divisor, capacities),   Σ x of a group ≤ 1,   x ≥ 0

Only rows that could bind are in it: where each group's greediest pattern fits beside all others', nothing can. Groups
that touch no such row take their cheapest pattern outside.
"""

from dataclasses import dataclass, replace

import numpy as np

from dom_core.domain.reason import BoolArray, FloatArray, IntArray
from dom_core.optimizer.linear import Basis, LinearAnswer, LinearProgram
from dom_core.optimizer.patterns import Columns


@dataclass(frozen=True, slots=True, eq=False)
class Corner:
    """Where a master ended: the patterns that it may take, the rows that it uses up, the groups that have a pattern.

    `rows` are called by their names, which stay theirs. Patterns from position `known` on came later.
    """

    patterns: IntArray
    rows: IntArray
    groups: IntArray
    known: int


@dataclass(frozen=True, slots=True, eq=False)
class Master:
    """The program, with what its columns and rows stand for.

    `columns` are positions of patterns; `rows` those of stock and capacity rows, before one for each of `groups`.
    `outside` are the patterns of groups that nothing limits, and `constant` what those cost.
    """

    program: LinearProgram
    columns: IntArray
    rows: IntArray
    groups: IntArray
    outside: IntArray
    constant: float

    def prices(self, answer: LinearAnswer, count: int) -> FloatArray:
        """The prices of all rows (count): zero for those that cannot bind."""
        prices = np.zeros(count)
        prices[self.rows] = answer.prices[: len(self.rows)]
        return prices

    def amounts(self, answer: LinearAnswer, count: int) -> FloatArray:
        """How much of each pattern (count) is taken."""
        amounts = np.zeros(count)
        amounts[self.columns] = answer.amounts
        amounts[self.outside] = 1.0
        return amounts

    def corner(self, answer: LinearAnswer, names: IntArray) -> Corner | None:
        """Where it ended, in what later masters of the same pool have too; `names` are those of all rows (count)."""
        if answer.basis is None:
            return None
        rows, groups = np.split(answer.basis.rows, [len(self.rows)])
        known = int(self.columns[-1]) + 1
        return Corner(self.columns[answer.basis.columns], names[self.rows[rows]], self.groups[groups], known)

    def starting(self, corner: Corner | None, names: IntArray) -> "Master":
        """The same master, to be solved from where an earlier one with fewer patterns and rows ended."""
        if corner is None:
            return self
        rows = np.concatenate((np.isin(names[self.rows], corner.rows), np.isin(self.groups, corner.groups)))
        fresh = int(np.count_nonzero(self.columns >= corner.known))
        basis = Basis(np.isin(self.columns, corner.patterns), rows, fresh)
        return replace(self, program=replace(self.program, start=basis)) if basis.whole else self


def restricted(columns: Columns, limits: FloatArray, groups: int) -> Master:
    """The master of these patterns; `limits` of all rows, `groups` is how many there are."""
    entries = columns.entries
    binds = _greediest(columns, len(limits), groups) > limits
    kept = binds[entries.rows]
    touched = np.zeros(groups, dtype=bool)
    touched[columns.groups[entries.patterns[kept]]] = True
    rows, inside = np.flatnonzero(binds), np.flatnonzero(touched)
    mine = np.flatnonzero(touched[columns.groups])
    row_number = np.cumsum(binds) - 1
    group_number = len(rows) + np.cumsum(touched) - 1
    column_number = np.cumsum(touched[columns.groups]) - 1
    program = _program(
        np.concatenate((column_number[entries.patterns[kept]], np.arange(len(mine)))),
        np.concatenate((row_number[entries.rows[kept]], group_number[columns.groups[mine]])),
        np.concatenate((entries.amounts[kept], np.ones(len(mine)))),
        columns.costs[mine],
        np.concatenate((limits[rows], np.ones(len(inside)))),
    )
    outside = _cheapest(columns, ~touched)
    return Master(program, mine, rows, inside, outside, float(columns.costs[outside].sum()))


def _greediest(columns: Columns, rows: int, groups: int) -> FloatArray:
    """What all groups could take of each row, each by its greediest pattern."""
    entries = columns.entries
    uses, place = np.unique(entries.patterns * rows + entries.rows, return_inverse=True)
    amounts = np.bincount(place, weights=entries.amounts, minlength=len(uses))
    pattern, row = np.divmod(uses, max(1, rows))
    unique, place = np.unique(row * groups + columns.groups[pattern], return_inverse=True)
    most = np.zeros(len(unique))
    np.maximum.at(most, place, amounts)
    return np.bincount(unique // groups, weights=most, minlength=rows).astype(np.float64)


def _program(
    columns: IntArray, rows: IntArray, amounts: FloatArray, costs: FloatArray, limits: FloatArray
) -> LinearProgram:
    """The matrix column by column; several entries at one place are added up."""
    order = np.lexsort((rows, columns))
    columns, rows, amounts = columns[order], rows[order], amounts[order]
    first = np.flatnonzero((np.diff(columns, prepend=-1) != 0) | (np.diff(rows, prepend=-1) != 0))
    if len(first):
        amounts = np.add.reduceat(amounts, first)
    columns, rows = columns[first], rows[first]
    starts = np.concatenate(([0], np.cumsum(np.bincount(columns, minlength=len(costs))))).astype(np.int64)
    return LinearProgram(costs, starts, rows, amounts, limits)


def _cheapest(columns: Columns, wanted: BoolArray) -> IntArray:
    """The cheapest pattern of each of the wanted groups, the first that came up among equals; those below zero."""
    mine = np.flatnonzero(wanted[columns.groups] & (columns.costs < 0.0))
    order = mine[np.lexsort((mine, columns.costs[mine], columns.groups[mine]))]
    cheapest: IntArray = order[np.diff(columns.groups[order], prepend=-1) != 0]
    return cheapest
