"""A plan order by order: what each has, and who stands in whose way.

Orders are planned again together because one has what another could use: units of a cell, or room at a source. So are
the rivals of these, and so on, as far as there is room.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from dom_core.domain.reason import BoolArray, IntArray
from dom_core.domain.units import UNLIMITED_UNITS
from dom_core.optimizer.costs import Flow
from dom_core.optimizer.gap import detour_of_orders, excess_of_orders
from dom_core.optimizer.objective import points_by_order
from dom_core.optimizer.offers import Offers
from dom_core.optimizer.pricing import PricedBest, Pricer
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.restriction import Restricted, Restriction
from dom_core.optimizer.standing import Left, Pair

LEAST_EXCESS = 0.5
"""Points above its best pattern from which an order pays more than that: totals are whole."""


class Rivals:
    """The orders of a plan as it stands.

    `lines_of` and `flows_of` each order, the stock and room that are `left`, and by order (O) `excess` and `detour`
    (`gap.py`). Lines are offered the sources of `offers`.
    """

    def __init__(self, pricer: Pricer, flows: Sequence[Flow], priced: PricedBest, offers: Offers) -> None:
        self.problem, self.offers = pricer.problem, offers
        self.left = Left(self.problem, flows)
        self.lines_of = _lines_by_order(self.problem)
        self.flows_of: dict[int, list[Flow]] = defaultdict(list)
        self.excess = excess_of_orders(pricer, priced.prices, priced.patterns, flows)
        self.detour = detour_of_orders(pricer, priced.prices)
        self._holders: dict[Pair, set[int]] = defaultdict(set)
        self._restriction = Restriction.of(self.problem)
        self._note((), flows)

    def flows(self, orders: Iterable[int]) -> list[Flow]:
        """What these orders have."""
        return [flow for order in orders for flow in self.flows_of[order]]

    def count_lines(self, orders: Iterable[int]) -> int:
        """How many lines these orders have."""
        return sum(len(self.lines_of[order]) for order in orders)

    # Who is planned again together.

    def around(
        self,
        seed: int,
        lines: int,
        sources: int,
        admits: Callable[[int], bool] = lambda _: True,
        before: Sequence[int] = (),
    ) -> tuple[int, ...]:
        """The seed and its rivals, theirs, and so on, up to so many lines; of those that it `admits`.

        Those that come `before` have half of the room. Rivals are looked for at so many sources of each line.
        """
        chosen, known, count = [seed], {seed}, len(self.lines_of[seed])

        def choose(rivals: Iterable[int], most: int) -> None:
            nonlocal count
            for rival in rivals:
                size = len(self.lines_of[rival])
                if rival not in known and admits(rival) and count + size <= most:
                    chosen.append(rival)
                    known.add(rival)
                    count += size

        choose(before, lines // 2)
        for order in chosen:  # which grows
            if count >= lines:
                break
            choose(self._rivals_of(order, sources), lines)
        return tuple(sorted(chosen))

    def displaced(self, order: int, source: int) -> list[int]:
        """Who has what the order would need to ship from this source."""
        return self._ranked(rival for line in self.lines_of[order] for rival in self._in_the_way(line, source))

    def _rivals_of(self, order: int, sources: int) -> list[int]:
        """Who has what the order could use but not get, units or room."""
        return self._ranked(
            rival
            for line in self.lines_of[order]
            for source in self.offers.of(line)[:sources]
            for rival in self._in_the_way(line, source)
        )

    def _in_the_way(self, line: int, source: int) -> Iterator[int]:
        """Who has the units or the room that the line lacks there."""
        product = int(self.problem.batch.product_of[line])
        if self.left.stock[product, source] < self.problem.wanted[line]:
            yield from self._holders[product, source]
        for number in self.left.capacities_at.get(source, ()):
            if self.left.room[number] <= 0:
                yield from self.left.visitors(number)

    def _ranked(self, rivals: Iterable[int]) -> list[int]:
        """Those that pay most above their best first; then those that go elsewhere for least."""
        found = np.array(sorted(set(rivals)), dtype=np.int64)
        excess = self.excess[found]
        ranks = np.where(excess > LEAST_EXCESS, -excess, self.detour[found])
        ranked: list[int] = found[np.argsort(ranks, kind="stable")].tolist()
        return ranked

    # What they are asked, and what becomes of it.

    def restricted(self, orders: Iterable[int], sources: int | None = None) -> Restricted:
        """The problem of these orders, with the stock and the room that the others leave.

        With all sources, or so many of each line besides those where it is now.
        """
        orders = list(orders)
        lines, mine = self._lines(orders), self.flows(orders)
        offered = np.ones((len(lines), self.problem.batch.shape[1]), dtype=bool)
        if sources is not None:
            offered = self._offered(lines, mine, sources)
        small = self._restriction.to(lines, offered)
        products = np.unique(self.problem.batch.product_of[lines])
        stock = self.left.stock[np.ix_(products, small.sources)]
        for line, source, units in small.inward(mine):
            if stock[small.problem.batch.product_of[line], source] < UNLIMITED_UNITS:
                stock[small.problem.batch.product_of[line], source] += units
        room = self.left.room_without(mine)
        capacities = (
            replace(capacity, remaining=max(0, left))
            for capacity, left in zip(small.problem.capacities, room, strict=True)
        )
        return replace(small, problem=replace(small.problem, stock=stock, capacities=tuple(capacities)))

    def points_of(self, orders: Iterable[int], flows: Sequence[Flow]) -> IntArray:
        """What each of these orders (ascending) costs with these flows."""
        lines = self._lines(orders)
        offered = np.zeros((len(lines), self.problem.batch.shape[1]), dtype=bool)
        offered[:, sorted({source for _, source, _ in flows})] = True
        small = self._restriction.to(lines, offered)
        return points_by_order(small.problem, small.inward(flows))

    def move(self, orders: Iterable[int], flows: Sequence[Flow]) -> bool:
        """Let these orders have these flows instead of their own, if they fit."""
        before = self.flows(orders)
        if not self.left.exchange(before, flows):
            return False
        self._note(before, flows)
        return True

    def _lines(self, orders: Iterable[int]) -> IntArray:
        return np.array(sorted(line for order in orders for line in self.lines_of[order]), dtype=np.int64)

    def _offered(self, lines: IntArray, flows: Sequence[Flow], sources: int) -> BoolArray:
        """The most promising sources of these lines, and those where they are now (n, S); all to a forced order."""
        offered = np.zeros((len(lines), self.problem.batch.shape[1]), dtype=bool)
        row_of = {line: row for row, line in enumerate(lines.tolist())}
        for line, row in row_of.items():
            offered[row, self.offers.of(line)[:sources]] = True
        for line, source, _ in flows:
            offered[row_of[line], source] = True
        for line, _ in self.problem.forced:
            offered[np.isin(self.problem.batch.order_of[lines], self.problem.batch.order_of[line])] = True
        return offered

    def _note(self, before: Sequence[Flow], after: Sequence[Flow]) -> None:
        """Note who holds what now."""
        batch = self.problem.batch
        for line, source, _ in before:
            self._holders[int(batch.product_of[line]), source].discard(int(batch.order_of[line]))
            self.flows_of[int(batch.order_of[line])] = []
        for flow in after:
            self._holders[int(batch.product_of[flow[0]]), flow[1]].add(int(batch.order_of[flow[0]]))
            self.flows_of[int(batch.order_of[flow[0]])].append(flow)


def _lines_by_order(problem: Problem) -> dict[int, list[int]]:
    lines: dict[int, list[int]] = defaultdict(list)
    for line in np.flatnonzero(problem.wanted > 0).tolist():
        lines[int(problem.batch.order_of[line])].append(line)
    return lines
