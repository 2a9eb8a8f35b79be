"""The rule kinds. One file each; a new file in this folder is a new kind, nothing lists them.

`base.py` says what a rule is, `scope.py` how the most specific parameter line wins.
"""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from dom_core.domain.strategy import RuleRecord
from dom_core.errors import InvalidInput, Problem
from dom_core.rules.base import Rule

_NOT_KINDS = frozenset({"base", "scope"})


@cache
def kinds() -> Mapping[str, type[Rule]]:
    """Every rule kind by name. A module whose rule has another name than its file is refused."""
    found: dict[str, type[Rule]] = {}
    for module_info in iter_modules(__path__):
        if module_info.name in _NOT_KINDS:
            continue
        module = import_module(f"{__name__}.{module_info.name}")
        own = [
            value
            for value in vars(module).values()
            if isinstance(value, type) and issubclass(value, Rule) and value.__module__ == module.__name__
        ]
        if len(own) != 1 or own[0].kind != module_info.name:
            raise ImportError(
                f"rules/{module_info.name}.py must define exactly one Rule whose kind is '{module_info.name}'"
            )
        found[module_info.name] = own[0]
    return MappingProxyType(dict(sorted(found.items())))


def build(record: RuleRecord) -> Rule:
    """The rule of a stored record. Raises InvalidInput for an unknown kind or bad parameters."""
    kind = kinds().get(record.kind)
    if kind is None:
        known = ", ".join(kinds())
        raise InvalidInput([Problem("kind", f"unknown rule kind '{record.kind}'; known: {known}")], f"rule {record.id}")
    return kind.from_params(record.id, record.params)
