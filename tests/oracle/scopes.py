"""How a parameter line meets products and places: read from docs/rules.md, section Scopes."""

from collections.abc import Mapping
from typing import Any

from dom_core.domain.network import Product, Source
from dom_core.domain.order import Line
from dom_core.domain.request import PlanRequest
from dom_core.domain.strategy import RuleRecord


def place_rank(request: PlanRequest, entry: Mapping[str, Any], source: Source) -> int | None:
    """How specifically a parameter line names this source: 2 itself, 1 a list, 0 everywhere, None not at all."""
    if "source_id" in entry:
        return 2 if entry["source_id"] == source.id else None
    if "source_list_id" in entry:
        lists = [found for found in request.source_lists if found.id == entry["source_list_id"]]
        return 1 if any(source.id in found.source_ids for found in lists) else None
    return 0


def item_rank(request: PlanRequest, entry: Mapping[str, Any], line: Line) -> int | None:
    """How specifically a parameter line names this product: variant 4, product 3, categories 2 and 1, all 0."""
    product = request.products.get(line.product_id, Product(line.product_id))
    if "product_id" in entry:
        if entry["product_id"] == product.id:
            return 4 if product.parent_id else 3
        return 3 if entry["product_id"] == product.parent_id else None
    if "supplementary_category" in entry:
        return 2 if entry["supplementary_category"] in product.supplementary_categories else None
    if "category" in entry:
        return 1 if entry["category"] in product.categories else None
    return 0


def matches(
    request: PlanRequest, record: RuleRecord, line: Line, source: Source
) -> list[tuple[tuple[int, int], Mapping[str, Any]]]:
    """Parameter lines that speak about this pair, each with how specific it is: item first, then place."""
    found = []
    for entry in record.params["lines"]:
        item, place = item_rank(request, entry, line), place_rank(request, entry, source)
        if item is not None and place is not None:
            found.append(((item, place), entry))
    return found


def most_specific(request: PlanRequest, record: RuleRecord, line: Line, source: Source) -> list[Mapping[str, Any]]:
    """The most specific parameter lines for this pair: several when they tie."""
    found = matches(request, record, line, source)
    best = max((rank for rank, _ in found), default=None)
    return [entry for rank, entry in found if rank == best]
