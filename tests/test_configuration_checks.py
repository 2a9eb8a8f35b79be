"""What a configuration is told about itself."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, Self

import pytest

from dom_core import rules
from dom_core.configuration import Configuration
from dom_core.configuration_checks import check
from dom_core.domain.network import Product, Source, SourceList, SourceType
from dom_core.domain.strategy import DistanceMode, LocationPriorityMode, Relaxation, RuleRecord, Strategy
from dom_core.errors import InvalidInput, Problem
from dom_core.rules.base import Rule
from tests.builders import a_cost_factor, a_rule, a_source

HANDLING: dict[str, Any] = {"lines": [{"per_order_cents": 100}]}


@dataclass(frozen=True, slots=True)
class AnyLines(Rule):
    """A kind whose lines may name anything: the checks know no kind by name."""

    kind: ClassVar[str] = "any_lines"
    lines: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def from_params(cls, id: str, params: Mapping[str, Any]) -> Self:
        if "lines" not in params:
            raise InvalidInput([Problem("params.lines", "is required"), Problem("params", "says nothing")], id)
        return cls(id, tuple(params["lines"]))

    def references(self) -> Iterator[tuple[str, str, str]]:
        for number, line in enumerate(self.lines):
            for field, kind in (("source_id", "source"), ("product_id", "product"), ("category", "category")):
                if field in line:
                    yield f"params.lines[{number}].{field}", kind, line[field]


@pytest.fixture(autouse=True)
def _kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = dict.fromkeys(("any_lines", "maximum_distance", "offline_location", "minimum_inventory"), AnyLines)
    monkeypatch.setattr(rules, "kinds", lambda: kinds)


def a_configuration(**fields: Any) -> Configuration:
    """One source in one list, one product, one strategy; each may be replaced."""
    defaults: dict[str, Any] = {
        "sources": (a_source("S1"),),
        "source_lists": (SourceList("all", ("S1",)),),
        "products": (Product("P1", categories=("toys",)),),
        "strategies": (Strategy("standard", "all"),),
    }
    return Configuration(**(defaults | fields))


def errors_of(configuration: Configuration) -> dict[str, str]:
    return {problem.path: problem.message for problem in check(configuration).errors}


def warnings_of(configuration: Configuration) -> dict[str, str]:
    return {problem.path: problem.message for problem in check(configuration).warnings}


def test_a_sound_configuration_has_no_findings() -> None:
    findings = check(a_configuration())
    assert (findings.errors, findings.warnings) == ((), ())


def test_an_id_that_is_used_twice_is_reported_once_with_its_count() -> None:
    errors = errors_of(a_configuration(products=(Product("P1"), Product("P2"), Product("P1"))))
    assert errors == {"products[P1]": "the id is used 2 times; ids must be unique"}


def test_every_unknown_reference_is_reported_with_its_path() -> None:
    configuration = a_configuration(
        source_lists=(SourceList("all", ("S1", "S9")),),
        products=(Product("P1", parent_id="P0"),),
        strategies=(
            Strategy(
                "standard", "nowhere", rule_ids=("r1",), cost_factor_ids=("c1", "c2"), alternate_strategy_id="other"
            ),
        ),
    )
    assert errors_of(configuration) == {
        "source_lists[all].source_ids[1]": "there is no source 'S9'",
        "products[P1].parent_id": "there is no product 'P0'",
        "strategies[standard].source_list_id": "there is no source list 'nowhere'",
        "strategies[standard].rule_ids[0]": "there is no rule 'r1'",
        "strategies[standard].cost_factor_ids[0]": "there is no cost factor 'c1'",
        "strategies[standard].cost_factor_ids[1]": "there is no cost factor 'c2'",
        "strategies[standard].alternate_strategy_id": "there is no strategy 'other'",
    }


def test_a_reference_to_something_that_could_not_be_read_is_not_blamed() -> None:
    configuration = a_configuration(sources=())
    assert [problem.path for problem in check(configuration).errors] == ["source_lists[all].source_ids[0]"]
    assert check(configuration, {"sources": frozenset({"S1"})}).errors == ()


def test_a_rule_of_an_unknown_kind_is_reported_at_its_kind() -> None:
    errors = errors_of(a_configuration(rules=(a_rule("phase_of_moon"),)))
    assert errors["rules[phase_of_moon].kind"].startswith("unknown rule kind 'phase_of_moon'")


def test_all_problems_of_a_rules_parameters_are_reported_below_its_params() -> None:
    errors = errors_of(a_configuration(rules=(a_rule("any_lines"),)))
    assert errors == {"rules[any_lines].params.lines": "is required", "rules[any_lines].params": "says nothing"}


def test_what_a_rule_names_must_exist() -> None:
    rule = a_rule("any_lines", {"lines": [{"source_id": "S1"}, {"product_id": "P9"}, {"source_id": "S9"}]})
    assert errors_of(a_configuration(rules=(rule,))) == {
        "rules[any_lines].params.lines[1].product_id": "there is no product 'P9'",
        "rules[any_lines].params.lines[2].source_id": "there is no source 'S9'",
    }


def test_a_cost_factor_of_an_unknown_kind_is_reported_at_its_kind() -> None:
    errors = errors_of(a_configuration(cost_factors=(a_cost_factor("tolls"),)))
    assert errors == {"cost_factors[tolls].kind": "unknown cost factor kind 'tolls'; known: handling, shipping"}


def test_all_problems_of_a_cost_factors_parameters_are_reported_below_its_params() -> None:
    bands = [{"from_km": 0, "to_km": 250, "cents": 500}, {"from_km": 300, "cents": 900}]
    lines = [{"basis": "fixed", "bands": bands, "default_cents": 900}, {"basis": "per_km", "cents_per_km": 1.75}]
    cost_factors = (a_cost_factor("shipping", {"lines": lines}), a_cost_factor("handling", {"lines": []}))
    assert errors_of(a_configuration(cost_factors=cost_factors)) == {
        "cost_factors[shipping].params.lines[0].bands[1]": ("begins at 300 km but the band before ends at 250 km: gap"),
        "cost_factors[shipping].params.lines[1].default_cents": "is required with basis per_km and no bands",
        "cost_factors[handling].params.lines": "needs at least 1 entries",
    }


def test_what_a_cost_factor_names_must_exist() -> None:
    lines = [{"source_id": "S1", "per_order_cents": 1}, {"source_list_id": "nowhere", "per_line_cents": 1}]
    configuration = a_configuration(cost_factors=(a_cost_factor("handling", {"lines": lines}),))
    path = "cost_factors[handling].params.lines[1].source_list_id"
    assert errors_of(configuration) == {path: "there is no source list 'nowhere'"}
    assert check(configuration, {"source_lists": frozenset({"nowhere"})}).errors == ()


def test_a_rule_and_a_cost_factor_may_have_the_same_id() -> None:
    cost_factor = a_cost_factor("handling", HANDLING, id="any_lines")
    configuration = a_configuration(rules=(a_rule("any_lines", {"lines": []}),), cost_factors=(cost_factor,))
    assert errors_of(configuration) == {}


def test_a_category_that_no_product_has_is_a_warning() -> None:
    rule = a_rule("any_lines", {"lines": [{"category": "toys"}, {"category": "toyz"}]})
    configuration = a_configuration(rules=(rule,))
    assert errors_of(configuration) == {}
    assert list(warnings_of(configuration)) == ["rules[any_lines].params.lines[1].category"]


def test_a_sales_origin_and_a_mode_of_delivery_belong_to_one_active_strategy() -> None:
    one = Strategy("one", "all", sales_origins=("web", "phone"), modes_of_delivery=("express",))
    other = Strategy("other", "all", sales_origins=("shop", "web"), modes_of_delivery=("express",))
    assert errors_of(a_configuration(strategies=(one, other))) == {
        "strategies[other].sales_origins[1]": "the sales origin 'web' already belongs to the active strategy 'one'",
        "strategies[other].modes_of_delivery[0]": (
            "the mode of delivery 'express' already belongs to the active strategy 'one'"
        ),
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"enabled": False},
        {"simulation": True},
        {"start_date": date(2026, 2, 1)},
    ],
    ids=["disabled", "simulation", "later"],
)
def test_strategies_that_are_never_active_together_may_share_a_sales_origin(fields: dict[str, Any]) -> None:
    one = Strategy("one", "all", sales_origins=("web",), end_date=date(2026, 1, 31))
    other = Strategy("other", "all", sales_origins=("web",), **fields)
    assert errors_of(a_configuration(strategies=(one, other))) == {}


def test_strategies_whose_dates_touch_on_one_day_may_not_share_a_sales_origin() -> None:
    one = Strategy("one", "all", sales_origins=("web",), end_date=date(2026, 1, 31))
    other = Strategy("other", "all", sales_origins=("web",), start_date=date(2026, 1, 31))
    assert list(errors_of(a_configuration(strategies=(one, other)))) == ["strategies[other].sales_origins[0]"]


def test_a_date_range_that_ends_before_it_starts_is_reported_for_each_kind_of_object() -> None:
    backwards: dict[str, Any] = {"start_date": date(2026, 3, 2), "end_date": date(2026, 3, 1)}
    configuration = a_configuration(
        rules=(RuleRecord("r", "any_lines", {"lines": []}, **backwards),),
        cost_factors=(a_cost_factor("handling", HANDLING, id="c", **backwards),),
        strategies=(Strategy("s", "all", **backwards),),
    )
    assert list(errors_of(configuration)) == ["rules[r].end_date", "cost_factors[c].end_date", "strategies[s].end_date"]


def test_a_date_range_of_one_day_is_not_empty() -> None:
    one_day = Strategy("s", "all", start_date=date(2026, 3, 1), end_date=date(2026, 3, 1))
    assert errors_of(a_configuration(strategies=(one_day,))) == {}


@pytest.mark.parametrize("zone", ["Mars/Olympus", "America", "../etc/passwd", "", "america/chicago "])
def test_a_time_zone_that_is_not_in_the_iana_list_is_an_error(zone: str) -> None:
    errors = errors_of(a_configuration(sources=(a_source("S1", time_zone=zone),)))
    assert list(errors) == ["sources[S1].time_zone"]


def test_alternates_that_lead_in_a_circle_are_reported_once() -> None:
    strategies = (
        Strategy("c", "all", alternate_strategy_id="b"),
        Strategy("b", "all", alternate_strategy_id="c"),
        Strategy("a", "all", alternate_strategy_id="b"),
        Strategy("z", "all", alternate_strategy_id="z"),
    )
    assert errors_of(a_configuration(strategies=strategies)) == {
        "strategies[b].alternate_strategy_id": "alternates form a circle: b → c → b",
        "strategies[z].alternate_strategy_id": "alternates form a circle: z → z",
    }


def test_a_product_may_not_be_its_own_parent() -> None:
    errors = errors_of(a_configuration(products=(Product("P1", parent_id="P1"),)))
    assert errors == {"products[P1].parent_id": "parents form a circle: P1 → P1"}


def test_a_strategy_without_an_active_source_is_a_warning() -> None:
    idle = Source("S1", SourceType.STORE, active=False)
    assert warnings_of(a_configuration(sources=(idle,))) == {
        "strategies[standard].source_list_id": "the source list 'all' has no active source: nothing can be assigned"
    }


@pytest.mark.parametrize("kind", ["offline_location", "minimum_inventory"])
def test_a_soft_rule_that_protects_places_or_stock_is_a_warning(kind: str) -> None:
    soft = a_rule(kind, {"lines": []}, hard=False)
    hard = a_rule(kind, {"lines": []}, id="hard")
    assert list(warnings_of(a_configuration(rules=(soft, hard)))) == [f"rules[{kind}].hard"]


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ({}, {"source_id": "S1"}),
        ({}, {"category": "toys"}),
        ({"source_list_id": "all"}, {"source_id": "S1"}),
        ({"category": "toys"}, {"product_id": "P1"}),
        ({"product_id": "P0"}, {"product_id": "P1"}),
        ({"supplementary_category": "bulky", "source_list_id": "all"}, {"product_id": "P1", "source_id": "S1"}),
    ],
)
def test_a_distance_line_that_means_to_loosen_a_wider_one_is_a_warning(
    wide: dict[str, Any], narrow: dict[str, Any]
) -> None:
    product = Product("P1", parent_id="P0", categories=("toys",), supplementary_categories=("bulky",))

    def found(wide_km: float, narrow_km: float) -> dict[str, str]:
        rule = a_rule("maximum_distance", {"lines": [{**narrow, "km": narrow_km}, {**wide, "km": wide_km}]})
        return warnings_of(a_configuration(rules=(rule,), products=(product, Product("P0"))))

    assert found(80, 80) == {}
    assert found(80, 79) == {}
    assert found(80, 81.5) == {
        "rules[maximum_distance].params.lines[0].km": (
            "81.5 km loosens nothing: a line of this rule that holds here too says 80 km, and the lowest wins"
        )
    }


def test_distance_lines_of_unrelated_places_override_nothing() -> None:
    lines = [{"source_id": "S1", "km": 100}, {"source_list_id": "others", "km": 10}, {"product_id": "P1", "km": 500}]
    configuration = a_configuration(
        sources=(a_source("S1"), a_source("S2")),
        source_lists=(SourceList("all", ("S1", "S2")), SourceList("others", ("S2",))),
        rules=(a_rule("maximum_distance", {"lines": lines}),),
    )
    assert warnings_of(configuration) == {}


def test_of_two_distances_for_the_same_place_the_larger_is_a_warning() -> None:
    lines = [{"source_id": "S1", "km": 100}, {"source_id": "S1", "km": 50}]
    warnings = warnings_of(a_configuration(rules=(a_rule("maximum_distance", {"lines": lines}),)))
    assert list(warnings) == ["rules[maximum_distance].params.lines[0].km"]


def test_references_are_checked_even_where_the_parameters_are_not_understood() -> None:
    broken: dict[str, Any] = {
        "places": [{"source_id": "S9"}, 7, {"source_list_id": 5, "product_id": "write-in"}],
        "x": 1,
    }
    errors = errors_of(a_configuration(rules=(a_rule("any_lines", broken),)))
    assert errors == {
        "rules[any_lines].params.lines": "is required",
        "rules[any_lines].params": "says nothing",
        "rules[any_lines].params.places[0].source_id": "there is no source 'S9'",
    }


def test_an_alternate_may_share_what_the_strategy_has_for_which_it_stands_in() -> None:
    strategies = (
        Strategy("one", "all", sales_origins=("web",), alternate_strategy_id="two"),
        Strategy("two", "all", sales_origins=("web",), alternate_strategy_id="three"),
        Strategy("three", "all", sales_origins=("web",)),
    )
    assert errors_of(a_configuration(strategies=strategies)) == {}
    stranger = Strategy("four", "all", sales_origins=("web",), alternate_strategy_id="three")
    assert list(errors_of(a_configuration(strategies=(*strategies, stranger)))) == ["strategies[four].sales_origins[0]"]


def test_strategies_without_listed_origins_and_modes_share_nothing_by_name() -> None:
    assert errors_of(a_configuration(strategies=(Strategy("one", "all"), Strategy("other", "all")))) == {}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ["strategies[other].default_strategy"]),
        ({"enabled": False}, []),
        ({"simulation": True}, []),
        ({"start_date": date(2026, 2, 1)}, []),
        ({"start_date": date(2026, 1, 31)}, ["strategies[other].default_strategy"]),
        ({"default_strategy": False}, []),
    ],
)
def test_only_one_active_strategy_is_the_default(fields: dict[str, Any], expected: list[str]) -> None:
    one = Strategy("one", "all", default_strategy=True, end_date=date(2026, 1, 31))
    other = Strategy("other", "all", **({"default_strategy": True} | fields))
    assert list(errors_of(a_configuration(strategies=(one, other)))) == expected


def soft_rules(count: int, kind: str = "any_lines") -> tuple[RuleRecord, ...]:
    return tuple(a_rule(kind, {"lines": []}, id=f"soft-{number}", hard=False) for number in range(count))


def relaxing(rules: tuple[RuleRecord, ...], **fields: Any) -> Configuration:
    ids = tuple(rule.id for rule in rules)
    strategy = Strategy("s", "all", rule_ids=ids, **({"relaxation": Relaxation.MINIMAL} | fields))
    return a_configuration(rules=rules, strategies=(strategy,))


def test_minimal_relaxation_takes_at_most_six_soft_rules() -> None:
    assert errors_of(relaxing(soft_rules(6))) == {}
    assert errors_of(relaxing(soft_rules(7))) == {
        "strategies[s].relaxation": "'minimal' tries every set of soft rules: at most 6 may be linked, there are 7"
    }
    assert errors_of(relaxing(soft_rules(7), relaxation=Relaxation.ALL_SOFT)) == {}


def test_rules_that_cannot_give_way_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "kinds", lambda: dict.fromkeys(("any_lines", "location_priority"), AnyLines))
    hard = a_rule("any_lines", {"lines": []}, id="hard")
    off = a_rule("any_lines", {"lines": []}, id="off", hard=False, enabled=False)
    priority = a_rule("location_priority", {"lines": []}, id="priority", hard=False)
    configured = (*soft_rules(6), hard, off, priority)
    for mode in LocationPriorityMode:
        found = errors_of(relaxing(configured, location_priority_mode=mode))
        assert len(found) == (mode is LocationPriorityMode.ORDINARY)


def test_distances_by_road_are_a_warning_where_nobody_measures_them() -> None:
    by_road = a_configuration(strategies=(Strategy("s", "all", distance_mode=DistanceMode.ROAD),))
    assert list(warnings_of(by_road)) == ["strategies[s].distance_mode"]
    assert check(by_road, roads_measured=True).warnings == ()


@pytest.mark.parametrize(
    ("fields", "why"),
    [({"enabled": False}, "is not enabled"), ({"start_date": date(2027, 1, 1)}, "is never active on the same day")],
)
def test_an_alternate_that_would_not_run_is_a_warning(fields: dict[str, Any], why: str) -> None:
    first = Strategy("a", "all", alternate_strategy_id="b", end_date=date(2026, 12, 31))
    assert warnings_of(a_configuration(strategies=(first, Strategy("b", "all")))) == {}
    assert warnings_of(a_configuration(strategies=(first, Strategy("b", "all", **fields)))) == {
        "strategies[a].alternate_strategy_id": f"the alternate 'b' {why}: it never runs"
    }
