"""Several rules of a strategy at once: which of them counts, from which day, and which is named."""

from datetime import date
from typing import Any

from dom_core.domain.plan import Level, Plan
from dom_core.domain.strategy import RuleRecord
from tests.builders import RequestBuilder, a_request, a_rule, a_source, an_order
from tests.spelt_out import plan_in_full


def planned(builder: RequestBuilder) -> Plan:
    return plan_in_full(builder.build())


def assigned(plan: Plan) -> list[tuple[str, int]]:
    return [(made.source_id, made.units) for line in plan.lines for made in line.assignments]


def codes(plan: Plan, line: int = 0) -> dict[str, tuple[str, str | None]]:
    return {source_id: (reason.code, reason.rule_id) for source_id, reason in plan.reasons.of_line(line)}


def two_sources(*rules: RuleRecord, units: int = 1) -> RequestBuilder:
    """A is 111 km away and B 222; each has nine units."""
    sources = (a_source("A", at=(1, 0)), a_source("B", at=(2, 0)))
    builder = a_request().with_sources(*sources).with_stock({("P", "A"): 9, ("P", "B"): 9}).with_rules(*rules)
    return builder.with_orders(an_order().shipping_to(0, 0).with_line("P", units))


def offline(id: str, source_id: str, **fields: Any) -> RuleRecord:
    return a_rule("offline_location", {"places": [{"source_id": source_id}]}, id=id, **fields)


def distance(id: str, km: float, **line: Any) -> RuleRecord:
    return a_rule("maximum_distance", {"lines": [{"km": km, **line}]}, id=id)


def priority(id: str, **by_source: int) -> RuleRecord:
    lines = [{"source_id": source_id, "priority": level} for source_id, level in by_source.items()]
    return a_rule("location_priority", {"lines": lines}, id=id)


def test_the_first_objection_by_kind_and_id_is_the_reason() -> None:
    plan = planned(two_sources(offline("a", "A"), distance("z", 50), distance("y", 50), offline("b", "B")))
    assert codes(plan) == {"A": ("maximum_distance", "y"), "B": ("maximum_distance", "y")}


def test_the_lowest_of_several_distances_wins_though_another_rule_is_more_specific() -> None:
    plan = planned(two_sources(distance("general", 100), distance("for-a", 900, source_id="A", product_id="P")))
    assert codes(plan)["A"] == ("maximum_distance", "general")


def test_sources_that_any_rule_takes_offline_are_out() -> None:
    plan = planned(two_sources(offline("a", "A"), offline("b", "B")))
    assert codes(plan) == {"A": ("offline_location", "a"), "B": ("offline_location", "b")}


def test_a_source_needs_a_priority_in_each_rule_and_the_worst_ranks_it() -> None:
    assert assigned(planned(two_sources(priority("one", A=1, B=1), priority("two", B=1)))) == [("B", 1)]
    ranked = planned(two_sources(priority("one", A=1, B=2), priority("two", A=4, B=2)))
    assert assigned(ranked) == [("B", 1)]
    assert {value.level: value.amount for value in ranked.iterations[0].levels}[Level.PRIORITY_STEPS] == 1


def test_of_several_ring_fences_the_largest_counts_and_they_do_not_add_up() -> None:
    """Of nine units 3 or 4 are kept back, so 5 are to be had; together it would be 2."""
    fences = [a_rule("minimum_inventory", {"lines": [{"units": n}]}, id=f"fence-{n}") for n in (3, 4)]
    only_a = two_sources(*fences, offline("b", "B"), units=5)
    assert assigned(planned(only_a)) == [("A", 5)]
    assert assigned(planned(two_sources(*fences, offline("b", "B"), units=6))) == []


def test_split_limits_of_several_rules_are_joined_field_by_field() -> None:
    """One allows a single source and parts of lines, the other several sources and lines in full: together neither."""
    one = a_rule("partial_orders", {"max_sources": 1, "partial_lines": True}, id="one")
    full = a_rule("partial_orders", {"max_sources": 3}, id="full")
    assert assigned(planned(two_sources(one, units=12))) == [("A", 9)]
    assert sum(units for _, units in assigned(planned(two_sources(full, units=12)))) == 12
    assert assigned(planned(two_sources(one, full, units=12))) == []
    assert assigned(planned(two_sources(one, full, units=9))) == [("A", 9)]


def test_every_limit_of_orders_holds() -> None:
    each = a_rule("maximum_orders", {"lines": [{"limit": 5}]}, id="each")
    none = a_rule("maximum_orders", {"lines": [{"source_id": "A", "limit": 0}]}, id="none")
    assert assigned(planned(two_sources(each, none))) == [("B", 1)]


def test_a_rule_that_begins_today_holds_where_it_is_that_day_already() -> None:
    """15:00 UTC on 2 March is the 3rd in Sydney, and the 2nd in Seattle. Both ends of the dates belong to them."""
    sources = (
        a_source("SEATTLE", at=(1, 0), time_zone="America/Los_Angeles"),
        a_source("SYDNEY", at=(1, 0), time_zone="Australia/Sydney"),
    )
    places = [{"source_id": source.id} for source in sources]

    def closed(**dates: date) -> dict[str, tuple[str, str | None]]:
        rule = a_rule("offline_location", {"places": places}, **dates)
        builder = a_request().with_sources(*sources).with_stock({("P", source.id): 1 for source in sources})
        return codes(planned(builder.with_rules(rule).with_orders(an_order().shipping_to(0, 0).with_line("P"))))

    offline = ("offline_location", "offline_location")
    assert closed(start_date=date(2026, 3, 3)) == {"SEATTLE": ("chosen", None), "SYDNEY": offline}
    assert closed(end_date=date(2026, 3, 2)) == {"SEATTLE": offline, "SYDNEY": ("chosen", None)}
    assert closed(start_date=date(2026, 3, 2), end_date=date(2026, 3, 3)) == {"SEATTLE": offline, "SYDNEY": offline}


def test_what_concerns_no_single_source_goes_by_the_day_in_utc() -> None:
    """Where both sources have their 3 March, it is still the 2nd in UTC: one source an order does not hold yet."""
    one = a_rule("partial_orders", {"max_sources": 1}, id="one", start_date=date(2026, 3, 3))
    sydney = [a_source(id, at=(at, 0), time_zone="Australia/Sydney") for at, id in enumerate("AB", 1)]
    builder = two_sources(one, units=12).with_sources(*sydney)
    assert [units for _, units in assigned(planned(builder))] in ([9, 3], [3, 9])


def test_a_rule_that_is_disabled_does_nothing() -> None:
    assert assigned(planned(two_sources(offline("a", "A", enabled=False)))) == [("A", 1)]


def test_a_write_in_line_needs_no_stock_and_knows_no_rule_but_location_priority() -> None:
    rules = (distance("near", 1), offline("a", "A"), a_rule("minimum_inventory", {"lines": [{"units": 99}]}))
    order = an_order("W").shipping_to(0, 0).with_line("write-in", 50)
    alone = a_request().with_sources(a_source("A", at=(1, 0)), a_source("B", at=(2, 0))).with_orders(order)
    assert assigned(planned(alone.with_rules(*rules))) == [("A", 50)]
    assert assigned(planned(alone.with_rules(*rules, priority("ranks", B=1)))) == [("B", 50)]
