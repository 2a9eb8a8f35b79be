"""The cost-factor kinds. One file each; a new file in this folder is a new kind, nothing lists them.

`base.py` says what a cost factor is, `bands.py` what a distance band is, and `itemising.py` adds up what an order costs
without the arrays. Parameters are read, places matched and kinds found as for rules.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType

from dom_core.costs.base import CostFactor
from dom_core.domain.strategy import CostFactorRecord
from dom_core.errors import InvalidInput, Problem
from dom_core.rules import discovery

_NOT_KINDS = frozenset({"bands", "base", "itemising"})


@cache
def kinds() -> Mapping[str, type[CostFactor]]:
    """Every cost-factor kind by name."""
    return MappingProxyType(discover(__name__, __path__))


def discover(package: str, path: Iterable[str]) -> dict[str, type[CostFactor]]:
    """The cost-factor kinds in a package's folders, by name. Raises ImportError for a kind unlike its file."""
    return discovery.discover(package, path, CostFactor, _NOT_KINDS)  # type: ignore[type-abstract]  # nobody makes one of it


def build(record: CostFactorRecord) -> CostFactor:
    """The cost factor of a stored record. Raises InvalidInput for an unknown kind or bad parameters."""
    kind = kinds().get(record.kind)
    if kind is None:
        problem = Problem("kind", f"unknown cost factor kind '{record.kind}'; known: {', '.join(kinds())}")
        raise InvalidInput([problem], f"cost factor {record.id}")
    return kind.from_params(record.id, record.params)
