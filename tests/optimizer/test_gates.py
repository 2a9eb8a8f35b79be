"""What keeps a source from a line before any rule is asked: nothing ever relaxes it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from dom_core.domain.plan import Plan
from dom_core.domain.reason import Verdict
from tests.builders import NOW, OrderBuilder, RequestBuilder, a_request, a_rule, a_source, an_order
from tests.spelt_out import plan_in_full


def planned(builder: RequestBuilder) -> Plan:
    return plan_in_full(builder.build())


def with_line() -> OrderBuilder:
    return an_order().with_line("P")


def from_s1(**fields: Any) -> RequestBuilder:
    return a_request().with_sources(a_source("S1", **fields)).with_stock({("P", "S1"): 1})


GATES: dict[str, Callable[[], RequestBuilder]] = {
    "source_inactive": lambda: from_s1(active=False).with_orders(with_line()),
    "legal_entity": lambda: from_s1(legal_entity="USRT").with_orders(with_line()),
    "no_stock": lambda: from_s1().with_stock({("P", "S1"): 0}).with_orders(with_line()),
    "rejection_bar": lambda: from_s1().with_orders(with_line().rejected_by("S1", NOW + timedelta(seconds=1))),
}


@pytest.mark.parametrize("code", GATES)
def test_a_gate_comes_before_every_rule_and_iteration_2_does_not_open_it(code: str) -> None:
    """A soft rule objects too: iteration 2 drops it, and the gate stays."""
    closed = a_rule("offline_location", {"places": [{"source_id": "S1"}]}, hard=False)
    plan = planned(GATES[code]().with_rules(closed))
    assert plan.lines[0].assignments == ()
    assert (plan.reasons.at(0, 0).verdict, plan.reasons.at(0, 0).code) == (Verdict.EXCLUDED, code)


def test_behind_the_gates_a_source_serves() -> None:
    plan = planned(from_s1().with_orders(with_line().rejected_by("S1", NOW)))
    assert plan.lines[0].filled_units == 1


def test_what_was_never_stored_is_no_stock() -> None:
    plan = planned(a_request().with_sources(a_source("S1")).with_orders(with_line()))
    reason = plan.reasons.at(0, 0)
    assert (reason.code, reason.limit, reason.actual) == ("no_stock", "1 units", "0 units")
