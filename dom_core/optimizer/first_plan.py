"""A first plan: what somebody wants placed, as far as it fits, then everybody else in rounds over what is left.

In a round every waiting order asks for its cheapest pattern at prices over what is left, an order of many lines for the
sources that `long_orders.py` chooses. Heavier classes go first, then the earliest; whoever no longer fits asks again.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import chain

import numpy as np

from dom_core.domain.reason import BoolArray, IntArray
from dom_core.optimizer import long_orders
from dom_core.optimizer.cheapest import NOWHERE
from dom_core.optimizer.costs import Flow
from dom_core.optimizer.pricing import Pricer, Prices
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.standing import Left

Wish = tuple[int, list[Flow]]
"""An order, and the pattern that it asks for: flows of all that it would get."""

ROUNDS = 40
"""Rounds at most: the last ones place single orders."""

ORDERS_BETWEEN_LOOKS = 5_000
"""Orders placed until somebody asks again whether to go on: a fraction of a second."""


def build(pricer: Pricer, prices: Prices, time_is_up: Callable[[], bool] = lambda: False) -> list[Flow]:
    """Flows that keep every rule, for everybody who can be served."""
    plan = FirstPlan(pricer)
    plan.complete(prices, time_is_up)
    return plan.flows


def unfit(pricer: Pricer, chosen: IntArray) -> BoolArray:
    """Which orders (O) ask for more than there is, or break their own limits: patterns are only relaxations of them."""
    problem = pricer.problem
    lines = np.flatnonzero(chosen != NOWHERE)
    return _beyond_stock(pricer, lines, chosen[lines], problem.stock) | _beyond_limits(pricer, chosen)


class FirstPlan:
    """What orders got so far, in flows, and what that leaves."""

    def __init__(self, pricer: Pricer) -> None:
        self.pricer, self.problem = pricer, pricer.problem
        self.left = Left(self.problem, ())
        self.waiting: BoolArray = np.zeros(len(self.problem.wanted), dtype=bool)
        self.waiting[pricer.costs.lines] = True
        orders = np.arange(len(self.problem.batch.orders) + 1)
        self._begins: list[int] = np.searchsorted(self.problem.batch.order_of, orders).tolist()
        self.placed: dict[int, list[Flow]] = {}
        self.crowded_out: set[int] = set()

    @property
    def flows(self) -> list[Flow]:
        """All flows, order by order."""
        return list(chain.from_iterable(self.placed.values()))

    def complete(self, prices: Prices, time_is_up: Callable[[], bool] = lambda: False) -> None:
        """Place everybody who still finds a pattern at these prices; in one round at least, if time is up."""
        for _ in range(ROUNDS):
            if not self.place(self._wishes(prices)) or time_is_up():
                return

    def place_long(self, prices: Prices, time_is_up: Callable[[], bool]) -> None:
        """Place orders that groups cut, before others; a group knows nothing of what the rest of its order needs."""
        cut = self._cut_lines()
        for _ in range(ROUNDS):
            if not cut.any() or not self.place(np.where(cut, self._wishes(prices, cut), NOWHERE)) or time_is_up():
                return

    def place_patterns(self, chosen: IntArray) -> bool:
        """Place what patterns say of the orders that they do not cut; whether it makes sense to ask again."""
        return self.place(np.where(self._cut_lines(), NOWHERE, chosen))

    def _cut_lines(self) -> BoolArray:
        return self.pricer.costs.cut_orders()[self.problem.batch.order_of]

    def left_over(self) -> Problem | None:
        """The problem of the orders that wait, with what is left; None when nobody does."""
        if not self.waiting.any():
            return None
        return replace(
            self.problem,
            wanted=np.where(self.waiting, self.problem.wanted, 0),
            stock=self.left.stock.copy(),
            capacities=tuple(
                replace(capacity, remaining=max(0, room))
                for capacity, room in zip(self.problem.capacities, self.left.room, strict=True)
            ),
        )

    def _wishes(self, prices: Prices, among: BoolArray | None = None) -> IntArray:
        """The source that each waiting line (L, `among` these) would get if its order were alone with what is left."""
        lines = self.pricer.costs.lines
        mine = lines[self.waiting[lines] if among is None else (self.waiting & among)[lines]]
        if not len(mine):
            return np.full(len(self.waiting), NOWHERE)
        pricer = self.pricer.of(mine)
        chosen = pricer.price(prices, stock=self.left.open_stock()).chosen
        for long_lines, sources in long_orders.wishes(pricer, prices, self.left, self.crowded_out):
            chosen[long_lines] = sources
        return chosen

    def place(self, chosen: IntArray) -> bool:
        """Give orders what they ask for, as far as all of it is there; whether it makes sense to ask again.

        That is where anybody got something, or does not find room with the pattern that it asked for.
        """
        wanted = np.where(self.waiting, chosen, NOWHERE)
        placed = False
        for number, (order, pattern) in enumerate(self.in_turn(wanted)):
            if number % ORDERS_BETWEEN_LOOKS == 0:
                self.pricer.watch.go_on()
            if self.left.fits(pattern):
                self.left.take(pattern)
                self._note(order, pattern)
                placed = True
            elif any(too_many < len(visits) for too_many, visits, _ in self.left.crowded(pattern)):
                # There is room for a part of it. Where there is none, nobody asks any more.
                placed |= order not in self.crowded_out
                self.crowded_out.add(order)
        return placed

    def exchange(self, patterns: Mapping[int, list[Flow]]) -> bool:
        """Give these orders these patterns instead of what they have, if there is all of it; whether there was."""
        before = [flow for order in patterns for flow in self.placed.get(order, ())]
        if not self.left.exchange(before, list(chain.from_iterable(patterns.values()))):
            return False
        for order, pattern in patterns.items():
            self._note(order, pattern)
        return True

    def add(self, order: int, flows: list[Flow]) -> None:
        """Give an order these flows, too; there is all of them."""
        self.left.take(flows)
        self.placed[order] = self.placed.get(order, []) + flows

    def _note(self, order: int, pattern: list[Flow]) -> None:
        self.placed[order] = pattern
        self.waiting[self._begins[order] : self._begins[order + 1]] = False

    def in_turn(self, chosen: IntArray) -> list[Wish]:
        """Orders with their patterns: heaviest class first, then earliest; without those that break their limits."""
        broken = _beyond_limits(self.pricer, chosen)
        patterns: dict[int, list[Flow]] = {}
        orders = self.problem.batch.order_of
        for line in np.flatnonzero((chosen != NOWHERE) & ~broken[orders]).tolist():
            flow = (line, int(chosen[line]), int(self.problem.wanted[line]))
            patterns.setdefault(int(orders[line]), []).append(flow)
        weights = self.problem.weights
        return sorted(patterns.items(), key=lambda item: (-int(weights[item[0]]), item[0]))


def _beyond_stock(pricer: Pricer, lines: IntArray, sources: IntArray, stock: IntArray) -> BoolArray:
    """Which orders draw on cells of which all together want more than there is."""
    batch = pricer.problem.batch
    cells = batch.product_of[lines].astype(np.int64) * batch.shape[1] + sources
    keys, place = np.unique(cells, return_inverse=True)
    asked = np.bincount(place, weights=pricer.problem.wanted[lines], minlength=len(keys))
    there = stock[np.divmod(keys, max(1, batch.shape[1]))]
    beyond = np.zeros(len(batch.orders), dtype=bool)
    beyond[batch.order_of[lines[(asked > there)[place]]]] = True
    return beyond


def _beyond_limits(pricer: Pricer, chosen: IntArray) -> BoolArray:
    """Which orders (O) break what concerns them alone: sources used, lines left out."""
    problem, costs = pricer.problem, pricer.costs
    batch, used = problem.batch, problem.used
    beyond = np.zeros(len(batch.orders), dtype=bool)
    ordinary = costs.lines[~costs.write_in]
    placed = ordinary[chosen[ordinary] != NOWHERE]
    most = np.full(len(batch.orders), np.iinfo(np.int64).max)
    most[costs.orders] = [
        most[0] if one.max_sources is None else one.max_sources
        for one in (problem.split_limits[order] for order in costs.orders.tolist())
    ]
    visits = [np.stack((batch.order_of[placed].astype(np.int64), chosen[placed]), axis=1)]
    if used.limited_shipments:
        visits.append(np.array(sorted(used.limited_shipments), dtype=np.int64))
    pairs = np.unique(np.concatenate(visits), axis=0)
    asks = np.zeros(len(batch.orders), dtype=bool)
    asks[batch.order_of[placed]] = True
    beyond |= asks & (np.bincount(pairs[:, 0], minlength=len(beyond)) > most)
    needed = np.bincount(batch.order_of[ordinary], minlength=len(beyond))
    given = np.bincount(batch.order_of[placed], minlength=len(beyond))
    whole = np.array([not problem.split_limits[order].partial_orders for order in range(len(beyond))], dtype=bool)
    beyond |= whole & asks & (given < needed)
    for line, before in used.sources_by_line().items():
        limit = problem.split_limits[int(batch.order_of[line])].max_sources_per_line
        if limit is not None and chosen[line] != NOWHERE and len(before | {int(chosen[line])}) > limit:
            beyond[batch.order_of[line]] = True
    return beyond
