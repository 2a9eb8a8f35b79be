"""What a plan takes of stock and of room, by ids: the same for the whole batch and for one order of it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from dom_core.domain.batch import Batch
from dom_core.domain.ids import LineId, OrderId, ProductId, SourceId
from dom_core.domain.network import WRITE_IN_PRODUCT_ID
from dom_core.domain.plan import Plan
from dom_core.optimizer.costs import Flow
from dom_core.rules.base import CapacityLimit

Cell = tuple[ProductId, SourceId]


class Draw(NamedTuple):
    """Units that a line takes at a source. `position` is where the line stands in the plan."""

    position: int
    order_id: OrderId
    line_id: LineId
    source_id: SourceId
    units: int


@dataclass(frozen=True, slots=True)
class Takings:
    """Who draws on which cell, and who comes to which source; in the order of the plan's lines.

    `units` are those drawn from each cell, `at_cell` the lines that draw them, `at_source` those that count where a
    source's room is limited: write-in lines do not (C8).
    """

    units: Mapping[Cell, int]
    at_cell: Mapping[Cell, list[Draw]]
    at_source: Mapping[SourceId, list[Draw]]

    @classmethod
    def of_plan(cls, plan: Plan) -> "Takings":
        """What a finished plan takes."""
        return _gathered(
            (line.product_id, Draw(position, line.order_id, line.line_id, assignment.source_id, assignment.units))
            for position, line in enumerate(plan.lines)
            for assignment in line.assignments
        )

    @classmethod
    def of_flows(cls, batch: Batch, flows: Iterable[Flow]) -> "Takings":
        """What the flows of a run take, in their order."""
        ids = [source.id for source in batch.sources]
        return _gathered(
            (demand.product_id, Draw(line, batch.order(line).id, demand.id, ids[source], units))
            for line, source, units in flows
            for demand in (batch.lines[line],)
        )

    def at_limit(self, batch: Batch, capacity: CapacityLimit) -> list[Draw]:
        """What takes room that a limit counts: an order counts once, and not where earlier plans count it already."""
        free = frozenset() if capacity.per_line else _counted(batch, capacity)
        return [
            draw
            for source in capacity.sources
            for draw in self.at_source.get(batch.sources[source].id, ())
            if (draw.order_id, draw.source_id) not in free
        ]

    def visits(self, batch: Batch, capacity: CapacityLimit) -> int:
        """How many orders, or lines, take that room."""
        drawn = self.at_limit(batch, capacity)
        if capacity.per_line:
            return len({(draw.position, draw.source_id) for draw in drawn})
        return len({(draw.order_id, draw.source_id) for draw in drawn})


def _counted(batch: Batch, capacity: CapacityLimit) -> frozenset[tuple[OrderId, SourceId]]:
    """Orders at sources that earlier plans count, whether or not they are in the batch."""
    here = ((batch.orders[order].id, batch.sources[source].id) for order, source in capacity.counted)
    return frozenset(here).union(capacity.taken_by)


def _gathered(draws: Iterable[tuple[ProductId, Draw]]) -> Takings:
    units = Counter[Cell]()
    at_cell, at_source = defaultdict[Cell, list[Draw]](list), defaultdict[SourceId, list[Draw]](list)
    for product_id, draw in draws:
        units[product_id, draw.source_id] += draw.units
        at_cell[product_id, draw.source_id].append(draw)
        if product_id != WRITE_IN_PRODUCT_ID:
            at_source[draw.source_id].append(draw)
    return Takings(units, dict(at_cell), dict(at_source))
