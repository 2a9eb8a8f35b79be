"""Report what is on hand."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from pydantic import ConfigDict

from dom_core.domain.holding import with_cell
from dom_core.domain.ids import ProductId, SourceId
from dom_core.domain.network import STRICT
from dom_core.domain.stock import ProductStock, StockLevel
from dom_core.domain.units import Units
from dom_core.errors import Conflict, InvalidInput, NotFound, Problem
from dom_core.messages.reading import read_json
from dom_core.ports import DocumentStore
from dom_core.repositories.configurations import ConfigKind
from dom_core.repositories.stock import Stock
from dom_core.use_cases.catalogue import unknown_ids
from dom_core.use_cases.change_stock import change_stock
from dom_core.use_cases.context import Ports

MOST_LEVELS = 10_000
"""Stock levels in one call."""


@dataclass(frozen=True, slots=True)
class OnHand:
    """What is on hand of one product at one source."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    on_hand: Units


def get_stock(ports: Ports, product_id: ProductId) -> ProductStock:
    """The stock of a product; no cells when none was ever stored. Raises NotFound for an unknown product."""
    if unknown_ids(ports.store, ConfigKind.PRODUCTS, {product_id}):
        raise NotFound("product", product_id)
    stored = Stock(ports.store).find(product_id)
    return stored.value if stored else ProductStock(product_id)


def set_one(ports: Ports, product_id: ProductId, source_id: SourceId, raw: bytes) -> ProductStock:
    """The product's stock after it. Raises InvalidInput, and Conflict for less than what is reserved."""
    level = StockLevel(product_id, source_id, read_json(raw, OnHand, "stock level").on_hand)
    _require_known(ports.store, [(level, "")])
    return change_stock(ports.store, product_id, lambda stock: _with_levels(stock, [level]))


def set_many(ports: Ports, raw: bytes) -> int:
    """Store a JSON array of stock levels, and say how many. All are checked before the first is written.

    Raises InvalidInput, and Conflict naming everything that would fall below what is reserved.
    """
    levels = read_json(raw, tuple[StockLevel, ...], "list of stock levels")
    if len(levels) > MOST_LEVELS:
        raise InvalidInput(
            [Problem("", f"has {len(levels):,} stock levels; send at most {MOST_LEVELS:,} at once")], "stock levels"
        )
    _require_known(ports.store, [(level, f"[{position}].") for position, level in enumerate(levels)])
    _require_distinct(levels)
    by_product: dict[ProductId, list[StockLevel]] = defaultdict(list)
    for level in levels:
        by_product[level.product_id].append(level)
    _require_above_reserved(ports.store, by_product)
    for product_id, some in by_product.items():
        change_stock(ports.store, product_id, lambda stock, some=some: _with_levels(stock, some))  # type: ignore[misc]  # a bound loop variable
    return len(levels)


def _require_known(store: DocumentStore, levels: Sequence[tuple[StockLevel, str]]) -> None:
    """Products and sources exist. Each level comes with the path that leads to its fields."""
    products = unknown_ids(store, ConfigKind.PRODUCTS, {level.product_id for level, _ in levels})
    sources = unknown_ids(store, ConfigKind.SOURCES, {level.source_id for level, _ in levels})
    problems = []
    for level, path in levels:
        if level.product_id in products:
            problems.append(Problem(f"{path}product_id", f"there is no product '{level.product_id}'"))
        if level.source_id in sources:
            problems.append(Problem(f"{path}source_id", f"there is no source '{level.source_id}'"))
    if problems:
        raise InvalidInput(problems, "stock levels")


def _require_distinct(levels: Sequence[StockLevel]) -> None:
    first: dict[tuple[ProductId, SourceId], int] = {}
    problems = [
        Problem(f"[{position}]", f"gives the same product and source as [{known}]")
        for position, level in enumerate(levels)
        if (known := first.setdefault((level.product_id, level.source_id), position)) != position
    ]
    if problems:
        raise InvalidInput(problems, "stock levels")


def _require_above_reserved(store: DocumentStore, by_product: dict[ProductId, list[StockLevel]]) -> None:
    short: list[str] = []
    for product_id, levels in by_product.items():
        stored = Stock(store).find(product_id)
        short += _shortfalls(stored.value, levels) if stored else []
    if short:
        raise _below_reserved(short)


def _shortfalls(stock: ProductStock, levels: Iterable[StockLevel]) -> list[str]:
    return [
        f"'{level.product_id}' at '{level.source_id}': {level.on_hand} on hand is less than the {reserved} reserved"
        for level in levels
        if level.on_hand < (reserved := stock.cell(level.source_id).reserved)
    ]


def _below_reserved(short: Sequence[str]) -> Conflict:
    return Conflict("; ".join(short) + ". Count again; or reject, cancel or ship lines first: that ends reservations")


def _with_levels(stock: ProductStock, levels: Iterable[StockLevel]) -> ProductStock:
    """The stock with these levels. Raises Conflict: the numbers may have changed since they were checked."""
    levels = list(levels)
    if short := _shortfalls(stock, levels):
        raise _below_reserved(short)
    for level in levels:
        cell = stock.cell(level.source_id)
        if cell not in stock.cells or cell.on_hand != level.on_hand:
            stock = with_cell(stock, replace(cell, on_hand=level.on_hand))
    return stock
