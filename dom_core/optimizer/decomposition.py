"""Independent parts of a problem: orders that share no stock cell and no capacity that can bind.

A cell binds when the lines that could draw on it want more than it holds; a capacity when more orders could come than
it has room for. Orders joined by something that binds belong together; the parts can be solved in any order, with the
same result.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from dom_core.domain.reason import BoolArray, IntArray
from dom_core.optimizer.problem import Problem
from dom_core.rules.base import CapacityLimit

BLOCK_LINES = 250
"""Small parts are solved together up to about this many lines: starting a solver costs more than the extra rows."""


def independent_parts(problem: Problem) -> tuple[IntArray, ...]:
    """Line positions of each part, in ascending order; parts in the order of their first line.

    Lines that cannot be served at all belong to no part, unless their order has a line that can.
    """
    open_lines = np.flatnonzero(problem.wanted > 0)
    if not len(open_lines):
        return ()
    parents = _Forest(len(problem.batch.orders))
    for orders in _binding_groups(problem):
        for order in orders[1:]:
            parents.join(int(orders[0]), int(order))
    roots = np.array([parents.root(int(order)) for order in problem.batch.order_of[open_lines]])
    useful = set(problem.batch.order_of[problem.allowed.any(axis=1)].tolist())
    useful_roots = {parents.root(order) for order in useful}
    return tuple(open_lines[roots == root] for root in dict.fromkeys(roots.tolist()) if root in useful_roots)


def blocks(parts: Sequence[IntArray]) -> tuple[tuple[IntArray, ...], ...]:
    """Neighbouring parts gathered into blocks of about BLOCK_LINES lines; a larger part stands alone."""
    gathered: list[list[IntArray]] = []
    for part in parts:
        room = gathered and sum(map(len, gathered[-1])) + len(part) <= BLOCK_LINES
        if room:
            gathered[-1].append(part)
        else:
            gathered.append([part])
    return tuple(tuple(block) for block in gathered)


def cell_binds(problem: Problem) -> BoolArray:
    """Which cells (P, S) could be asked for more than they hold."""
    demand = np.zeros_like(problem.stock)
    asked = np.where(problem.allowed, problem.wanted[:, None], 0)
    np.add.at(demand, problem.batch.product_of, asked)
    binds: BoolArray = demand > problem.stock
    return binds


def capacity_binds(problem: Problem, capacity: CapacityLimit) -> bool:
    """Whether more orders (or lines) could come to these sources than they have room for."""
    reach = problem.allowed[:, list(capacity.sources)] & (problem.wanted > 0)[:, None]
    if capacity.per_line:
        return int(reach.sum()) > capacity.remaining
    return len(_visitors(problem, capacity)) > capacity.remaining


def _visitors(problem: Problem, capacity: CapacityLimit) -> set[tuple[int, int]]:
    """The (order, source) pairs that would need room."""
    reach = problem.allowed & (problem.wanted > 0)[:, None]
    return {
        (int(problem.batch.order_of[line]), source)
        for source in capacity.sources
        for line in np.flatnonzero(reach[:, source])
    } - capacity.counted


def _binding_groups(problem: Problem) -> Iterator[IntArray]:
    """Orders that compete, group by group."""
    reach = problem.allowed & (problem.wanted > 0)[:, None]
    for product, source in np.argwhere(cell_binds(problem)):
        yield problem.batch.order_of[reach[:, source] & (problem.batch.product_of == product)]
    for capacity in problem.capacities:
        if capacity_binds(problem, capacity):
            yield problem.batch.order_of[reach[:, list(capacity.sources)].any(axis=1)]


class _Forest:
    """Disjoint sets with path halving; the lowest member is the root, so the outcome does not depend on the order."""

    def __init__(self, size: int) -> None:
        self._parent = list(range(size))

    def root(self, member: int) -> int:
        while self._parent[member] != member:
            self._parent[member] = self._parent[self._parent[member]]
            member = self._parent[member]
        return member

    def join(self, one: int, other: int) -> None:
        low, high = sorted((self.root(one), self.root(other)))
        self._parent[high] = low
