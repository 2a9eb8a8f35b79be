"""The orders of a plan, a slice at a time, as each iteration found them."""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from dom_core.domain.batch import UNKNOWN_DISTANCE_M, Batch
from dom_core.domain.network import WRITE_IN_PRODUCT_ID
from dom_core.domain.plan import PlanLine
from dom_core.domain.reason import BoolArray, IntArray
from dom_core.domain.units import UNLIMITED_UNITS
from dom_core.verification.order import Before, OrderCase
from dom_core.verification.scene import Charged, Reading, Scene, travel_groups

_CLASS_WEIGHTS = {1: 16, 2: 8, 3: 4, 4: 2, 5: 1}

Units = Counter[tuple[str, str]]
"""Units by product and source."""


def taken_first(lines: Sequence[PlanLine]) -> Units:
    """What iteration 1 takes of each cell."""
    taken: Units = Counter()
    for line in lines:
        for assignment in line.assignments:
            if assignment.iteration == 1:
                taken[line.product_id, assignment.source_id] += assignment.units
    return taken


class Slice:
    """Some whole orders of the plan, read for both iterations."""

    def __init__(self, scene: Scene, positions: Sequence[int], taken: Units, largest_km: int) -> None:
        self.scene, self.positions, self.largest_km = scene, positions, largest_km
        lines = [scene.subject.plan.lines[position] for position in positions]
        self.batch: Batch = scene.batch(lines)
        self.distance_m = self.batch.distance_m
        self.charged: Charged | None = scene.charged(self.batch)
        self.routes = travel_groups(self.batch.lines)
        self.readings: dict[int, Reading] = {number: scene.read(self.batch, number) for number in (1, 2)}
        self.used = [
            (row, scene.source_at[assignment.source_id], assignment.units)
            for row, line in enumerate(lines)
            for assignment in line.assignments
            if assignment.iteration == 1
        ]
        self.write_in: BoolArray = np.array([line.product_id == WRITE_IN_PRODUCT_ID for line in lines], dtype=bool)
        self.wanted = {1: self.batch.units, 2: self._left_over()}
        self.stock = {1: self.readings[1].stock, 2: self._stock_left(taken)}

    def farthest_m(self) -> int:
        """The longest way of a pair that may serve in any iteration."""
        return int(self.distance_m[self.readings[2].allowed].max(initial=0))

    def dearest_cents(self) -> int:
        """The most that an order could pay at a source for all that may come from there."""
        if self.charged is None:
            return 0
        allowed, dearest = self.readings[2].allowed, 0
        for order in range(len(self.batch.orders)):
            rows = np.flatnonzero(self.batch.order_of == order)
            open_here = allowed[rows]
            cents = np.where(open_here, self.charged.shipment_cents[rows], 0).max(axis=0)
            cents = cents + np.where(open_here, self.charged.part_cents[rows], 0).sum(axis=0)
            for route in np.unique(self.routes[rows]).tolist():
                travelling = rows[self.routes[rows] == route]
                cents += np.where(allowed[travelling], self.charged.way_cents[travelling], 0).max(axis=0)
            dearest = max(dearest, int(cents.max(initial=0)))
        return dearest

    def cases(self, number: int, *, shut: bool) -> Iterator[OrderCase]:
        """Every order that still wants something in an iteration; `shut`: nobody may serve."""
        before = self._before() if number == 2 else {}
        rows_of: list[list[int]] = [[] for _ in self.batch.orders]
        for row in np.flatnonzero(self.wanted[number] > 0).tolist():
            rows_of[int(self.batch.order_of[row])].append(row)
        for order, rows in enumerate(rows_of):
            if rows:
                yield self._case(number, order, np.array(rows), before.get(order, Before()), shut)

    def _case(self, number: int, order: int, rows: IntArray, before: Before, shut: bool) -> OrderCase:
        batch, reading = self.batch, self.readings[number]
        return OrderCase(
            id=batch.orders[order].id,
            rows=tuple(rows.tolist()),
            line_ids=tuple(batch.lines[row].id for row in rows.tolist()),
            product_ids=tuple(batch.lines[row].product_id for row in rows.tolist()),
            units=self.wanted[number][rows],
            weight=_CLASS_WEIGHTS.get(batch.orders[order].priority_class or 0, 1),
            limits=reading.limits[order],
            write_in=self.write_in[rows],
            allowed=reading.allowed[rows] & (not shut),
            stock=self.stock[number][batch.product_of[rows]],
            km=self._km(self.distance_m[rows]),
            steps=reading.steps[rows],
            ways=batch.destination_of[rows],
            routes=self.routes[rows],
            cents=self.charged.of(rows) if self.charged else None,
            before=before,
        )

    def _km(self, distance_m: IntArray) -> IntArray:
        """As the objective counts them: half up, none within the local radius, the largest where unknown."""
        km = (distance_m + 500) // 1000
        km[distance_m <= self.scene.request.strategy.local_radius_km * 1000] = 0
        km[distance_m == UNKNOWN_DISTANCE_M] = self.largest_km
        return km

    def _left_over(self) -> IntArray:
        left = self.batch.units.copy()
        for row, _, units in self.used:
            left[row] -= units
        return left

    def _stock_left(self, taken: Units) -> IntArray:
        """What the first iteration leaves of what the rules of the second allow."""
        allocatable = self.readings[2].stock
        gone = np.array(
            [[taken[product.id, source.id] for source in self.scene.sources] for product in self.batch.products],
            dtype=np.int64,
        ).reshape(allocatable.shape)
        return np.where(allocatable >= UNLIMITED_UNITS, UNLIMITED_UNITS, np.maximum(allocatable - gone, 0))

    def _before(self) -> dict[int, Before]:
        """What iteration 1 already pays for, order by order."""
        used: dict[int, list[tuple[int, int]]] = {}
        for row, source, _ in self.used:
            used.setdefault(int(self.batch.order_of[row]), []).append((row, source))
        return {order: self._before_of(pairs) for order, pairs in used.items()}

    def _before_of(self, pairs: Sequence[tuple[int, int]]) -> Before:
        steps: dict[int, int] = {}
        for row, source in pairs:
            steps[source] = max(steps.get(source, 0), int(self.readings[1].steps[row, source]))
        counted = [(row, source) for row, source in pairs if not self.write_in[row]]
        return Before(
            steps_at=steps,
            ways=frozenset((int(self.batch.destination_of[row]), source) for row, source in pairs),
            routes=frozenset((int(self.routes[row]), source) for row, source in pairs),
            parts=frozenset(pairs),
            counted_at=frozenset(source for _, source in counted),
            counted_parts=frozenset(counted),
        )
