"""The figures of a plan: what was filled, from how far, by whom, and why the rest was not."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from dom_core.domain.ids import OrderId, SourceId
from dom_core.domain.plan import Fulfillment, Plan, PlanAssignment, PlanLine


@dataclass(frozen=True, slots=True)
class Unfilled:
    """Lines that got nothing, or too little, for the same reason."""

    reason: str
    lines: int
    units: int


@dataclass(frozen=True, slots=True)
class Load:
    """What the plan puts on one source."""

    source_id: SourceId
    orders: int
    lines: int
    units: int
    average_km: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """A plan in numbers. A shipment is an order's goods from one source to one place.

    `unfilled` counts planned lines by exception; `held` counts lines that the run did not take, by reason, whose units
    the plan does not know.
    """

    lines: int
    filled_lines: int
    units: int
    filled_units: int
    orders: int
    split_orders: int
    shipments: int
    average_km: float | None
    unfilled: tuple[Unfilled, ...]
    held: tuple[Unfilled, ...]
    loads: tuple[Load, ...]


def figures_of(plan: Plan) -> Figures:
    """The figures of a plan."""
    shipments = _shipments(plan)
    return Figures(
        lines=len(plan.lines),
        filled_lines=sum(line.fulfillment is Fulfillment.FULLY for line in plan.lines),
        units=sum(line.units for line in plan.lines),
        filled_units=sum(line.filled_units for line in plan.lines),
        orders=len({line.order_id for line in plan.lines}),
        split_orders=_split_orders(shipments),
        shipments=len(shipments),
        average_km=_average_km(shipments),
        unfilled=_unfilled(plan),
        held=_held(plan),
        loads=_loads(plan, shipments),
    )


_Shipment = tuple[OrderId, SourceId, int | None]
"""Two places at exactly the same distance of one source, in one order, would count as one: metres are fine enough."""


def _assignments(plan: Plan) -> Iterator[tuple[PlanLine, PlanAssignment]]:
    for line in plan.lines:
        for assignment in line.assignments:
            yield line, assignment


def _shipments(plan: Plan) -> frozenset[_Shipment]:
    return frozenset(
        (line.order_id, assignment.source_id, assignment.distance_m) for line, assignment in _assignments(plan)
    )


def _split_orders(shipments: frozenset[_Shipment]) -> int:
    sources: dict[OrderId, set[SourceId]] = defaultdict(set)
    for order_id, source_id, _ in shipments:
        sources[order_id].add(source_id)
    return sum(len(used) > 1 for used in sources.values())


def _average_km(shipments: frozenset[_Shipment]) -> float | None:
    known_m = [distance_m for _, _, distance_m in shipments if distance_m is not None]
    return sum(known_m) / len(known_m) / 1000 if known_m else None


def _unfilled(plan: Plan) -> tuple[Unfilled, ...]:
    units: dict[str, list[int]] = defaultdict(list)
    for line in plan.lines:
        if line.filled_units < line.units:
            units[line.exception or Fulfillment.NOT_SOURCED].append(line.units - line.filled_units)
    return _most_first(Unfilled(reason, len(missing), sum(missing)) for reason, missing in units.items())


def _held(plan: Plan) -> tuple[Unfilled, ...]:
    counts: dict[str, int] = defaultdict(int)
    for line in plan.held:
        counts[line.reason.code] += 1
    return _most_first(Unfilled(code, lines, 0) for code, lines in counts.items())


def _most_first(groups: Iterator[Unfilled]) -> tuple[Unfilled, ...]:
    return tuple(sorted(groups, key=lambda group: (-group.lines, group.reason)))


def _loads(plan: Plan, shipments: frozenset[_Shipment]) -> tuple[Load, ...]:
    """The load of every source of the list, the busiest first; idle ones too."""
    served: dict[SourceId, list[tuple[PlanLine, PlanAssignment]]] = {id: [] for id in plan.reasons.source_ids}
    for line, assignment in _assignments(plan):
        served.setdefault(assignment.source_id, []).append((line, assignment))
    loads = (
        Load(
            source_id,
            orders=len({line.order_id for line, _ in pairs}),
            lines=len(pairs),
            units=sum(assignment.units for _, assignment in pairs),
            average_km=_average_km(frozenset(shipment for shipment in shipments if shipment[1] == source_id)),
        )
        for source_id, pairs in served.items()
    )
    return tuple(sorted(loads, key=lambda load: (-load.units, load.source_id)))
