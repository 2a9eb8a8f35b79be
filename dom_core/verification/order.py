"""What one order pays in one iteration: what is paid once for a source, and what each line pays there."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from dom_core.domain.plan import Level
from dom_core.domain.reason import BoolArray, FloatArray, IntArray
from dom_core.rules.base import SplitLimits
from dom_core.verification.scene import Charged

Rates = Mapping[Level, int]


@dataclass(frozen=True, slots=True)
class Before:
    """What iteration 1 already pays for of an order: sources with their steps, ways, routes, and parts by line.

    `counted_at`, and by line `counted_parts`, leave write-in lines out: they are what counts against limits.
    """

    steps_at: Mapping[int, int] = field(default_factory=dict)
    ways: frozenset[tuple[int, int]] = frozenset()
    routes: frozenset[tuple[int, int]] = frozenset()
    parts: frozenset[tuple[int, int]] = frozenset()
    counted_at: frozenset[int] = frozenset()
    counted_parts: frozenset[tuple[int, int]] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class OrderCase:
    """An order's lines that still want something (n), and the sources (S).

    `allowed`, `stock`, `km`, `steps` are (n, S); `weight` is that of its class; `rows` are what lines (`line_ids`) are
    called in `before`; lines with one number in `ways` go to one place, with one in `routes` by one mode of delivery
    too.
    """

    id: str
    rows: tuple[int, ...]
    line_ids: tuple[str, ...]
    product_ids: tuple[str, ...]
    units: IntArray
    weight: int
    limits: SplitLimits
    write_in: BoolArray
    allowed: BoolArray
    stock: IntArray
    km: IntArray
    steps: IntArray
    ways: IntArray
    routes: IntArray
    cents: Charged | None
    before: Before

    @property
    def may_split(self) -> BoolArray:
        """Lines that one source alone need not fill."""
        split: BoolArray = self.write_in | np.bool_(self.limits.max_sources_per_line != 1 or self.limits.partial_lines)
        return split

    @property
    def whole(self) -> BoolArray:
        """Lines that come whole from one place or not at all: cuts hold for them."""
        begun = {row for row, _ in self.before.counted_parts}
        whole: BoolArray = ~self.may_split & np.array([row not in begun for row in self.rows], dtype=bool)
        return whole


@dataclass(frozen=True, slots=True, eq=False)
class OrderCharges:
    """What an order pays in points: `together` (S) once for a source, `alone` (n, S) by line, no pair: infinite.

    `short` (n, S): the source has less than the line wants and could only help to fill it.
    """

    together: FloatArray
    alone: FloatArray
    short: BoolArray
    lines_at: IntArray


def charges_of(case: OrderCase, rates: Rates) -> OrderCharges:
    """The charges without prices."""
    lines_at = case.allowed.sum(axis=0)
    enough = case.stock >= case.units[:, None]
    split = case.may_split[:, None]
    gain = rates[Level.UNFILLED_UNITS] * case.weight * case.units
    alone = np.where(case.allowed & (enough | split), -gain[:, None].astype(np.float64), np.inf)
    together = np.full(case.allowed.shape[1], float(rates.get(Level.SHIPMENTS, 0)))
    _add_steps(case, rates[Level.PRIORITY_STEPS], lines_at, together, alone)
    km_points = (case.km * rates[Level.DISTANCE_KM]).astype(np.float64)
    _add_ways(case, case.ways, km_points, case.before.ways, together, alone)
    if case.cents is not None:
        _add_cents(case, case.cents, together, alone)
    together[list(case.before.steps_at)] = 0.0
    return OrderCharges(together, alone, ~enough & split, lines_at)


def _add_steps(case: OrderCase, rate: int, lines_at: IntArray, together: FloatArray, alone: FloatArray) -> None:
    """The least step of all lines once; each line its share of what it is above that, or above what is paid."""
    least = np.where(case.allowed, case.steps, 10**6).min(axis=0) * (lines_at > 0)
    floor = least.copy()
    for source, steps in case.before.steps_at.items():
        floor[source] = max(floor[source], steps)
    together += rate * least
    alone += rate * np.maximum(case.steps - floor, 0) / np.maximum(lines_at, 1)


def _add_ways(
    case: OrderCase,
    way_of: IntArray,
    points: FloatArray,
    paid: frozenset[tuple[int, int]],
    together: FloatArray,
    alone: FloatArray,
) -> None:
    """A way that all lines of the order go is paid once; of any other each of its lines pays its share."""
    lines_at = case.allowed.sum(axis=0)
    shared = np.zeros_like(together)
    for way in np.unique(way_of).tolist():
        rows = np.flatnonzero(way_of == way)
        due = np.where(case.allowed[rows], points[rows], 0.0)
        due[:, [source for number, source in paid if number == way]] = 0.0
        riders = case.allowed[rows].sum(axis=0)
        everybody = riders == lines_at
        shared = np.maximum(shared, np.where(everybody, due.max(axis=0), 0.0))
        alone[rows] += np.where(everybody, 0.0, due / np.maximum(riders, 1))
    together += shared


def _add_cents(case: OrderCase, cents: Charged, together: FloatArray, alone: FloatArray) -> None:
    together += np.where(case.allowed, cents.shipment_cents, 0).max(axis=0)
    parts = np.where(case.allowed, cents.part_cents, 0)
    for number, row in enumerate(case.rows):
        parts[number, [source for paid, source in case.before.parts if paid == row]] = 0
    alone += parts
    _add_ways(case, case.routes, cents.way_cents.astype(np.float64), case.before.routes, together, alone)
