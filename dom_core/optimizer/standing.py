"""A plan in the making: its flows with their total, what each order costs, and the stock and room that flows leave."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from dom_core.domain.reason import IntArray
from dom_core.domain.units import UNLIMITED_UNITS
from dom_core.optimizer.costs import Flow
from dom_core.optimizer.objective import points_by_order
from dom_core.optimizer.problem import Problem
from dom_core.rules.base import CapacityLimit

Pair = tuple[int, int]


class Standing:
    """Flows, sorted, with their total in points."""

    def __init__(self, problem: Problem, flows: Sequence[Flow]) -> None:
        self.flows = tuple(sorted(flows))
        self.total = int(points_by_order(problem, self.flows).sum())


class Left:
    """Stock and room that flows leave, and whether an order's pattern still fits."""

    def __init__(self, problem: Problem, flows: Sequence[Flow]) -> None:
        self.problem = problem
        self.stock = problem.stock.copy()
        self.room = [capacity.remaining for capacity in problem.capacities]
        self.free = [_free(problem, capacity) for capacity in problem.capacities]
        self.visits: list[set[Pair]] = [set(free) for free in self.free]
        self.capacities_at: dict[int, list[int]] = defaultdict(list)
        for number, capacity in enumerate(problem.capacities):
            for source in capacity.sources:
                self.capacities_at[source].append(number)
        self.take(flows)

    def fits(self, flows: Sequence[Flow]) -> bool:
        """Whether there is stock and room for all of these flows together."""
        asked: dict[Pair, int] = defaultdict(int)
        for line, source, units in flows:
            asked[int(self.problem.batch.product_of[line]), source] += units
        enough = all(self.stock[cell] >= units for cell, units in asked.items())
        return enough and all(len(new) <= self.room[number] for number, new in self._new(flows).items())

    def take(self, flows: Sequence[Flow]) -> None:
        """Take their stock and room away."""
        for number, new in self._new(flows).items():
            self.room[number] -= len(new)
            self.visits[number] |= new
        self._draw(flows, 1)

    def exchange(self, before: Sequence[Flow], after: Sequence[Flow]) -> bool:
        """Undo flows, all those of their orders, and take others, if those then fit; whether they did."""
        self.give_back(before)
        fits = self.fits(after)
        self.take(after if fits else before)
        return fits

    def give_back(self, flows: Sequence[Flow]) -> None:
        """Undo what was taken. The flows are all those of their orders."""
        for number, visits in self.visits_of(flows).items():
            gone = (visits & self.visits[number]) - self.free[number]
            self.room[number] += len(gone)
            self.visits[number] -= gone
        self._draw(flows, -1)

    def _draw(self, flows: Sequence[Flow], times: int) -> None:
        for line, source, units in flows:
            product = self.problem.batch.product_of[line]
            if self.problem.stock[product, source] < UNLIMITED_UNITS:
                self.stock[product, source] -= times * units

    def crowded(self, flows: Sequence[Flow]) -> Iterator[tuple[int, set[Pair], bool]]:
        """Where these flows find no room: how many visits are too many, all new ones, and whether lines count."""
        for number, new in self._new(flows).items():
            if len(new) > self.room[number]:
                yield len(new) - self.room[number], new, self.problem.capacities[number].per_line

    def open_stock(self) -> IntArray:
        """What is left (P, S), nothing of it at sources without room for anybody new."""
        full = [number for number, room in enumerate(self.room) if room <= 0]
        if not full:
            return self.stock
        stock = self.stock.copy()
        stock[:, sorted({source for number in full for source in self.problem.capacities[number].sources})] = 0
        return stock

    def line_room(self) -> IntArray:
        """How many more lines each source (S) may get."""
        room = np.full(self.problem.batch.shape[1], np.iinfo(np.int64).max)
        for capacity, left in zip(self.problem.capacities, self.room, strict=True):
            if capacity.per_line:
                sources = list(capacity.sources)
                room[sources] = np.minimum(room[sources], max(0, left))
        return room

    def _new(self, flows: Sequence[Flow]) -> dict[int, set[Pair]]:
        """By capacity, what these flows add to the visits that it counts."""
        return {number: visits - self.visits[number] for number, visits in self.visits_of(flows).items()}

    def room_without(self, flows: Sequence[Flow]) -> list[int]:
        """The room of each capacity if these flows, all those of their orders, were given back."""
        room = list(self.room)
        for number, visits in self.visits_of(flows).items():
            room[number] += len((visits & self.visits[number]) - self.free[number])
        return room

    def visitors(self, number: int) -> set[int]:
        """The orders that take room of a capacity."""
        visits = self.visits[number] - self.free[number]
        if self.problem.capacities[number].per_line:
            return {int(self.problem.batch.order_of[line]) for line, _ in visits}
        return {order for order, _ in visits}

    def visits_of(self, flows: Sequence[Flow]) -> dict[int, set[Pair]]:
        """By capacity, the orders or lines that visit its sources with these flows."""
        visits: dict[int, set[Pair]] = defaultdict(set)
        if not self.capacities_at:
            return visits
        batch = self.problem.batch
        for line, source, _ in flows:
            if not batch.is_write_in(line):
                for number in self.capacities_at.get(source, ()):
                    per_line = self.problem.capacities[number].per_line
                    visits[number].add((line if per_line else int(batch.order_of[line]), source))
        return visits


def _free(problem: Problem, capacity: CapacityLimit) -> frozenset[Pair]:
    """Visits that need no room: earlier plans, or an earlier iteration, already count them."""
    return problem.used.limited_line_sources if capacity.per_line else capacity.counted
