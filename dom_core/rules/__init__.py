"""The rule kinds. One file each; a new file in this folder is a new kind, nothing lists them.

`base.py` says what a rule is, `parameters.py` how its parameters are read, `scope.py` how the most specific parameter
line wins, `checking.py` how a finished plan is looked at a second time, and `discovery.py` how kinds are found.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType

from dom_core.domain.strategy import LocationPriorityMode, RuleRecord
from dom_core.errors import InvalidInput, Problem
from dom_core.rules import discovery
from dom_core.rules.base import Rule

LOCATION_PRIORITY = "location_priority"

_NOT_KINDS = frozenset({"base", "checking", "discovery", "parameters", "scope"})


@cache
def kinds() -> Mapping[str, type[Rule]]:
    """Every rule kind by name."""
    return MappingProxyType(discover(__name__, __path__))


def discover(package: str, path: Iterable[str]) -> dict[str, type[Rule]]:
    """The rule kinds in a package's folders, by name. Raises ImportError for a kind unlike its file."""
    return discovery.discover(package, path, Rule, _NOT_KINDS)  # type: ignore[type-abstract]  # nobody makes one of it


def never_gives_way(record: RuleRecord, mode: LocationPriorityMode) -> bool:
    """Whether iteration 2 keeps a rule: a hard one, a gate, or a location priority where that always binds (C1)."""
    kind = kinds().get(record.kind)
    always_hard = record.kind == LOCATION_PRIORITY and mode is LocationPriorityMode.ALWAYS_HARD
    return record.hard or always_hard or (kind is not None and kind.never_relaxed)


def build(record: RuleRecord) -> Rule:
    """The rule of a stored record. Raises InvalidInput for an unknown kind or bad parameters."""
    kind = kinds().get(record.kind)
    if kind is None:
        known = ", ".join(kinds())
        raise InvalidInput([Problem("kind", f"unknown rule kind '{record.kind}'; known: {known}")], f"rule {record.id}")
    return kind.from_params(record.id, record.params)
