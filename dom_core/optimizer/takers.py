"""Who has the stock, or the room at a source, that a line would need."""

from collections import Counter
from collections.abc import Iterator

from dom_core.domain.explanation import Taker
from dom_core.domain.reason import Reason, Verdict
from dom_core.optimizer.candidates import Candidates
from dom_core.optimizer.costs import Flow
from dom_core.optimizer.relaxation import TwoIterations
from dom_core.rules.base import CapacityLimit

STOCK = "stock"
"""The code of the reason that other lines have the units of a cell."""


def takers(iterations: TwoIterations, line: int, source: int, reason: Reason) -> tuple[Taker, ...]:
    """Those who have what the pair at these positions would need; nobody where the reason is not `taken`."""
    if reason.verdict is not Verdict.TAKEN:
        return ()
    if reason.code == STOCK:
        return holders(iterations, line, source)
    capacity = _full_capacity(iterations, line, source, reason)
    return tuple(_visitors(iterations, capacity)) if capacity else ()


def holders(iterations: TwoIterations, line: int, source: int) -> tuple[Taker, ...]:
    """The other lines that the plan serves from the cell in which this line's product lies at the source."""
    batch = iterations.first.problem.batch
    held = Counter[int]()
    for other, at, units in _flows(iterations):
        if at == source and other != line and batch.product_of[other] == batch.product_of[line]:
            held[other] += units
    return tuple(
        Taker(batch.order(other).id, batch.sources[source].id, batch.lines[other].id, units)
        for other, units in sorted(held.items())
    )


def _flows(iterations: TwoIterations) -> tuple[Flow, ...]:
    return (*iterations.first.flows, *iterations.second.flows)


def _full_capacity(iterations: TwoIterations, line: int, source: int, reason: Reason) -> CapacityLimit | None:
    """The limit of the rule that the reason names which has no room at the source any more."""
    order = int(iterations.first.problem.batch.order_of[line])
    for capacity in _candidates(iterations, line).capacities:
        concerned = capacity.rule_id == reason.rule_id and source in capacity.sources
        if concerned and (order, source) not in capacity.counted and _is_full(iterations, capacity):
            return capacity
    return None


def _candidates(iterations: TwoIterations, line: int) -> Candidates:
    """Those of the last iteration that the line took part in: its rules gave the reason."""
    second = iterations.second
    entered = second.problem.wanted[line] > 0 and second.problem.allowed.any()
    return second.candidates if entered else iterations.first.candidates


def _is_full(iterations: TwoIterations, capacity: CapacityLimit) -> bool:
    return len(_counted_visits(iterations, capacity)) >= capacity.remaining


def _counted_visits(iterations: TwoIterations, capacity: CapacityLimit) -> Counter[tuple[int, int]]:
    """(order or line, source) pairs of the plan that take room, with their units; write-in lines take none (C8)."""
    batch = iterations.first.problem.batch
    visits = Counter[tuple[int, int]]()
    for line, at, units in _flows(iterations):
        visitor = (line if capacity.per_line else int(batch.order_of[line]), at)
        if at in capacity.sources and not batch.is_write_in(line) and visitor not in _free(capacity):
            visits[visitor] += units
    return visits


def _free(capacity: CapacityLimit) -> frozenset[tuple[int, int]]:
    return frozenset() if capacity.per_line else capacity.counted


def _visitors(iterations: TwoIterations, capacity: CapacityLimit) -> Iterator[Taker]:
    """Orders of earlier plans first, then those of this plan. Lines of earlier plans are known by number only."""
    batch = iterations.first.problem.batch
    for order_id, source_id in capacity.taken_by:
        yield Taker(order_id, source_id, earlier=True)
    for (visitor, source), units in sorted(_counted_visits(iterations, capacity).items()):
        if capacity.per_line:
            yield Taker(batch.order(visitor).id, batch.sources[source].id, batch.lines[visitor].id, units)
        else:
            yield Taker(batch.orders[visitor].id, batch.sources[source].id, units=units)
