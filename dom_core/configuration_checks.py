"""Everything that is wrong, or doubtful, with a configuration as a whole: all of it at once.

The types check each object by itself; here objects are checked against each other (docs/semantics.md section 2). Errors
refuse the configuration. Warnings are choices that are allowed and probably not meant.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import chain
from types import MappingProxyType
from typing import Protocol
from zoneinfo import available_timezones

from dom_core import costs, rules, strategy_checks
from dom_core.configuration import Configuration
from dom_core.configuration_scopes import ParameterScope, WiderScopes
from dom_core.costs.base import CostFactor
from dom_core.domain.strategy import CostFactorRecord, RuleRecord
from dom_core.errors import InvalidInput, Problem
from dom_core.rules import parameters
from dom_core.rules.base import Rule


@dataclass(frozen=True, slots=True)
class Findings:
    """What the checks found. Paths begin with the object: `strategies[standard].rule_ids[2]`."""

    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


_NOTHING = Configuration()


def check(
    configuration: Configuration,
    unread: Mapping[str, frozenset[str]] = MappingProxyType({}),
    partly_read: Configuration = _NOTHING,
    today: date | None = None,
    *,
    roads_measured: bool = False,
) -> Findings:
    """Every error and every warning of a configuration.

    `unread` are ids, by collection, of objects that exist but could not be read: references to them are not blamed.
    `partly_read` are objects of which some fields could not be read: the others are checked, but not against what they
    might contradict if they were whole. Rules that ended before `today` leave nobody without sources. Where roads are
    measured, strategies may go by them.
    """
    found, partly = _ids(configuration), _ids(partly_read)
    known = {name: ids | partly[name] | unread.get(name, frozenset()) for name, ids in found.items()}
    return Findings(
        errors=(
            *chain.from_iterable(find(configuration) for find in (*_ERRORS, *_ERRORS_OF_ONE)),
            *_unknown_references(configuration, known),
            *chain.from_iterable(find(partly_read) for find in _ERRORS_OF_ONE),
            *_unknown_references(partly_read, known),
        ),
        warnings=(
            *chain.from_iterable(find(configuration) for find in _WARNINGS),
            *(() if roads_measured else strategy_checks.road_distances(configuration)),
            *strategy_checks.without_source(configuration, today),
        ),
    )


class _Named(Protocol):
    @property
    def id(self) -> str: ...


class _Dated(_Named, Protocol):
    @property
    def start_date(self) -> date | None: ...
    @property
    def end_date(self) -> date | None: ...


def _collections(configuration: Configuration) -> dict[str, Sequence[_Named]]:
    return {
        "sources": configuration.sources,
        "source_lists": configuration.source_lists,
        "products": configuration.products,
        "rules": configuration.rules,
        "cost_factors": configuration.cost_factors,
        "strategies": configuration.strategies,
    }


def _ids(configuration: Configuration) -> dict[str, frozenset[str]]:
    return {name: frozenset(item.id for item in items) for name, items in _collections(configuration).items()}


def _duplicate_ids(configuration: Configuration) -> Iterator[Problem]:
    for name, items in _collections(configuration).items():
        for id, times in Counter(item.id for item in items).items():
            if times > 1:
                yield Problem(f"{name}[{id}]", f"the id is used {times} times; ids must be unique")


@dataclass(frozen=True, slots=True)
class _Reference:
    """A field that names an object of another collection."""

    path: str
    collection: str
    id: str


def _unknown_references(configuration: Configuration, known: Mapping[str, frozenset[str]]) -> Iterator[Problem]:
    for reference in chain(_references(configuration), _references_of_params(configuration)):
        if reference.id not in known[reference.collection]:
            yield Problem(reference.path, f"there is no {_SINGULAR[reference.collection]} '{reference.id}'")


_SINGULAR = {
    "sources": "source",
    "source_lists": "source list",
    "products": "product",
    "rules": "rule",
    "cost_factors": "cost factor",
    "strategies": "strategy",
}


def _references(configuration: Configuration) -> Iterator[_Reference]:
    for source_list in configuration.source_lists:
        yield from _many(f"source_lists[{source_list.id}].source_ids", "sources", source_list.source_ids)
    for product in configuration.products:
        yield from _one(f"products[{product.id}].parent_id", "products", product.parent_id)
    for strategy in configuration.strategies:
        path = f"strategies[{strategy.id}]"
        yield from _one(f"{path}.source_list_id", "source_lists", strategy.source_list_id)
        yield from _many(f"{path}.rule_ids", "rules", strategy.rule_ids)
        yield from _many(f"{path}.cost_factor_ids", "cost_factors", strategy.cost_factor_ids)
        yield from _one(f"{path}.alternate_strategy_id", "strategies", strategy.alternate_strategy_id)


def _one(path: str, collection: str, id: str | None) -> Iterator[_Reference]:
    if id is not None:
        yield _Reference(path, collection, id)


def _many(path: str, collection: str, ids: Iterable[str]) -> Iterator[_Reference]:
    for position, id in enumerate(ids):
        yield _Reference(f"{path}[{position}]", collection, id)


_Record = RuleRecord | CostFactorRecord


def _bad_params(configuration: Configuration) -> Iterator[Problem]:
    """Rules and cost factors of which the kind or the parameters are not understood."""
    for record in _records(configuration):
        built = _built(record)
        if isinstance(built, InvalidInput):
            for problem in built.problems:
                yield Problem(_params_path(record, problem.path), problem.message)


def _records(configuration: Configuration) -> Iterator[_Record]:
    """Everything with parameters that only its own kind understands."""
    return chain(configuration.rules, configuration.cost_factors)


def _built(record: _Record) -> Rule | CostFactor | InvalidInput:
    try:
        return rules.build(record) if isinstance(record, RuleRecord) else costs.build(record)
    except InvalidInput as error:
        return error


def _params_path(record: _Record, path: str) -> str:
    """Where in the configuration a path of parameters lies; `kind` is the one path outside the parameters."""
    collection = "rules" if isinstance(record, RuleRecord) else "cost_factors"
    if path == "kind":
        return f"{collection}[{record.id}].kind"
    within = path.removeprefix("params").removeprefix(".")
    return f"{collection}[{record.id}].params" + (f".{within}" if within else "")


def _references_of_params(configuration: Configuration) -> Iterator[_Reference]:
    for path, kind, id in _named_in_params(configuration):
        if kind in _COLLECTION_OF:
            yield _Reference(path, _COLLECTION_OF[kind], id)


def _unused_categories(configuration: Configuration) -> Iterator[Problem]:
    """Categories exist only where products name them: one that no product has is probably misspelt."""
    named = {
        "category": frozenset(label for product in configuration.products for label in product.categories),
        "supplementary_category": frozenset(
            label for product in configuration.products for label in product.supplementary_categories
        ),
    }
    for path, kind, id in _named_in_params(configuration):
        if kind in named and id not in named[kind]:
            yield Problem(path, f"no product has the {kind.replace('_', ' ')} '{id}': the line matches nothing")


def _named_in_params(configuration: Configuration) -> Iterator[tuple[str, str, str]]:
    """What parameters name, as (path, kind of object, id). What is not understood is reported by `_bad_params`."""
    for record in _records(configuration):
        built = _built(record)
        if isinstance(built, InvalidInput):
            wrong = {problem.path for problem in built.problems}
            named = [found for found in parameters.named_in(record.params, "params") if found[0] not in wrong]
        else:
            named = list(built.references())
        for path, kind, id in named:
            yield _params_path(record, path), kind, id


_COLLECTION_OF = {singular.replace(" ", "_"): collection for collection, singular in _SINGULAR.items()} | {
    "variant": "products"
}


def _empty_date_ranges(configuration: Configuration) -> Iterator[Problem]:
    dated: dict[str, Sequence[_Dated]] = {
        "rules": configuration.rules,
        "cost_factors": configuration.cost_factors,
        "strategies": configuration.strategies,
    }
    for name, items in dated.items():
        for item in items:
            if item.start_date and item.end_date and item.end_date < item.start_date:
                yield Problem(
                    f"{name}[{item.id}].end_date", f"{item.end_date} is before the start date {item.start_date}"
                )


def _unknown_time_zones(configuration: Configuration) -> Iterator[Problem]:
    for source in configuration.sources:
        if source.time_zone not in _time_zones():
            yield Problem(
                f"sources[{source.id}].time_zone",
                f"'{source.time_zone}' is not an IANA time zone, such as 'America/Chicago'",
            )


@cache
def _time_zones() -> frozenset[str]:
    """All zone names; reading them takes a while."""
    return frozenset(available_timezones())


def _cycles(configuration: Configuration) -> Iterator[Problem]:
    """Alternates and parents that lead back to where they began."""
    alternates = {strategy.id: strategy.alternate_strategy_id for strategy in configuration.strategies}
    for loop in _loops(alternates):
        yield Problem(f"strategies[{loop[0]}].alternate_strategy_id", f"alternates form a circle: {' → '.join(loop)}")
    parents = {product.id: product.parent_id for product in configuration.products}
    for loop in _loops(parents):
        yield Problem(f"products[{loop[0]}].parent_id", f"parents form a circle: {' → '.join(loop)}")


def _loops(successors: Mapping[str, str | None]) -> Iterator[list[str]]:
    """Each circle once, from its lowest id and back to it, in the time of one walk over all ids."""
    finished: set[str] = set()
    for start in sorted(successors):
        trail: dict[str, None] = {}
        at: str | None = start
        while at is not None and at not in finished and at not in trail:
            trail[at] = None
            at = successors.get(at)
        if at is not None and at in trail:
            steps = list(trail)
            yield _from_lowest(steps[steps.index(at) :])
        finished |= trail.keys()


def _from_lowest(circle: list[str]) -> list[str]:
    first = circle.index(min(circle))
    return [*circle[first:], *circle[: first + 1]]


def _lists_without_active_source(configuration: Configuration) -> Iterator[Problem]:
    active = {source.id for source in configuration.sources if source.active}
    lists = {source_list.id: source_list for source_list in configuration.source_lists}
    for strategy in configuration.strategies:
        source_list = lists.get(strategy.source_list_id)
        if source_list is not None and active.isdisjoint(source_list.source_ids):
            yield Problem(
                f"strategies[{strategy.id}].source_list_id",
                f"the source list '{source_list.id}' has no active source: nothing can be assigned",
            )


def _loosening_distances(configuration: Configuration) -> Iterator[Problem]:
    """Distance lines that mean to loosen a wider one: the lowest wins, so they do nothing (C10)."""
    scopes = WiderScopes(configuration)
    for record in configuration.rules:
        if record.kind == "maximum_distance" and isinstance(_built(record), Rule):
            lines = [ParameterScope.of(line) for line in record.params["lines"]]
            limits_km = [float(line["km"]) for line in record.params["lines"]]
            for position, wider_km in scopes.stricter(lines, limits_km):
                yield Problem(
                    f"rules[{record.id}].params.lines[{position}].km",
                    f"{limits_km[position]:g} km loosens nothing: a line of this rule that holds here too "
                    f"says {wider_km:g} km, and the lowest wins",
                )


_RISKY_WHEN_SOFT = {
    "offline_location": "iteration 2 will use places that are offline",
    "minimum_inventory": "iteration 2 will use the stock that is kept back",
}


def _risky_soft_rules(configuration: Configuration) -> Iterator[Problem]:
    for rule in configuration.rules:
        if not rule.hard and rule.kind in _RISKY_WHEN_SOFT:
            yield Problem(f"rules[{rule.id}].hard", f"a soft {rule.kind} rule: {_RISKY_WHEN_SOFT[rule.kind]}")


Check = Callable[[Configuration], Iterator[Problem]]

_ERRORS_OF_ONE: tuple[Check, ...] = (_bad_params, _empty_date_ranges, _unknown_time_zones)
"""What can be wrong with an object by itself."""

_ERRORS: tuple[Check, ...] = (
    _duplicate_ids,
    strategy_checks.shared_filters,
    strategy_checks.several_defaults,
    strategy_checks.too_many_soft_rules,
    _cycles,
)
_WARNINGS: tuple[Check, ...] = (
    _lists_without_active_source,
    _risky_soft_rules,
    _loosening_distances,
    _unused_categories,
    strategy_checks.idle_alternates,
)
