"""The rule kinds. One file each; a new file in this folder is a new kind, nothing lists them.

`base.py` says what a rule is, `parameters.py` how its parameters are read, `scope.py` how the most specific parameter
line wins, and `checking.py` how a finished plan is looked at a second time.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType, ModuleType

from dom_core.domain.strategy import RuleRecord
from dom_core.errors import InvalidInput, Problem
from dom_core.rules.base import Rule

_NOT_KINDS = frozenset({"base", "checking", "parameters", "scope"})


@cache
def kinds() -> Mapping[str, type[Rule]]:
    """Every rule kind by name."""
    return MappingProxyType(discover(__name__, __path__))


def discover(package: str, path: Iterable[str]) -> dict[str, type[Rule]]:
    """The rule kinds in a package's folders, by name. Raises ImportError for a kind unlike its file."""
    names = sorted(info.name for info in iter_modules(path) if info.name not in _NOT_KINDS)
    return {name: _rule_of(import_module(f"{package}.{name}"), name) for name in names}


def build(record: RuleRecord) -> Rule:
    """The rule of a stored record. Raises InvalidInput for an unknown kind or bad parameters."""
    kind = kinds().get(record.kind)
    if kind is None:
        known = ", ".join(kinds())
        raise InvalidInput([Problem("kind", f"unknown rule kind '{record.kind}'; known: {known}")], f"rule {record.id}")
    return kind.from_params(record.id, record.params)


def _rule_of(module: ModuleType, name: str) -> type[Rule]:
    """The one rule that a module defines, whose kind must be the file's name."""
    own = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Rule) and value.__module__ == module.__name__
    ]
    if len(own) != 1 or getattr(own[0], "kind", None) != name:
        raise ImportError(f"{name}.py must define exactly one Rule, and its kind must be '{name}'")
    return own[0]
