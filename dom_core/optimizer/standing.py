"""A plan in the making: its flows with their total, and the stock and room that flows leave."""

from collections.abc import Sequence

from dom_core.domain.units import UNLIMITED_UNITS
from dom_core.optimizer.costs import Flow
from dom_core.optimizer.problem import Problem, levels_of, total_of


class Standing:
    """Flows, sorted, with their total in points."""

    def __init__(self, problem: Problem, flows: Sequence[Flow]) -> None:
        self.flows = tuple(sorted(flows))
        self.total = total_of(levels_of(problem, self.flows))


class Left:
    """Stock and room that flows leave, and whether an order's pattern still fits."""

    def __init__(self, problem: Problem, flows: Sequence[Flow]) -> None:
        self.problem = problem
        self.stock = problem.stock.copy()
        self.room = [capacity.remaining for capacity in problem.capacities]
        self.visits: list[set[tuple[int, int]]] = [set(capacity.counted) for capacity in problem.capacities]
        self.take(flows)

    def fits(self, flows: Sequence[Flow]) -> bool:
        """Whether there is stock and room for all of these flows together."""
        product_of = self.problem.batch.product_of
        if any(self.stock[product_of[line], source] < units for line, source, units in flows):
            return False
        asked: dict[tuple[int, int], int] = {}
        for line, source, units in flows:
            cell = (int(product_of[line]), source)
            asked[cell] = asked.get(cell, 0) + units
        enough = all(self.stock[cell] >= units for cell, units in asked.items())
        return enough and all(len(self._new(number, flows)) <= room for number, room in enumerate(self.room))

    def take(self, flows: Sequence[Flow]) -> None:
        """Take their stock and room away."""
        for number in range(len(self.room)):
            new = self._new(number, flows)
            self.room[number] -= len(new)
            self.visits[number] |= new
        for line, source, units in flows:
            product = self.problem.batch.product_of[line]
            if self.stock[product, source] < UNLIMITED_UNITS:
                self.stock[product, source] -= units

    def _new(self, number: int, flows: Sequence[Flow]) -> set[tuple[int, int]]:
        """What these flows add to the visits that a capacity counts."""
        capacity, batch = self.problem.capacities[number], self.problem.batch
        pairs = [
            (line if capacity.per_line else int(batch.order_of[line]), source)
            for line, source, _ in flows
            if source in capacity.sources and not batch.is_write_in(line)
        ]
        return set(pairs) - self.visits[number]
