"""Which scopes of parameter lines lie within which: a store within its list, a variant within its category."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from dom_core.configuration import Configuration
from dom_core.domain.network import Product

Facet = tuple[str, str] | None
"""A place or an item as (field, id); None is everywhere, or everything."""


@dataclass(frozen=True, slots=True)
class ParameterScope:
    """Where and for what a parameter line holds."""

    place: Facet
    item: Facet

    @classmethod
    def of(cls, line: Mapping[str, Any]) -> Self:
        """The scope of a parameter line as it is stored."""
        return cls(
            _facet(line, ("source_id", "source_list_id")),
            _facet(line, ("product_id", "supplementary_category", "category")),
        )


class WiderScopes:
    """Finds the scopes that contain a scope, in one configuration."""

    def __init__(self, configuration: Configuration) -> None:
        self._products = {product.id: product for product in configuration.products}
        self._lists_of: dict[str, list[str]] = {}
        for source_list in configuration.source_lists:
            for source_id in source_list.source_ids:
                self._lists_of.setdefault(source_id, []).append(source_list.id)

    def stricter(self, scopes: Sequence[ParameterScope], limits: Sequence[float]) -> Iterator[tuple[int, float]]:
        """Each line whose limit is above the lowest of its own or a wider scope: its position, that lowest limit."""
        lowest: dict[ParameterScope, float] = {}
        for scope, limit in zip(scopes, limits, strict=True):
            lowest[scope] = min(limit, lowest.get(scope, limit))
        for position, scope in enumerate(scopes):
            least = min(lowest[other] for other in self._same_or_wider(scope) if other in lowest)
            if least < limits[position]:
                yield position, least

    def _same_or_wider(self, scope: ParameterScope) -> Iterator[ParameterScope]:
        for place in self._places(scope.place):
            for item in self._items(scope.item):
                yield ParameterScope(place, item)

    def _places(self, place: Facet) -> list[Facet]:
        """The place itself and all that contain it."""
        found: list[Facet] = [place, None]
        if place and place[0] == "source_id":
            found += [("source_list_id", id) for id in self._lists_of.get(place[1], ())]
        return list(dict.fromkeys(found))

    def _items(self, item: Facet) -> list[Facet]:
        """The item itself and all that contain it."""
        found: list[Facet] = [item, None]
        if item and item[0] == "product_id":
            product = self._products.get(item[1], Product(item[1]))
            found += [("product_id", product.parent_id)] if product.parent_id else []
            found += [("supplementary_category", label) for label in product.supplementary_categories]
            found += [("category", label) for label in product.categories]
        return list(dict.fromkeys(found))


def _facet(line: Mapping[str, Any], fields: Sequence[str]) -> Facet:
    return next(((field, str(line[field])) for field in fields if line.get(field) is not None), None)
