"""The best pattern of every order at given prices, all orders at once, over all pairs: what proves a bound.

A *pattern* says which lines of an order go where. With a price on every unit of scarce stock and on every place of a
scarce capacity, orders no longer compete: each takes its cheapest pattern, and

    L(prices) = Σ points of the cheapest patterns − Σ prices · what there is  ≤  the best plan, for any prices ≥ 0.

So any prices give a proven bound. Whatever a pattern cannot express is left out in the order's favour, which keeps the
bound valid: a line that may be split is priced as if one source had enough; of an order with more than GROUP_LINES
lines groups are priced, each paying its share of what the lines pay together. docs/optimizer.md defines L to the last
detail.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from dom_core.domain.reason import FloatArray, IntArray
from dom_core.optimizer import workers
from dom_core.optimizer.cheapest import NOWHERE, Patterns, cheapest_patterns, slacks
from dom_core.optimizer.pattern_costs import CostBlock, Groups, PatternCosts
from dom_core.optimizer.prices import Prices
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.rooms import Rooms
from dom_core.side_by_side import side_by_side
from dom_core.watch import UNWATCHED, Watch

T = TypeVar("T")

__all__ = ["NOWHERE", "PROVEN_WITHIN", "Priced", "PricedBest", "Pricer", "Prices"]

PROVEN_WITHIN = 1e-9
"""The relative gap that floating point may leave of a plan that is proven best."""


@dataclass(frozen=True, slots=True, eq=False)
class Priced:
    """Every order's best pattern at prices: the source of each line (L), NOWHERE if it waits, and the bound.

    `capacity_use` (C) is what these patterns take together; `worth` (O) is what each order's best pattern is worth
    against filling nothing, zero or less.
    """

    chosen: IntArray
    bound: float
    capacity_use: FloatArray
    worth: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class PricedBest:
    """The best prices found, what they prove, and the patterns at them."""

    prices: Prices
    bound: float
    patterns: Priced


@dataclass(frozen=True, slots=True, eq=False)
class PricedBlock(Generic[T]):
    """What a pass finds for one block of orders, whoever makes it.

    `chosen` are the sources of its `lines` (R), `worth` what the best patterns of its `orders` are worth;
    `capacity_use` (C) is the block's. `seen` is what somebody who looked made of its groups, kind by kind.
    """

    lines: IntArray
    chosen: IntArray
    orders: IntArray
    worth: FloatArray
    capacity_use: FloatArray
    seen: Sequence[T]


class Pricer:
    """Prices the orders of one problem over all their pairs, block by block; between blocks its watch may stop it.

    Blocks know nothing of each other. Some are at work at the same time; what they find is put together in their order.
    """

    def __init__(self, problem: Problem, lines: IntArray, watch: Watch = UNWATCHED) -> None:
        self.problem, self.watch = problem, watch
        self.costs = PatternCosts(problem, lines)
        self.rooms = Rooms(problem)
        self.constant = self.costs.nothing()

    def of(self, lines: IntArray) -> "Pricer":
        """The same problem, with only these lines: all of their orders' that want anything."""
        return Pricer(self.problem, lines, self.watch)

    def price(self, prices: Prices, stock: IntArray | None = None) -> Priced:
        """The best patterns at these prices; with `stock` (P, S), only where it holds whole lines (then no bound)."""
        return self.together(self.blocks(prices, lambda _: None, stock), prices)

    def blocks(
        self,
        prices: Prices,
        look: Callable[["PricedGroups"], T],
        stock: IntArray | None = None,
        ranges: Sequence[tuple[int, int]] | None = None,
    ) -> list[PricedBlock[T]]:
        """The same, block by block, and what `look` makes of all groups; it is called in several threads.

        All blocks, or those of these `ranges`.
        """
        return self.by_block(lambda block: self._block(block, prices, look, stock), ranges)

    def seen(self, prices: Prices, look: Callable[["PricedGroups"], T]) -> list[T]:
        """What `look` alone makes of all groups at these prices, in their order; it is called in several threads."""
        blocks = self.by_block(lambda block: [look(priced) for priced in self.at_prices(block, prices)])
        return [one for block in blocks for one in block]

    def together(self, blocks: Sequence[PricedBlock[T]], prices: Prices) -> Priced:
        """What all blocks say, in their order."""
        chosen = np.full(self.problem.batch.shape[0], NOWHERE, dtype=np.int64)
        worth = np.zeros(len(self.problem.batch.orders))
        capacity_use = np.zeros(self.rooms.count)
        for block in blocks:
            chosen[block.lines] = block.chosen
            worth[block.orders] = block.worth
            capacity_use += block.capacity_use
        bound = self.constant + float(worth.sum()) - prices.worth_of_everything(self.problem)
        return Priced(chosen, bound, capacity_use, worth)

    def by_block(self, work: Callable[[CostBlock], T], ranges: Sequence[tuple[int, int]] | None = None) -> list[T]:
        """What `work` makes of each block, or of those of these `ranges`; it is called in several threads."""
        ranges = self.costs.ranges() if ranges is None else ranges
        return side_by_side(
            lambda ends: work(CostBlock(self.costs, *ends)),
            ranges,
            at_once=max(1, min(workers.WORKERS, len(ranges))),
            before=self.watch.go_on,
        )

    def _block(
        self, block: CostBlock, prices: Prices, look: Callable[["PricedGroups"], T], stock: IntArray | None
    ) -> PricedBlock[T]:
        chosen = np.full(len(block.lines), NOWHERE, dtype=np.int64)
        worth = np.zeros(len(block.orders))
        capacity_use, seen = np.zeros(self.rooms.count), []
        for priced in self.at_prices(block, prices, stock):
            groups, patterns = priced.groups, priced.cheapest()
            rows, lines = np.nonzero(patterns.places >= 0)
            chosen[priced.rows[rows, lines]] = groups.sources[rows, patterns.places[rows, lines]]
            np.add.at(worth, block.order_row[priced.rows[:, 0]], patterns.worth)
            capacity_use += self.rooms.use(groups, patterns.places)
            seen.append(look(priced))
        return PricedBlock(block.lines, chosen, block.orders, worth, capacity_use, seen)

    def at_prices(self, block: CostBlock, prices: Prices, stock: IntArray | None = None) -> Iterator["PricedGroups"]:
        """The groups of a block with their costs at prices."""
        charges = block.charges(prices)
        if stock is not None:
            charges = np.where(block.holds(stock), charges, np.inf)
        for groups, rows in block.groups():
            together, alone = groups.together.copy(), groups.alone + charges[rows]
            self.rooms.charge(groups, prices.capacity, together, alone)
            helpers = None
            if groups.helpers is not None:
                helpers = groups.helpers_at(charges[rows] / self.problem.wanted[groups.lines][:, :, None])
            yield PricedGroups(groups, rows, block.groups_of(groups.kind)[0], together, alone, helpers)


@dataclass(frozen=True, slots=True, eq=False)
class PricedGroups:
    """Groups with their costs at prices: `together`, `helpers` (G, K), `alone` (G, n, K).

    `rows` (G, n) are their lines in the block; so many groups of their kind are in blocks before: `first`.
    """

    groups: Groups
    rows: IntArray
    first: int
    together: FloatArray
    alone: FloatArray
    helpers: FloatArray | None

    def cheapest(self) -> Patterns:
        """The best pattern of each group."""
        return cheapest_patterns(self.groups.kind, self.together, self.alone, self.helpers)

    def slacks(self) -> FloatArray:
        """Per pair (G, n, K): the best pattern of the group that uses it, less the group's best."""
        return slacks(self.groups.kind, self.together, self.alone, self.helpers)
