"""Eligible lines in columns: the arrays that every later stage indexes."""

from collections.abc import Iterable, Sequence

import numpy as np

from dom_core.domain.batch import UNKNOWN_DISTANCE_M, Batch, PlaceTable
from dom_core.domain.network import WRITE_IN_PRODUCT_ID, Location, Product, Source
from dom_core.domain.order import Line
from dom_core.domain.reason import FloatArray, IntArray
from dom_core.domain.request import PlanRequest
from dom_core.domain.roads import RoadTable
from dom_core.domain.strategy import InventoryMode
from dom_core.domain.units import UNLIMITED_UNITS
from dom_core.optimizer import by_road
from dom_core.optimizer.eligibility import EligibleOrder
from dom_core.optimizer.great_circle import distances_m
from dom_core.watch import UNWATCHED, Watch

_SOME_PLACES = 10_000
"""Distances are measured from so many places at a time: all at once would fill several times their memory."""


def to_batch(request: PlanRequest, eligible: Sequence[EligibleOrder], watch: Watch = UNWATCHED) -> Batch:
    """The columnar view of these lines and of the request's sources."""
    lines = tuple(line for entry in watch.each(eligible) for line in entry.lines)
    sources = tuple(sorted(request.sources, key=lambda source: source.id))
    product_ids = sorted({line.product_id for line in watch.each(lines)})
    products = tuple(request.products.get(product_id, Product(product_id)) for product_id in product_ids)
    position = {product_id: index for index, product_id in enumerate(product_ids)}
    return Batch(
        request=request,
        orders=tuple(entry.order for entry in eligible),
        lines=lines,
        sources=sources,
        products=products,
        order_of=_integers(order for order, entry in enumerate(watch.each(eligible)) for _ in entry.lines),
        product_of=_integers(position[line.product_id] for line in watch.each(lines)),
        destination_of=_integers(number for entry in watch.each(eligible) for number in _destinations(entry.lines)),
        units=_integers(line.units for line in watch.each(lines)),
        metres=_distances(lines, sources, request.roads, watch),
        available=_available(request, products, sources),
    )


def _integers(values: object) -> IntArray:
    return np.array(list(values), dtype=np.int64)  # type: ignore[call-overload]  # any iterable of ints


def _destinations(lines: Sequence[Line]) -> list[int]:
    numbers: dict[Location | None, int] = {}
    return [numbers.setdefault(line.location, len(numbers)) for line in lines]


def _distances(lines: Iterable[Line], sources: Sequence[Source], roads: RoadTable | None, watch: Watch) -> PlaceTable:
    """Metres from every source to every place that lines go to, each place once."""
    row: dict[Location | None, int] = {}
    row_of = _integers(row.setdefault(line.location, len(row)) for line in watch.each(lines))
    places = list(row)
    columns = [column for column, source in enumerate(sources) if source.location]
    targets = _degrees(source.location for source in sources)
    table = np.empty((len(places), len(sources)), dtype=np.int32)
    for start in range(0, len(places), _SOME_PLACES):
        watch.go_on()
        some = places[start : start + _SOME_PLACES]
        rows = [start + index for index, place in enumerate(some) if place]
        table[start : start + _SOME_PLACES] = UNKNOWN_DISTANCE_M
        table[np.ix_(rows, columns)] = distances_m(_degrees(some), targets)
    if roads is not None:
        table = by_road.distances_m(table.astype(np.int64), places, sources, roads).astype(np.int32)
    return PlaceTable(row_of, table)


def _degrees(places: Iterable[Location | None]) -> FloatArray:
    """Latitude and longitude of those that are known (n, 2)."""
    known = [(place.latitude, place.longitude) for place in places if place]
    return np.array(known, dtype=np.float64).reshape(-1, 2)


def _available(request: PlanRequest, products: Sequence[Product], sources: Sequence[Source]) -> IntArray:
    units = np.zeros((len(products), len(sources)), dtype=np.int64)
    rows = {product.id: row for row, product in enumerate(products)}
    columns = {source.id: column for column, source in enumerate(sources)}
    for (product_id, source_id), available in request.available.items():
        row, column = rows.get(product_id), columns.get(source_id)
        if row is not None and column is not None:
            units[row, column] = available
    units[:, [not _counts_stock(request, source) for source in sources]] = UNLIMITED_UNITS
    if WRITE_IN_PRODUCT_ID in rows:
        units[rows[WRITE_IN_PRODUCT_ID]] = UNLIMITED_UNITS
    return units


def _counts_stock(request: PlanRequest, source: Source) -> bool:
    match request.strategy.inventory_mode:
        case InventoryMode.INHERIT:
            return source.use_real_inventory
        case mode:
            return mode is InventoryMode.REAL
