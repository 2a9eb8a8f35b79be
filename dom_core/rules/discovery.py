"""How kinds are found: one file each in a package, named after the kind. Nothing lists them."""

from abc import ABC
from collections.abc import Iterable
from importlib import import_module
from inspect import isabstract
from pkgutil import iter_modules
from types import ModuleType
from typing import TypeVar

Kind = TypeVar("Kind", bound=ABC)


def discover(package: str, path: Iterable[str], base: type[Kind], shared: frozenset[str]) -> dict[str, type[Kind]]:
    """The kinds in a package's folders, by name: subclasses of `base`, one a file, `shared` files left out.

    Raises ImportError for a kind unlike its file, and for one that lacks what every kind must define.
    """
    names = sorted(info.name for info in iter_modules(path) if info.name not in shared)
    return {name: _kind_of(import_module(f"{package}.{name}"), name, base) for name in names}


def _kind_of(module: ModuleType, name: str, base: type[Kind]) -> type[Kind]:
    """The one kind that a module defines, whose `kind` must be the file's name."""
    own = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, base) and value.__module__ == module.__name__
    ]
    if len(own) != 1 or getattr(own[0], "kind", None) != name:
        raise ImportError(f"{name}.py must define exactly one {base.__name__}, and its kind must be '{name}'")
    if isabstract(own[0]):
        lacking = ", ".join(sorted(own[0].__abstractmethods__))
        raise ImportError(f"{name}.py: {own[0].__name__} must define {lacking}")
    return own[0]
