"""An exact model in patterns: of each order one pattern or none, chosen among all that are near its best.

Where patterns say everything about a plan (`expressed`), the best choice among all patterns within the gap is the best
plan. A pattern keeps what concerns its order alone, so little is left to branch on: this model is solved in a tenth of
the time of the compact one, and for many more lines.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dom_core.domain.plan import Ending, Level
from dom_core.domain.reason import BoolArray, FloatArray, IntArray
from dom_core.optimizer.costs import Flow
from dom_core.optimizer.linear import Choose
from dom_core.optimizer.master import restricted
from dom_core.optimizer.near_best import Found, NearBest, TooMany
from dom_core.optimizer.pattern_costs import Groups
from dom_core.optimizer.patterns import Columns, Entries, all_entries
from dom_core.optimizer.prices import DIVISORS, Prices, rounded_parts
from dom_core.optimizer.pricing import PricedGroups, Pricer
from dom_core.optimizer.problem import Problem

BLOCK_LINES = 5_000
"""Lines whose priority steps are compared at a time, to bound the memory."""

SHRINK, LEAST_GAP = 0.5, 0.5
"""What the gap is multiplied with while there are too many patterns within it; below the second they only tie."""

KnownPatterns = Mapping[int, IntArray]
"""Patterns by order: the source of each of its lines, NOWHERE for one that waits (N, n)."""


def expressed(pricer: Pricer) -> BoolArray:
    """Which orders (O) patterns express to the last point.

    Their lines come whole (a single unit always does), fit into one group, and nothing of them came before; all go to
    one place, and at each source all have the same priority.
    """
    costs, problem = pricer.costs, pricer.problem
    batch = problem.batch
    wholly = np.ones(len(batch.orders), dtype=bool)
    wholly[batch.order_of[costs.lines[~costs.whole & ((costs.units > 1) | costs.write_in)]]] = False
    wholly[sorted({order for order, _ in problem.used.shipments})] = False
    wholly[costs.cut_orders()] = False
    first = costs.lines[costs.starts][costs.order_row]
    differs = batch.destination_of[costs.lines] != batch.destination_of[first]
    if problem.costs is not None:
        differs |= problem.costs.travel_group_of[costs.lines] != problem.costs.travel_group_of[first]
    if problem.rates[Level.PRIORITY_STEPS]:
        differs |= _other_steps(problem, costs.lines, first)
    wholly[batch.order_of[costs.lines[differs]]] = False
    return wholly


def _other_steps(problem: Problem, lines: IntArray, first: IntArray) -> BoolArray:
    """Which lines have other priority steps than the first of their orders, at some source."""
    other = [np.zeros(0, dtype=bool)]
    for begin in range(0, len(lines), BLOCK_LINES):
        block = slice(begin, begin + BLOCK_LINES)
        other.append((problem.steps[lines[block]] != problem.steps[first[block]]).any(axis=1))
    return np.concatenate(other)


@dataclass(frozen=True, slots=True, eq=False)
class Choices:
    """Patterns to choose from (N), with what there is of each row that they draw on.

    Pattern n has the flows from `starts[n]` to `starts[n + 1]` of `lines` and `sources`.
    """

    problem: Problem
    columns: Columns
    limits: FloatArray
    groups: int
    starts: IntArray
    lines: IntArray
    sources: IntArray

    def flows(self, taken: BoolArray) -> list[Flow]:
        """The flows of these patterns (N), every line whole."""
        mine = np.repeat(taken, np.diff(self.starts))
        lines, sources = self.lines[mine], self.sources[mine]
        return list(zip(lines.tolist(), sources.tolist(), self.problem.wanted[lines].tolist(), strict=True))


class Choosable:
    """The groups of a problem at prices: what patterns can be made from. `bound` is what the prices prove."""

    def __init__(self, pricer: Pricer, prices: Prices) -> None:
        self.pricer = pricer
        self._groups = pricer.seen(prices, _near_best)
        worth = sum(float(near.best.sum()) for _, near in self._groups)
        self.bound = pricer.constant + worth - prices.worth_of_everything(pricer.problem)

    def within(self, gap: float, most: int, known: KnownPatterns) -> Choices:
        """All patterns that cost at most `gap` more than their group's best at prices, and those known.

        Raises TooMany when there are more than `most` besides those known.
        """
        found = []
        for _, near in self._groups:
            found.append(near.within(gap, most))
            most -= len(found[-1].rows)
        return self._choices(found, known)

    def nearest(self, gap: float, most: int, known: KnownPatterns) -> Choices:
        """The same within half of the gap, a quarter, and so on, until there are few enough.

        Where far too many are equally good, one of the best of each group.
        """
        while True:
            try:
                return self.within(gap, most, known)
            except TooMany:
                if gap < LEAST_GAP:
                    break
                gap *= SHRINK
        return self._choices([_best(priced) for priced, _ in self._groups], known)

    def _choices(self, found: Sequence[Found], known: KnownPatterns) -> Choices:
        order_of = self.pricer.problem.batch.order_of
        every = [
            (priced.groups, _with_known(priced.groups, patterns, order_of, known))
            for (priced, _), patterns in zip(self._groups, found, strict=True)
        ]
        return _choices(self.pricer, every)


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """The best choice that was found, None where none costs less than was asked; and a bound of all choices."""

    flows: Sequence[Flow] | None
    bound: float
    ending: Ending


def choose(choices: Choices, constant: float, solve: Choose, below: float) -> Chosen:
    """The best choice that costs less than `below`; `constant` is what filling nothing costs. Raises SolverFailed.

    The bound is never above `below`: other patterns, which nobody looked at, could be worth as much.
    """
    master = restricted(choices.columns, choices.limits, choices.groups)
    fixed = constant + master.constant
    taken = np.zeros(len(choices.columns.costs), dtype=bool)
    taken[master.outside] = True
    if not len(master.columns):
        return Chosen(choices.flows(taken) if fixed < below else None, min(below, fixed), Ending.OPTIMAL)
    answer = solve(master.program, below - fixed)
    if answer.taken is None:
        return Chosen(None, min(below, fixed + answer.bound), answer.ending)
    taken[master.columns] = answer.taken
    return Chosen(choices.flows(taken), fixed + answer.bound, answer.ending)


def _near_best(priced: PricedGroups) -> tuple[PricedGroups, NearBest]:
    return priced, NearBest(priced.groups.kind, priced.together, priced.alone, priced.helpers)


def _best(priced: PricedGroups) -> Found:
    """The best pattern of each group that has one that is not empty."""
    places = priced.cheapest().places
    rows = np.flatnonzero((places >= 0).any(axis=1))
    return Found(rows, places[rows])


def _with_known(groups: Groups, patterns: Found, order_of: IntArray, known: KnownPatterns) -> Found:
    """The same patterns and those known of these groups that stock still allows, each once."""
    rows, places = [patterns.rows], [patterns.places]
    lines = np.arange(groups.lines.shape[1])
    for row, order in enumerate(order_of[groups.lines[:, 0]].tolist()):
        mine = known.get(order)
        if mine is not None:
            there = (mine < 0) | np.isfinite(groups.alone[row, lines, np.maximum(mine, 0)])
            mine = mine[there.all(axis=1)]
            rows.append(np.full(len(mine), row))
            places.append(mine)
    if len(rows) == 1:
        return patterns
    table = np.unique(np.column_stack((np.concatenate(rows), np.concatenate(places))), axis=0)
    return Found(table[:, 0], table[:, 1:])


def _choices(pricer: Pricer, found: Sequence[tuple[Groups, Found]]) -> Choices:
    of_group, costs, lines, sources, counts = [], [], [], [], []
    first = 0
    for groups, patterns in found:
        placed = patterns.places >= 0
        pattern, line = np.nonzero(placed)
        rows = patterns.rows[pattern]
        of_group.append(first + patterns.rows)
        costs.append(_costs(groups, patterns))
        counts.append(placed.sum(axis=1))
        lines.append(groups.lines[rows, line])
        sources.append(groups.sources[rows, patterns.places[pattern, line]])
        first += len(groups.lines)
    nothing = np.zeros(0, dtype=np.int64)
    starts = np.concatenate([np.zeros(1, dtype=np.int64), *counts]).cumsum()
    line, source = np.concatenate([nothing, *lines]), np.concatenate([nothing, *sources])
    entries, limits = _entries(pricer, np.repeat(np.arange(len(starts) - 1), np.diff(starts)), line, source)
    columns = Columns(np.concatenate([nothing, *of_group]), np.concatenate([np.zeros(0), *costs]), entries)
    return Choices(pricer.problem, columns, limits, first, starts, line, source)


def _costs(groups: Groups, patterns: Found) -> FloatArray:
    """What patterns cost without prices: what their lines pay alone, and once for every source together."""
    rows, places = patterns.rows, patterns.places
    placed, at = places >= 0, np.maximum(places, 0)
    alone = np.where(placed, groups.alone[rows[:, None], np.arange(places.shape[1]), at], 0.0)
    together = np.where(placed, groups.together[rows[:, None], at], 0.0)
    for line in range(1, places.shape[1]):
        again = (places[:, :line] == places[:, line : line + 1]).any(axis=1)
        together[again, line] = 0.0
    costs: FloatArray = (alone + together).sum(axis=1)
    return costs


def _entries(pricer: Pricer, pattern: IntArray, line: IntArray, source: IntArray) -> tuple[Entries, FloatArray]:
    """What patterns take of cells by divisor, and of rooms; and what there is of all these rows."""
    problem, rooms = pricer.problem, pricer.rooms
    width = problem.batch.shape[1]
    cells, place = np.unique(problem.batch.product_of[line].astype(np.int64) * width + source, return_inverse=True)
    there = problem.stock[np.divmod(cells, max(1, width))].astype(np.int64)
    rows = np.searchsorted(pricer.costs.lines, line)
    taken = pricer.costs.taken(rows)
    parts = [
        Entries(pattern[units > 0], (number * len(cells) + place)[units > 0], units[units > 0].astype(np.float64))
        for number, units in enumerate(taken)
    ]
    limited = ~pricer.costs.write_in[rows]
    orders, whole = problem.batch.order_of[line[limited]], np.ones(int(limited.sum()))
    whose, room, shares = rooms.entries(pattern[limited], line[limited], orders, source[limited], whole)
    parts.append(Entries(whose, len(DIVISORS) * len(cells) + room, shares))
    return all_entries(parts), np.concatenate([*(rounded_parts(there, divisor) for divisor in DIVISORS), rooms.room])
