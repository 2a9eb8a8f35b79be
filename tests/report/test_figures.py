"""The figures of a plan, worked out by hand."""

import pytest

from dom_core.report.figures import Load, Unfilled, figures_of
from tests.report.views import a_view, with_plan


def test_lines_units_and_orders_are_counted() -> None:
    figures = figures_of(a_view().plan)
    assert (figures.lines, figures.filled_lines) == (4, 2)
    assert (figures.units, figures.filled_units) == (10, 7)
    assert (figures.orders, figures.split_orders) == (3, 1)


def test_lines_of_one_order_from_one_source_are_one_shipment() -> None:
    figures = figures_of(a_view().plan)
    # O1 from S1 (both lines), O1 from S2, O2 from S2: 10, 30 and 50 km.
    assert figures.shipments == 3
    assert figures.average_km == pytest.approx(30.0)


def test_unfilled_units_are_grouped_by_exception_and_lines_left_out_by_reason() -> None:
    figures = figures_of(a_view().plan)
    assert figures.unfilled == (Unfilled("no_source", 1, 1), Unfilled("not_in_plan", 1, 2))
    assert figures.held == (Unfilled("mode_of_delivery", 1, 0),)


def test_every_source_has_its_load_the_busiest_first() -> None:
    assert figures_of(a_view().plan).loads == (
        Load("S2", orders=2, lines=2, units=4, average_km=40.0),
        Load("S1", orders=1, lines=2, units=3, average_km=10.0),
    )


def test_a_plan_without_lines_has_figures_too() -> None:
    figures = figures_of(with_plan(a_view(), lines=(), held=()).plan)
    assert (figures.lines, figures.shipments, figures.average_km) == (0, 0, None)
    assert [load.units for load in figures.loads] == [0, 0]
