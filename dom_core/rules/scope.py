"""How the parameter lines of a rule meet products and sources.

A line holds at a place (`source_id`, `source_list_id`, or everywhere when neither is given) for an item
(`product_id`, `supplementary_category`, `category`, or everything when none is given). A `product_id` means that
product itself and, when it is a parent, each of its variants.

Where several lines of one rule match, the most specific wins: first by item (variant > product > supplementary
category > category > everything), then by place (source > list > everywhere). Between equals the stricter wins.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dom_core.domain.batch import Batch
from dom_core.domain.network import Product
from dom_core.domain.reason import BoolArray, IntArray
from dom_core.rules.parameters import PlaceScope, Scope

_VARIANT, _PRODUCT, _SUPPLEMENTARY, _CATEGORY, _EVERYTHING = 4, 3, 2, 1, 0
_SOURCE, _LIST, _EVERYWHERE = 2, 1, 0

Positions = Mapping[str, list[int]]


@dataclass(frozen=True, slots=True)
class _Claim:
    """One parameter line over the block of products × sources that it matches with one specificity."""

    specificity: tuple[int, int]
    value: int
    block: tuple[IntArray, IntArray]


def most_specific(batch: Batch, lines: Sequence[Scope], values: Sequence[int], otherwise: int) -> IntArray:
    """The value of the most specific line for every product and source, `otherwise` where none matches (P, S).

    `values` are parallel to `lines`. Ties take the larger value: for the kinds that ask, larger is stricter.
    """
    table = np.full((len(batch.products), len(batch.sources)), otherwise, dtype=np.int64)
    # Written from general to specific, so that the last word is the most specific one.
    for claim in sorted(_claims(batch, lines, values), key=lambda claim: (claim.specificity, claim.value)):
        table[np.ix_(*claim.block)] = claim.value
    return table


def lowest(batch: Batch, lines: Sequence[Scope], values: Sequence[int], otherwise: int) -> IntArray:
    """The lowest value of all lines that match a product and source, `otherwise` where none does (P, S)."""
    table = np.full((len(batch.products), len(batch.sources)), otherwise, dtype=np.int64)
    for claim in _claims(batch, lines, values):
        block = np.ix_(*claim.block)
        table[block] = np.minimum(table[block], claim.value)
    return table


def covered_products(batch: Batch, lines: Iterable[Scope]) -> BoolArray:
    """The products that the item of at least one line matches, wherever the line holds (P)."""
    catalogue = _Catalogue(batch.products)
    covered = np.zeros(len(batch.products), dtype=np.bool_)
    for line in lines:
        for _, products in catalogue.matches(line):
            covered[products] = True
    return covered


def source_positions(batch: Batch, place: PlaceScope) -> IntArray:
    """The positions of the sources of a place, ascending. Ids that this batch does not know are nobody's."""
    if place.source_id is not None:
        return _positions(index for index, source in enumerate(batch.sources) if source.id == place.source_id)
    if place.source_list_id is None:
        return np.arange(len(batch.sources), dtype=np.int64)
    members = {
        source_id
        for source_list in batch.request.source_lists
        if source_list.id == place.source_list_id
        for source_id in source_list.source_ids
    }
    return _positions(index for index, source in enumerate(batch.sources) if source.id in members)


def place_specificity(place: PlaceScope) -> int:
    """How specific a place is: a source beats a list, and a list beats everywhere."""
    if place.source_id is not None:
        return _SOURCE
    return _LIST if place.source_list_id is not None else _EVERYWHERE


class _Catalogue:
    """Where the batch's products stand, by everything that a parameter line can call them."""

    def __init__(self, products: Sequence[Product]) -> None:
        self._everything = np.arange(len(products), dtype=np.int64)
        self._by_id = _group((product.id,) for product in products)
        self._by_parent = _group((product.parent_id,) if product.parent_id else () for product in products)
        self._by_supplementary = _group(product.supplementary_categories for product in products)
        self._by_category = _group(product.categories for product in products)

    def matches(self, line: Scope) -> Iterator[tuple[int, IntArray]]:
        """How specifically a line matches which products."""
        if line.product_id is not None:
            yield _PRODUCT, _positions(self._by_parent.get(line.product_id, ()))
            yield _VARIANT, _positions(self._by_id.get(line.product_id, ()))
        elif line.supplementary_category is not None:
            yield _SUPPLEMENTARY, _positions(self._by_supplementary.get(line.supplementary_category, ()))
        elif line.category is not None:
            yield _CATEGORY, _positions(self._by_category.get(line.category, ()))
        else:
            yield _EVERYTHING, self._everything


def _claims(batch: Batch, lines: Sequence[Scope], values: Sequence[int]) -> Iterator[_Claim]:
    catalogue = _Catalogue(batch.products)
    for line, value in zip(lines, values, strict=True):
        sources = source_positions(batch, line)
        for item, products in catalogue.matches(line):
            yield _Claim((item, place_specificity(line)), value, (products, sources))


def _group(names_of_each: Iterable[Iterable[str]]) -> Positions:
    positions: defaultdict[str, list[int]] = defaultdict(list)
    for index, names in enumerate(names_of_each):
        for name in names:
            positions[name].append(index)
    return positions


def _positions(values: Iterable[int]) -> IntArray:
    return np.fromiter(values, dtype=np.int64)
