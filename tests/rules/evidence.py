"""What rules say, in a form that tests can compare."""

from typing import Any

from dom_core.domain.batch import Batch
from dom_core.domain.reason import Reason
from dom_core.errors import InvalidInput, Problem
from dom_core.rules import build
from dom_core.rules.base import Rule
from tests.builders import a_rule


def the_rule(kind: str, **params: Any) -> Rule:
    """A rule built the way stored rules are."""
    return build(a_rule(kind, params))


def reasons(rule: Rule, batch: Batch) -> dict[tuple[int, int], Reason]:
    """The reason of every pair that a rule takes out, by (line, source) position."""
    found: dict[tuple[int, int], Reason] = {}
    for rejection in rule.reject_candidates(batch):
        for line in range(batch.shape[0]):
            for source in range(batch.shape[1]):
                rows, columns = rejection.pairs.shape
                if rejection.pairs[line if rows > 1 else 0, source if columns > 1 else 0]:
                    assert (line, source) not in found, "one pair, one reason"
                    found[(line, source)] = rejection.reason(line, source)
    return found


def problems(kind: str, **params: Any) -> tuple[Problem, ...]:
    """What is wrong with parameters."""
    try:
        the_rule(kind, **params)
    except InvalidInput as error:
        return error.problems
    return ()


def paths(kind: str, **params: Any) -> list[str]:
    """Where parameters are wrong."""
    return [problem.path for problem in problems(kind, **params)]
