"""L(prices), order by order: the points that no plan can go below, whatever the prices are (docs/optimizer.md).

Every order takes the cheapest pattern that its own rules allow, as if it were alone and everything had its price. That
sum, less the prices of everything there is, is a bound: no plan uses more than there is.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from dom_core.domain.plan import Level
from dom_core.domain.proof import IterationProof
from dom_core.domain.reason import BoolArray, FloatArray, IntArray
from dom_core.optimizer.audit.subject import Subject
from dom_core.verification.cheapest import cheapest
from dom_core.verification.demand import Demand
from dom_core.verification.order import OrderCase, OrderCharges, Rates, charges_of
from dom_core.verification.priced import PricedPart, rooms_of
from dom_core.verification.scene import Scene
from dom_core.verification.slices import Slice, taken_first

GROUP_LINES = 6
"""Longer orders are looked at in groups of so many lines."""

Part = tuple[int, int]
"""Iteration, number of a part."""


@dataclass(slots=True)
class Tally:
    """One part: what filling nothing costs, what the cheapest patterns are worth, and what its lines want."""

    nothing: int = 0
    worth: float = 0.0
    product_ids: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Recomputed:
    """L of every part, with the points of filling nothing; the longest way, the dearest shipment; and what is amiss.

    `unfilled` are the weighted units that stay unfilled in any plan, by iteration.
    """

    bounds: Mapping[Part, float]
    nothing: Mapping[Part, int]
    unfilled: Mapping[int, int]
    farthest_m: int
    dearest_cents: int
    findings: tuple[str, ...]


class Recomputation:
    """Goes over all orders once, for both iterations."""

    def __init__(self, subject: Subject, rates: Rates, proofs: Sequence[IterationProof]) -> None:
        self._scene, self._rates, self._plan = Scene(subject), rates, subject.plan
        self._proofs = {proof.number: proof for proof in proofs}
        self._tallies: defaultdict[Part, Tally] = defaultdict(Tally)
        self._stock: dict[int, dict[str, IntArray]] = {1: {}, 2: {}}
        self._demand = {1: Demand(), 2: Demand()}
        self._torn: set[str] = set()
        self._farthest_m = self._dearest_cents = 0
        rooms = {number: rooms_of(self._scene, number) for number in (1, 2)}
        self._parts = {
            (proof.number, part): PricedPart(found.prices, rooms[proof.number], self._scene.source_at)
            for proof in proofs
            for part, found in enumerate(proof.parts)
        }

    def run(self, told: Callable[[float], None]) -> Recomputed:
        """Everything; `told` hears the share of lines that are done."""
        taken, done = taken_first(self._plan.lines), 0
        second = self._scene.has_second()
        for positions in self._scene.slices():
            some = Slice(self._scene, positions, taken, self._plan.largest_distance_km)
            self._farthest_m = max(self._farthest_m, some.farthest_m())
            self._dearest_cents = max(self._dearest_cents, some.dearest_cents())
            for number in (1, 2):
                products = (product.id for product in some.batch.products)
                self._stock[number] |= dict(zip(products, some.stock[number], strict=True))
                for case in some.cases(number, shut=number == 2 and not second):
                    self._count(number, positions, case)
            done += len(positions)
            told(done / len(self._plan.lines))
        return Recomputed(
            {part: self._bound(part) for part in {*self._tallies, *self._parts}},
            {part: tally.nothing for part, tally in self._tallies.items()},
            {number: self._demand[number].unfilled_at_least(self._stock[number]) for number in (1, 2)},
            self._farthest_m,
            self._dearest_cents,
            (*sorted(self._torn), *self._strangers()),
        )

    def _count(self, number: int, positions: Sequence[int], case: OrderCase) -> None:
        """Add an order to its part."""
        parts = {self._proofs[number].part(positions[row]) for row in case.rows}
        if len(parts) > 1:
            self._torn.add(f"iteration {number}: the lines of order {case.id} are in {len(parts)} parts")
        key = (number, min(parts))
        self._demand[number].add(case)
        tally = self._tallies[key]
        tally.product_ids.update(case.product_ids)
        tally.nothing += self._rates[Level.UNFILLED_UNITS] * case.weight * int(case.units.sum())
        if case.allowed.any():
            tally.worth += worth_of(case, self._rates, self._parts.get(key))

    def _bound(self, key: Part) -> float:
        tally = self._tallies[key]
        there = self._parts[key].worth_of_everything(self._stock[key[0]]) if key in self._parts else 0.0
        return tally.nothing + tally.worth - there

    def _strangers(self) -> Iterator[str]:
        for key, part in self._parts.items():
            for finding in part.strangers(self._tallies[key].product_ids):
                yield f"iteration {key[0]}, part {key[1]}: {finding}"


def worth_of(case: OrderCase, rates: Rates, priced: PricedPart | None) -> float:
    """What the cheapest patterns of an order are worth at prices against filling nothing: zero or less."""
    charges = charges_of(case, rates)
    line_points = priced.line_points(case) if priced else np.zeros(case.allowed.shape)
    visit_points = priced.visit_points(case) if priced else np.zeros(case.allowed.shape[1])
    # Whoever leaves a unit out does not pay for it.
    unit_worth = rates[Level.UNFILLED_UNITS] * case.weight - (priced.unit_points(case) if priced else line_points)
    groups = list(_groups(case))
    worth = 0.0
    for rows in groups:
        worth += _worth_of_group(case, charges, rates, rows, line_points, visit_points, unit_worth)
    savings = priced.savings(case) if priced and len(groups) > 1 and not case.write_in.any() else None
    if savings is None:
        return worth
    together, alone = charges.together + visit_points, charges.alone + line_points
    return float(max(worth, _worth_by_savings(case, together, alone, savings)))


def _worth_by_savings(case: OrderCase, together: FloatArray, alone: FloatArray, savings: FloatArray) -> float:
    """What an order is worth whose lines save so much wherever they come from: that of its best sources alone."""
    each: list[float] = sorted(
        float(together[source]) + sum(min(0.0, points) for points in (alone[:, source] + savings).tolist())
        for source in range(len(together))
    )
    most = len(each) if case.limits.max_sources is None else case.limits.max_sources
    return min(0.0, sum(min(0.0, points) for points in each[:most]) - float(savings.sum()))


def _groups(case: OrderCase) -> Iterator[IntArray]:
    """At most six lines each, write-in lines for themselves."""
    for kind in (False, True):
        rows = np.flatnonzero(case.write_in == kind)
        for start in range(0, len(rows), GROUP_LINES):
            yield rows[start : start + GROUP_LINES]


def _worth_of_group(
    case: OrderCase,
    charges: OrderCharges,
    rates: Rates,
    rows: IntArray,
    line_points: FloatArray,
    visit_points: FloatArray,
    unit_worth: FloatArray,
) -> float:
    shares = case.allowed[rows].sum(axis=0) / np.maximum(charges.lines_at, 1)
    together, alone = charges.together * shares, charges.alone[rows]
    left_out = (
        np.where(charges.short[rows], unit_worth[rows], np.inf).min(axis=0).clip(0.0, rates[Level.UNFILLED_UNITS])
    )
    helper = _helper(together, alone, shares, charges.short[rows], left_out)
    write_in = bool(case.write_in[rows[0]])
    most = case.limits.max_sources if case.limits.max_sources is not None and not write_in else GROUP_LINES
    return cheapest(
        together if write_in else together + visit_points * shares,
        alone + line_points[rows],
        helper,
        most,
        may_wait=write_in or case.limits.partial_orders,
    )


def _helper(
    together: FloatArray, alone: FloatArray, shares: FloatArray, short: BoolArray, left_out: FloatArray
) -> FloatArray:
    """What being served from one short source alone costs at least: another source, or one unit left out there."""
    usable = np.where(np.isfinite(alone).any(axis=0), together, np.inf)
    lacking = short.any(axis=0)
    if len(usable) < 2 or not lacking.any() or not np.all((shares >= 1) | np.isinf(usable)):
        return np.zeros_like(together)
    nearest, second = np.sort(usable)[:2]
    other = np.where(usable > nearest, nearest, second)
    other[~np.isfinite(other)] = 0.0
    return np.where(lacking, np.minimum(other, left_out), 0.0)
