"""Keep the configuration: sources, source lists, products, rules, cost factors, strategies."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date

from dom_core.configuration import Configuration
from dom_core.configuration_checks import check
from dom_core.configuration_sources import sources_left
from dom_core.domain.change import Change
from dom_core.domain.ids import RuleId, SourceId, StrategyId
from dom_core.errors import Conflict, InvalidInput, Problem, StoreConflict
from dom_core.messages.reading import decode_json, read_most
from dom_core.ports import DocumentStore
from dom_core.repositories.configurations import SHAPES, ConfigKind, ConfigObject, Configurations, Saving
from dom_core.repositories.orders import Orders
from dom_core.repositories.reading import deciding_again
from dom_core.repositories.stock import Stock
from dom_core.use_cases.context import Ports, Slice, Versioned

__all__ = [
    "ConfigKind",
    "ConfigObject",
    "Preview",
    "Saved",
    "SavedMany",
    "changes",
    "get",
    "list_all",
    "preview",
    "preview_many",
    "remove",
    "save",
    "save_many",
]


NOBODY = "unknown"
"""Signs what is saved by a program that does not say for whom."""


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


@dataclass(frozen=True, slots=True)
class Changed:
    """An object that is stored with other content, and the fields that differ."""

    id: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SourcesBeforeAndAfter:
    """How many sources an enabled strategy has left now and would have, by the rules that need no order to speak.

    `before` is null for a strategy that is not enabled now; `ruled_out` are the sources that each rule would take out.
    """

    strategy_id: StrategyId
    before: int | None
    after: int
    ruled_out: Mapping[RuleId, tuple[SourceId, ...]]


@dataclass(frozen=True, slots=True)
class Preview:
    """What saving would do: what is new, what changes, what is doubtful then, and whom it takes sources from."""

    created: tuple[str, ...]
    changed: tuple[Changed, ...]
    unchanged: tuple[str, ...]
    warnings: tuple[Problem, ...]
    sources_left: tuple[SourcesBeforeAndAfter, ...]


def save(ports: Ports, kind: ConfigKind, id: str, raw: bytes, if_match: str | None = None, who: str = NOBODY) -> Saved:
    """Store one object if the configuration as a whole stays valid with it, and who did.

    Raises InvalidInput with every problem, StoreConflict when `if_match` is not the stored ETag.
    """
    checked = _checked(ports, kind, _read_one(kind, id, raw))
    (value,) = checked.values

    def put() -> Saved:
        stored = Configurations(ports.store).find(kind, value.id)
        _require_match(stored, if_match)
        return _put(ports, kind, value, stored.etag if stored else None, who, checked.warnings)

    return deciding_again(put) if if_match is None else put()


def save_many(ports: Ports, kind: ConfigKind, raw: bytes, who: str = NOBODY) -> SavedMany:
    """Store a JSON array of objects; all are checked before the first is written. Raises InvalidInput."""
    checked = _checked(ports, kind, _read_many(kind, raw))
    Configurations(ports.store).put_all(kind, checked.values, Saving(who, ports.clock.now()))
    return SavedMany(len(checked.values), checked.warnings)


def preview(ports: Ports, kind: ConfigKind, id: str, raw: bytes, if_match: str | None = None) -> Preview:
    """What `save` would do. Stores nothing; raises what `save` raises."""
    checked = _checked(ports, kind, _read_one(kind, id, raw))
    _require_match(Configurations(ports.store).find(kind, id), if_match)
    return _preview(kind, checked)


def preview_many(ports: Ports, kind: ConfigKind, raw: bytes) -> Preview:
    """What `save_many` would do. Stores nothing; raises what `save_many` raises."""
    return _preview(kind, _checked(ports, kind, _read_many(kind, raw)))


def get(ports: Ports, kind: ConfigKind, id: str) -> Versioned[ConfigObject]:
    """The object with its ETag. Raises NotFound."""
    return Configurations(ports.store).get(kind, id)


def changes(ports: Ports, kind: ConfigKind, id: str) -> tuple[Change, ...]:
    """Who saved the object when, the newest first. Raises NotFound."""
    return Configurations(ports.store).changes(kind, id)


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
        raise Conflict(f"{SHAPES[kind].noun} '{id}' is still used by {', '.join(users)}; end that first")
    configurations.delete(kind, id, stored.etag)


def _put(
    ports: Ports, kind: ConfigKind, value: ConfigObject, etag: str | None, who: str, warnings: tuple[Problem, ...]
) -> Saved:
    configurations, saving = Configurations(ports.store), Saving(who, ports.clock.now())
    if etag is None:
        return Saved(value, configurations.create(kind, value, saving), created=True, warnings=warnings)
    return Saved(value, configurations.replace(kind, value, saving, etag), created=False, warnings=warnings)


@dataclass(frozen=True, slots=True)
class _Readings:
    """Objects as they came: whole ones, those of which only some fields can be read, and all problems of reading."""

    whole: tuple[ConfigObject, ...]
    partly: tuple[ConfigObject, ...]
    problems: tuple[Problem, ...]
    subject: str


@dataclass(frozen=True, slots=True)
class _Checked:
    """Objects that may be stored, the configuration without and with them, and what is doubtful about it."""

    values: tuple[ConfigObject, ...]
    before: Configuration
    after: Configuration
    warnings: tuple[Problem, ...]
    today: date


def _read_one(kind: ConfigKind, id: str, raw: bytes) -> _Readings:
    shape = SHAPES[kind]
    most = read_most(decode_json(raw, shape.noun), shape.type, shape.noun, id=id)
    problems, value = most.problems, most.value
    if value is not None and value.id != id:
        problems += (Problem("id", f"must be '{id}', as in the address"),)
        value = replace(value, id=id)
    return _readings([(value, most.whole)], problems, shape.noun)


def _read_many(kind: ConfigKind, raw: bytes) -> _Readings:
    shape, subject = SHAPES[kind], f"list of {SHAPES[kind].noun} objects"
    given = decode_json(raw, subject)
    if not isinstance(given, list):
        raise InvalidInput([Problem("", "must be a list")], subject)
    found: list[tuple[ConfigObject | None, bool]] = []
    problems: list[Problem] = []
    first: dict[str, int] = {}
    for position, item in enumerate(given):
        most = read_most(item, shape.type, subject)
        problems += [_at_position(position, problem) for problem in most.problems]
        found.append((most.value, most.whole))
        if most.value is not None and first.setdefault(most.value.id, position) != position:
            problems.append(
                Problem(f"[{position}].id", f"'{most.value.id}' is already given at [{first[most.value.id]}]")
            )
    return _readings(found, problems, subject)


def _at_position(position: int, problem: Problem) -> Problem:
    return Problem(f"[{position}].{problem.path}" if problem.path else f"[{position}]", problem.message)


def _readings(
    found: Iterable[tuple[ConfigObject | None, bool]], problems: Iterable[Problem], subject: str
) -> _Readings:
    read = [(value, whole) for value, whole in found if value is not None]
    return _Readings(
        whole=tuple(value for value, whole in read if whole),
        partly=tuple(value for value, whole in read if not whole),
        problems=tuple(problems),
        subject=subject,
    )


def _checked(ports: Ports, kind: ConfigKind, readings: _Readings) -> _Checked:
    """The objects with the whole configuration around them. Raises InvalidInput with all that is wrong anywhere."""
    today = ports.clock.now().date()
    before = Configurations(ports.store).load()
    after = _with_objects(before, kind, readings.whole)
    partly = _with_objects(Configuration(), kind, readings.partly)
    findings = check(after, partly_read=partly, today=today, roads_measured=ports.roads is not None)
    if readings.problems or findings.errors:
        subject = "configuration" if findings.errors else readings.subject
        raise InvalidInput([*readings.problems, *findings.errors], subject)
    return _Checked(readings.whole, before, after, findings.warnings, today)


def _preview(kind: ConfigKind, checked: _Checked) -> Preview:
    stored = {value.id: value for value in getattr(checked.before, SHAPES[kind].field)}
    new = tuple(value.id for value in checked.values if value.id not in stored)
    known = [(stored[value.id], value) for value in checked.values if value.id in stored]
    before = {found.strategy_id: found for found in sources_left(checked.before, checked.today)}
    return Preview(
        created=new,
        changed=tuple(Changed(value.id, _differing(old, value)) for old, value in known if old != value),
        unchanged=tuple(value.id for old, value in known if old == value),
        warnings=checked.warnings,
        sources_left=tuple(
            SourcesBeforeAndAfter(
                found.strategy_id,
                len(before[found.strategy_id].left) if found.strategy_id in before else None,
                len(found.left),
                {rule_id: tuple(sorted(out)) for rule_id, out in sorted(found.out.items())},
            )
            for found in sources_left(checked.after, checked.today)
        ),
    )


def _differing(old: ConfigObject, new: ConfigObject) -> tuple[str, ...]:
    return tuple(field.name for field in fields(new) if getattr(old, field.name) != getattr(new, field.name))


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
