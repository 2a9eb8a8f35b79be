"""What is left while orders are served one after another, and what a single order may still take of it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np

from benchmarks.answers import Answer, in_ids
from dom_core.domain.reason import BoolArray, IntArray
from dom_core.domain.request import PlanRequest
from dom_core.domain.units import UNLIMITED_UNITS
from dom_core.optimizer import pipeline, relaxation
from dom_core.optimizer.costs import Flow
from dom_core.optimizer.problem import Problem
from dom_core.rules.base import CapacityLimit, SplitLimits


def order_by_order(request: PlanRequest, serve: "Callable[[Ledger, list[int]], None]") -> Answer:
    """Serve the orders, earliest first, each with what those before it left."""
    batch, _ = pipeline.open_lines(request)
    ledger = Ledger(relaxation.prepare(batch).problem)
    for _, members in groupby(range(len(batch.lines)), key=batch.order_of.tolist().__getitem__):
        lines = list(members)
        ledger.begin(lines)
        serve(ledger, lines)
        ledger.end()
    return Answer(in_ids(batch, ledger.flows))


class Ledger:
    """Stock and room that are left, and the order that is being served.

    An order is begun, takes units, and is ended: what a rule does not let it keep is given back then.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.stock: IntArray = problem.stock.copy()
        self.flows: list[Flow] = []
        self._room = [_Room(capacity) for capacity in problem.capacities]
        self._order = -1
        self._lines: list[int] = []
        self._mine: list[Flow] = []

    @property
    def limits(self) -> SplitLimits:
        """How far the order may be torn apart."""
        return self.problem.split_limits[self._order]

    def begin(self, lines: Sequence[int]) -> None:
        """These lines are the order's."""
        self._order, self._lines, self._mine = int(self.problem.batch.order_of[lines[0]]), list(lines), []

    def end(self) -> None:
        """Keep what the order took, or give it back where it may only be served as a whole."""
        if not self.limits.partial_orders and any(self.missing(line) for line in self._lines):
            for flow in self._mine:
                self._move(flow, -1)
        else:
            self.flows += self._mine

    def wanted(self, line: int) -> int:
        """Units that the line asks for."""
        return int(self.problem.wanted[line])

    def missing(self, line: int) -> int:
        """Units that the line lacks."""
        return self.wanted(line) - sum(units for mine, _, units in self._mine if mine == line)

    def holders(self, line: int, units: int) -> BoolArray:
        """Sources (S) that may give the line so many units now, all limits considered."""
        product = self.problem.batch.product_of[line]
        holders: BoolArray = self.problem.allowed[line] & (self.stock[product] >= units)
        used = {source for _, source, _ in self._mine}
        if self.limits.max_sources is not None and len(used) >= self.limits.max_sources:
            holders &= self._only(used)
        mine, most = self._sources_of(line), self.limits.max_sources_per_line
        if most is not None and len(mine) >= most:
            holders &= self._only(mine)
        for room in self._room:
            room.close(holders, self._order, line)
        return holders

    def nearest(self, line: int, among: BoolArray) -> int | None:
        """The nearest of these sources; of equally near ones the first."""
        found = np.flatnonzero(among)
        return int(found[self.problem.km[line, found].argmin()]) if len(found) else None

    def take(self, line: int, source: int, units: int) -> None:
        """Give the line these units."""
        flow = (line, source, units)
        self._mine.append(flow)
        self._move(flow, 1)

    def fill(self, line: int, among: BoolArray) -> bool:
        """Fill the line from the nearest of these sources that has all of it; if none has, in parts as rules allow."""
        source = self.nearest(line, self.holders(line, self.missing(line)) & among)
        if source is None:
            return self._fill_in_parts(line, among)
        self.take(line, source, self.missing(line))
        return True

    def _fill_in_parts(self, line: int, among: BoolArray) -> bool:
        """From the nearest sources, each with what it has. Given back when that is not enough and has to be."""
        while self.missing(line):
            source = self.nearest(line, self.holders(line, 1) & among & ~self._only(self._sources_of(line)))
            if source is None:
                break
            self.take(line, source, min(self.missing(line), self._held(line, source)))
        if self.missing(line) and not self.limits.partial_lines:
            self._give_back(line)
        return not self.missing(line)

    def _held(self, line: int, source: int) -> int:
        return int(self.stock[self.problem.batch.product_of[line], source])

    def _sources_of(self, line: int) -> set[int]:
        return {source for mine, source, _ in self._mine if mine == line}

    def _give_back(self, line: int) -> None:
        for flow in [flow for flow in self._mine if flow[0] == line]:
            self._mine.remove(flow)
            self._move(flow, -1)

    def _only(self, sources: set[int]) -> BoolArray:
        only = np.zeros(self.stock.shape[1], dtype=bool)
        only[list(sources)] = True
        return only

    def _move(self, flow: Flow, sign: int) -> None:
        line, source, units = flow
        product = self.problem.batch.product_of[line]
        if self.stock[product, source] < UNLIMITED_UNITS:
            self.stock[product, source] -= sign * units
        for room in self._room:
            room.move(self._order, line, source, sign)


class _Room:
    """What is left of one limit of orders, or of lines, at a group of sources."""

    def __init__(self, capacity: CapacityLimit) -> None:
        self.capacity = replace(capacity, counted=frozenset())
        self._sources = np.array(sorted(capacity.sources), dtype=np.int64)
        self._counted = set(capacity.counted)
        self._visits: dict[tuple[int, int], int] = {}

    def close(self, holders: BoolArray, order: int, line: int) -> None:
        """Take out sources at which nobody new may come, unless this one is there already."""
        if len(self._visits) < self.capacity.remaining:
            return
        for source in self._sources[holders[self._sources]].tolist():
            visitor = self._visitor(order, line, source)
            if visitor not in self._visits and visitor not in self._counted:
                holders[source] = False

    def move(self, order: int, line: int, source: int, sign: int) -> None:
        """Count a flow in, or out again."""
        visitor = self._visitor(order, line, source)
        if source not in self.capacity.sources or visitor in self._counted:
            return
        flows = self._visits.get(visitor, 0) + sign
        if flows:
            self._visits[visitor] = flows
        else:
            del self._visits[visitor]

    def _visitor(self, order: int, line: int, source: int) -> tuple[int, int]:
        return (line if self.capacity.per_line else order, source)
