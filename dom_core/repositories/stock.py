"""Stock: one document per product, so that one conditional write decides who gets its units.

Reservations are stored as plan → order → line → units: a product with fifty thousand of them still fits.
"""

from collections.abc import Iterator
from typing import Any

from dom_core.domain.ids import ProductId
from dom_core.domain.stock import ProductStock, Reservation, StockCell
from dom_core.ports import Body, Container, Document, DocumentStore
from dom_core.repositories.reading import Versioned, every, read_stored

_ID = "stock"

LIMIT_BYTES = 2_000_000
"""The most to which reservations may bring a product's document (`holding.weight_bytes`): less than a store takes."""

Reserved = dict[str, dict[str, dict[str, int]]]


class Stock:
    """The stored stock."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store

    def find(self, product_id: ProductId) -> Versioned[ProductStock] | None:
        """The product's stock, if any was ever stored."""
        document = self._store.read(Container.STOCK, product_id, _ID)
        return Versioned(_read(document), document.etag) if document else None

    def save(self, stock: ProductStock, etag: str | None) -> Versioned[ProductStock]:
        """Store the product's stock; without an ETag it must be the first. Raises StoreConflict, AlreadyExists."""
        if etag is None:
            document = self._store.create(Container.STOCK, stock.product_id, _ID, _body(stock))
        else:
            document = self._store.replace(Container.STOCK, stock.product_id, _ID, _body(stock), etag)
        return Versioned(stock, document.etag)

    def every(self) -> Iterator[ProductStock]:
        """The stock of all products."""
        return (_read(document) for document in every(self._store, Container.STOCK))


def _body(stock: ProductStock) -> Body:
    return {
        "fence": stock.fence,
        "cells": {cell.source_id: {"on_hand": cell.on_hand, "reserved": _nested(cell)} for cell in stock.cells},
    }


def _nested(cell: StockCell) -> Reserved:
    nested: Reserved = {}
    for kept in cell.reservations:
        nested.setdefault(kept.plan_id, {}).setdefault(kept.order_id, {})[kept.line_id] = kept.units
    return nested


def _read(document: Document) -> ProductStock:
    plain = {
        "product_id": document.partition,
        "fence": document.body["fence"],
        "cells": [_plain_cell(source_id, cell) for source_id, cell in sorted(document.body["cells"].items())],
    }
    return read_stored(plain, ProductStock, f"stock of {document.partition}")


def _plain_cell(source_id: str, cell: dict[str, Any]) -> dict[str, Any]:
    reservations = [
        Reservation(plan_id, order_id, line_id, units)
        for plan_id, orders in sorted(cell["reserved"].items())
        for order_id, lines in sorted(orders.items())
        for line_id, units in sorted(lines.items())
    ]
    return {
        "source_id": source_id,
        "on_hand": cell["on_hand"],
        "reservations": [
            {"plan_id": r.plan_id, "order_id": r.order_id, "line_id": r.line_id, "units": r.units} for r in reservations
        ],
    }
