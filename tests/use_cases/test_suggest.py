"""A suggestion for one order: the best assignment, every source by its price, and nothing written."""

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dom_core.adapters.sqlite import SqliteDocuments
from dom_core.domain.network import Address
from dom_core.domain.order import LineState
from dom_core.domain.plan import Fulfillment, Level
from dom_core.domain.reason import Verdict
from dom_core.domain.stock import Reservation
from dom_core.domain.suggestion import SuggestedLine, Suggestion
from dom_core.errors import InvalidInput, Unavailable, Unreadable
from dom_core.repositories.stock import Stock
from dom_core.use_cases.plan_batch import plan_batch
from dom_core.use_cases.suggest import MAX_LINES, SOLVE_LIMIT_S, suggest
from tests.builders import an_order
from tests.use_cases.world import INTAKE, World, encoded

LEVELS = [Level.UNFILLED_UNITS, Level.SHIPMENTS, Level.PRIORITY_STEPS, Level.DISTANCE_KM]


def asked(world: World, strategy_id: str | None = None, **fields: Any) -> Suggestion:
    return suggest(world.ports, question(strategy_id, **fields))


def question(strategy_id: str | None = None, **fields: Any) -> bytes:
    return encoded({"order": INTAKE | fields} | ({"strategy_id": strategy_id} if strategy_id else {}))


def the_line(suggestion: Suggestion) -> SuggestedLine:
    (line,) = suggestion.lines
    return line


def ranked(line: SuggestedLine) -> list[tuple[str, str]]:
    return [(source.source_id, source.verdict) for source in line.sources]


def pens(units: int, id: str = "1", **fields: Any) -> dict[str, Any]:
    return {"id": id, "product_id": "pen", "units": units} | fields


def problems_of(world: World, raw: bytes) -> dict[str, str]:
    with pytest.raises(InvalidInput) as caught:
        suggest(world.ports, raw)
    return {problem.path: problem.message for problem in caught.value.problems}


def whole_file(folder: Path) -> list[str]:
    """Every row of every table, documents and messages alike."""
    with sqlite3.connect(folder / "dom.sqlite3") as connection:
        rows = list(connection.iterdump())
    connection.close()
    return rows


class ReadOnly(SqliteDocuments):
    """The real store, which refuses to be written to."""

    def _refuse(self, *_args: object, **_fields: object) -> Any:
        raise AssertionError("a suggestion writes nothing")

    create = replace = delete = batch = _refuse


def test_the_best_assignment_and_every_source_by_what_the_order_would_cost(world: World) -> None:
    world.configure("rules", {"id": "off", "kind": "offline_location", "params": {"places": [{"source_id": "B"}]}})
    world.strategy(rule_ids=["off"])
    world.stock(pen_A=9, pen_B=9)
    suggestion = asked(world)
    line = the_line(suggestion)
    assert (suggestion.order_id, suggestion.strategy_id) == ("O1", "standard")
    assert [(made.source_id, made.units, made.iteration) for made in line.assignments] == [("A", 4, 1)]
    assert (line.fulfillment, line.filled_units, line.exception) == (Fulfillment.FULLY, 4, None)
    assert ranked(line) == [("A", "chosen"), ("V", "dearer"), ("B", "excluded")]
    near, far, out = line.sources
    assert (out.price, out.code, out.rule_id) == (None, "offline_location", "off")
    assert near.price is not None
    assert far.price is not None
    # One shipment at 2,000 points (D is the 1,545 km from V, rounded up), and the kilometres.
    assert [(value.level, value.amount, value.rate) for value in near.price.levels] == [
        (Level.UNFILLED_UNITS, 0, 8000),
        (Level.SHIPMENTS, 1, 2000),
        (Level.PRIORITY_STEPS, 0, 0),
        (Level.DISTANCE_KM, near.price.points - 2000, 1),
    ]
    assert near.price.points == suggestion.iterations[0].total
    assert (near.price.more_points, near.price.units, far.price.units) == (0, 4, 4)
    assert far.price.more_points == far.price.points - near.price.points
    # The reason of the plan says the same.
    assert far.actual == f"+{far.price.more_points} km"


def test_sources_are_sorted_by_the_objective_and_not_by_distance(world: World) -> None:
    ranks = [{"source_id": "A", "priority": 3}, {"source_id": "B", "priority": 2}, {"source_id": "V", "priority": 1}]
    world.configure("rules", {"id": "rank", "kind": "location_priority", "params": {"lines": ranks}})
    world.strategy(rule_ids=["rank"])
    world.stock(pen_A=9, pen_B=9)
    assert ranked(the_line(asked(world))) == [("V", "chosen"), ("B", "dearer"), ("A", "dearer")]


def test_a_source_that_cannot_fill_the_line_alone_shows_what_the_shortage_costs(world: World) -> None:
    world.configure("rules", {"id": "any", "kind": "partial_orders", "params": {"partial_lines": True}})
    world.strategy(rule_ids=["any"])
    world.stock(pen_A=1)
    line = the_line(asked(world))
    assert ranked(line) == [("V", "chosen"), ("A", "dearer"), ("B", "excluded")]
    short = line.sources[1].price
    assert short is not None
    assert short.units == 1
    assert [value.amount for value in short.levels][:2] == [3, 1]


def test_by_cost_the_assignment_is_itemised_and_the_sources_are_sorted_by_cents(world: World) -> None:
    freight = {"basis": "per_km", "cents_per_km": 10, "default_cents": 9999}
    world.configure("cost-factors", {"id": "freight", "kind": "shipping", "params": {"lines": [freight]}})
    world.strategy(cost_factor_ids=["freight"], objective="cost")
    world.stock(pen_A=9, pen_B=9)
    line = the_line(asked(world))
    prices = [source.price.points for source in line.sources if source.price]
    assert [(item.factor_id, item.cents) for made in line.assignments for item in made.costs] == [
        ("freight", prices[0])
    ]
    assert [source.source_id for source in line.sources] == ["A", "B", "V"]
    assert prices == sorted(prices)
    assert len(set(prices)) == 3


def test_an_assignment_of_iteration_2_names_the_rules_that_it_breaks(world: World) -> None:
    near = {"id": "near", "kind": "maximum_distance", "params": {"lines": [{"km": 1}]}, "hard": False}
    world.configure("rules", near)
    world.strategy(rule_ids=["near"])
    world.stock(pen_B=9)
    line = the_line(asked(world))
    assert [(made.source_id, made.iteration, made.relaxed_rule_ids) for made in line.assignments] == [
        ("B", 2, ("near",))
    ]
    assert ranked(line) == [("B", "chosen"), ("V", "dearer"), ("A", "excluded")]


def test_an_unfilled_line_says_why(world: World) -> None:
    world.strategy(inventory_mode="real")
    line = the_line(asked(world))
    assert (line.filled_units, line.exception, line.assignments) == (0, "no_quantity", ())
    assert {source.code for source in line.sources} == {"no_stock"}
    assert all(source.price is None for source in line.sources)


def test_a_split_line_prices_the_sources_that_it_uses_as_planned(world: World) -> None:
    world.strategy(inventory_mode="real")
    world.stock(pen_A=3, pen_B=3)
    line = the_line(asked(world))
    assert ranked(line) == [("A", "chosen"), ("B", "chosen"), ("V", "excluded")]
    assert [source.price.more_points for source in line.sources if source.price] == [0, 0]
    assert sum(source.price.units for source in line.sources if source.price) == 4


def test_lines_keep_their_order_and_held_ones_say_why(world: World) -> None:
    world.stock(pen_A=9)
    lines = [pens(1, "2"), pens(1, "1", mode_of_delivery="pickup")]
    first, second = asked(world, lines=lines).lines
    assert (first.line_id, first.filled_units, first.held) == ("2", 1, None)
    assert (second.line_id, second.filled_units, second.sources) == ("1", 0, ())
    assert second.held is not None
    assert second.held.code == "needs_no_source"


def test_an_order_of_which_nothing_is_taken_is_answered_by_a_strategy_that_is_named(world: World) -> None:
    line = the_line(asked(world, "standard", mode_of_delivery="pickup"))
    assert line.held is not None


def test_only_stock_that_is_free_counts(world: World) -> None:
    world.strategy(inventory_mode="real")
    world.stock(pen_A=6, pen_B=9)
    world.store_order(an_order("O7").with_line("pen", 5))
    plan_batch(world.ports, "run-1", "standard")
    assert world.cell("pen", "A").available == 1
    assert ranked(the_line(asked(world)))[0] == ("B", "chosen")


def test_room_that_earlier_orders_use_is_taken(world: World) -> None:
    one = {"id": "one", "kind": "maximum_orders", "params": {"lines": [{"limit": 1}]}}
    world.configure("rules", one)
    world.strategy(rule_ids=["one"])
    world.stock(pen_A=9, pen_B=9)
    world.store_order(an_order("O7").with_line("pen", 1))
    plan_batch(world.ports, "run-1", "standard")
    line = the_line(asked(world))
    assert ranked(line) == [("B", "chosen"), ("V", "dearer"), ("A", "taken")]
    assert [taker.order_id for taker in line.sources[2].taken_by] == ["O7"]


def test_other_open_orders_are_not_planned_with_it(world: World) -> None:
    world.strategy(inventory_mode="real")
    world.stock(pen_A=4)
    world.store_order(an_order("O0").with_line("pen", 4))
    assert the_line(asked(world)).filled_units == 4


def test_a_stored_order_of_the_same_id_is_not_asked_but_what_it_holds_is_held(world: World) -> None:
    world.strategy(inventory_mode="real")
    world.stock(pen_A=6)
    world.store_order(an_order("O1").with_line("pen", 4))
    plan_batch(world.ports, "run-1", "standard")
    assert world.line().state is LineState.ASSIGNED
    assert the_line(asked(world, lines=[pens(2)])).filled_units == 2
    assert the_line(asked(world, lines=[pens(3)])).filled_units == 0


def test_a_source_that_the_stored_order_uses_counts_its_id_once(world: World) -> None:
    """A takes one order, and has it: the same order may ask for more there, another one may not."""
    world.configure("rules", {"id": "one", "kind": "maximum_orders", "params": {"lines": [{"limit": 1}]}})
    world.strategy(rule_ids=["one"])
    world.stock(pen_A=9, pen_B=9)
    world.store_order(an_order("O1").with_line("pen", 1))
    plan_batch(world.ports, "run-1", "standard")
    assert ranked(the_line(asked(world)))[0] == ("A", "chosen")
    assert ranked(the_line(asked(world, id="O2")))[0] == ("B", "chosen")


def test_an_orphaned_reservation_counts_as_free_and_stays_for_a_run_to_give_back(world: World, tmp_path: Path) -> None:
    world.strategy(inventory_mode="real")
    world.stock(pen_A=4)
    found = Stock(world.ports.store).find("pen")
    assert found is not None
    (cell,) = found.value.cells
    orphan = Reservation("plan-gone", "O9", "1", 4)
    Stock(world.ports.store).save(replace(found.value, cells=(replace(cell, reservations=(orphan,)),)), found.etag)
    before = whole_file(tmp_path)
    assert the_line(asked(world)).filled_units == 4
    assert whole_file(tmp_path) == before


def test_nothing_is_written_and_nothing_is_queued(world: World, tmp_path: Path) -> None:
    world.stock(pen_A=6, pen_B=9)
    world.store_order(an_order("O1").with_line("pen", 4))
    plan_batch(world.ports, "run-1", "standard")
    before = whole_file(tmp_path)
    assert suggest(world.with_ports(store=ReadOnly(world.database)), question()).lines
    problems_of(world, question("other"))
    assert whole_file(tmp_path) == before


def test_the_same_question_gets_the_same_answer(world: World) -> None:
    world.stock(pen_A=6, pen_B=9)

    def timeless(suggestion: Suggestion) -> Suggestion:
        return replace(suggestion, iterations=tuple(replace(each, seconds=0.0) for each in suggestion.iterations))

    assert timeless(asked(world)) == timeless(asked(world))


def test_somebody_waits_so_the_search_is_short(world: World) -> None:
    limits = []

    class Watched(type(world.ports.solver)):  # type: ignore[misc]  # the solver's own class, whatever it is
        def solve(self, model: Any, given: Any) -> Any:
            limits.append(given.solve_limit_s)
            return super().solve(model, given)

    world.stock(pen_A=6)
    suggest(world.with_ports(solver=Watched()), question())
    assert limits
    assert max(limits) <= SOLVE_LIMIT_S <= 10


def test_every_problem_is_listed_at_once(world: World) -> None:
    nowhere = {"postal_code": "00000", "country": "US"}
    lines = [pens(1, product_id="rope"), pens(1, "2", ship_to=nowhere), pens(1, "3", product_id="string")]
    assert list(problems_of(world, question("other", lines=lines))) == [
        "order.lines[0].product_id",
        "order.lines[2].product_id",
        "order.lines[1].ship_to",
        "strategy_id",
    ]


def test_every_field_that_is_wrong_is_listed_at_once(world: World) -> None:
    raw = encoded({"order": INTAKE | {"lines": [pens(0)], "discount": 1}, "strategy_id": 7, "who": "Ann"})
    assert set(problems_of(world, raw)) == {"order.lines[0].units", "order.discount", "strategy_id", "who"}


def test_an_order_too_large_for_an_answer_at_once_is_refused(world: World) -> None:
    lines = [pens(1, str(number)) for number in range(MAX_LINES + 1)]
    problems = problems_of(world, question(lines=lines))
    assert list(problems) == ["order.lines"]
    assert "101 lines; at most 100" in problems["order.lines"]


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff"])
def test_what_is_not_json_is_refused(raw: bytes, world: World) -> None:
    with pytest.raises(Unreadable):
        suggest(world.ports, raw)


def test_an_address_is_looked_up_once_and_one_that_cannot_be_asked_about_now_is_for_later(world: World) -> None:
    class Silent:
        def __init__(self) -> None:
            self.asked: list[Address] = []

        def locate(self, address: Address) -> None:
            self.asked.append(address)
            raise Unavailable("the geocoder does not answer")

    silent = Silent()
    with pytest.raises(Unavailable):
        suggest(world.with_ports(geocoder=silent), question())
    known = {"latitude": 47.6, "longitude": -122.3}
    assert suggest(world.with_ports(geocoder=silent), question(location=known)).lines
    assert len(silent.asked) == 1


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"enabled": False}, "is disabled: enable it, or name another one"),
        ({"end_date": "2026-03-01"}, "is out of date on 2026-03-02: change its dates, or name another one"),
    ],
)
def test_a_named_strategy_must_be_active(fields: dict[str, Any], what: str, world: World) -> None:
    world.strategy(**fields)
    assert problems_of(world, question("standard")) == {"strategy_id": f"strategy 'standard' {what}"}


def test_whoever_names_a_strategy_that_does_not_exist_is_told_the_others(world: World) -> None:
    assert problems_of(world, question("nobody")) == {"strategy_id": "there is no strategy 'nobody'; known: 'standard'"}


def test_where_no_strategy_is_active_the_answer_says_to_enable_one(world: World) -> None:
    world.strategy(enabled=False)
    assert problems_of(world, question()) == {
        "strategy_id": "no strategy is active: enable one that is in date and no simulation"
    }


def test_without_a_name_the_strategy_that_takes_the_orders_origin_answers(world: World) -> None:
    world.strategy(sales_origins=["web"])
    world.configure("strategies", {"id": "shops", "source_list_id": "all", "sales_origins": ["shop"]})
    world.configure("strategies", {"id": "rest", "source_list_id": "all", "default_strategy": True})
    assert asked(world, sales_origin="web").strategy_id == "standard"
    assert asked(world, sales_origin="shop").strategy_id == "shops"
    assert asked(world, sales_origin="fair").strategy_id == "rest"
    assert asked(world, "rest", sales_origin="web").lines[0].held is not None


def test_when_several_strategies_take_the_order_they_are_named(world: World) -> None:
    world.configure("strategies", {"id": "other", "source_list_id": "all"})
    assert problems_of(world, question()) == {
        "strategy_id": "several strategies take lines of this order; name one of 'other', 'standard'"
    }
    assert asked(world, "other").strategy_id == "other"


def test_when_no_strategy_takes_the_order_the_active_ones_are_named(world: World) -> None:
    world.strategy(modes_of_delivery=["express"])
    world.configure("strategies", {"id": "idle", "source_list_id": "all", "enabled": False})
    assert problems_of(world, question()) == {
        "strategy_id": "no active strategy takes a line of this order; to learn why, name one of 'standard'"
    }


@pytest.mark.parametrize(
    "other",
    [{"simulation": True}, {"enabled": False}, {"end_date": "2026-03-01"}],
    ids=["a simulation", "a disabled one", "one out of date"],
)
def test_what_takes_no_lines_today_is_not_asked_unless_it_is_named(other: dict[str, Any], world: World) -> None:
    world.configure("strategies", {"id": "other", "source_list_id": "all"} | other)
    assert asked(world).strategy_id == "standard"


def test_an_alternate_is_not_asked_unless_it_is_named(world: World) -> None:
    world.configure("strategies", {"id": "second", "source_list_id": "all"})
    world.strategy(alternate_strategy_id="second")
    assert asked(world).strategy_id == "standard"
    assert asked(world, "second").strategy_id == "second"


def test_in_strict_mode_sources_are_sorted_level_by_level(world: World) -> None:
    world.configure("rules", {"id": "any", "kind": "partial_orders", "params": {"partial_lines": True}})
    # A kilometre costs more than a unit is worth: by points the near source with one pen would go first.
    world.strategy(rule_ids=["any"], objective_mode="strict", rates={"unfilled_unit": 1, "kilometre": 1000})
    world.stock(pen_A=1, pen_B=4)
    line = the_line(asked(world))
    assert ranked(line) == [("B", "chosen"), ("V", "dearer"), ("A", "dearer")]
    assert [source.price.points for source in line.sources if source.price] != sorted(
        source.price.points for source in line.sources if source.price
    )
    assert line.sources[0].verdict is Verdict.CHOSEN
