"""Give back what is reserved for cancelled lines."""

from collections import defaultdict
from collections.abc import Iterable

from dom_core.domain.holding import without_lines
from dom_core.domain.ids import LineId, OrderId, ProductId
from dom_core.domain.order import Line
from dom_core.ports import DocumentStore
from dom_core.use_cases.change_stock import change_stock


def release_stock(store: DocumentStore, order_id: OrderId, lines: Iterable[Line]) -> None:
    """Remove the reservations of lines that will never need any again, whichever plan made them."""
    by_product: dict[ProductId, set[LineId]] = defaultdict(set)
    for line in lines:
        by_product[line.product_id].add(line.id)
    for product_id, line_ids in sorted(by_product.items()):
        change_stock(store, product_id, lambda stock, ids=line_ids: without_lines(stock, order_id, ids))  # type: ignore[misc]  # a bound loop variable
