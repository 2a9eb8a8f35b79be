"""Passes over all pairs of a huge part, cut into pieces that anybody can price.

A pass looks at every order by itself, so blocks of orders can be priced anywhere. A piece is some blocks as a problem
that stands alone. It has all sources of the part and the same blocks: so what is found for these are the very bytes
that a pass over the whole part finds for them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from dom_core.domain.reason import IntArray
from dom_core.optimizer import price_wire, task_wire, workers
from dom_core.optimizer.pattern_costs import CostRange
from dom_core.optimizer.prices import Prices
from dom_core.optimizer.pricing import PricedBlock, Pricer
from dom_core.optimizer.promising import Kept, Known, priced_blocks
from dom_core.optimizer.restriction import Restriction, narrowed
from dom_core.side_by_side import side_by_side

BLOCKS_OF_A_PIECE = 8
"""Blocks that are sent together: some eight million pairs, the work of a second or two."""


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Some blocks of a part's orders, and the products of their lines.

    `problem` is made once: all that the blocks need, as bytes, or where somebody keeps these.
    """

    pricer: Pricer
    ranges: Sequence[tuple[int, int]]
    problem: bytes
    products: IntArray

    def asked(self, prices: Prices, known: Known) -> bytes:
        """The task of pricing these blocks, as bytes."""
        sources = np.arange(self.pricer.problem.batch.shape[1])
        ends = [last - self.ranges[0][0] for _, last in self.ranges]
        return task_wire.price_bytes(self.problem, ends, narrowed(prices, self.products, sources), self._known(known))

    def found(self, raw: bytes) -> list[PricedBlock[Kept]]:
        """What somebody found, in positions of the part. Raises InvalidInput."""
        return price_wire.blocks_of(raw, self.pricer, self.ranges)

    def priced_here(self, prices: Prices, known: Known) -> list[PricedBlock[Kept]]:
        """What anybody would find."""
        return priced_blocks(self.pricer, prices, known, self.ranges)

    def _known(self, known: Known) -> Known:
        """What is known of these groups."""
        mine = CostRange(self.pricer.costs, self.ranges[0][0], self.ranges[-1][1])
        parts = {kind: known[kind][slice(*mine.groups_of(kind))] for kind in known}
        return {kind: sources for kind, sources in parts.items() if len(sources)}


def pieces(pricer: Pricer, keep: Callable[[bytes], bytes] = bytes) -> list[Piece]:
    """All orders of a pricer in pieces. Few problems at a time are in memory; `keep` says what stays of them."""
    restriction, ranges = Restriction.of(pricer.problem), pricer.costs.ranges()

    def piece(first: int) -> Piece:
        mine = ranges[first : first + BLOCKS_OF_A_PIECE]
        lines = np.sort(CostRange(pricer.costs, mine[0][0], mine[-1][1]).lines)
        small = restriction.to(lines, pricer.problem.allowed[lines], all_sources=True)
        products = np.unique(pricer.problem.batch.product_of[lines])
        return Piece(pricer, mine, keep(task_wire.problem_bytes(small.problem)), products)

    firsts = range(0, len(ranges), BLOCKS_OF_A_PIECE)
    return side_by_side(piece, firsts, at_once=workers.WORKERS, before=pricer.watch.go_on)
