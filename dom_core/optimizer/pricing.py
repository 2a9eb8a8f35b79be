"""The best pattern of every order at given prices, all orders at once.

A *pattern* says which lines of an order go where. With a price on every unit of scarce stock and on every place of a
scarce capacity, orders no longer compete: each takes its cheapest pattern, and

    L(prices) = Σ points of the cheapest patterns − Σ prices · what there is  ≤  the best plan, for any prices ≥ 0.

So any prices give a proven bound. Whatever a pattern cannot express is left out in the order's favour, which keeps the
bound valid: a line that may be split is priced as if one source had enough; of an order with more than GROUP_LINES
lines groups are priced, each paying its share of what the lines pay together.

Per group of n lines and subset B of them, the cheapest source is found for all groups in one pass:

    block[B] = min over s of  together[s] + Σ of alone[l, s] for l in B
    best[M]  = min( best[M − lowest line] where lines may wait,
                    min over B ⊆ M with the lowest line of  block[B] + best[M − B] )
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dom_core.domain.plan import Level
from dom_core.domain.reason import BoolArray, FloatArray, IntArray
from dom_core.optimizer.problem import Problem
from dom_core.rules.base import SplitLimits

GROUP_LINES = 6
"""Lines priced together; the work grows with three to this power."""

PROVEN_WITHIN = 1e-9
"""The relative gap that floating point may leave of a plan that is proven best."""

NOWHERE = -1
"""In `chosen`: the line waits."""

_BLOCK_NUMBERS = 4_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """Points per unit of stock (P, S) and per place of each capacity. Zero or more; zero where nothing is scarce."""

    stock: FloatArray
    capacity: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Priced:
    """Every order's best pattern at prices: the source of each line (L), NOWHERE if it waits, and the bound.

    `stock_use` (P, S) and `capacity_use` are what these patterns take together; `worth` (O) is what each order's best
    pattern is worth against filling nothing, zero or less.
    """

    chosen: IntArray
    bound: float
    worth: FloatArray
    stock_use: FloatArray
    capacity_use: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class PricedBest:
    """The best prices found, what they prove, and the patterns at them."""

    prices: Prices
    bound: float
    patterns: Priced


@dataclass(frozen=True, slots=True, eq=False)
class _Groups:
    """All groups of n lines with equal limits.

    `lines` (G, n); `together`, `shares` (G, S); `alone`, `short` (G, n, S): what pairs cost, and which sources hold
    less than the line wants, so that a whole order served from there alone needs another source.
    """

    lines: IntArray
    together: FloatArray
    alone: FloatArray
    shares: FloatArray
    short: BoolArray
    most_sources: int
    may_wait: bool


class Pricer:
    """Prices the orders of one problem again and again. Building it costs more than one pass."""

    def __init__(self, problem: Problem, lines: IntArray) -> None:
        self.problem = problem
        self.lines = lines
        self.units = problem.wanted.astype(np.float64)
        self.capacity_at = _capacity_positions(problem)
        self.constant = _points_of_nothing(problem, lines)
        # Where a line may stay short, leaving one unit out is the other way.
        self.least_gain = float(problem.rates[Level.UNFILLED_UNITS] * problem.weights.min(initial=1))
        self.groups = tuple(_grouped(problem, lines))

    def price(self, prices: Prices, allowed: BoolArray | None = None) -> Priced:
        """The best patterns at these prices; with `allowed` (L, S), only over these pairs (then no bound)."""
        chosen = np.full(self.problem.batch.shape[0], NOWHERE, dtype=np.int64)
        capacity_use = np.zeros(len(self.problem.capacities))
        worth = np.zeros(len(self.problem.weights))
        for groups in self.groups:
            for block in _blocks(groups, self.problem.batch.shape[1]):
                orders = self.problem.batch.order_of[block.lines[:, 0]]
                np.add.at(worth, orders, self._price_block(block, prices, allowed, chosen, capacity_use))
        value = self.constant + float(worth.sum())
        value -= float((prices.stock * np.where(prices.stock > 0, self.problem.stock, 0)).sum())
        value -= sum(
            float(price) * capacity.remaining
            for price, capacity in zip(prices.capacity, self.problem.capacities, strict=True)
        )
        return Priced(chosen, value, worth, self._stock_use(chosen), capacity_use)

    def _stock_use(self, chosen: IntArray) -> FloatArray:
        use = np.zeros(self.problem.stock.shape)
        placed = np.flatnonzero(chosen != NOWHERE)
        np.add.at(use, (self.problem.batch.product_of[placed], chosen[placed]), self.units[placed])
        return use

    def _price_block(
        self, groups: _Groups, prices: Prices, allowed: BoolArray | None, chosen: IntArray, capacity_use: FloatArray
    ) -> FloatArray:
        size = groups.lines.shape[1]
        alone = (
            groups.alone
            + prices.stock[self.problem.batch.product_of[groups.lines]] * (self.units[groups.lines][:, :, None])
        )
        together = groups.together
        for number, price in enumerate(prices.capacity.tolist()):
            if price:
                together, alone = self._charge_capacity(groups, number, price, together, alone)
        if allowed is not None:
            alone = np.where(allowed[groups.lines], alone, np.inf)
        cost, where = _cheapest_blocks(together, alone, self._helpers(groups, together, alone))
        worth, pick = _cheapest_cover(cost, size, groups)
        taken = worth < 0.0
        self._note(groups, taken, pick, where, chosen, capacity_use)
        return np.where(taken, worth, 0.0)

    def _helpers(self, groups: _Groups, together: FloatArray, alone: FloatArray) -> FloatArray:
        """What a second source costs at least where the first is short of a line (G, S); nothing for cut orders."""
        usable = np.where(np.isfinite(alone).any(axis=1), together, np.inf)
        nearest = np.sort(usable, axis=1)[:, :2] if usable.shape[1] > 1 else np.full((len(usable), 2), np.inf)
        other = np.where(usable > nearest[:, :1], nearest[:, :1], nearest[:, 1:2])
        other = np.where(np.isfinite(other), other, 0.0)
        whole = np.all((groups.shares >= 1.0) | ~np.isfinite(usable), axis=1, keepdims=True)
        return np.where(groups.short.any(axis=1) & whole, np.minimum(other, self.least_gain), 0.0)

    def _charge_capacity(
        self, groups: _Groups, number: int, price: float, together: FloatArray, alone: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        capacity, needs = self.problem.capacities[number], self._needs_room(groups, number)
        if capacity.per_line:
            return together, alone + price * needs[:, None, :]
        return together + price * needs * groups.shares, alone

    def _needs_room(self, groups: _Groups, number: int) -> FloatArray:
        """Where a group would need a place of the capacity (G, S): not where an earlier plan counts its order."""
        needs = np.zeros((len(groups.lines), self.problem.batch.shape[1]))
        counts = np.array([not self.problem.batch.is_write_in(int(line)) for line in groups.lines[:, 0]])
        needs[np.ix_(counts, np.isin(np.arange(needs.shape[1]), self.problem.capacities[number].sources))] = 1.0
        for row, line in enumerate(groups.lines[:, 0].tolist()):
            for source in self.capacity_at[number].get(int(self.problem.batch.order_of[line]), ()):
                needs[row, source] = 0.0
        return needs

    def _note(
        self,
        groups: _Groups,
        taken: BoolArray,
        pick: IntArray,
        where: IntArray,
        chosen: IntArray,
        capacity_use: FloatArray,
    ) -> None:
        """Follow each group's picks back to the sources of its lines."""
        count, size = groups.lines.shape
        level = np.full(count, pick.shape[0] - 1)
        left = np.where(taken, (1 << size) - 1, 0)
        rows = np.arange(count)
        needs = [self._needs_room(groups, number) for number in range(len(self.problem.capacities))]
        while left.any():
            picked = pick[level, left, rows]
            source = where[picked, rows]
            level = np.maximum(level - (picked > 0), 0) if pick.shape[0] > 1 else level
            for bit in range(size):
                goes = (picked >> bit & 1).astype(bool)
                chosen[groups.lines[goes, bit]] = source[goes]
            for number, need in enumerate(needs):
                share = (
                    np.bitwise_count(picked)
                    if self.problem.capacities[number].per_line
                    else groups.shares[rows, source]
                )
                capacity_use[number] += float((need[rows, source] * share * (picked > 0)).sum())
            lowest = left & -left
            left = left & ~np.where(picked > 0, picked, lowest)


def _points_of_nothing(problem: Problem, lines: IntArray) -> float:
    """What it costs to fill none of these lines."""
    weights = problem.weights[problem.batch.order_of[lines]]
    return float((weights * problem.wanted[lines]).sum()) * problem.rates[Level.UNFILLED_UNITS]


def _capacity_positions(problem: Problem) -> list[dict[int, list[int]]]:
    """Per capacity, the sources where an order needs no room."""
    positions = []
    for capacity in problem.capacities:
        free: dict[int, list[int]] = defaultdict(list)
        for order, source in capacity.counted:
            free[order].append(source)
        positions.append(free)
    return positions


def _grouped(problem: Problem, lines: IntArray) -> Iterator[_Groups]:
    """Lines cut into groups of one order, gathered by size and limits."""
    kinds: dict[tuple[int, int, bool], list[list[int]]] = defaultdict(list)
    for members in _order_groups(problem, lines):
        size = len(members)
        limits = _limits(problem, members[0])
        most = size if limits.max_sources is None else min(size, limits.max_sources)
        kinds[size, most, limits.partial_orders].append(members)
    charges = _Charges(problem, lines)
    for (size, most, may_wait), groups in sorted(kinds.items()):
        table = np.array(groups, dtype=np.int64)
        together, alone, shares, short = charges.of(table)
        yield _Groups(table, together, alone, shares, short, most if most < size else size, may_wait)


def _order_groups(problem: Problem, lines: IntArray) -> Iterator[list[int]]:
    batch = problem.batch
    by_order: dict[tuple[int, bool], list[int]] = defaultdict(list)
    for line in lines.tolist():
        if problem.wanted[line] > 0:
            by_order[int(batch.order_of[line]), batch.is_write_in(line)].append(line)
    for key in sorted(by_order):
        members = by_order[key]
        for start in range(0, len(members), GROUP_LINES):
            yield members[start : start + GROUP_LINES]


def _limits(problem: Problem, line: int) -> SplitLimits:
    if problem.batch.is_write_in(line):
        return SplitLimits()
    return problem.split_limits[int(problem.batch.order_of[line])]


class _Charges:
    """What pairs cost without prices: alone (per line) and together (per group), with shares for cut orders."""

    def __init__(self, problem: Problem, lines: IntArray) -> None:
        self.problem = problem
        batch, rates = problem.batch, problem.rates
        self.open = problem.allowed & (problem.wanted > 0)[:, None]
        chosen = np.zeros(batch.shape[0], dtype=bool)
        chosen[lines] = True
        self.open &= chosen[:, None]
        self.lines_at = self._count_by(batch.order_of, len(batch.orders))
        gain = rates[Level.UNFILLED_UNITS] * problem.weights[batch.order_of] * problem.wanted
        self.alone = np.where(self.open & self._could_fill(), -gain[:, None].astype(np.float64), np.inf)
        self.together = np.zeros((len(batch.orders), batch.shape[1]))
        if Level.SHIPMENTS in rates:
            self.together += rates[Level.SHIPMENTS]
        self._add_steps()
        self._add_legs(
            batch.destination_of, problem.km.astype(np.float64) * rates[Level.DISTANCE_KM], problem.used.legs
        )
        if problem.costs:
            self._add_costs()
        for order, source in problem.used.shipments:
            self.together[order, source] = 0.0

    def of(self, groups: IntArray) -> tuple[FloatArray, FloatArray, FloatArray, BoolArray]:
        """Together (G, S), alone (G, n, S), the groups' shares (G, S), and which sources are short (G, n, S)."""
        orders = self.problem.batch.order_of[groups[:, 0]]
        mine = self.open[groups].sum(axis=1)
        shares = mine / np.maximum(self.lines_at[orders], 1)
        products = self.problem.batch.product_of[groups]
        short: BoolArray = self.problem.stock[products] < self.problem.wanted[groups][:, :, None]
        return self.together[orders] * shares, self.alone[groups], shares, short

    def _could_fill(self) -> BoolArray:
        """Pairs that could serve the whole line, or part of it where that is allowed or others could help."""
        problem = self.problem
        enough: BoolArray = problem.stock[problem.batch.product_of] >= problem.wanted[:, None]
        for line in np.flatnonzero(~enough.all(axis=1)).tolist():
            limits = _limits(problem, line)
            enough[line] |= limits.max_sources_per_line != 1 or limits.partial_lines
        return enough

    def _count_by(self, group_of: IntArray, count: int) -> IntArray:
        counts = np.zeros((count, self.problem.batch.shape[1]), dtype=np.int64)
        np.add.at(counts, group_of, self.open)
        return counts

    def _add_steps(self) -> None:
        """The least step of an order's lines is paid together; each line adds its share of what it has above."""
        rate = float(self.problem.rates[Level.PRIORITY_STEPS])
        if not rate or not self.problem.steps.any():
            return
        orders = self.problem.batch.order_of
        least = np.full(self.together.shape, np.inf)
        np.minimum.at(least, orders, np.where(self.open, self.problem.steps, np.inf))
        least = np.where(np.isfinite(least), least, 0.0)
        paid = np.zeros(self.together.shape)
        for (order, source), steps in self.problem.used.paid_steps.items():
            paid[order, source] = steps
        self.together += rate * least
        above = np.maximum(self.problem.steps - np.maximum(least, paid)[orders], 0.0)
        self.alone += rate * above / np.maximum(self.lines_at[orders], 1)

    def _add_legs(self, group_of: IntArray, charges: FloatArray, paid: frozenset[tuple[int, int, int]]) -> None:
        """A leg that all of an order's lines share is paid together; of any other, each line pays its share."""
        orders = self.problem.batch.order_of
        keys, leg_of = np.unique(np.column_stack((orders, group_of)), axis=0, return_inverse=True)
        travellers = self._count_by(leg_of, len(keys))
        everybody = travellers[leg_of] == self.lines_at[orders]
        due = np.where(self.open, charges, 0.0)
        for order, group, source in paid:
            due[(orders == order) & (group_of == group), source] = 0.0
        common = np.zeros(self.together.shape)
        np.maximum.at(common, orders, np.where(everybody, due, 0.0))
        self.together += common
        self.alone += np.where(everybody, 0.0, due / np.maximum(travellers[leg_of], 1))

    def _add_costs(self) -> None:
        costs, used = self.problem.costs, self.problem.used
        if costs is None:
            return
        cents = np.zeros(self.together.shape)
        np.maximum.at(cents, self.problem.batch.order_of, np.where(self.open, costs.shipment_cents, 0))
        self.together += cents
        parts = costs.part_cents.astype(np.float64)
        for line, source in used.line_sources:
            parts[line, source] = 0.0
        self.alone += np.where(self.open, parts, 0.0)
        self._add_legs(costs.travel_group_of, costs.leg_cents.astype(np.float64), used.cost_legs)


def _blocks(groups: _Groups, sources: int) -> Iterator[_Groups]:
    """Groups in blocks that bound the memory of the subset sums."""
    size = groups.lines.shape[1]
    rows = max(1, _BLOCK_NUMBERS // ((1 << size) * max(1, sources)))
    for start in range(0, len(groups.lines), rows):
        part = slice(start, start + rows)
        yield _Groups(
            groups.lines[part],
            groups.together[part],
            groups.alone[part],
            groups.shares[part],
            groups.short[part],
            groups.most_sources,
            groups.may_wait,
        )


def _cheapest_blocks(together: FloatArray, alone: FloatArray, helpers: FloatArray) -> tuple[FloatArray, IntArray]:
    """Per subset and group: the cost of its cheapest source, and which that is (2^n, G). Ties take the lowest id.

    One source for the whole group pays for a helper where it is short; two sources could help each other.
    """
    count, size = alone.shape[:2]
    sums: list[FloatArray] = [np.zeros_like(together)]
    cost = np.zeros((1 << size, count))
    where = np.zeros((1 << size, count), dtype=np.int64)
    rows = np.arange(count)
    for subset in range(1, 1 << size):
        lowest = (subset & -subset).bit_length() - 1
        sums.append(sums[subset & (subset - 1)] + alone[:, lowest, :])
        full = together + sums[subset] + (helpers if subset == (1 << size) - 1 else 0.0)
        where[subset] = full.argmin(axis=1)
        cost[subset] = full[rows, where[subset]]
    return cost, where


def _cheapest_cover(cost: FloatArray, size: int, groups: _Groups) -> tuple[FloatArray, IntArray]:
    """The worth of the best cover of each group (G), and the picks (level, subset, G) to follow back; 0 is waiting.

    Where the number of sources binds, a level per source; otherwise one level that leads to itself.
    """
    subsets, count = cost.shape
    bound = groups.most_sources < size
    levels = groups.most_sources + 1 if bound else 1
    best = np.full((levels, subsets, count), np.inf)
    best[:, 0] = 0.0
    pick = np.zeros((levels, subsets, count), dtype=np.int64)
    if bound and groups.may_wait:
        best[0] = 0.0
    for level in range(1 if bound else 0, levels):
        before = level - 1 if bound else 0
        for subset in range(1, subsets):
            _improve(best, pick, cost, level, before, subset, groups.may_wait)
    return best[-1, subsets - 1], pick


def _improve(
    best: FloatArray, pick: IntArray, cost: FloatArray, level: int, before: int, subset: int, may_wait: bool
) -> None:
    lowest = subset & -subset
    if may_wait:
        best[level, subset] = best[level, subset & ~lowest]
    rest = subset & ~lowest
    part = rest
    while True:
        block = part | lowest
        worth = cost[block] + best[before, subset & ~block]
        better = worth < best[level, subset]
        best[level, subset] = np.where(better, worth, best[level, subset])
        pick[level, subset] = np.where(better, block, pick[level, subset])
        if part == 0:
            return
        part = (part - 1) & rest
