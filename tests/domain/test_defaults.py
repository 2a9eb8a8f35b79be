"""What a strategy, a rule, a source and an order are where their author says nothing."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from dom_core.domain.network import SourceType
from dom_core.domain.strategy import Strategy
from dom_core.errors import InvalidInput
from dom_core.messages.orders import IntakeOrder
from dom_core.messages.reading import read_json
from tests.builders import a_rule, a_source
from tests.use_cases.world import intake

DEFAULTS: dict[str, Any] = {
    "rule_ids": (),
    "cost_factor_ids": (),
    "enabled": True,
    "start_date": None,
    "end_date": None,
    "sales_origins": (),
    "process_empty_sales_origin": False,
    "modes_of_delivery": (),
    "legal_entities": (),
    "inventory_mode": "inherit",
    "distance_mode": "aerial",
    "local_radius_km": 0,
    "objective": "closest",
    "objective_mode": "rates",
    "location_priority_mode": "always_hard",
    "relaxation": "all_soft",
    "maximum_orders_across": "highest",
    "simulation": False,
    "auto_apply": True,
    "max_order_lines": 0,
    "aggregation_minutes": 0,
    "max_attempts": 10,
    "rejection_period_days": 30,
    "alternate_strategy_id": None,
    "default_strategy": False,
    "owner": "",
}


def test_a_strategy_needs_a_source_list_and_has_a_default_for_all_else() -> None:
    strategy = Strategy("standard", "all")
    assert {name: getattr(strategy, name) for name in DEFAULTS} == DEFAULTS
    assert (strategy.limits.solve_limit_s, strategy.limits.relative_gap, strategy.limits.max_nodes) == (120, 0, None)
    assert {getattr(strategy.rates, field.name) for field in fields(strategy.rates)} == {None}
    described_elsewhere = {"id", "name", "description", "source_list_id", "limits", "rates"}
    assert {field.name for field in fields(strategy)} == DEFAULTS.keys() | described_elsewhere


def test_a_function_may_take_three_times_what_one_iteration_may() -> None:
    host = json.loads((Path(__file__).parents[2] / "host.json").read_text(encoding="utf-8"))
    minutes = 600 * 3 // 60
    assert host["functionTimeout"] == f"00:{minutes}:00"


def test_a_rule_is_enabled_and_hard_without_dates() -> None:
    rule = a_rule("working_hours")
    assert (rule.enabled, rule.hard, rule.start_date, rule.end_date) == (True, True, None, None)


def test_a_source_is_one_of_five_types_active_counted_and_accepts_at_once() -> None:
    assert set(SourceType) == {"warehouse", "store", "distribution_center", "drop_ship", "virtual"}
    source = a_source()
    assert (source.active, source.manual_accept, source.use_real_inventory) == (True, False, True)
    assert (source.cut_off, source.time_zone, source.legal_entity) == (None, "UTC", "default")


@pytest.mark.parametrize("priority_class", [1, 5, None])
def test_an_order_may_have_a_priority_class_from_1_to_5(priority_class: int | None) -> None:
    assert read_json(intake(priority_class=priority_class), IntakeOrder, "order").priority_class == priority_class


@pytest.mark.parametrize("priority_class", [0, 6, "1", 1.5])
def test_another_priority_class_is_refused(priority_class: object) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_json(intake(priority_class=priority_class), IntakeOrder, "order")
    assert [problem.path for problem in caught.value.problems] == ["priority_class"]
