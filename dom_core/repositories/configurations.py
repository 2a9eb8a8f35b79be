"""Configuration: one partition per kind, one document per object, with a version that counts its changes.

The document also says who saved the last versions, and when.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from dom_core.configuration import Configuration
from dom_core.domain.change import Change
from dom_core.domain.network import Product, Source, SourceList
from dom_core.domain.strategy import CostFactorRecord, RuleRecord, Strategy
from dom_core.errors import NotFound
from dom_core.messages.reading import write_value
from dom_core.ports import Body, Container, Create, Document, DocumentStore, Replace, Write
from dom_core.repositories.reading import Slice, Versioned, deciding_again, every, read_stored

ConfigObject: TypeAlias = Source | SourceList | Product | RuleRecord | CostFactorRecord | Strategy
"""Anything that is configured."""


class ConfigKind(StrEnum):
    """The kinds of configuration, as they stand in routes."""

    SOURCES = "sources"
    SOURCE_LISTS = "source-lists"
    PRODUCTS = "products"
    RULES = "rules"
    COST_FACTORS = "cost-factors"
    STRATEGIES = "strategies"


@dataclass(frozen=True, slots=True)
class Saving:
    """Who saves, and when."""

    who: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Shape:
    """What a kind holds, where a Configuration keeps it, and what one of it is called."""

    type: type[ConfigObject]
    field: str
    noun: str


SHAPES: Mapping[ConfigKind, Shape] = MappingProxyType(
    {
        ConfigKind.SOURCES: Shape(Source, "sources", "source"),
        ConfigKind.SOURCE_LISTS: Shape(SourceList, "source_lists", "source list"),
        ConfigKind.PRODUCTS: Shape(Product, "products", "product"),
        ConfigKind.RULES: Shape(RuleRecord, "rules", "rule"),
        ConfigKind.COST_FACTORS: Shape(CostFactorRecord, "cost_factors", "cost factor"),
        ConfigKind.STRATEGIES: Shape(Strategy, "strategies", "strategy"),
    }
)
"""Everything about the kinds, in one table."""

CHANGES_KEPT = 20
"""Savings of one object that are remembered; older ones are forgotten."""

_BATCH = 50
"""Objects written at once: below the store's limit of 100 operations and 1.2 MB."""


class Configurations:
    """The stored configuration."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store

    def load(self) -> Configuration:
        """Everything that is configured, by id."""
        objects = {shape.field: tuple(self.every(kind)) for kind, shape in SHAPES.items()}
        return Configuration(**objects)  # type: ignore[arg-type]  # the table above pairs fields with types

    def every(self, kind: ConfigKind) -> Iterator[ConfigObject]:
        """All objects of a kind, by id."""
        return (_read(kind, document) for document in every(self._store, Container.CONFIG, partition=kind))

    def find(self, kind: ConfigKind, id: str) -> Versioned[ConfigObject] | None:
        """The object, if it is stored."""
        document = self._store.read(Container.CONFIG, kind, id)
        return Versioned(_read(kind, document), document.etag) if document else None

    def get(self, kind: ConfigKind, id: str) -> Versioned[ConfigObject]:
        """The object. Raises NotFound."""
        found = self.find(kind, id)
        if found is None:
            raise NotFound(SHAPES[kind].noun, id)
        return found

    def strategy(self, id: str) -> Strategy:
        """The strategy. Raises NotFound."""
        found = self.get(ConfigKind.STRATEGIES, id).value
        assert isinstance(found, Strategy), "the table pairs kinds with types"  # noqa: S101 - our own mistake
        return found

    def page(self, kind: ConfigKind, limit: int, continuation: str | None) -> Slice[ConfigObject]:
        """Objects of a kind, by id."""
        page = self._store.query(Container.CONFIG, partition=kind, limit=limit, continuation=continuation)
        return Slice(tuple(_read(kind, document) for document in page.documents), page.continuation)

    def create(self, kind: ConfigKind, value: ConfigObject, saving: Saving) -> str:
        """Store a new object; its ETag. Raises AlreadyExists."""
        return self._store.create(Container.CONFIG, kind, value.id, _body(kind, value, saving, None)).etag

    def replace(self, kind: ConfigKind, value: ConfigObject, saving: Saving, etag: str) -> str:
        """Store an object in the place of the one with this ETag; the new one. Raises StoreConflict."""
        stored = self._store.read(Container.CONFIG, kind, value.id)
        return self._store.replace(Container.CONFIG, kind, value.id, _body(kind, value, saving, stored), etag).etag

    def put_all(self, kind: ConfigKind, values: Sequence[ConfigObject], saving: Saving) -> None:
        """Store objects whether they are new or not, some dozens at once; the last writer wins."""
        for start in range(0, len(values), _BATCH):
            some = values[start : start + _BATCH]
            deciding_again(lambda some=some: self._put_some(kind, some, saving))  # type: ignore[misc]  # a bound loop variable

    def changes(self, kind: ConfigKind, id: str) -> tuple[Change, ...]:
        """Who saved the object when, the newest first: the last CHANGES_KEPT times. Raises NotFound."""
        document = self._store.read(Container.CONFIG, kind, id)
        if document is None:
            raise NotFound(SHAPES[kind].noun, id)
        return tuple(reversed(_changes(document)))

    def delete(self, kind: ConfigKind, id: str, etag: str) -> None:
        """Remove the object with this ETag. Raises StoreConflict."""
        self._store.delete(Container.CONFIG, kind, id, etag)

    def _put_some(self, kind: ConfigKind, values: Sequence[ConfigObject], saving: Saving) -> None:
        self._store.batch(Container.CONFIG, kind, [self._put(kind, value, saving) for value in values])

    def _put(self, kind: ConfigKind, value: ConfigObject, saving: Saving) -> Write:
        stored = self._store.read(Container.CONFIG, kind, value.id)
        body = _body(kind, value, saving, stored)
        return Create(value.id, body) if stored is None else Replace(value.id, body, stored.etag)


def _body(kind: ConfigKind, value: ConfigObject, saving: Saving, stored: Document | None) -> Body:
    version = 1 + (stored.body["version"] if stored else 0)
    known = _changes(stored) if stored else ()
    changes = (*known, Change(version, saving.at, saving.who))[-CHANGES_KEPT:]
    return {
        "version": version,
        "value": write_value(value, SHAPES[kind].type),
        "changes": write_value(changes, tuple[Change, ...]),
    }


def _changes(document: Document) -> tuple[Change, ...]:
    return read_stored(document.body.get("changes", []), tuple[Change, ...], f"changes of {document.id}")


def _read(kind: ConfigKind, document: Document) -> ConfigObject:
    shape = SHAPES[kind]
    return read_stored(document.body["value"], shape.type, f"stored {shape.noun} {document.id}")
