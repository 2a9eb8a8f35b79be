"""The whole Superstore sample as one batch, from a file of four rows."""

from pathlib import Path

import pytest

from benchmarks import superstore
from benchmarks.cases import Superstore, cases_of
from benchmarks.judging import judge
from benchmarks.ways import BY_KEY
from dom_core.domain.request import PlanRequest
from dom_core.domain.strategy import MAXIMUM_ORDERS
from examples.superstore import policy
from tests.examples.test_superstore import HEADER, ROWS


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    path = tmp_path / "superstore.csv"
    path.write_text("\n".join((HEADER, *ROWS)) + "\n", "utf-8")
    return path


@pytest.fixture
def request_made(sample: Path) -> PlanRequest:
    return superstore.request_of(sample, "standard-delivery")


def test_each_strategy_of_the_example_is_a_case(sample: Path) -> None:
    cases = cases_of([], sample, None)
    assert sorted(case.strategy_id for case in cases if isinstance(case, Superstore)) == sorted(superstore.STRATEGIES)


def test_all_orders_are_there_and_have_places(request_made: PlanRequest) -> None:
    assert sorted(order.id for order in request_made.orders) == ["CA-2017-1", "CA-2017-2", "CA-2017-3"]
    assert all(line.location for order in request_made.orders for line in order.lines)


def test_every_rule_of_the_strategy_is_there_and_hard(request_made: PlanRequest) -> None:
    assert {rule.id for rule in request_made.rules} == set(request_made.strategy.rule_ids)
    assert all(rule.hard for rule in request_made.rules)


def test_limits_of_orders_are_never_below_those_of_the_example(request_made: PlanRequest) -> None:
    example = {rule.id: rule.params for rule in policy.rules()}
    limits = [rule for rule in request_made.rules if rule.kind == MAXIMUM_ORDERS]
    assert limits
    assert all(rule.params == example[rule.id] for rule in limits)


def test_simple_ways_keep_every_kind_of_rule(request_made: PlanRequest) -> None:
    for way in ("nearest-source", "rule-cascade", "fewest-splits"):
        assert judge(request_made, BY_KEY[way].load()(request_made, 1.0).served).lines == 1
