"""The request that a configuration makes of a strategy: what it learns of the other ones."""

from datetime import date
from typing import Any

import pytest

from dom_core.configuration import Configuration, RunFacts, request_for
from dom_core.domain.network import SourceList
from dom_core.domain.request import LimitsElsewhere, PlanRequest
from dom_core.domain.strategy import Strategy
from tests.builders import NOW, a_cost_factor, a_rule, a_source

LIMIT = a_rule("maximum_orders", {"lines": [{"limit": 3}]}, id="limit")
OFF = a_rule("maximum_orders", {"lines": [{"limit": 4}]}, id="off", enabled=False)
OTHER_KIND = a_rule("working_hours", id="hours")


def asked(*strategies: Strategy) -> PlanRequest:
    """The request of the first strategy."""
    configuration = Configuration(
        sources=(a_source("A"), a_source("B")),
        source_lists=(SourceList("all", ("A", "B")), SourceList("one", ("B",))),
        rules=(LIMIT, OFF, OTHER_KIND),
        strategies=strategies,
    )
    facts = RunFacts(plan_id="P1", run_id="R1", now=NOW, orders=(), available={}, loads={})
    return request_for(configuration, strategies[0].id, facts)


def test_the_limits_of_other_active_strategies_are_told_with_their_sources() -> None:
    other = Strategy("other", "one", rule_ids=("hours", "limit", "off"))
    request = asked(Strategy("own", "all", rule_ids=("limit",)), other)
    assert request.limits_elsewhere == (LimitsElsewhere("other", frozenset("B"), (LIMIT,)),)


NOT_ACTIVE: list[dict[str, Any]] = [
    {"enabled": False},
    {"simulation": True},
    {"start_date": date(2026, 3, 3)},
    {"end_date": date(2026, 3, 1)},
]


@pytest.mark.parametrize("fields", NOT_ACTIVE, ids=["disabled", "simulation", "not yet", "no more"])
def test_strategies_that_are_not_active_have_no_say(fields: dict[str, Any]) -> None:
    request = asked(Strategy("own", "all", default_strategy=True), Strategy("other", "all", **fields))
    assert (request.limits_elsewhere, request.claimants) == ((), ())


def test_only_a_default_strategy_is_told_whose_lines_to_leave_alone() -> None:
    own, other = Strategy("own", "all"), Strategy("other", "all", sales_origins=("web",))
    assert asked(own, other).claimants == ()
    assert asked(Strategy("own", "all", default_strategy=True), other).claimants == (other,)


def test_a_strategy_gets_the_rules_cost_factors_and_sources_that_it_links_and_no_other() -> None:
    factor, stranger = a_cost_factor("handling", id="linked"), a_cost_factor("handling", id="stranger")
    configuration = Configuration(
        sources=(a_source("A"), a_source("B")),
        source_lists=(SourceList("all", ("A", "B")), SourceList("one", ("B",))),
        rules=(LIMIT, OTHER_KIND),
        cost_factors=(factor, stranger),
        strategies=(Strategy("own", "one", rule_ids=("limit",), cost_factor_ids=("linked",)),),
    )
    facts = RunFacts(plan_id="P1", run_id="R1", now=NOW, orders=(), available={}, loads={})
    request = request_for(configuration, "own", facts)
    assert (request.rules, request.cost_factors) == ((LIMIT,), (factor,))
    assert [source.id for source in request.sources] == ["B"]
