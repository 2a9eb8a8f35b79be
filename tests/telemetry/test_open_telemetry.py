"""What is told becomes spans and measurements, and says nothing that a customer wrote."""

import re
from pathlib import Path

import pytest

from dom_core.charges import Charge
from dom_core.domain.plan import Ending
from dom_core.domain.run import RunState
from dom_core.ports import Container
from dom_core.telemetry.events import (
    CleanedUp,
    DeadLetterKept,
    Event,
    Intake,
    MessagePoisoned,
    OrderTaken,
    PlanApplied,
    QueueAge,
    RunEnded,
    StockOversold,
)
from dom_core.telemetry.ways import order_way, run_way
from tests.telemetry.open_telemetry_in_memory import Seen, trace_of, traces_linked_from

OPERATIONS = (Path(__file__).parents[2] / "docs" / "operations.md").read_text("utf-8")
ENDED = RunEnded(
    run_id="R1",
    strategy_id="daily",
    state=RunState.FINISHED,
    seconds=12.5,
    plan_id="P1",
    lines=3,
    filled_units=5,
    unfilled_units=3,
    unfilled_units_by_reason={"no_quantity": 2, "no_source": 1},
    gap=0.01,
    endings=(Ending.WITHIN_GAP,),
    planning_seconds=9.0,
    request_units=42.0,
)
DAILY = {"strategy_id": "daily"}
MEASURED: list[tuple[Event, dict[str, list[tuple[dict[str, str], float]]]]] = [
    (
        QueueAge("orders", 12.5, 3),
        {"dom.queue.age": [({"queue": "orders"}, 12.5)], "dom.queue.messages": [({"queue": "orders"}, 3)]},
    ),
    (
        ENDED,
        {
            "dom.run.duration": [(DAILY | {"state": "finished"}, 12.5)],
            "dom.run.gap": [(DAILY, 0.01)],
            "dom.units.filled": [(DAILY, 5)],
            "dom.units.unfilled": [(DAILY | {"reason": "no_quantity"}, 2), (DAILY | {"reason": "no_source"}, 1)],
        },
    ),
    (
        RunEnded("R1", "daily", RunState.FAILED, 2.0),
        {"dom.run.duration": [(DAILY | {"state": "failed"}, 2.0)], "dom.units.filled": [(DAILY, 0)]},
    ),
    (OrderTaken("O1", 1, 2, Intake.NEW), {"dom.orders.taken": [({"intake": "new"}, 1)]}),
    (
        PlanApplied("R1", "daily", "P1", 7, 1),
        {"dom.lines.applied": [(DAILY | {"outcome": "confirmed"}, 7), (DAILY | {"outcome": "conflicted"}, 1)]},
    ),
    (DeadLetterKept("orders", "M1", 2), {"dom.dead_letters": [({"queue": "orders"}, 1)]}),
    (CleanedUp(1, 2, 3, 4, 5), {"dom.dead_letters.open": [({}, 5)]}),
    (StockOversold("pen", "A", 1, 2), {"dom.stock.oversold": [({"source_id": "A"}, 1)]}),
    (MessagePoisoned("orders", "M1"), {}),
]


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.mark.parametrize(("event", "expected"), MEASURED, ids=lambda value: getattr(value, "name", lambda: "")())
def test_an_event_moves_its_instruments_and_no_others(
    event: Event, expected: dict[str, list[tuple[dict[str, str], float]]], seen: Seen
) -> None:
    seen.watch().tell(event)
    assert seen.measured() == expected


def test_a_charge_is_counted_for_its_use_case_and_operation(seen: Seen) -> None:
    watch = seen.watch()
    for request_units in (1.0, 2.5):
        watch.record(Charge("take_order", Container.ORDERS, "read", request_units))
    attributes = {"use_case": "take_order", "operation": "read", "container": "orders"}
    assert seen.measured() == {"dom.request_units": [(attributes, 3.5)]}


def test_the_documents_list_every_instrument_with_its_unit_and_attributes(seen: Seen) -> None:
    watch = seen.watch()
    for event, _ in MEASURED:
        watch.tell(event)
    watch.record(Charge("take_order", Container.ORDERS, "read", 1.0))
    listed = {
        name: set(re.findall(r"`(\w+)`", attributes))
        for name, attributes in re.findall(r"^\| `(dom\.[\w.]+)` \| [^|]+ \|([^|]*)\|", OPERATIONS, re.MULTILINE)
    }
    assert listed == {name: set(points[0][0]) for name, points in seen.measured().items()}


def test_every_step_of_an_order_is_in_one_trace_whoever_takes_it(seen: Seen) -> None:
    here, there = seen.watch(), seen.watch()
    with here.step("submit_order", order_way("O1")):
        pass
    with there.step("take_order", order_way("O1")):
        pass
    assert seen.names(order_way("O1")) == ["submit_order", "take_order"]
    assert {span.parent.span_id for span in seen.spans() if span.parent} == {int(order_way("O1").first_span_id, 16)}
    assert [span.attributes for span in seen.spans()] == [{"dom.order_id": "O1"}] * 2


def test_a_step_inside_another_of_the_same_way_is_its_child(seen: Seen) -> None:
    watch = seen.watch()
    with watch.step("plan_batch", run_way("R1")), watch.step("apply_plan", run_way("R1")):
        pass
    inner, outer = seen.spans()
    assert inner.parent == outer.context
    assert inner.links == ()


def test_a_step_inside_one_of_another_way_links_to_it(seen: Seen) -> None:
    watch = seen.watch()
    with watch.step("apply_plan", run_way("R1")), watch.step("apply_to_order", order_way("O1")):
        pass
    inner, outer = seen.spans()
    assert (trace_of(inner), traces_linked_from(inner)) == (order_way("O1").trace_id, [trace_of(outer)])


def test_ways_of_other_things_are_other_traces() -> None:
    ways = [order_way("O1"), order_way("O2"), run_way("O1")]
    assert len({way.trace_id for way in ways}) == len({way.first_span_id for way in ways}) == 3
    # Processes of different versions must agree, so the numbers stand here.
    assert (order_way("O1").trace_id, order_way("O1").first_span_id) == (
        "9866bbf7ca3e919b845f4ff88c9f30ab",
        "628627e3ea6e9120",
    )


def test_an_error_leaves_its_type_and_not_its_words(seen: Seen) -> None:
    with pytest.raises(ValueError, match="Wisteria"), seen.watch().step("take_order", order_way("O1")):
        raise ValueError("cannot read 'Wisteria Lane'")
    (span,) = seen.spans()
    assert (span.status.is_ok, span.status.description, span.events) == (False, "ValueError", ())
