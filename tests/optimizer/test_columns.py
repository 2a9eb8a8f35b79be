"""Domain objects become arrays whose positions follow ids."""

from dom_core.domain.batch import UNKNOWN_DISTANCE_M
from dom_core.domain.network import WRITE_IN_PRODUCT_ID, Location
from dom_core.domain.strategy import InventoryMode
from dom_core.domain.units import UNLIMITED_UNITS
from tests.builders import a_request, a_source, an_order


def test_sources_and_products_stand_in_the_order_of_their_ids() -> None:
    order = an_order().with_line("B").with_line("A", 2)
    batch = a_request().with_sources(a_source("S2"), a_source("S1")).with_orders(order).batch()
    assert [source.id for source in batch.sources] == ["S1", "S2"]
    assert [product.id for product in batch.products] == ["A", "B"]
    assert batch.product_of.tolist() == [1, 0]
    assert batch.units.tolist() == [1, 2]


def test_a_source_without_coordinates_has_an_unknown_distance() -> None:
    batch = a_request().with_sources(a_source("S1", at=None)).with_orders(an_order().with_line("P")).batch()
    assert batch.distance_m.tolist() == [[UNKNOWN_DISTANCE_M]]


def test_lines_of_one_order_to_one_place_share_a_destination() -> None:
    order = an_order().with_line("P").with_line("Q", location=Location(40.0, -74.0)).with_line("R")
    batch = a_request().with_sources(a_source()).with_orders(order).batch()
    assert batch.destination_of.tolist() == [0, 1, 0]


def test_inventory_mode_decides_whose_stock_counts() -> None:
    def available(mode: InventoryMode) -> list[list[int]]:
        sources = (a_source("S1"), a_source("S2", use_real_inventory=False))
        builder = a_request().with_sources(*sources).with_stock({("P", "S1"): 3, ("P", "S2"): 4})
        batch = builder.with_strategy(inventory_mode=mode).with_orders(an_order().with_line("P")).batch()
        return [[int(units) for units in row] for row in batch.available]

    assert available(InventoryMode.INHERIT) == [[3, UNLIMITED_UNITS]]
    assert available(InventoryMode.REAL) == [[3, 4]]
    assert available(InventoryMode.UNLIMITED) == [[UNLIMITED_UNITS, UNLIMITED_UNITS]]


def test_stock_of_the_write_in_product_is_assumed() -> None:
    batch = a_request().with_sources(a_source()).with_orders(an_order().with_line(WRITE_IN_PRODUCT_ID)).batch()
    assert batch.available.tolist() == [[UNLIMITED_UNITS]]


def test_a_run_without_lines_has_empty_columns() -> None:
    assert a_request().with_sources(a_source()).batch().shape == (0, 1)
