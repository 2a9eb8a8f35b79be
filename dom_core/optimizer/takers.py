"""Who has the stock, or the room at a source, that a line would need."""

from collections import Counter
from collections.abc import Iterator

from dom_core.domain.explanation import Taker
from dom_core.domain.ids import LineId, OrderId, SourceId
from dom_core.domain.reason import Reason, Verdict
from dom_core.optimizer.explanation import Judge
from dom_core.rules.base import CapacityLimit

STOCK = "stock"
"""The code of the reason that other lines have the units of a cell."""


def takers(judge: Judge, line: int, source: int, reason: Reason) -> tuple[Taker, ...]:
    """Those who have what the pair at these positions would need; nobody where the reason is not `taken`."""
    if reason.verdict is not Verdict.TAKEN:
        return ()
    if reason.code == STOCK:
        return holders(judge, line, source)
    capacity = _full_capacity(judge, line, source, reason)
    return tuple(_visitors(judge, capacity)) if capacity else ()


def holders(judge: Judge, line: int, source: int) -> tuple[Taker, ...]:
    """The other lines that the plan serves from the cell in which this line's product lies at the source."""
    batch, held = judge.batch, Counter[tuple[OrderId, LineId]]()
    source_id, me = batch.sources[source].id, (batch.order(line).id, batch.lines[line].id)
    for draw in judge.takings.at_cell.get((batch.lines[line].product_id, source_id), ()):
        if (draw.order_id, draw.line_id) != me:
            held[draw.order_id, draw.line_id] += draw.units
    return tuple(Taker(order_id, source_id, line_id, units) for (order_id, line_id), units in held.items())


def _full_capacity(judge: Judge, line: int, source: int, reason: Reason) -> CapacityLimit | None:
    """The limit of the rule that the reason names which has no room at the source any more."""
    order = int(judge.batch.order_of[line])
    for capacity in judge.result_of(line).candidates.capacities:
        concerned = capacity.rule_id == reason.rule_id and source in capacity.sources
        if concerned and (order, source) not in capacity.counted and _is_full(judge, capacity):
            return capacity
    return None


def _is_full(judge: Judge, capacity: CapacityLimit) -> bool:
    return judge.takings.visits(judge.batch, capacity) >= capacity.remaining


def _visitors(judge: Judge, capacity: CapacityLimit) -> Iterator[Taker]:
    """Orders of earlier plans first, then those of this plan. Lines of earlier plans are known by number only."""
    for order_id, source_id in capacity.taken_by:
        yield Taker(order_id, source_id, earlier=True)
    yield from _of_this_plan(judge, capacity)


def _of_this_plan(judge: Judge, capacity: CapacityLimit) -> Iterator[Taker]:
    """The orders, or lines, that take room: in the order of the plan, and of sources for each."""
    units, first = Counter[tuple[OrderId, SourceId, LineId | None]](), dict[tuple[str, ...], int]()
    for draw in judge.takings.at_limit(judge.batch, capacity):
        line_id = draw.line_id if capacity.per_line else None
        units[draw.order_id, draw.source_id, line_id] += draw.units
        who = (draw.order_id, line_id or "")
        first[who] = min(draw.position, first.get(who, draw.position))
    for order_id, source_id, line_id in sorted(units, key=lambda key: (first[key[0], key[2] or ""], key[1])):
        yield Taker(order_id, source_id, line_id, units[order_id, source_id, line_id])
