"""What an order pays, worked out by hand: together once for a source, alone for each line."""

from dataclasses import replace
from typing import Any

import numpy as np

from dom_core.domain.plan import Level
from dom_core.domain.prices import CellPrice, PriceTable, RoomPrice
from dom_core.domain.request import SourceLoad
from dom_core.optimizer.audit.subject import Subject
from dom_core.optimizer.pipeline import plan_once
from dom_core.optimizer.solving import CbcSolver
from dom_core.rules.base import SplitLimits
from dom_core.verification.order import Before, OrderCase, charges_of
from dom_core.verification.priced import PricedPart, Room, rooms_of
from dom_core.verification.scene import Charged, Scene
from tests.builders import a_request, a_rule, a_source, an_order

RATES = {Level.UNFILLED_UNITS: 4000, Level.SHIPMENTS: 1000, Level.PRIORITY_STEPS: 100, Level.DISTANCE_KM: 1}
WHOLE = SplitLimits(partial_lines=False, max_sources_per_line=1)


def a_case(**fields: Any) -> OrderCase:
    """Two lines of one unit that go to two places, and two sources with ten of everything."""
    case = OrderCase(
        id="O1",
        rows=(0, 1),
        line_ids=("1", "2"),
        product_ids=("lamp", "desk"),
        units=np.array([1, 1]),
        weight=1,
        limits=WHOLE,
        write_in=np.array([False, False]),
        allowed=np.ones((2, 2), dtype=bool),
        stock=np.full((2, 2), 10),
        km=np.array([[10, 20], [30, 40]]),
        steps=np.array([[1, 0], [3, 2]]),
        ways=np.array([0, 1]),
        routes=np.array([0, 1]),
        cents=None,
        before=Before(),
    )
    return replace(case, **fields)


def test_what_lines_share_is_paid_together_and_the_rest_alone() -> None:
    charges = charges_of(a_case(), RATES)
    # A shipment and the least step; each line its own way, and half of its steps above the least.
    assert charges.together.tolist() == [1100, 1000]
    assert charges.alone.tolist() == [[-4000 + 10, -4000 + 20], [-4000 + 30 + 100, -4000 + 40 + 100]]


def test_one_way_for_all_lines_is_paid_together() -> None:
    charges = charges_of(a_case(ways=np.array([0, 0]), steps=np.zeros((2, 2), dtype=int)), RATES)
    assert charges.together.tolist() == [1030, 1040]
    assert charges.alone.tolist() == [[-4000, -4000], [-4000, -4000]]


def test_what_iteration_1_pays_for_is_free() -> None:
    before = Before(steps_at={0: 2}, ways=frozenset({(1, 0)}), parts=frozenset({(1, 0)}))
    charges = charges_of(a_case(before=before), RATES)
    # At the first source the shipment is paid, two steps are, and so is the way of the second line.
    assert charges.together.tolist() == [0, 1000]
    assert charges.alone[:, 0].tolist() == [-4000 + 10, -4000 + 50]


def test_cents_are_paid_for_ways_shipments_and_parts() -> None:
    cents = Charged(np.array([[5, 6], [7, 8]]), np.array([[50, 60], [50, 60]]), np.array([[1, 2], [3, 4]]))
    rates = {Level.UNFILLED_UNITS: 4000, Level.COST_CENTS: 1, Level.PRIORITY_STEPS: 0, Level.DISTANCE_KM: 0}
    before = Before(steps_at={}, routes=frozenset({(0, 1)}), parts=frozenset({(0, 1)}))
    charges = charges_of(a_case(cents=cents, before=before), rates)
    assert charges.together.tolist() == [50, 60]
    assert charges.alone.tolist() == [[-4000 + 5 + 1, -4000], [-4000 + 7 + 3, -4000 + 8 + 4]]


def test_a_source_that_is_short_serves_only_lines_that_may_come_in_parts() -> None:
    few = np.array([[10, 10], [0, 10]])
    assert np.isinf(charges_of(a_case(stock=few), RATES).alone[1, 0])
    split = charges_of(a_case(stock=few, limits=SplitLimits()), RATES)
    assert np.isfinite(split.alone).all()
    assert split.short.tolist() == [[False, False], [True, False]]


def test_cuts_hold_for_lines_that_come_whole_and_were_not_begun() -> None:
    table = PriceTable((CellPrice("lamp", "S1", 1, 2.0), CellPrice("lamp", "S1", 2, 100.0)))
    part = PricedPart(table, {}, {"S1": 0, "S2": 1})
    case = a_case(units=np.array([3, 1]))
    assert part.line_points(case).tolist() == [[3 * 2 + 100, 0], [0, 0]]
    begun = replace(case, before=Before(counted_parts=frozenset({(0, 1)})))
    assert part.line_points(begun).tolist() == [[3 * 2, 0], [0, 0]]
    assert part.worth_of_everything({"lamp": np.array([5, 0])}) == 5 * 2 + 2 * 100


def test_room_is_paid_by_visits_or_by_lines_that_are_not_counted_yet() -> None:
    by_order = Room("r", frozenset({0, 1}), 4, per_line=False, counted=frozenset({("O1", 1)}))
    by_line = Room("r", frozenset({0}), 4, per_line=True, counted=frozenset())
    table = PriceTable((), (RoomPrice("r", 0, 10.0), RoomPrice("r", 1, 7.0)))
    part = PricedPart(table, {("r", 0): by_order, ("r", 1): by_line}, {"S1": 0, "S2": 1})
    assert part.visit_points(a_case()).tolist() == [10, 0]
    assert part.line_points(a_case()).tolist() == [[7, 0], [7, 0]]
    counted = a_case(before=Before(counted_parts=frozenset({(1, 0)})))
    assert part.line_points(counted).tolist() == [[7, 0], [0, 0]]
    assert part.worth_of_everything({}) == 4 * 10 + 4 * 7


def test_room_after_iteration_1_is_less_by_new_visits_and_by_every_line() -> None:
    lines = [{"source_id": "S1", "limit": 5}, {"source_id": "S1", "limit": 5, "basis": "lines_per_day"}]
    request = (
        a_request()
        .with_sources(a_source("S1"))
        .with_orders(*(an_order(id).with_line("lamp", 1).with_line("desk", 1) for id in ("O1", "O2")))
        .with_stock({("lamp", "S1"): 9, ("desk", "S1"): 9})
        .with_rules(a_rule("maximum_orders", {"lines": lines}, id="room"))
        .with_load("S1", SourceLoad(open_order_ids=frozenset({"O1", "O7"})))
        .build()
    )
    scene = Scene(Subject.of(request, plan_once(request, CbcSolver())))
    assert [room.remaining for room in rooms_of(scene, 1).values()] == [3, 5]
    # O1 is counted already, O2 is new; four lines are.
    assert [room.remaining for room in rooms_of(scene, 2).values()] == [2, 1]
