"""Invented batches have the shape that was asked for, and are the same every time."""

from collections import Counter

import pytest

from benchmarks.instances import Shape, request_of
from dom_core.domain.network import SourceType
from dom_core.domain.request import PlanRequest

SHAPE = Shape(lines=3000, sources=60, cover=3.0)


@pytest.fixture(scope="module")
def request_made() -> PlanRequest:
    return request_of(SHAPE)


def test_a_batch_has_exactly_the_lines_and_sources_asked_for(request_made: PlanRequest) -> None:
    assert sum(len(order.lines) for order in request_made.orders) == 3000
    assert len({source.id for source in request_made.sources}) == 60
    assert Counter(source.type for source in request_made.sources)[SourceType.WAREHOUSE] == 3


def test_the_same_shape_gives_the_same_batch_and_another_seed_another(request_made: PlanRequest) -> None:
    assert request_of(SHAPE) == request_made
    assert request_of(Shape(lines=3000, sources=60, cover=3.0, seed=2)).orders != request_made.orders


def test_scarcer_stock_changes_the_stock_only(request_made: PlanRequest) -> None:
    scarce = request_of(Shape(lines=3000, sources=60, cover=1.0))
    assert (scarce.orders, scarce.sources) == (request_made.orders, request_made.sources)
    assert sum(scarce.available.values()) == _units(scarce)
    assert sum(request_made.available.values()) == 3 * _units(request_made)


def test_most_orders_have_one_line_and_no_order_asks_for_a_product_twice(request_made: PlanRequest) -> None:
    sizes = Counter(len(order.lines) for order in request_made.orders)
    assert 0.54 < sizes[1] / len(request_made.orders) < 0.62
    assert max(sizes) == 5
    assert all(len({line.product_id for line in order.lines}) == len(order.lines) for order in request_made.orders)


def test_a_few_products_make_most_of_the_demand(request_made: PlanRequest) -> None:
    asked = Counter(line.product_id for order in request_made.orders for line in order.lines)
    assert sum(count for _, count in asked.most_common(150)) > 1500


def test_stores_hold_less_than_half_of_the_stock(request_made: PlanRequest) -> None:
    stores = {source.id for source in request_made.sources if source.type is SourceType.STORE}
    held = sum(units for (_, source_id), units in request_made.available.items() if source_id in stores)
    assert 0.43 < held / sum(request_made.available.values()) < 0.47


def test_ample_stock_is_at_every_warehouse_and_nowhere_else(request_made: PlanRequest) -> None:
    shape = Shape(lines=3000, sources=60, cover=1.0, ample=True)
    ample = request_of(shape)
    warehouses = {source.id for source in ample.sources if source.type is SourceType.WAREHOUSE}
    wanted = Counter[str]()
    for order in ample.orders:
        wanted.update({line.product_id: line.units for line in order.lines})
    assert ample.available == {(product, source): units for product, units in wanted.items() for source in warehouses}
    assert ample.orders == request_made.orders
    assert shape.name == "3,000 × 60, 1.0 at every warehouse"


def _units(request: PlanRequest) -> int:
    return sum(line.units for order in request.orders for line in order.lines)
