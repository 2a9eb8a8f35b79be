"""What an order costs in a plan: legs, shipments and parts, each paid once."""

from dom_core.costs.base import CostFactor
from dom_core.costs.itemising import Charge, itemise
from dom_core.domain.network import Location
from dom_core.domain.plan import PlanAssignment
from dom_core.rules.checking import Facts
from tests.builders import OrderBuilder, a_request, a_source, an_order
from tests.costs.prices import the_cost_factor
from tests.plans import a_plan, from_source

PER_KM = the_cost_factor("shipping", {"basis": "per_km", "cents_per_km": 1, "default_cents": 5000})
HANDLING = the_cost_factor("handling", {"per_order_cents": 250, "per_line_cents": 40})

Paid = tuple[Charge, str, tuple[str, ...], int]


def paid(order: OrderBuilder, assigned: dict[str, tuple[PlanAssignment, ...]], *factors: CostFactor) -> list[Paid]:
    """What is paid for an order whose lines have these assignments."""
    request = a_request().with_sources(a_source("A"), a_source("B")).with_orders(order).build()
    plan = a_plan(request, {("O1", line_id): assignments for line_id, assignments in assigned.items()})
    items = itemise(Facts.of(request), factors, order.build(), plan.lines)
    return [(item.charge, item.source_id, item.line_ids, item.cents) for item in items]


def test_lines_with_one_mode_source_and_destination_share_a_leg() -> None:
    order = an_order().with_line("P").with_line("Q").with_line("R", mode_of_delivery="express")
    order = order.with_line("S", location=Location(45.5, -122.7))
    near, far = from_source("A", km=100), from_source("A", km=300)
    assert paid(order, {"1": (near,), "2": (near,), "3": (near,), "4": (far,)}, PER_KM) == [
        (Charge.LEG, "A", ("1", "2"), 100),
        (Charge.LEG, "A", ("3",), 100),
        (Charge.LEG, "A", ("4",), 300),
    ]


def test_each_source_of_an_order_is_a_shipment_and_each_line_there_a_part() -> None:
    order = an_order().with_line("P", 2).with_line("Q")
    split = (from_source("A"), from_source("B"))
    assert paid(order, {"1": split, "2": (from_source("A"),)}, HANDLING) == [
        (Charge.SHIPMENT, "A", ("1", "2"), 250),
        (Charge.SHIPMENT, "B", ("1",), 250),
        (Charge.PART, "A", ("1",), 40),
        (Charge.PART, "B", ("1",), 40),
        (Charge.PART, "A", ("2",), 40),
    ]


def test_two_iterations_from_one_source_are_paid_once() -> None:
    twice = (from_source("A", km=10), from_source("A", km=10, iteration=2))
    assert paid(an_order().with_line("P", 2), {"1": twice}, PER_KM, HANDLING) == [
        (Charge.LEG, "A", ("1",), 10),
        (Charge.SHIPMENT, "A", ("1",), 250),
        (Charge.PART, "A", ("1",), 40),
    ]


def test_a_leg_of_unknown_distance_costs_the_default() -> None:
    assert paid(an_order().with_line("P"), {"1": (from_source("A", km=None),)}, PER_KM) == [
        (Charge.LEG, "A", ("1",), 5000)
    ]


def test_unassigned_lines_and_amounts_of_zero_are_not_listed() -> None:
    order = an_order().with_line("P").with_line("Q")
    free = the_cost_factor("shipping", {"basis": "fixed", "cents": 0})
    assert paid(order, {"1": (from_source("A"),)}, free) == []
    assert paid(order, {}, HANDLING) == []


def test_cost_factors_add_up() -> None:
    fixed = the_cost_factor("shipping", {"basis": "fixed", "cents": 795})
    found = paid(an_order().with_line("P"), {"1": (from_source("A", km=100),)}, fixed, PER_KM, HANDLING)
    assert sum(cents for *_, cents in found) == 795 + 100 + 250 + 40
