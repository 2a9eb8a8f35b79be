"""Change the stored stock of one product, whoever else writes it meanwhile."""

from collections.abc import Callable

from dom_core.domain.ids import ProductId
from dom_core.domain.stock import ProductStock
from dom_core.ports import DocumentStore
from dom_core.repositories.reading import deciding_again
from dom_core.repositories.stock import Stock


def change_stock(
    store: DocumentStore, product_id: ProductId, change: Callable[[ProductStock], ProductStock]
) -> ProductStock:
    """Store what `change` makes of the stock; one that returns the stock itself changes nothing."""
    return deciding_again(lambda: _change(Stock(store), product_id, change))


def _change(repository: Stock, product_id: ProductId, change: Callable[[ProductStock], ProductStock]) -> ProductStock:
    stored = repository.find(product_id)
    before = stored.value if stored else ProductStock(product_id)
    after = change(before)
    if after is not before:
        repository.save(after, stored.etag if stored else None)
    return after
