"""What an order costs in a plan, item by item, from plain loops over its assignments.

The optimizer prices pairs in arrays; the audit, and whoever shows a plan, adds up here.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dom_core.costs.base import CostFactor
from dom_core.domain.ids import CostFactorId, LineId, SourceId
from dom_core.domain.network import Location
from dom_core.domain.order import Line, Order
from dom_core.domain.plan import PlanAssignment, PlanLine
from dom_core.rules.checking import Facts


class Charge(StrEnum):
    """What an item is paid for."""

    LEG = "leg"
    SHIPMENT = "shipment"
    PART = "part"


@dataclass(frozen=True, slots=True)
class ChargedItem:
    """One amount, paid once for these lines together."""

    factor_id: CostFactorId
    charge: Charge
    source_id: SourceId
    line_ids: tuple[LineId, ...]
    cents: int


Leg = tuple[SourceId, str, Location | None]
"""Source, mode of delivery and destination: what the lines that share a leg have in common."""


@dataclass(frozen=True, slots=True)
class _Visit:
    """One line at one source."""

    line: Line
    assignment: PlanAssignment

    @property
    def source_id(self) -> SourceId:
        return self.assignment.source_id

    @property
    def leg(self) -> Leg:
        return self.source_id, self.line.mode_of_delivery, self.line.location


def itemise(facts: Facts, factors: Sequence[CostFactor], order: Order, lines: Iterable[PlanLine]) -> list[ChargedItem]:
    """The items above zero of one order: by cost factor, then legs, shipments and parts.

    `lines` are the order's plan lines, with the assignments of both iterations; `factors` are those in force.
    """
    visits = list(_visits(order, lines))
    return [item for factor in factors for item in _items(facts, factor, visits) if item.cents > 0]


def _visits(order: Order, lines: Iterable[PlanLine]) -> Iterator[_Visit]:
    for planned in lines:
        line = order.line(planned.line_id)
        if line is not None:
            yield from (_Visit(line, assignment) for assignment in planned.assignments)


def _items(facts: Facts, factor: CostFactor, visits: Sequence[_Visit]) -> Iterator[ChargedItem]:
    legs: defaultdict[Leg, list[_Visit]] = defaultdict(list)
    shipments: defaultdict[SourceId, list[_Visit]] = defaultdict(list)
    parts: defaultdict[tuple[SourceId, LineId], list[_Visit]] = defaultdict(list)
    for visit in visits:
        legs[visit.leg].append(visit)
        shipments[visit.source_id].append(visit)
        parts[visit.source_id, visit.line.id].append(visit)
    for (source_id, mode, _), together in legs.items():
        cents = factor.cost_of_leg_cents(facts, source_id, mode, together[0].assignment.distance_m)
        yield _item(factor, Charge.LEG, together, cents)
    for source_id, together in shipments.items():
        yield _item(factor, Charge.SHIPMENT, together, factor.cost_of_shipment_cents(facts, source_id))
    for (source_id, _), together in parts.items():
        yield _item(factor, Charge.PART, together, factor.cost_of_part_cents(facts, source_id))


def _item(factor: CostFactor, charge: Charge, together: Sequence[_Visit], cents: int) -> ChargedItem:
    # A line that both iterations serve from one source is named once.
    line_ids = tuple(dict.fromkeys(visit.line.id for visit in together))
    return ChargedItem(factor.id, charge, together[0].source_id, line_ids, cents)
