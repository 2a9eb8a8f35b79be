"""Reserve stock for many orders: decided for all products together, then written product by product, some at a time.

Decided first, order by order: one that goes short of any product takes nothing of another from those that do not, and
the answer does not depend on which write comes first.
"""

import json
import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from dom_core.domain.holding import Claim, hold_all, orders_short, weight_bytes
from dom_core.domain.ids import OrderId, ProductId
from dom_core.domain.stock import ProductStock
from dom_core.errors import LeaseLost, StoreConflict
from dom_core.repositories.reading import Versioned
from dom_core.repositories.stock import LIMIT_BYTES, Stock
from dom_core.side_by_side import side_by_side
from dom_core.use_cases.change_stock import change_stock
from dom_core.use_cases.context import Ports

_R = TypeVar("_R")

_Stored = Versioned[ProductStock] | None

_NEARLY_FULL = 0.95
"""The part of the limit above which an order that goes short may do so for want of room, not of units."""

_logger = logging.getLogger(__name__)


def reserve(ports: Ports, claims: Iterable[Claim], fence: int, keep_alive: Callable[[], None]) -> frozenset[OrderId]:
    """Reserve what the orders claim. The orders that go short: for them nothing is added.

    Where somebody else writes the same stock meanwhile, an order may go short of one product after another was reserved
    for it: whoever asked gives that back. Raises LeaseLost where a higher fence reserved.
    """
    reserving = _Reserving(ports, fence, _by_product(claims), keep_alive)
    found = reserving.read()
    now = {id: _fenced(stored.value if stored else ProductStock(id), fence) for id, stored in found.items()}
    return reserving.write(found, reserving.short(now))


@dataclass(frozen=True, slots=True)
class _Reserving:
    """One attempt at reserving."""

    ports: Ports
    fence: int
    claims: Mapping[ProductId, Sequence[Claim]]
    keep_alive: Callable[[], None]

    def read(self) -> dict[ProductId, _Stored]:
        """The stock of every product, as it is stored."""
        product_ids = list(self.claims)
        stored = self._side_by_side(Stock(self.ports.store).find, product_ids)
        return dict(zip(product_ids, stored, strict=True))

    def short(
        self, stock: Mapping[ProductId, ProductStock], already: frozenset[OrderId] = frozenset()
    ) -> frozenset[OrderId]:
        """The orders for which there is not enough of these products, with those that go short already."""
        claims = [claim for product_id in stock for claim in self._claims(product_id, already)]
        in_order = sorted(claims, key=lambda claim: claim.reservation.order_id)
        return already | orders_short(stock, in_order, LIMIT_BYTES)

    def write(self, found: Mapping[ProductId, _Stored], short: frozenset[OrderId]) -> frozenset[OrderId]:
        """Store the reservations of all other orders. All that go short now, some as somebody else was faster."""
        late = self._side_by_side(lambda product_id: self._write(product_id, found[product_id], short), list(found))
        return short.union(*late)

    def _write(self, product_id: ProductId, stored: _Stored, short: frozenset[OrderId]) -> frozenset[OrderId]:
        if stored is None:
            return self._write_again(product_id, short)
        after = self.hold(stored.value, short)
        try:
            if after is not stored.value:
                Stock(self.ports.store).save(after, stored.etag)
        except StoreConflict:
            return self._write_again(product_id, short)
        return frozenset()

    def _write_again(self, product_id: ProductId, short: frozenset[OrderId]) -> frozenset[OrderId]:
        """Decide anew about the product, whoever writes it meanwhile."""
        now_short = short

        def held(stock: ProductStock) -> ProductStock:
            nonlocal now_short
            now_short = self.short({product_id: stock}, short)
            return self.hold(stock, now_short)

        change_stock(self.ports.store, product_id, held)
        return now_short

    def hold(self, stock: ProductStock, short: Collection[OrderId]) -> ProductStock:
        """The stock with the claims of all orders but these."""
        after = hold_all(_fenced(stock, self.fence), self._claims(stock.product_id, short))
        if short and weight_bytes(after) > _NEARLY_FULL * LIMIT_BYTES:
            _logger.warning(json.dumps({"event": "stock_document_full", "product_id": stock.product_id}))
        return after

    def _claims(self, product_id: ProductId, short: Collection[OrderId]) -> list[Claim]:
        return [claim for claim in self.claims[product_id] if claim.reservation.order_id not in short]

    def _side_by_side(self, work: Callable[[ProductId], _R], product_ids: Sequence[ProductId]) -> list[_R]:
        at_once = self.ports.settings.requests_at_once_to_store
        return side_by_side(work, product_ids, at_once=at_once, before=self.keep_alive)


def _by_product(claims: Iterable[Claim]) -> dict[ProductId, list[Claim]]:
    """Claims by product, in the order of ids."""
    grouped: dict[ProductId, list[Claim]] = defaultdict(list)
    for claim in claims:
        grouped[claim.product_id].append(claim)
    return {product_id: grouped[product_id] for product_id in sorted(grouped)}


def _fenced(stock: ProductStock, fence: int) -> ProductStock:
    """The stock with this fence. Raises LeaseLost when a higher one was here."""
    if stock.fence > fence:
        raise LeaseLost(f"stock of '{stock.product_id}' was reserved with fence {stock.fence}; {fence} is old")
    return stock if stock.fence == fence else replace(stock, fence=fence)
