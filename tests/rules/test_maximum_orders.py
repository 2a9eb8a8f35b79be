from datetime import date
from typing import Any

import pytest

from dom_core.domain.request import SourceLoad
from dom_core.domain.strategy import MaximumOrdersAcross, RuleRecord
from dom_core.rules.base import CapacityLimit
from tests.builders import RequestBuilder, a_request, a_rule, a_source, an_order
from tests.plans import broken, from_source
from tests.rules.evidence import paths, reasons, the_rule

RULE = "maximum_orders"


def two_sources() -> RequestBuilder:
    """Orders O1 (two lines) and O2; sources A and B; list L has A and, of no strategy of ours, X."""
    builder = a_request().with_sources(a_source("A"), a_source("B")).with_list("L", "A", "X")
    return builder.with_orders(an_order("O1").with_line("P").with_line("Q"), an_order("O2").with_line("P"))


def open_orders(*order_ids: str) -> SourceLoad:
    return SourceLoad(open_order_ids=frozenset(order_ids))


def capacities(builder: RequestBuilder, *lines: dict[str, Any]) -> list[CapacityLimit]:
    return list(the_rule(RULE, lines=list(lines)).capacities(builder.batch()))


def room(sources: tuple[int, ...], remaining: int, *counted: tuple[int, int], per_line: bool = False) -> CapacityLimit:
    return CapacityLimit(sources, remaining, per_line, frozenset(counted), RULE)


@pytest.mark.parametrize(("limit", "remaining"), [(1, 0), (2, 0), (3, 1)])
def test_open_orders_take_room_and_room_is_never_negative(limit: int, remaining: int) -> None:
    builder = two_sources().with_load("A", open_orders("X1", "X2"))
    assert capacities(builder, {"source_id": "A", "limit": limit}) == [room((0,), remaining)]


def test_an_order_that_is_already_open_at_a_source_needs_no_room_there() -> None:
    builder = two_sources().with_load("A", open_orders("O2", "X1"))
    rule = the_rule(RULE, lines=[{"source_id": "A", "limit": 2}])
    assert list(rule.capacities(builder.batch())) == [room((0,), 0, (1, 0))]
    assert reasons(rule, builder.batch()) == {}


def test_everywhere_each_source_has_the_limit_for_itself() -> None:
    builder = two_sources().with_load("B", open_orders("X1"))
    assert capacities(builder, {"limit": 5}) == [room((0,), 5), room((1,), 4)]


def test_a_total_is_shared_and_counts_an_order_once_at_each_source() -> None:
    builder = two_sources().with_load("A", open_orders("O1", "X1")).with_load("B", open_orders("O1"))
    assert capacities(builder, {"limit": 5, "per": "total"}) == [room((0, 1), 2, (0, 0), (0, 1))]


def test_the_total_of_a_list_counts_sources_of_other_strategies() -> None:
    builder = two_sources().with_load("A", open_orders("X1")).with_load("X", open_orders("O1", "X2"))
    line = {"source_list_id": "L", "limit": 5}
    assert capacities(builder, {**line, "per": "total"}) == [room((0,), 2)]
    assert capacities(builder, line) == [room((0,), 4)]


def test_limits_of_several_lines_hold_at_once() -> None:
    found = capacities(two_sources(), {"limit": 9}, {"source_list_id": "L", "limit": 7}, {"source_id": "A", "limit": 8})
    assert found == [room((0,), 9), room((1,), 9), room((0,), 7), room((0,), 8)]


def test_the_calendar_day_counts_what_was_assigned_today() -> None:
    load = SourceLoad(open_order_ids=frozenset({"O1", "X1"}), order_ids_today=frozenset({"O2"}))
    line = {"source_id": "A", "limit": 3, "basis": "calendar_day"}
    assert capacities(two_sources().with_load("A", load), line) == [room((0,), 2, (1, 0))]


def test_lines_per_day_count_every_line_also_of_known_orders() -> None:
    load = SourceLoad(open_order_ids=frozenset({"O1"}), order_ids_today=frozenset({"O1"}), lines_today=4)
    line = {"source_id": "A", "limit": 6, "basis": "lines_per_day"}
    assert capacities(two_sources().with_load("A", load), line) == [room((0,), 2, per_line=True)]


@pytest.mark.parametrize("place", [{"source_id": "X"}, {"source_list_id": "NO-LIST"}])
@pytest.mark.parametrize("per", ["each", "total"])
def test_limits_elsewhere_are_not_limits_here(place: dict[str, str], per: str) -> None:
    assert capacities(two_sources(), {**place, "limit": 0, "per": per}) == []


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ({"limit": -1}, "params.lines[0].limit"),
        ({"limit": 1, "basis": "week"}, "params.lines[0].basis"),
        ({"limit": 1, "per": "day"}, "params.lines[0].per"),
        ({"limit": 1, "product_id": "P"}, "params.lines[0].product_id"),
    ],
)
def test_other_parameters_are_refused(line: dict[str, Any], path: str) -> None:
    assert paths(RULE, lines=[line]) == [path]


ALL_FROM_A = {
    ("O1", "1"): (from_source("A"),),
    ("O1", "2"): (from_source("A"),),
    ("O2", "1"): (from_source("A"),),
}


@pytest.mark.parametrize(
    ("limit", "expected"),
    [(0, [("O1", "1", "A"), ("O1", "2", "A"), ("O2", "1", "A")]), (1, [("O2", "1", "A")]), (2, []), (3, [])],
)
def test_a_plan_brings_no_more_orders_to_a_source_than_its_limit(limit: int, expected: list[Any]) -> None:
    assert broken(the_rule(RULE, lines=[{"limit": limit}]), two_sources().build(), ALL_FROM_A) == expected


@pytest.mark.parametrize(("limit", "expected"), [(2, [("O2", "1", "A")]), (3, []), (4, [])])
def test_a_plan_may_bring_only_what_earlier_plans_left(limit: int, expected: list[Any]) -> None:
    request = two_sources().with_load("A", open_orders("O1", "X1")).build()
    assert broken(the_rule(RULE, lines=[{"source_id": "A", "limit": limit}]), request, ALL_FROM_A) == expected


def test_a_plan_may_bring_an_open_order_to_a_source_that_is_over_its_limit() -> None:
    request = two_sources().with_load("A", open_orders("O1", "O2", "X1")).build()
    assert broken(the_rule(RULE, lines=[{"limit": 1}]), request, ALL_FROM_A) == []


@pytest.mark.parametrize(("limit", "expected"), [(4, [("O2", "1", "A")]), (5, []), (6, [])])
def test_a_plan_brings_no_more_lines_in_a_day_than_the_limit(limit: int, expected: list[Any]) -> None:
    request = two_sources().with_load("A", SourceLoad(lines_today=2)).build()
    rule = the_rule(RULE, lines=[{"limit": limit, "basis": "lines_per_day"}])
    assert broken(rule, request, ALL_FROM_A) == expected


@pytest.mark.parametrize(("limit", "expected"), [(4, [("O2", "1", "B")]), (5, []), (6, [])])
def test_a_total_of_orders_counts_all_its_sources(limit: int, expected: list[Any]) -> None:
    request = two_sources().with_list("M", "A", "B", "X").with_load("X", open_orders("O1", "X1")).build()
    rule = the_rule(RULE, lines=[{"source_list_id": "M", "limit": limit, "per": "total"}])
    assigned = {("O1", "1"): (from_source("A"),), ("O1", "2"): (from_source("B"),), ("O2", "1"): (from_source("B"),)}
    assert broken(rule, request, assigned) == expected


@pytest.mark.parametrize(("limit", "expected"), [(4, [("O2", "1", "B")]), (5, [])])
def test_a_total_of_lines_counts_all_its_sources(limit: int, expected: list[Any]) -> None:
    request = two_sources().with_load("B", SourceLoad(lines_today=2)).build()
    rule = the_rule(RULE, lines=[{"limit": limit, "per": "total", "basis": "lines_per_day"}])
    assigned = {("O1", "1"): (from_source("A"),), ("O1", "2"): (from_source("B"),), ("O2", "1"): (from_source("B"),)}
    assert broken(rule, request, assigned) == expected


def test_today_counts_orders_of_today_only() -> None:
    load = SourceLoad(open_order_ids=frozenset({"O1", "O2"}), order_ids_today=frozenset({"O1"}))
    request = two_sources().with_load("A", load).build()
    rule = the_rule(RULE, lines=[{"limit": 1, "basis": "calendar_day"}])
    assert broken(rule, request, ALL_FROM_A) == [("O2", "1", "A")]


def test_orders_of_the_later_iteration_are_beyond_the_limit_and_named_once() -> None:
    rule = the_rule(RULE, lines=[{"limit": 1}, {"source_id": "A", "limit": 1}])
    assigned = {("O1", "1"): (from_source("A", iteration=2),), ("O2", "1"): (from_source("A"),)}
    assert broken(rule, two_sources().build(), assigned) == [("O1", "1", "A")]


def test_sources_outside_the_place_are_not_limited_in_a_plan() -> None:
    rule = the_rule(RULE, lines=[{"source_list_id": "L", "limit": 0}, {"source_list_id": "NO-LIST", "limit": 0}])
    assigned = {("O1", "1"): (from_source("B"),), ("O2", "1"): (from_source("B"),)}
    assert broken(rule, two_sources().build(), assigned) == []


def elsewhere(*lines: dict[str, Any], **fields: Any) -> RuleRecord:
    return a_rule(RULE, {"lines": list(lines)}, **fields)


def limits_at_a_and_b(builder: RequestBuilder, *lines: dict[str, Any]) -> tuple[int, int]:
    """What the rule allows at A and at B, as the model sees it; the audit must see the same."""
    rule = the_rule(RULE, lines=list(lines))
    seen = tuple(
        min(capacity.remaining for capacity in rule.capacities(builder.batch()) if capacity.sources == (at,))
        for at in (0, 1)
    )
    for at, source_id in enumerate("AB"):
        orders = [an_order(f"N{number}").with_line("P") for number in range(seen[at] + 1)]
        request = builder.with_orders(*orders).build()
        assigned = {(f"N{number}", "1"): (from_source(source_id),) for number in range(seen[at] + 1)}
        assert broken(rule, request, assigned) == [(f"N{seen[at]}", "1", source_id)]
    return (seen[0], seen[1])


class TestSeveralStrategies:
    """C3: the highest across strategies, the lowest within one."""

    @pytest.mark.parametrize(("theirs", "expected"), [(2, 3), (3, 3), (4, 4)])
    def test_the_highest_limit_of_any_strategy_counts(self, theirs: int, expected: int) -> None:
        builder = two_sources().with_limits_elsewhere("other", "AB", elsewhere({"source_id": "A", "limit": theirs}))
        assert limits_at_a_and_b(builder, {"limit": 3}) == (expected, 3)

    def test_within_each_strategy_the_lowest_counts_before_they_are_compared(self) -> None:
        other = (elsewhere({"limit": 9}, {"source_id": "A", "limit": 5}), elsewhere({"limit": 7}, id="more"))
        builder = two_sources().with_limits_elsewhere("other", "AB", *other)
        assert limits_at_a_and_b(builder, {"limit": 3}, {"source_id": "B", "limit": 8}) == (5, 7)
        assert limits_at_a_and_b(builder, {"limit": 6}, {"source_id": "B", "limit": 8}) == (6, 7)

    def test_a_source_that_the_own_strategy_does_not_limit_is_not_limited_by_others(self) -> None:
        builder = two_sources().with_limits_elsewhere("other", "AB", elsewhere({"limit": 1}))
        assert capacities(builder, {"source_id": "A", "limit": 3}) == [room((0,), 3)]

    def test_of_several_other_strategies_the_highest_counts(self) -> None:
        builder = two_sources().with_limits_elsewhere("x", "AB", elsewhere({"limit": 4}))
        assert limits_at_a_and_b(builder.with_limits_elsewhere("y", "A", elsewhere({"limit": 6})), {"limit": 3}) == (
            6,
            4,
        )

    def test_a_strategy_that_does_not_limit_a_source_has_no_say(self) -> None:
        builder = two_sources().with_limits_elsewhere("other", "AB").with_limits_elsewhere("third", "B")
        assert limits_at_a_and_b(builder, {"limit": 3}) == (3, 3)

    def test_everywhere_means_the_sources_of_the_other_strategys_own_list(self) -> None:
        builder = two_sources().with_limits_elsewhere("other", "B", elsewhere({"limit": 9}))
        assert limits_at_a_and_b(builder, {"limit": 3}) == (3, 9)

    def test_a_list_limits_its_members(self) -> None:
        builder = two_sources().with_limits_elsewhere("other", "AB", elsewhere({"source_list_id": "L", "limit": 9}))
        assert limits_at_a_and_b(builder, {"limit": 3}) == (9, 3)

    @pytest.mark.parametrize(
        "line", [{"limit": 9, "per": "total"}, {"limit": 9, "basis": "calendar_day"}], ids=["total", "other basis"]
    )
    def test_totals_and_other_bases_are_not_compared(self, line: dict[str, Any]) -> None:
        builder = two_sources().with_limits_elsewhere("other", "AB", elsewhere(line))
        assert limits_at_a_and_b(builder, {"limit": 3}) == (3, 3)

    def test_an_own_total_stays_whatever_others_allow(self) -> None:
        builder = two_sources().with_limits_elsewhere("other", "AB", elsewhere({"limit": 9}))
        assert capacities(builder, {"limit": 2, "per": "total"}) == [room((0, 1), 2)]
        rule = the_rule(RULE, lines=[{"limit": 1, "per": "total"}])
        assert broken(rule, builder.build(), ALL_FROM_A) == [("O2", "1", "A")]

    def test_by_the_lines_of_a_day_too(self) -> None:
        line = {"limit": 1, "basis": "lines_per_day"}
        builder = two_sources().with_limits_elsewhere("other", "AB", elsewhere({**line, "limit": 2}))
        assert [capacity.remaining for capacity in capacities(builder, line)] == [2, 2]
        assert broken(the_rule(RULE, lines=[line]), builder.build(), ALL_FROM_A) == [("O2", "1", "A")]

    def test_a_rule_counts_only_while_it_is_in_date_at_the_source(self) -> None:
        late = elsewhere({"limit": 9}, start_date=date(2026, 3, 3))
        sydney = a_source("A", time_zone="Australia/Sydney")
        builder = two_sources().with_sources(sydney, a_source("B")).with_limits_elsewhere("other", "AB", late)
        # 15:00 UTC on 2 March is already the 3rd in Sydney.
        assert limits_at_a_and_b(builder, {"limit": 3}) == (9, 3)

    def test_with_the_setting_own_each_strategy_keeps_its_own_limit(self) -> None:
        builder = two_sources().with_limits_elsewhere("other", "AB", elsewhere({"limit": 9}))
        own = builder.with_strategy(maximum_orders_across=MaximumOrdersAcross.OWN)
        assert limits_at_a_and_b(own, {"limit": 3}) == (3, 3)
