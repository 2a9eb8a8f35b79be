"""What is left over, for lines that no single source can fill: put together from several.

A first plan gives every line to one source. Where lines may be split, what stays unfilled in it is filled from what is
left, order by order, the heaviest class first: again and again from the source whose units are worth most, within every
limit of the order and of its lines.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from dom_core.domain.reason import BoolArray, FloatArray, IntArray
from dom_core.optimizer.costs import Flow
from dom_core.optimizer.first_plan import FirstPlan
from dom_core.optimizer.pattern_costs import CostBlock


def top_up(plan: FirstPlan, time_is_up: Callable[[], bool]) -> None:
    """Fill what lines that may be split still miss."""
    used = plan.problem.used
    before = used.sources_by_order(), used.sources_by_line()
    for row in _rows_that_miss(plan):
        if time_is_up():
            return
        plan.pricer.watch.go_on()
        plan.add(int(plan.pricer.costs.orders[row]), _Filling(plan, row, *before).flows())


def _rows_that_miss(plan: FirstPlan) -> list[int]:
    """Order rows with a line of several units that nobody fills and that may be split, the heaviest class first."""
    costs = plan.pricer.costs
    placed = np.isin(costs.lines, [line for line, _, _ in plan.flows])
    rows = np.unique(costs.order_row[costs.may_split & ~costs.write_in & (costs.units > 1) & ~placed])
    heaviest_first = np.argsort(-plan.problem.weights[costs.orders[rows]], kind="stable")
    return [int(row) for row in rows[heaviest_first]]


class _Filling:
    """The ordinary lines (n) of one order that nothing is placed of, and what they may take from each source.

    `missing` units that are worth `gains` each; `there` (n, S) units, none where a line must not come from a source;
    `extra` (n, S) is what a line pays for a source, `together` (S) what the order pays, nothing where it gets something
    already: from `used` sources.
    """

    def __init__(
        self,
        plan: FirstPlan,
        row: int,
        sources_by_order: Mapping[int, set[int]],
        sources_by_line: Mapping[int, set[int]],
    ) -> None:
        self.plan, problem, costs = plan, plan.problem, plan.pricer.costs
        block = CostBlock(costs, row, row + 1)
        order = int(block.orders[0])
        mine = {line: source for line, source, _ in plan.placed.get(order, ())}
        rows = np.flatnonzero(~costs.write_in[block.rows] & ~np.isin(block.lines, list(mine)))
        self.lines: IntArray = block.lines[rows]
        self.products: IntArray = problem.batch.product_of[self.lines]
        self.missing: IntArray = problem.wanted[self.lines].astype(np.int64)
        self.gains: FloatArray = block.unit_gains[rows]
        self.may_split: BoolArray = costs.may_split[block.rows][rows]
        could = np.isfinite(block.alone[rows])
        self.there: IntArray = np.where(could, plan.left.stock[self.products], 0).astype(np.int64)
        self.extra: FloatArray = np.where(could, block.alone[rows] + (self.gains * self.missing)[:, None], 0.0)
        self.used = {source for line, source in mine.items() if not problem.batch.is_write_in(line)}
        self.used |= sources_by_order.get(order, set())
        self.together: FloatArray = block.together[0].copy()
        self.together[sorted(self.used | set(mine.values()))] = 0.0
        self.limits = problem.split_limits[order]
        self.sources_of = {line: set(sources_by_line.get(line, ())) for line in self.lines.tolist()}

    def flows(self) -> list[Flow]:
        """What they take now, within all limits of their order."""
        taken: list[Flow] = []
        if self.limits.max_sources is not None and len(self.used) > self.limits.max_sources:
            return taken
        closed = np.zeros(len(self.together), dtype=bool)
        while True:
            worth, units = self._worth(closed)
            source = int(worth.argmax())
            if worth[source] <= 0.0:
                return self._kept(taken)
            more = self._from(source, units[:, source])
            closed[source] = True
            while more and not self.plan.left.fits([*taken, *more]):
                more.pop()
            if more:
                taken += more
                self._note(source, more)

    def _worth(self, closed: BoolArray) -> tuple[FloatArray, IntArray]:
        """What each source (S) is worth to them, and the units that they would take from it (n, S)."""
        whole = ~self.may_split[:, None]
        units = np.minimum(self.missing[:, None], self.there)
        units[whole & (units < self.missing[:, None])] = 0
        units[self._full()] = 0
        saved = units * self.gains[:, None] - self.extra
        units[saved <= 0.0] = 0
        worth = np.where(units > 0, saved, 0.0).sum(axis=0) - self.together
        most = self.limits.max_sources
        if most is not None and len(self.used) >= most:
            worth[[source for source in range(len(worth)) if source not in self.used]] = -np.inf
        worth[closed] = -np.inf
        return worth, units

    def _full(self) -> BoolArray:
        """Which lines (n) come from as many sources as they may."""
        most = self.limits.max_sources_per_line
        if most is None:
            return np.zeros(len(self.lines), dtype=bool)
        return np.array([len(self.sources_of[line]) >= most for line in self.lines.tolist()], dtype=bool)

    def _from(self, source: int, units: IntArray) -> list[Flow]:
        """These units (n) of the lines from a source, as far as it has enough for all, the most valuable first."""
        more: list[Flow] = []
        there = self.there[:, source].copy()
        worth = units * self.gains - self.extra[:, source]
        for row in np.argsort(-worth, kind="stable")[: np.count_nonzero(units)].tolist():
            amount = int(min(units[row], there[row]))
            if amount > 0 and (self.may_split[row] or amount == self.missing[row]):
                more.append((int(self.lines[row]), source, amount))
                there[self.products == self.products[row]] -= amount
        return more

    def _note(self, source: int, more: Sequence[Flow]) -> None:
        """What these flows from a source leave to be filled."""
        for line, _, units in more:
            row = int(np.searchsorted(self.lines, line))
            self.missing[row] -= units
            self.there[self.products == self.products[row], source] -= units
            self.sources_of[line].add(source)
        self.used.add(source)
        self.together[source] = 0.0

    def _kept(self, taken: list[Flow]) -> list[Flow]:
        """What may stay: without lines in part, or parts of the order, where these are not allowed."""
        missing = set(self.lines[self.missing > 0].tolist())
        if missing and not self.limits.partial_orders:
            return []
        if self.limits.partial_lines:
            return taken
        return [flow for flow in taken if flow[0] not in missing]
