"""A cascade of rules, order by order: the first rule that serves the order decides.

1. The nearest warehouse that holds the whole order.
2. The nearest store that holds the whole order.
3. Line by line: the nearest warehouse that has it, else the nearest store.

That is how simple systems are set up: a list of preferences that a person can read, and no look at other orders.
"""

import numpy as np

from benchmarks.answers import Answer
from benchmarks.ways.ledger import Ledger, order_by_order
from dom_core.domain.network import SourceType
from dom_core.domain.reason import BoolArray
from dom_core.domain.request import PlanRequest


def planned(request: PlanRequest, _limit_s: float) -> Answer:
    """Serve the orders, earliest first, by the cascade."""
    return order_by_order(request, _serve)


def _serve(ledger: Ledger, lines: list[int]) -> None:
    stores = np.array([source.type is SourceType.STORE for source in ledger.problem.batch.sources])
    for group in (~stores, stores):
        source = ledger.nearest(lines[0], _whole_order(ledger, lines) & group)
        if source is not None:
            for line in lines:
                ledger.take(line, source, ledger.wanted(line))
            return
    for line in lines:
        if not ledger.fill(line, ~stores):
            ledger.fill(line, stores)


def _whole_order(ledger: Ledger, lines: list[int]) -> BoolArray:
    """Sources (S) that hold all lines, also where several ask for the same product."""
    product_of = ledger.problem.batch.product_of
    holds = np.ones(ledger.stock.shape[1], dtype=bool)
    for line in lines:
        together = sum(ledger.wanted(other) for other in lines if product_of[other] == product_of[line])
        holds &= ledger.holders(line, together)
    return holds
