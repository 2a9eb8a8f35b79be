"""What a rule does when it says nothing, and how split limits meet."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from dom_core.rules.base import DEFAULT_SPLIT_LIMITS, Rule, SplitLimits
from tests.builders import a_request, a_source, an_order
from tests.plans import a_plan


@dataclass(frozen=True, slots=True)
class Silent(Rule):
    kind: ClassVar[str] = "silent"

    @classmethod
    def from_params(cls, id: str, params: Mapping[str, Any]) -> Self:
        return cls(id, **params)


def test_a_rule_that_overrides_nothing_objects_to_nothing() -> None:
    builder = a_request().with_sources(a_source()).with_orders(an_order().with_line("P"))
    request, batch, rule = builder.build(), builder.batch(), Silent("silent")
    assert rule.hold_line(request, request.orders[0], request.orders[0].lines[0]) is None
    said = (rule.references(), rule.reject_candidates(batch), rule.capacities(batch))
    assert [list(answer) for answer in said] == [[], [], []]
    assert [rule.units_kept_back(batch), rule.priorities(batch), rule.split_limits(batch)] == [None, None, None]
    assert list(rule.violations(request, a_plan(request, {}))) == []


def test_the_stricter_of_two_split_limits_is_stricter_in_every_field() -> None:
    one = SplitLimits(max_sources=3, partial_orders=False, partial_lines=False, max_sources_per_line=None)
    other = SplitLimits(max_sources=2, partial_orders=True, partial_lines=True, max_sources_per_line=4)
    assert one.stricter(other) == other.stricter(one) == SplitLimits(2, False, False, 4)


def test_without_a_rule_lines_may_wait_but_are_filled_in_full() -> None:
    assert SplitLimits(None, True, False, None) == DEFAULT_SPLIT_LIMITS
