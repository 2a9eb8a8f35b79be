"""Each line from the nearest source that has it, order by order: what a shop does without an optimizer."""

import numpy as np

from benchmarks.answers import Answer
from benchmarks.ways.ledger import Ledger, order_by_order
from dom_core.domain.request import PlanRequest


def planned(request: PlanRequest, _limit_s: float) -> Answer:
    """Serve the orders, earliest first, line by line."""
    return order_by_order(request, _serve)


def _serve(ledger: Ledger, lines: list[int]) -> None:
    everywhere = np.ones(ledger.stock.shape[1], dtype=bool)
    for line in lines:
        ledger.fill(line, everywhere)
