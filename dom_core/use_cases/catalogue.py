"""Which of the things named somewhere are configured."""

from collections.abc import Iterable

from dom_core.domain.network import WRITE_IN_PRODUCT_ID
from dom_core.errors import Problem
from dom_core.messages.orders import IntakeOrder
from dom_core.ports import DocumentStore
from dom_core.repositories.configurations import ConfigKind, Configurations


def unknown_ids(store: DocumentStore, kind: ConfigKind, ids: Iterable[str]) -> frozenset[str]:
    """The ids that nothing of this kind has."""
    configurations = Configurations(store)
    return frozenset(id for id in set(ids) if configurations.find(kind, id) is None)


def product_problems(store: DocumentStore, order: IntakeOrder) -> list[Problem]:
    """A problem for each line whose product is neither in the catalogue nor the write-in product."""
    named = {line.product_id for line in order.lines} - {WRITE_IN_PRODUCT_ID}
    unknown = unknown_ids(store, ConfigKind.PRODUCTS, named)
    return [
        Problem(f"lines[{position}].product_id", f"there is no product '{line.product_id}'")
        for position, line in enumerate(order.lines)
        if line.product_id in unknown
    ]
