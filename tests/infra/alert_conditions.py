"""What alerts say about events, as conditions that can be asked of a line of the log."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.infra.bicep import module

GIVEN = {"queueAgeLimitMinutes": 15, "runLimitMinutes": 20}
"""The limits with which the rules are read."""

_CONDITION = re.compile(r'event == "(\w+)"((?: and \w+\(line\.\w+\) (?:>|==) (?:"\w+"|\d+))*)')
_TERM = re.compile(r'and (\w+)\(line\.(\w+)\) (>|==) ("\w+"|\d+)')


@dataclass(frozen=True)
class Term:
    """A comparison of one field: `todouble(line.age_s) > 900`."""

    conversion: str
    field: str
    operator: str
    operand: str

    def holds(self, line: Mapping[str, Any]) -> bool:
        """As Kusto has it: a field that is not there is nothing, and compares with nothing."""
        if self.field not in line:
            return False
        value = {"todouble": float, "tostring": str}[self.conversion](line[self.field])
        operand = json.loads(self.operand)
        return bool(value > operand if self.operator == ">" else value == operand)


@dataclass(frozen=True)
class Condition:
    """What a rule wants of an event."""

    event: str
    terms: tuple[Term, ...]

    def fires(self, message: str) -> bool:
        """Whether this line of the log raises the alert."""
        if not message.startswith("{"):
            return False
        line = json.loads(message)
        return line["event"] == self.event and all(term.holds(line) for term in self.terms)


def rules() -> dict[str, dict[str, str]]:
    """Every alert rule, by name."""
    return {rule["name"]: rule for rule in module("alerts").value("rules", GIVEN)}


def conditions() -> dict[str, Condition]:
    """The one condition about an event that each rule has, by the rule's name."""
    return {name: _condition(rule["query"]) for name, rule in rules().items()}


def _condition(query: str) -> Condition:
    [found] = _CONDITION.finditer(query)
    terms = tuple(Term(*term) for term in _TERM.findall(found[2]))
    # Nothing of the rule is overlooked: besides, the event is read once.
    assert 1 + len(terms) == query.count("(line."), query
    return Condition(found[1], terms)
