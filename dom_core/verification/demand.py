"""What is wanted of each product, by whom it could come, and so what no plan can fill."""

from collections import Counter, defaultdict
from collections.abc import Mapping

import numpy as np

from dom_core.domain.reason import IntArray
from dom_core.verification.order import OrderCase


class Demand:
    """The wants of one iteration, order by order."""

    def __init__(self) -> None:
        self._hopeless = 0
        self._units: defaultdict[str, Counter[int]] = defaultdict(Counter)
        self._asked: dict[str, IntArray] = {}

    def add(self, case: OrderCase) -> None:
        """Add an order: lines that nobody may serve stay unfilled; the others ask each source that may."""
        for row, product_id in enumerate(case.product_ids):
            units = int(case.units[row])
            if not case.allowed[row].any():
                self._hopeless += units * case.weight
                continue
            self._units[product_id][case.weight] += units
            asked = np.where(case.allowed[row], units, 0)
            self._asked[product_id] = self._asked[product_id] + asked if product_id in self._asked else asked

    def unfilled_at_least(self, stock: Mapping[str, IntArray]) -> int:
        """Weighted units that stay unfilled in any plan: of each product the lightest, as many as are too few."""
        return self._hopeless + sum(self._missing(product_id, stock[product_id]) for product_id in self._units)

    def _missing(self, product_id: str, stock: IntArray) -> int:
        wanted = self._units[product_id]
        short = wanted.total() - int(np.minimum(self._asked[product_id], stock).sum())
        missing = 0
        for weight in sorted(wanted):
            taken = min(max(0, short), wanted[weight])
            missing, short = missing + taken * weight, short - taken
        return missing
