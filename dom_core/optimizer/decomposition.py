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
        parents.join_all(orders)
    root_of = np.array([parents.root(order) for order in range(len(problem.batch.orders))])
    useful = set(root_of[problem.batch.order_of[problem.allowed.any(axis=1)]].tolist())
    roots = root_of[problem.batch.order_of[open_lines]]
    by_root = np.argsort(roots, kind="stable")
    parts = np.split(open_lines[by_root], np.flatnonzero(np.diff(roots[by_root])) + 1)
    kept = [part for part in parts if int(root_of[problem.batch.order_of[part[0]]]) in useful]
    return tuple(sorted(kept, key=lambda part: int(part[0])))


def blocks(parts: Sequence[IntArray]) -> tuple[tuple[IntArray, ...], ...]:
    """Neighbouring parts gathered into blocks of about BLOCK_LINES lines; a larger part stands alone."""
    gathered: list[list[IntArray]] = []
    lines = 0
    for part in parts:
        if gathered and lines + len(part) <= BLOCK_LINES:
            gathered[-1].append(part)
            lines += len(part)
        else:
            gathered.append([part])
            lines = len(part)
    return tuple(tuple(block) for block in gathered)


def cell_binds(problem: Problem) -> BoolArray:
    """Which cells (P, S) could be asked for more than they hold."""
    binds = np.zeros(problem.stock.shape, dtype=np.bool_)
    for product, lines in lines_by_product(problem):
        binds[product] = problem.wanted[lines] @ problem.allowed[lines] > problem.stock[product]
    return binds


def capacity_binds(problem: Problem, capacity: CapacityLimit) -> bool:
    """Whether more orders (or lines) could come to these sources than they have room for."""
    reach = problem.allowed[:, list(capacity.sources)] & (problem.wanted > 0)[:, None]
    if capacity.per_line:
        return int(reach.sum()) > capacity.remaining
    line, column = np.nonzero(reach)
    sources = np.array(capacity.sources, dtype=np.int64)
    width = problem.batch.shape[1]
    visitors = np.unique(problem.batch.order_of[line] * width + sources[column])
    counted = [order * width + source for order, source in capacity.counted]
    return len(visitors) - int(np.isin(visitors, counted).sum()) > capacity.remaining


def lines_by_product(problem: Problem) -> Iterator[tuple[int, IntArray]]:
    """The lines that still want units, product by product."""
    lines = np.flatnonzero(problem.wanted > 0)
    if len(lines):
        lines = lines[np.argsort(problem.batch.product_of[lines], kind="stable")]
        for some in np.split(lines, np.flatnonzero(np.diff(problem.batch.product_of[lines])) + 1):
            yield int(problem.batch.product_of[some[0]]), some


def _binding_groups(problem: Problem) -> Iterator[IntArray]:
    """Orders that compete, group by group."""
    for product, lines in lines_by_product(problem):
        if len(lines) > 1:
            binds = problem.wanted[lines] @ problem.allowed[lines] > problem.stock[product]
            for some in _competitors(problem.allowed[lines][:, binds]):
                yield problem.batch.order_of[lines[some]]
    for capacity in problem.capacities:
        if capacity_binds(problem, capacity):
            reach = problem.allowed[:, list(capacity.sources)].any(axis=1) & (problem.wanted > 0)
            yield problem.batch.order_of[reach]


def _competitors(reach: BoolArray) -> Iterator[IntArray]:
    """Rows that share a column, gathered by the first row of each column: few groups, however many columns."""
    reached = np.flatnonzero(reach.any(axis=0))
    first = reach[:, reached].argmax(axis=0)
    for row in np.unique(first):
        yield np.flatnonzero(reach[:, reached[first == row]].any(axis=1))


class _Forest:
    """Disjoint sets with path halving; the lowest member is the root, so the outcome does not depend on the order."""

    def __init__(self, size: int) -> None:
        self._parent = list(range(size))

    def root(self, member: int) -> int:
        while self._parent[member] != member:
            self._parent[member] = self._parent[self._parent[member]]
            member = self._parent[member]
        return member

    def join_all(self, members: IntArray) -> None:
        """Put these into one set."""
        roots = {self.root(member) for member in members.tolist()}
        lowest = min(roots, default=0)
        for root in roots:
            self._parent[root] = lowest
