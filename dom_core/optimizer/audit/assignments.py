"""Units, stock, the gates that nothing relaxes, and distances."""

from collections import Counter
from collections.abc import Iterator
from math import asin, cos, radians, sin, sqrt

from dom_core.domain.network import WRITE_IN_PRODUCT_ID, Location
from dom_core.domain.order import ExceptionKind
from dom_core.domain.roads import RoadTable
from dom_core.domain.strategy import InventoryMode
from dom_core.optimizer.audit.subject import Check, Subject, name

_EARTH_RADIUS_M = 6_371_009.0
_DISTANCE_TOLERANCE_M = 2
_SHORT_BECAUSE = (ExceptionKind.NO_QUANTITY, ExceptionKind.NO_SOURCE, ExceptionKind.NOT_IN_PLAN)


def _units(subject: Subject) -> Iterator[str]:
    for line in subject.planned():
        if line.filled_units > line.units:
            yield f"{name(line)} gets {line.filled_units} of {line.units} units"
        if line.filled_units == line.units and line.exception:
            yield f"{name(line)} is filled and yet an exception ({line.exception})"
        if line.filled_units < line.units and line.exception not in _SHORT_BECAUSE:
            yield f"{name(line)} is short of units, and its exception is {line.exception}"


def _stock(subject: Subject) -> Iterator[str]:
    taken: Counter[tuple[str, str]] = Counter()
    for line, assignment in subject.assigned():
        if line.product_id != WRITE_IN_PRODUCT_ID and _stock_is_counted(subject, assignment.source_id):
            taken[line.product_id, assignment.source_id] += assignment.units
    there = subject.request.available
    overdrawn = (cell for cell, units in subject.watch.each(taken.items()) if units > there.get(cell, 0))
    for product_id, source_id in sorted(overdrawn):
        units, available = taken[product_id, source_id], there.get((product_id, source_id), 0)
        yield f"{source_id} gives {units} units of {product_id} and has {available}"


def _stock_is_counted(subject: Subject, source_id: str) -> bool:
    mode = subject.request.strategy.inventory_mode
    return (
        subject.sources[source_id].use_real_inventory if mode is InventoryMode.INHERIT else mode is InventoryMode.REAL
    )


def _gates(subject: Subject) -> Iterator[str]:
    for line, assignment in subject.assigned():
        source, order = subject.sources[assignment.source_id], subject.orders[line.order_id]
        if not source.active:
            yield f"{name(line, assignment)}: the source is not active"
        if source.legal_entity != order.legal_entity:
            yield f"{name(line, assignment)}: the source belongs to {source.legal_entity}, not {order.legal_entity}"
        for bar in subject.lines[line.order_id, line.line_id].bars:
            if bar.source_id == source.id and bar.until > subject.request.now:
                yield f"{name(line, assignment)}: the source refused the line and is barred until {bar.until}"


def _distances(subject: Subject) -> Iterator[str]:
    measured = _Measured(subject.request.roads)
    for line, assignment in subject.assigned():
        destination = subject.lines[line.order_id, line.line_id].location
        aerial = _distance_m(destination, subject.sources[assignment.source_id].location)
        expected, estimated = measured.expected(aerial, destination, assignment.source_id)
        reported = assignment.distance_m
        if assignment.distance_estimated is not estimated:
            yield f"{name(line, assignment)}: the distance is {'' if estimated else 'not '}an estimate"
        if (expected is None) != (reported is None) or (
            expected is not None and reported is not None and abs(expected - reported) > _DISTANCE_TOLERANCE_M
        ):
            yield f"{name(line, assignment)}: reported {reported} m away, it is {expected and round(expected)} m"


class _Measured:
    """The table of the request, cell by cell: what an assignment should say about its distance."""

    def __init__(self, roads: RoadTable | None) -> None:
        self._roads = roads
        self._rows = {place: number for number, place in enumerate(roads.places)} if roads else {}

    def expected(
        self, aerial_m: float | None, destination: Location | None, source_id: str
    ) -> tuple[float | None, bool]:
        """The distance, and whether it is an estimate."""
        if self._roads is None or aerial_m is None or destination is None:
            return aerial_m, False
        metres = self._cell(self._roads, destination, source_id)
        if metres < 0:
            return aerial_m * self._roads.circuity_percent / 100, True
        return max(aerial_m, metres), False

    def _cell(self, roads: RoadTable, destination: Location, source_id: str) -> int:
        place = (round(destination.latitude * 1000), round(destination.longitude * 1000))
        if place not in self._rows or source_id not in roads.source_ids:
            return -1
        return roads.row(self._rows[place])[roads.source_ids.index(source_id)]


def _distance_m(one: Location | None, other: Location | None) -> float | None:
    """The haversine formula; None where an end has no coordinates."""
    if one is None or other is None:
        return None
    north, south = radians(one.latitude), radians(other.latitude)
    rise, turn = sin((north - south) / 2), sin(radians(one.longitude - other.longitude) / 2)
    return 2 * _EARTH_RADIUS_M * asin(min(1.0, sqrt(rise * rise + cos(north) * cos(south) * turn * turn)))


def _largest_distance(subject: Subject) -> Iterator[str]:
    largest_km = subject.plan.largest_distance_km
    if largest_km < 1000 or largest_km % 1000:
        yield f"the largest distance of {largest_km} km is not in whole thousands"
    farthest_m = max((assignment.distance_m or 0 for _, assignment in subject.assigned()), default=0)
    if farthest_m > largest_km * 1000:
        yield f"an assignment over {farthest_m} m is farther than the largest distance of {largest_km} km"


CHECKS: tuple[Check, ...] = (_units, _stock, _gates, _distances, _largest_distance)
