"""Keep the configuration: sources, source lists, products, rules, cost factors, strategies."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dom_core.configuration import Configuration
from dom_core.configuration_checks import check
from dom_core.errors import Conflict, InvalidInput, Problem, StoreConflict
from dom_core.messages.reading import read_json
from dom_core.ports import DocumentStore
from dom_core.repositories.configurations import SHAPES, ConfigKind, ConfigObject, Configurations
from dom_core.repositories.orders import Orders
from dom_core.repositories.reading import deciding_again
from dom_core.repositories.stock import Stock
from dom_core.use_cases.context import Ports, Slice, Versioned

__all__ = ["ConfigKind", "ConfigObject", "Saved", "SavedMany", "get", "list_all", "remove", "save", "save_many"]


@dataclass(frozen=True, slots=True)
class Saved:
    """A stored object, whether it is new, and what is doubtful about the configuration with it."""

    value: ConfigObject
    etag: str
    created: bool
    warnings: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class SavedMany:
    """How many objects were stored, and what is doubtful about the configuration with them."""

    count: int
    warnings: tuple[Problem, ...]


def save(ports: Ports, kind: ConfigKind, id: str, raw: bytes, if_match: str | None = None) -> Saved:
    """Store one object if the configuration as a whole stays valid with it.

    Raises InvalidInput with every problem, StoreConflict when `if_match` is not the stored ETag.
    """
    value = _read(kind, raw)
    if value.id != id:
        raise InvalidInput([Problem("id", f"must be '{id}', as in the address")], SHAPES[kind].noun)
    warnings = _checked(ports.store, kind, [value])

    def put() -> Saved:
        return _put(Configurations(ports.store), kind, value, if_match, warnings)

    return deciding_again(put) if if_match is None else put()


def save_many(ports: Ports, kind: ConfigKind, raw: bytes) -> SavedMany:
    """Store a JSON array of objects; all are checked before the first is written. Raises InvalidInput."""
    values = _read_many(kind, raw)
    warnings = _checked(ports.store, kind, values)
    Configurations(ports.store).put_all(kind, values)
    return SavedMany(len(values), warnings)


def get(ports: Ports, kind: ConfigKind, id: str) -> Versioned[ConfigObject]:
    """The object with its ETag. Raises NotFound."""
    return Configurations(ports.store).get(kind, id)


def list_all(ports: Ports, kind: ConfigKind, limit: int, continuation: str | None = None) -> Slice[ConfigObject]:
    """Objects of a kind, by id."""
    return Configurations(ports.store).page(kind, limit, continuation)


def remove(ports: Ports, kind: ConfigKind, id: str, if_match: str | None = None) -> None:
    """Remove an object. Raises NotFound, StoreConflict, and Conflict naming whatever still refers to it."""
    configurations = Configurations(ports.store)
    stored = configurations.get(kind, id)
    _require_match(stored, if_match)
    users = [*_referring(configurations.load(), kind, id), *_in_use(ports.store, kind, id)]
    if users:
        raise Conflict(f"{SHAPES[kind].noun} '{id}' is still used by {', '.join(users)}")
    configurations.delete(kind, id, stored.etag)


def _put(
    configurations: Configurations,
    kind: ConfigKind,
    value: ConfigObject,
    if_match: str | None,
    warnings: tuple[Problem, ...],
) -> Saved:
    stored = configurations.find(kind, value.id)
    _require_match(stored, if_match)
    if stored is None:
        return Saved(value, configurations.create(kind, value), created=True, warnings=warnings)
    return Saved(value, configurations.replace(kind, value, stored.etag), created=False, warnings=warnings)


def _read(kind: ConfigKind, raw: bytes) -> ConfigObject:
    return read_json(raw, SHAPES[kind].type, SHAPES[kind].noun)


def _read_many(kind: ConfigKind, raw: bytes) -> tuple[ConfigObject, ...]:
    shape = SHAPES[kind]
    many: Any = tuple[shape.type, ...]  # type: ignore[name-defined]  # a type made at run time, for pydantic
    values: tuple[ConfigObject, ...] = read_json(raw, many, f"list of {shape.noun} objects")
    first: dict[str, int] = {}
    problems = [
        Problem(f"[{position}].id", f"'{value.id}' is already given at [{first[value.id]}]")
        for position, value in enumerate(values)
        if first.setdefault(value.id, position) != position
    ]
    if problems:
        raise InvalidInput(problems, f"list of {shape.noun} objects")
    return values


def _checked(store: DocumentStore, kind: ConfigKind, values: Sequence[ConfigObject]) -> tuple[Problem, ...]:
    """The warnings about the whole configuration with these objects. Raises InvalidInput with all errors."""
    findings = check(_with_objects(Configurations(store).load(), kind, values))
    if findings.errors:
        raise InvalidInput(findings.errors, "configuration")
    return findings.warnings


def _with_objects(configuration: Configuration, kind: ConfigKind, values: Sequence[ConfigObject]) -> Configuration:
    field = SHAPES[kind].field
    merged = {value.id: value for value in getattr(configuration, field)} | {value.id: value for value in values}
    return replace(configuration, **{field: tuple(merged[id] for id in sorted(merged))})


def _require_match(stored: Versioned[ConfigObject] | None, if_match: str | None) -> None:
    if if_match is not None and (stored is None or stored.etag != if_match):
        raise StoreConflict("the object changed since it was read; read it again and repeat the change")


def _referring(configuration: Configuration, kind: ConfigKind, id: str) -> list[str]:
    """Where the configuration names the object: what would be wrong without it and is not wrong now."""
    field = SHAPES[kind].field
    rest = tuple(value for value in getattr(configuration, field) if value.id != id)
    wrong_now = frozenset(check(configuration).errors)
    without = check(replace(configuration, **{field: rest})).errors
    return [problem.path for problem in without if problem not in wrong_now]


def _in_use(store: DocumentStore, kind: ConfigKind, id: str) -> Iterator[str]:
    """Open work that needs the object: lines assigned to a source, reserved units of a product."""
    if kind is ConfigKind.SOURCES:
        for order in Orders(store).in_work():
            yield from (
                f"line '{line.id}' of order '{order.id}'"
                for line in order.lines
                if line.assignment and line.assignment.source_id == id
            )
    if kind is ConfigKind.PRODUCTS and (stock := Stock(store).find(id)):
        yield from (
            f"{cell.reserved} reserved units at '{cell.source_id}'" for cell in stock.value.cells if cell.reserved
        )
