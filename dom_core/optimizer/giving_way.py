"""Something for orders that found nothing in a first plan: holders of what they lack give way, where that pays.

A plan is made pattern by pattern, and the last orders find cells taken, however little it would cost their holders to
move. Here an order that waits asks for its cheapest pattern as if nobody else were there, and the holders of what it
lacks for theirs among what is left. Nobody gives way to a holder in turn: chains are for neighbourhoods.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable

import numpy as np

from dom_core.domain.reason import BoolArray, IntArray
from dom_core.optimizer.costs import Flow, flow_table
from dom_core.optimizer.first_plan import FirstPlan, Wish
from dom_core.optimizer.objective import points_by_order
from dom_core.optimizer.prices import Prices
from dom_core.optimizer.standing import Pair

ROUNDS = 5
"""How often orders ask at most, each time without the cells where nobody gave way."""

MOST_WAITING = 500
"""Orders that ask in a round at most, the heaviest first: where many wait there is little to be had."""


def give_way(plan: FirstPlan, prices: Prices, time_is_up: Callable[[], bool]) -> None:
    """Place orders that wait where holders can move for less than that gains."""
    hoped_for = plan.problem.stock.copy()
    for _ in range(ROUNDS):
        wishes = _wishes(plan, plan.waiting, prices, hoped_for)[:MOST_WAITING]
        if not wishes or time_is_up():
            return
        plan.pricer.watch.go_on()
        holders = _Holders(plan, prices, wishes)
        for wish in wishes:
            for cell in holders.refused(wish):
                hoped_for[cell] = 0


def _wishes(plan: FirstPlan, among: BoolArray, prices: Prices, stock: IntArray) -> list[Wish]:
    """What orders with these lines (L) would take, each alone with this stock: the heaviest class first."""
    lines = plan.pricer.costs.lines
    return plan.in_turn(plan.pricer.of(lines[among[lines]]).price(prices, stock=stock).chosen)


class _Holders:
    """Who has what the wishes of a round ask for, where each of them could go, and what all of that costs."""

    def __init__(self, plan: FirstPlan, prices: Prices, wishes: list[Wish]) -> None:
        self.plan, problem = plan, plan.problem
        self._units: dict[Pair, dict[int, int]] = defaultdict(dict)
        for flow in self._among(plan.flows, [flow for _, pattern in wishes for flow in pattern]):
            units, order = self._units[self._cell(flow)], int(problem.batch.order_of[flow[0]])
            units[order] = units.get(order, 0) + flow[2]
        orders = sorted({order for units in self._units.values() for order in units})
        held = {order: plan.placed[order] for order in orders}
        elsewhere = _wishes(plan, np.isin(problem.batch.order_of, orders), prices, plan.left.open_stock())
        self.elsewhere = dict(elsewhere)
        self._saved = points_by_order(problem, ()) - self._points(wishes)
        self._detour = self._points(elsewhere) - self._points(held.items())

    def refused(self, wish: Wish) -> list[Pair]:
        """Place an order by letting holders move; the cells where nobody gave way, if it still waits for these."""
        order, pattern = wish
        short = self._short(pattern)
        movers: list[int] = []
        for cell, units in short.items():
            found = self._movers(cell, units, movers)
            if found is None:
                return [cell]
            movers += found
        moves = {order: pattern} | {mover: self.elsewhere[mover] for mover in movers}
        if self._detour[movers].sum() >= self._saved[order] or not self.plan.exchange(moves):
            return list(short or map(self._cell, pattern))
        for mover in movers:
            del self.elsewhere[mover]
        return []

    def _movers(self, cell: Pair, units: int, besides: list[int]) -> list[int] | None:
        """Who gives way at a cell for so many units, besides those who move anyway; None if they cannot."""
        found: list[int] = []
        held = self._units[cell]
        units -= sum(held.get(mover, 0) for mover in besides)
        able = sorted((order for order in held if order in self.elsewhere), key=lambda one: (self._detour[one], one))
        for holder in able:
            if units <= 0:
                break
            if holder not in besides:
                found.append(holder)
                units -= held[holder]
        return found if units <= 0 else None

    def _short(self, pattern: list[Flow]) -> dict[Pair, int]:
        """How many units the cells of a pattern lack."""
        asked: dict[Pair, int] = defaultdict(int)
        for flow in pattern:
            asked[self._cell(flow)] += flow[2]
        left = self.plan.left.stock
        return {cell: units - int(left[cell]) for cell, units in asked.items() if units > left[cell]}

    def _among(self, flows: list[Flow], asked: list[Flow]) -> list[Flow]:
        """The flows that draw on a cell that is asked for."""
        (line, source, _), (wished, at, _) = flow_table(flows), flow_table(asked)
        batch = self.plan.problem.batch
        product_of, width = batch.product_of.astype(np.int64), batch.shape[1]
        found = np.isin(product_of[line] * width + source, product_of[wished] * width + at)
        return [flows[row] for row in np.flatnonzero(found).tolist()]

    def _cell(self, flow: Flow) -> Pair:
        return int(self.plan.problem.batch.product_of[flow[0]]), flow[1]

    def _points(self, patterns: Iterable[Wish]) -> IntArray:
        """What each order (O) costs with the patterns of some."""
        return points_by_order(self.plan.problem, [flow for _, flows in patterns for flow in flows])
