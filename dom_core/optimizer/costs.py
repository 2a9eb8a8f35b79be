"""What cost factors charge for a pair, itemised (docs/semantics.md section 5).

Three kinds of charges: a *leg* (lines of one order, destination and mode of delivery travelling together from a
source), a *shipment* (an order at a source), a *part* (a line at a source). Each is paid once, whatever the units.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import numpy as np

from dom_core.costs import build
from dom_core.domain.batch import Batch
from dom_core.domain.ids import CostFactorId
from dom_core.domain.plan import CostItem
from dom_core.domain.reason import IntArray
from dom_core.optimizer.candidates import ALLOWED, Candidates

Flow = tuple[int, int, int]
"""Line position, source position, units."""


def flow_table(flows: Sequence[Flow]) -> IntArray:
    """Flows in three rows: their lines, their sources, their units."""
    return np.fromiter(chain.from_iterable(flows), dtype=np.int64, count=3 * len(flows)).reshape(-1, 3).T


_BLOCK_PAIRS = 1_000_000

Journey = tuple[int, int, int]
"""Order position, number of the group of its lines that travel together, source position."""


@dataclass(frozen=True, slots=True, eq=False)
class FactorCharges:
    """What one factor charges for each pair (L, S), in cents: for the leg, for the shipment, for the part."""

    factor_id: CostFactorId
    leg_cents: IntArray
    shipment_cents: IntArray
    part_cents: IntArray


@dataclass(frozen=True, eq=False)
class PairCosts:
    """All charges of a run. `travel_group_of` (L) numbers destination and mode of delivery within each order."""

    batch: Batch
    factors: tuple[FactorCharges, ...]
    travel_group_of: IntArray

    @cached_property
    def leg_cents(self) -> IntArray:
        """Leg charges of all factors (L, S)."""
        return self._sum([factor.leg_cents for factor in self.factors])

    @cached_property
    def shipment_cents(self) -> IntArray:
        """Shipment charges of all factors (L, S), equal for the lines of an order."""
        return self._sum([factor.shipment_cents for factor in self.factors])

    @cached_property
    def part_cents(self) -> IntArray:
        """Part charges of all factors (L, S)."""
        return self._sum([factor.part_cents for factor in self.factors])

    def leg(self, line: int, source: int) -> Journey:
        """The journey that is charged for this pair."""
        return (int(self.batch.order_of[line]), int(self.travel_group_of[line]), source)

    def dearest_shipment_cents(self, candidates: Candidates) -> int:
        """The most that any order could pay at any source that may serve all of its lines there."""
        return max((self._dearest(candidates, rows) for rows in self._blocks()), default=0)

    def _blocks(self) -> Iterator[IntArray]:
        """Lines of whole orders, those that travel together side by side, in blocks that bound the memory."""
        lines = np.argsort(self.travel_group_of, kind="stable")
        size = max(1, _BLOCK_PAIRS // max(1, self.batch.shape[1]))
        ends = np.flatnonzero(np.diff(self.batch.order_of[lines], append=-1)) + 1
        cuts = [int(ends[at]) for at in np.flatnonzero(np.diff(ends // size, append=-1))]
        yield from (block for block in np.split(lines, cuts) if len(block))

    def _dearest(self, candidates: Candidates, rows: IntArray) -> int:
        allowed = candidates.rejected_by[rows] == ALLOWED
        order, group = self.batch.order_of[rows], self.travel_group_of[rows]
        orders = np.flatnonzero(np.diff(order, prepend=-1))
        groups = np.flatnonzero(np.diff(group, prepend=-1))
        orders_of_groups = np.flatnonzero(np.diff(order[groups], prepend=-1))
        legs = np.maximum.reduceat(np.where(allowed, self.leg_cents[rows], 0), groups)
        cents = np.maximum.reduceat(np.where(allowed, self.shipment_cents[rows], 0), orders)
        cents += np.add.reduceat(np.where(allowed, self.part_cents[rows], 0), orders)
        cents += np.add.reduceat(legs, orders_of_groups)
        return int(cents.max(initial=0))

    def total_cents(
        self,
        flows: Sequence[Flow],
        paid_legs: frozenset[Journey],
        paid_shipments: frozenset[tuple[int, int]],
        paid_parts: frozenset[tuple[int, int]],
    ) -> int:
        """What these flows pay beyond what is paid already."""
        legs = {self.leg(line, source): int(self.leg_cents[line, source]) for line, source, _ in flows}
        shipments = {
            (int(self.batch.order_of[line]), source): int(self.shipment_cents[line, source])
            for line, source, _ in flows
        }
        parts = {(line, source): int(self.part_cents[line, source]) for line, source, _ in flows}
        return (
            sum(cents for leg, cents in legs.items() if leg not in paid_legs)
            + sum(cents for shipment, cents in shipments.items() if shipment not in paid_shipments)
            + sum(cents for part, cents in parts.items() if part not in paid_parts)
        )

    def items(self, flows: Sequence[Flow]) -> Mapping[int, tuple[CostItem, ...]]:
        """The cost items of each flow (by its position), shared by units so that they add up to the cent."""
        shares: dict[int, dict[CostFactorId, int]] = defaultdict(lambda: defaultdict(int))
        for factor in self.factors:
            for charge, members in self._charges(factor, flows):
                for position, cents in zip(members, spread(charge, [flows[m][2] for m in members]), strict=True):
                    shares[position][factor.factor_id] += cents
        return {
            position: tuple(CostItem(factor_id, cents) for factor_id, cents in sorted(by_factor.items()))
            for position, by_factor in shares.items()
        }

    def _charges(self, factor: FactorCharges, flows: Sequence[Flow]) -> Iterator[tuple[int, list[int]]]:
        """Each charge of a factor with the positions of the flows that share it."""
        legs: dict[Journey, list[int]] = defaultdict(list)
        shipments: dict[tuple[int, int], list[int]] = defaultdict(list)
        parts: dict[tuple[int, int], list[int]] = defaultdict(list)
        for position, (line, source, _) in enumerate(flows):
            legs[self.leg(line, source)].append(position)
            shipments[int(self.batch.order_of[line]), source].append(position)
            parts[line, source].append(position)
        for cents, groups in (
            (factor.leg_cents, legs.values()),
            (factor.shipment_cents, shipments.values()),
            (factor.part_cents, parts.values()),
        ):
            for members in groups:
                line, source, _ = flows[members[0]]
                yield int(cents[line, source]), members

    def _sum(self, arrays: Sequence[IntArray]) -> IntArray:
        """The sum of tables, most of which are one row, or one zero, seen everywhere: those take no memory."""
        total = _nothing(self.batch)
        for table in arrays:
            total = np.broadcast_to(total[0] + table[0], table.shape) if _is_row(total, table) else total + table
        return total


def _is_row(*tables: IntArray) -> bool:
    """Whether all of these are a row seen by every line."""
    return all(len(table) and table.strides[0] == 0 for table in tables)


def _nothing(batch: Batch) -> IntArray:
    return np.broadcast_to(np.int64(0), batch.shape)


def pair_costs(batch: Batch) -> PairCosts | None:
    """The charges of the request's cost factors; None when the objective is not `cost`."""
    records = batch.request.costs_in_force()
    if not records:
        return None
    none = _nothing(batch)
    factors = []
    for record in records:
        factor = build(record)
        charged = (factor.leg_cents(batch), factor.shipment_cents(batch), factor.part_cents(batch))
        factors.append(FactorCharges(record.id, *(none if cents is None else cents for cents in charged)))
    return PairCosts(batch, tuple(factors), _travel_groups(batch))


def spread(cents: int, weights: Sequence[int]) -> list[int]:
    """Share whole cents in proportion to weights: largest remainders get the cents left over, first come first."""
    total = sum(weights)
    shares = [cents * weight // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda index: (-(cents * weights[index] % total), index))
    for index in by_remainder[: cents - sum(shares)]:
        shares[index] += 1
    return shares


def _travel_groups(batch: Batch) -> IntArray:
    numbers: dict[tuple[int, int, str], int] = {}
    keys = [
        (int(batch.order_of[row]), int(batch.destination_of[row]), line.mode_of_delivery)
        for row, line in enumerate(batch.lines)
    ]
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)
