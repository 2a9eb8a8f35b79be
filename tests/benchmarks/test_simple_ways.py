"""What simple ways of planning decide, and that they never break a rule."""

from dataclasses import replace

import pytest

from benchmarks.instances import Shape, request_of
from benchmarks.judging import judge
from benchmarks.ways.batches import batches, one_after_another
from dom_core.errors import PlanRejected
from tests.benchmarks.asked import FAR, FARTHER, NEAR, SPLIT, a_store, asked, served, worth
from tests.builders import a_rule, a_source, an_order

SIMPLE = ("nearest-source", "rule-cascade", "fewest-splits")

PEN_AND_BOOK = an_order("O1").with_line("pen").with_line("book")

every_simple_way = pytest.mark.parametrize("way", SIMPLE)


def test_nearest_source_tears_an_order_apart_for_a_shorter_way() -> None:
    stock = {("pen", "A"): 1, ("pen", "B"): 1, ("book", "B"): 1}
    request = asked([a_source("A", NEAR), a_source("B", FAR)], stock, PEN_AND_BOOK)
    assert served("nearest-source", request) == (("O1", "1", "A", 1), ("O1", "2", "B", 1))


def test_fewest_splits_keeps_an_order_together_where_one_source_holds_it() -> None:
    stock = {("pen", "A"): 1, ("pen", "B"): 1, ("book", "B"): 1}
    request = asked([a_source("A", NEAR), a_source("B", FAR)], stock, PEN_AND_BOOK)
    assert served("fewest-splits", request) == (("O1", "1", "B", 1), ("O1", "2", "B", 1))


def test_fewest_splits_takes_the_nearest_of_equally_few() -> None:
    stock = {(product, source): 1 for product in ("pen", "book") for source in ("A", "B", "C")}
    sources = [a_source("A", FARTHER), a_source("B", NEAR), a_source("C", FAR)]
    assert {source for _, _, source, _ in served("fewest-splits", asked(sources, stock, PEN_AND_BOOK))} == {"B"}


def test_fewest_splits_does_not_look_at_the_orders_behind() -> None:
    """The first order takes the nearest pen, though it could have one elsewhere and the second could not."""
    stock = {("pen", "A"): 1, ("pen", "B"): 1}
    second = an_order("O2").with_line("pen").shipping_to(*NEAR)
    request = asked([a_source("A", NEAR), a_source("B", FAR)], stock, an_order("O1").with_line("pen"), second)
    assert served("fewest-splits", request) == (("O1", "1", "A", 1), ("O2", "1", "B", 1))


def test_fewest_splits_covers_a_long_order_from_the_source_that_holds_most() -> None:
    order = an_order("O1")
    for number in range(8):
        order = order.with_line(f"item-{number}")
    stock = {(f"item-{number}", "A" if number < 3 else "B"): 1 for number in range(8)} | {("item-3", "A"): 1}
    found = served("fewest-splits", asked([a_source("A", NEAR), a_source("B", FAR)], stock, order))
    assert [source for _, _, source, _ in found] == ["A"] * 3 + ["B"] * 5


def test_the_cascade_prefers_a_far_warehouse_to_a_near_store() -> None:
    stock = {(product, source): 1 for product in ("pen", "book") for source in ("shop", "depot")}
    request = asked([a_store("shop"), a_source("depot", FARTHER)], stock, PEN_AND_BOOK)
    assert {source for _, _, source, _ in served("rule-cascade", request)} == {"depot"}


def test_the_cascade_takes_a_store_that_holds_everything_before_it_splits() -> None:
    stock = {("pen", "shop"): 1, ("book", "shop"): 1, ("pen", "depot"): 1}
    request = asked([a_store("shop", FARTHER), a_source("depot", NEAR)], stock, PEN_AND_BOOK)
    assert {source for _, _, source, _ in served("rule-cascade", request)} == {"shop"}


def test_the_cascade_splits_at_last_warehouses_first() -> None:
    stock = {("pen", "shop"): 1, ("book", "shop-2"): 1, ("pen", "depot"): 1}
    request = asked([a_store("shop"), a_store("shop-2"), a_source("depot", FAR)], stock, PEN_AND_BOOK)
    assert served("rule-cascade", request) == (("O1", "1", "depot", 1), ("O1", "2", "shop-2", 1))


@every_simple_way
def test_an_order_that_must_be_whole_gives_back_what_it_took(way: str) -> None:
    whole = SPLIT | {"partial_orders": False}
    request = asked([a_source("A")], {("pen", "A"): 1}, PEN_AND_BOOK, an_order("O2").with_line("pen"), split=whole)
    assert served(way, request) == (("O2", "1", "A", 1),)


@every_simple_way
def test_a_line_comes_in_parts_only_where_that_is_allowed(way: str) -> None:
    stock, order = {("pen", "A"): 2, ("pen", "B"): 2}, an_order("O1").with_line("pen", units=5)
    sources = [a_source("A", NEAR), a_source("B", FAR)]
    in_parts = SPLIT | {"partial_lines": True, "max_sources_per_line": 2}
    assert served(way, asked(sources, stock, order)) == ()
    assert served(way, asked(sources, stock, order, split=in_parts)) == (("O1", "1", "A", 2), ("O1", "1", "B", 2))


@every_simple_way
def test_an_order_stops_at_its_limit_of_sources(way: str) -> None:
    stock = {("pen", "A"): 1, ("book", "B"): 1}
    one = SPLIT | {"max_sources": 1}
    assert len(served(way, asked([a_source("A"), a_source("B")], stock, PEN_AND_BOOK, split=one))) == 1


@every_simple_way
def test_a_source_takes_no_more_orders_than_it_may(way: str) -> None:
    orders = [an_order(f"O{number}").with_line("pen") for number in range(3)]
    request = asked([a_source("A")], {("pen", "A"): 9}, *orders)
    room = a_rule("maximum_orders", {"lines": [{"limit": 2, "basis": "open_orders", "per": "each"}]})
    limited = replace(request, rules=(*request.rules, room))
    assert [order for order, *_ in served(way, limited)] == ["O0", "O1"]


@every_simple_way
@pytest.mark.parametrize("seed", range(4))
def test_a_simple_way_breaks_no_rule_and_beats_no_optimum(way: str, seed: int) -> None:
    """The judge audits every answer; what the compact model proves is the least that any plan costs."""
    request = request_of(Shape(60, 8, 1.0, seed, orders_per_source=5))
    assert worth(way, request).value >= worth("compact-cbc", request).value


def test_batches_keep_orders_whole_and_lose_none() -> None:
    orders = request_of(Shape(500, 5, 1.0)).orders
    found = list(batches(orders, 60))
    assert [order for batch in found for order in batch] == list(orders)
    assert all(sum(len(order.lines) for order in batch) <= 60 for batch in found)
    assert len(found) == 9


def test_batches_take_an_order_that_is_too_long_for_one_by_itself() -> None:
    short, long = an_order("A").with_line("pen").build(), PEN_AND_BOOK.build()
    assert list(batches([short, long], 1)) == [(short,), (long,)]


@pytest.mark.parametrize("seed", range(3))
def test_batches_leave_stock_and_room_to_those_behind_and_beat_no_optimum(seed: int) -> None:
    request = request_of(Shape(60, 8, 1.0, seed, orders_per_source=5))
    in_batches = judge(request, one_after_another(request, 20.0, batch_lines=15).served)
    assert in_batches.value >= worth("compact-cbc", request).value


def test_the_judge_refuses_stock_that_is_not_there() -> None:
    request = asked([a_source("A")], {("pen", "A"): 1}, an_order("O1").with_line("pen", units=2))
    with pytest.raises(PlanRejected, match="A gives 2 units of pen and has 1"):
        judge(request, [("O1", "1", "A", 2)])
