"""What patterns cost without prices: every pair of some whole orders, in rows of arrays.

Of an order at a source some charges are paid once, whatever lines come from there (*together*: the shipment, the way of
all, the least priority step); the others are paid by each line (*alone*: what leaving it unfilled would cost, less;
ways of its own; parts). Together and alone never add up to more than what a plan pays, so what is made of them is a
bound.

Nothing here is built for all lines × sources at once: a block of orders at a time.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from dom_core.domain.plan import Level
from dom_core.domain.reason import BoolArray, FloatArray, IntArray
from dom_core.optimizer.prices import DIVISORS, Prices, rounded_parts
from dom_core.optimizer.problem import Problem

GROUP_LINES = 6
"""Lines of an order priced together; the work grows with three to this power."""

BLOCK_PAIRS = 1_000_000
"""About so many pairs are looked at together: what bounds the memory."""

Kind = tuple[int, int, bool]
"""Groups of one kind: lines in each, sources at most, and whether lines may wait."""


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Groups of n lines of one kind, each with K sources to choose from; a group is an order, or a part of a long one.

    Shapes: `lines` (G, n) positions; `sources`, `together`, `shares` (G, K); `alone` (G, n, K), infinite where a pair
    is no candidate. `shares` is which share of what its order pays together a group pays. `helpers` (G, K), or None
    where nobody needs any: what an order pays at least for another source when it is served from this one alone,
    which holds less than a line wants. `short` (G, n, K) is where, None with `helpers`; `unit_gains` (G): what a unit
    is worth that is not left out. `limited` (G): the group counts at capacities (write-in lines do not).
    """

    kind: Kind
    lines: IntArray
    sources: IntArray
    together: FloatArray
    alone: FloatArray
    shares: FloatArray
    helpers: FloatArray | None
    short: BoolArray | None
    unit_gains: FloatArray
    limited: BoolArray

    def helpers_at(self, unit_prices: FloatArray) -> FloatArray | None:
        """`helpers` when a unit of a line costs so much (G, n, K): whoever leaves one out does not pay for it."""
        if self.helpers is None or self.short is None:
            return None
        saved = np.where(self.short, unit_prices, 0.0).max(axis=1)
        helpers: FloatArray = np.clip(self.unit_gains[:, None] - saved, 0.0, self.helpers)
        return helpers


class PatternCosts:
    """The costs of one problem's lines. Blocks of orders are made on demand."""

    def __init__(self, problem: Problem, lines: IntArray) -> None:
        self.problem = problem
        batch = problem.batch
        wanted = lines[problem.wanted[lines] > 0]
        self.lines: IntArray = wanted[np.argsort(batch.order_of[wanted], kind="stable")]
        self.write_in = np.array([batch.is_write_in(line) for line in self.lines.tolist()], dtype=bool)
        orders = batch.order_of[self.lines]
        self.starts = np.flatnonzero(np.diff(orders, prepend=-1))
        self.orders: IntArray = orders[self.starts]
        self.order_row: IntArray = np.cumsum(np.diff(orders, prepend=-1) != 0) - 1
        self._read_limits()
        self.tables = self._tables()
        # Where a line may stay short, leaving one unit out is the other way.
        self.least_gain = float(problem.rates[Level.UNFILLED_UNITS] * problem.weights.min(initial=1))
        used = problem.used
        self._paid_legs = _by_order(used.legs)
        self._paid_cost_legs = _by_order(used.cost_legs)
        self._shipments = _by_order((order, source, 0) for order, source in used.shipments)
        self._paid_steps = _by_order((order, source, steps) for (order, source), steps in used.paid_steps.items())

    @property
    def units(self) -> IntArray:
        """What each line wants, in the order of `lines`."""
        return self.problem.wanted[self.lines].astype(np.int64)

    def taken(self, rows: IntArray | slice) -> list[IntArray]:
        """Per divisor, what these lines take of a cell or of its rounded part: none of it if they may be split."""
        units = self.units[rows]
        return [
            units if divisor == 1 else np.where(self.whole[rows], rounded_parts(units, divisor), 0)
            for divisor in DIVISORS
        ]

    def parts_of(self, lines: IntArray) -> IntArray:
        """In how many parts at most each of these lines could be filled."""
        rows = np.searchsorted(self.lines, lines)
        return np.where(self.whole[rows], 1, self.units[rows])

    def cut_orders(self) -> BoolArray:
        """Which orders (O, of all) are cut into several groups."""
        orders = self.problem.batch.order_of
        groups = [orders[self.lines[rows[:, 0]]] for rows in self.tables.values()]
        counts = np.bincount(np.concatenate(groups or [orders[:0]]), minlength=len(self.problem.batch.orders))
        cut: BoolArray = counts > 1
        return cut

    def nothing(self) -> float:
        """What it costs to fill none of these lines."""
        weights = self.problem.weights[self.problem.batch.order_of[self.lines]]
        return float((weights * self.units).sum()) * self.problem.rates[Level.UNFILLED_UNITS]

    def ranges(self) -> list[tuple[int, int]]:
        """Order rows of each block: from the first, before the last."""
        rows = max(1, BLOCK_PAIRS // max(1, self.problem.batch.shape[1]))
        ends = [*self.starts[1:].tolist(), len(self.lines)] if len(self.lines) else []
        ranges: list[tuple[int, int]] = []
        first = 0
        for row in range(len(ends)):
            if row + 1 == len(ends) or ends[row + 1] - int(self.starts[first]) > rows:
                ranges.append((first, row + 1))
                first = row + 1
        return ranges

    def _read_limits(self) -> None:
        limits = self.problem.split_limits
        mine = [limits[order] for order in self.orders.tolist()]
        most = np.array([GROUP_LINES if one.max_sources is None else one.max_sources for one in mine], dtype=np.int64)
        may_wait = np.array([one.partial_orders for one in mine], dtype=bool)
        may_split = np.array([one.max_sources_per_line != 1 or one.partial_lines for one in mine], dtype=bool)
        started = np.isin(self.lines, [line for line, _ in self.problem.used.limited_line_sources])
        self.most_sources = np.where(self.write_in, GROUP_LINES, most[self.order_row])
        self.may_wait = self.write_in | may_wait[self.order_row]
        self.may_split: BoolArray = self.write_in | may_split[self.order_row]
        self.whole: BoolArray = ~self.may_split & ~started

    def _tables(self) -> dict[Kind, IntArray]:
        """Rows of the lines of each group (G, n), kind by kind, in the order of the orders."""
        if not len(self.lines):
            return {}
        rows = np.lexsort((np.arange(len(self.lines)), self.write_in, self.order_row))
        key = self.order_row[rows] * 2 + self.write_in[rows]
        first = np.maximum.accumulate(np.where(np.diff(key, prepend=-1) != 0, np.arange(len(rows)), 0))
        place = np.arange(len(rows)) - first
        begins_here = place % GROUP_LINES == 0
        group, begins = np.cumsum(begins_here) - 1, np.flatnonzero(begins_here)
        sizes = np.bincount(group)
        heads = rows[begins]
        most = np.minimum(self.most_sources[heads], sizes)
        tables: dict[Kind, IntArray] = {}
        kinds = np.unique(np.column_stack((sizes, most, self.may_wait[heads])), axis=0)
        for size, sources, waits in kinds.tolist():
            mine = (sizes == size) & (most == sources) & (self.may_wait[heads] == bool(waits))
            tables[size, sources, bool(waits)] = rows[begins[mine][:, None] + np.arange(size)]
        return tables


class CostRange:
    """Some whole orders, one after the other: `lines` (R), `orders` (O)."""

    def __init__(self, costs: PatternCosts, first: int, last: int) -> None:
        self.costs = costs
        begin = int(costs.starts[first])
        end = int(costs.starts[last]) if last < len(costs.starts) else len(costs.lines)
        self.rows = slice(begin, end)
        self.lines: IntArray = costs.lines[self.rows]
        self.orders: IntArray = costs.orders[first:last]

    def rows_by_kind(self) -> Iterator[tuple[Kind, IntArray]]:
        """The rows of the lines of their groups (G, n), kind by kind."""
        for kind in self.costs.tables:
            first, last = self.groups_of(kind)
            if first < last:
                yield kind, self.costs.tables[kind][first:last] - self.rows.start

    def groups_of(self, kind: Kind) -> tuple[int, int]:
        """Where their groups stand among all of a kind: from the first, before the last."""
        first, last = np.searchsorted(self.costs.tables[kind][:, 0], (self.rows.start, self.rows.stop))
        return int(first), int(last)


class CostBlock(CostRange):
    """The costs of a block of whole orders at all sources: `alone` (R, S), `together` (O, S)."""

    def __init__(self, costs: PatternCosts, first: int, last: int) -> None:
        super().__init__(costs, first, last)
        self.problem = costs.problem
        self.starts = costs.starts[first:last] - self.rows.start
        self.order_row: IntArray = costs.order_row[self.rows] - first
        self._products: IntArray = self.problem.batch.product_of[self.lines]
        self.open: BoolArray = self.problem.allowed[self.lines]
        self.lines_at: IntArray = np.add.reduceat(self.open, self.starts, axis=0, dtype=np.int64)
        self._charge()

    def charges(self, prices: Prices) -> FloatArray:
        """What each line pays at prices for its cell (R, S)."""
        return prices.charges(self._products, self.costs.taken(self.rows), self.problem.batch.shape[1])

    def holds(self, stock: IntArray) -> BoolArray:
        """Where there is enough of this stock (P, S) for each whole line (R, S)."""
        enough: BoolArray = stock[self._products] >= self.problem.wanted[self.lines][:, None]
        return enough

    def groups(self) -> Iterator[tuple[Groups, IntArray]]:
        """The groups of this block over all sources, kind by kind, with the rows of their lines (G, n)."""
        every = np.arange(self.problem.batch.shape[1])
        for kind, rows in self.rows_by_kind():
            order = self.order_row[rows[:, 0]]
            mine = self.open[rows].sum(axis=1)
            shares = mine / np.maximum(self.lines_at[order], 1)
            together, costs = self.together[order] * shares, self.alone[rows]
            short = None if self.short is None or not self.short[rows].any() else self.short[rows]
            groups = Groups(
                kind=kind,
                lines=self.lines[rows],
                sources=np.broadcast_to(every, (len(rows), len(every))),
                together=together,
                alone=costs,
                shares=shares,
                helpers=None if short is None else self._helpers(together, costs, shares, short),
                short=short,
                unit_gains=self.unit_gains[rows[:, 0]],
                limited=~self.costs.write_in[self.rows][rows[:, 0]],
            )
            yield groups, rows

    def _helpers(self, together: FloatArray, alone: FloatArray, shares: FloatArray, short: BoolArray) -> FloatArray:
        """What a second source costs at least where the first is short of a line (G, K); nothing for cut orders."""
        lacking = short.any(axis=1)
        usable = np.where(np.isfinite(alone).any(axis=1), together, np.inf)
        nearest = np.partition(usable, 1, axis=1)[:, :2] if usable.shape[1] > 1 else np.full((len(usable), 2), np.inf)
        other = np.where(usable > nearest[:, :1], nearest[:, :1], nearest[:, 1:2])
        other = np.where(np.isfinite(other), other, 0.0)
        whole = np.all((shares >= 1.0) | ~np.isfinite(usable), axis=1, keepdims=True)
        helpers: FloatArray = np.where(lacking & whole, np.minimum(other, self.costs.least_gain), 0.0)
        return helpers

    def _charge(self) -> None:
        problem, rates = self.problem, self.problem.rates
        stock = problem.stock[self._products]
        wanted = problem.wanted[self.lines][:, None]
        enough = stock >= wanted
        may_split = self.costs.may_split[self.rows]
        # Short sources matter only to lines that others could help to fill.
        self.short: BoolArray | None = ~enough & may_split[:, None] if may_split.any() else None
        weights = problem.weights[problem.batch.order_of[self.lines]]
        self.unit_gains: FloatArray = (rates[Level.UNFILLED_UNITS] * weights).astype(np.float64)
        gain = rates[Level.UNFILLED_UNITS] * weights * wanted[:, 0]
        could_fill = self.open & (enough | may_split[:, None])
        self.alone: FloatArray = np.where(could_fill, -gain[:, None].astype(np.float64), np.inf)
        self.together: FloatArray = np.zeros((len(self.orders), problem.batch.shape[1]))
        if Level.SHIPMENTS in rates:
            self.together += rates[Level.SHIPMENTS]
        self._add_steps()
        if rates[Level.DISTANCE_KM]:
            km = np.where(self.open, problem.km[self.lines] * float(rates[Level.DISTANCE_KM]), 0.0)
            self._add_legs(problem.batch.destination_of[self.lines], km, self.costs._paid_legs)
        self._add_costs()
        for order, source, _ in _of_orders(self.costs._shipments, self.orders):
            self.together[self._row_of(order), source] = 0.0

    def _row_of(self, order: int) -> int:
        return int(np.searchsorted(self.orders, order))

    def _add_steps(self) -> None:
        """The least step of an order's lines is paid together; each line adds its share of what it has above."""
        rate = float(self.problem.rates[Level.PRIORITY_STEPS])
        steps = self.problem.steps[self.lines]
        if not rate or not steps.any():
            return
        least = np.minimum.reduceat(np.where(self.open, steps, np.inf), self.starts, axis=0)
        least = np.where(np.isfinite(least), least, 0.0)
        paid = np.zeros(self.together.shape)
        for order, source, amount in _of_orders(self.costs._paid_steps, self.orders):
            paid[self._row_of(order), source] = amount
        self.together += rate * least
        above = np.maximum(steps - np.maximum(least, paid)[self.order_row], 0.0)
        self.alone += rate * above / np.maximum(self.lines_at[self.order_row], 1)

    def _add_legs(self, group_of: IntArray, due: FloatArray, paid: IntArray) -> None:
        """A leg that all of an order's lines share is paid together; of any other, each line pays its share."""
        for order, group, source in _of_orders(paid, self.orders):
            due[(self.order_row == self._row_of(order)) & (group_of == group), source] = 0.0
        keys, leg_of = np.unique(np.column_stack((self.order_row, group_of)), axis=0, return_inverse=True)
        if len(keys) == len(self.orders):
            self.together += np.maximum.reduceat(due, self.starts, axis=0)
            return
        travellers = np.zeros((len(keys), self.open.shape[1]), dtype=np.int64)
        np.add.at(travellers, leg_of, self.open)
        everybody = travellers[leg_of] == self.lines_at[self.order_row]
        self.together += np.maximum.reduceat(np.where(everybody, due, 0.0), self.starts, axis=0)
        self.alone += np.where(everybody, 0.0, due / np.maximum(travellers[leg_of], 1))

    def _add_costs(self) -> None:
        costs, used = self.problem.costs, self.problem.used
        if costs is None:
            return
        shipment = np.where(self.open, costs.shipment_cents[self.lines], 0)
        self.together += np.maximum.reduceat(shipment, self.starts, axis=0)
        parts = np.where(self.open, costs.part_cents[self.lines], 0).astype(np.float64)
        inside = [pair for pair in used.line_sources if self.lines[0] <= pair[0] <= self.lines[-1]]
        for line, source in sorted(inside):
            parts[self.lines == line, source] = 0.0
        self.alone += parts
        due = np.where(self.open, costs.leg_cents[self.lines], 0).astype(np.float64)
        self._add_legs(costs.travel_group_of[self.lines], due, self.costs._paid_cost_legs)


def _by_order(entries: Iterable[tuple[int, int, int]]) -> IntArray:
    """Triples that begin with an order, sorted (N, 3)."""
    return np.array(sorted(entries), dtype=np.int64).reshape(-1, 3)


def _of_orders(entries: IntArray, orders: IntArray) -> list[list[int]]:
    """The triples of these orders (ascending)."""
    first, last = np.searchsorted(entries[:, 0], (orders[0], orders[-1] + 1))
    mine = entries[first:last]
    rows: list[list[int]] = mine[np.isin(mine[:, 0], orders)].tolist()
    return rows
