"""Maximum orders: how many orders a source, or several sources together, may have.

An order counts once at each source where it has an open assignment; those of earlier plans count, and those of this
run. An order that a source already has needs no room there again. Within a strategy every limit holds at once, so the
lowest decides. Where other active strategies limit the same source by the same basis, the highest of the strategies'
own limits counts, or with the *setting* `maximum_orders_across: own` the strategy's own (C3). A strategy that does not
limit the source has no say. Totals are never compared: each strategy keeps its own.

What is counted is the `basis` (C2): `open_orders` (default), the orders with an open assignment; `calendar_day`, the
orders assigned since midnight of the source's own day; `lines_per_day`, the lines assigned since then, each line
once for each source that ships of it.

Parameters:

- `lines`, at least one: a place, `limit` (0 or more), `basis`, and `per`: `each` source of the place (default), or
  their `total`. The total of a source list counts all its sources, also those that this strategy does not use.

```json
{"lines": [{"source_list_id": "stores", "limit": 20}, {"source_id": "WH-1", "limit": 500, "basis": "lines_per_day"}]}
```

Reasons: none beforehand. Which orders get the room is the optimizer's choice; a pair that finds none shows who took it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Self

from dom_core.domain.batch import Batch
from dom_core.domain.ids import OrderId, RuleId, SourceId
from dom_core.domain.plan import Plan
from dom_core.domain.request import PlanRequest, SourceLoad
from dom_core.domain.strategy import MAXIMUM_ORDERS, MaximumOrdersAcross
from dom_core.domain.units import Count
from dom_core.rules import checking, parameters
from dom_core.rules.base import CapacityLimit, Rule, Violation
from dom_core.watch import UNWATCHED, Watch


class Basis(StrEnum):
    """What is counted."""

    OPEN_ORDERS = "open_orders"
    CALENDAR_DAY = "calendar_day"
    LINES_PER_DAY = "lines_per_day"


class Per(StrEnum):
    """Whether each source has the limit for itself, or all together."""

    EACH = "each"
    TOTAL = "total"


class OrdersLine(parameters.PlaceScope):
    """A number of orders or lines, at a place."""

    limit: Count
    basis: Basis = Basis.OPEN_ORDERS
    per: Per = Per.EACH


class MaximumOrdersParameters(parameters.Parameters):
    """Who may have how many."""

    lines: parameters.NonEmpty[OrdersLine]


@dataclass(frozen=True, slots=True)
class MaximumOrders(Rule):
    """Limits the orders at sources."""

    kind: ClassVar[str] = MAXIMUM_ORDERS
    shares_room: ClassVar[bool] = True

    params: MaximumOrdersParameters

    @classmethod
    def from_params(cls, id: RuleId, params: Mapping[str, Any]) -> Self:
        """The rule that these stored parameters describe."""
        return cls(id, parameters.read(params, MaximumOrdersParameters, id))

    def references(self) -> Iterator[tuple[str, str, str]]:
        """Sources and source lists of the lines."""
        return parameters.references_of(self.params.lines, "params.lines")

    def capacities(self, batch: Batch) -> Iterator[CapacityLimit]:
        """The room that earlier plans left: one limit per line and source, or per line for a total."""
        source_at = {source.id: position for position, source in enumerate(batch.sources)}
        order_at = {order.id: position for position, order in enumerate(batch.orders)}
        elsewhere = _Elsewhere(batch.request)
        for line in self.params.lines:
            for group in _groups(batch, line):
                if any(source_id in source_at for source_id in group):
                    raised = elsewhere.raised(line, group)
                    yield self._room(batch.request, raised, group, source_at, order_at)

    def violations(self, request: PlanRequest, plan: Plan, watch: Watch = UNWATCHED) -> Iterator[Violation]:
        """Assignments that bring an order, or a line, to a source that has no room for it."""
        facts, assigned = checking.Facts.of(request), list(checking.assignments(plan, watch))
        return checking.once(
            violation
            for line in self.params.lines
            for too_many in [self._too_many_lines if _by_line(line) else self._too_many_orders]
            for violation in too_many(facts, watch.each(assigned), line)
        )

    def _room(
        self,
        request: PlanRequest,
        line: OrdersLine,
        group: Sequence[SourceId],
        source_at: Mapping[SourceId, int],
        order_at: Mapping[OrderId, int],
    ) -> CapacityLimit:
        """What is left of a limit. Sources that this strategy does not use take room, but are given none."""
        loads = {source_id: request.load(source_id) for source_id in group}
        earlier = {source_id: _orders_of(load, line.basis) for source_id, load in loads.items()}
        lines_today = sum(load.lines_today for load in loads.values())
        used = lines_today if _by_line(line) else sum(len(orders) for orders in earlier.values())
        return CapacityLimit(
            sources=tuple(sorted(source_at[source_id] for source_id in group if source_id in source_at)),
            remaining=max(0, line.limit - used),
            per_line=_by_line(line),
            counted=frozenset(
                (order_at[order_id], source_at[source_id])
                for source_id in group
                if source_id in source_at
                for order_id in earlier[source_id]
                if order_id in order_at
            ),
            rule_id=self.id,
            taken_by=tuple(sorted((order_id, at) for at, orders in earlier.items() for order_id in orders)),
        )

    def _too_many_orders(
        self, facts: checking.Facts, assigned: Iterable[checking.Assigned], limit: OrdersLine
    ) -> Iterator[Violation]:
        placed: dict[str, set[tuple[OrderId, SourceId]]] = {}
        refused: set[tuple[OrderId, SourceId]] = set()
        for line, assignment in assigned:
            if not checking.holds_at(facts, limit, assignment.source_id):
                continue
            counter = _counter_of(limit, assignment.source_id)
            if counter not in placed:
                placed[counter] = _placed_before(facts, limit, assignment.source_id)
            taken = placed[counter]
            pair = (line.order_id, assignment.source_id)
            most = _most_at(facts, limit, assignment.source_id)
            if pair not in taken:
                if len(taken) >= most:
                    refused.add(pair)
                taken.add(pair)
            if pair in refused:
                yield checking.breach(self.id, (line, assignment), f"is beyond the limit of {most} orders")

    def _too_many_lines(
        self, facts: checking.Facts, assigned: Iterable[checking.Assigned], limit: OrdersLine
    ) -> Iterator[Violation]:
        placed: dict[str, int] = {}
        seen: set[tuple[str, str, str]] = set()
        for line, assignment in assigned:
            pair = (line.order_id, line.line_id, assignment.source_id)
            if pair in seen or not checking.holds_at(facts, limit, assignment.source_id):
                continue
            seen.add(pair)
            counter = _counter_of(limit, assignment.source_id)
            if counter not in placed:
                together = _together(facts, limit, assignment.source_id)
                placed[counter] = sum(facts.request.load(source_id).lines_today for source_id in together)
            placed[counter] += 1
            most = _most_at(facts, limit, assignment.source_id)
            if placed[counter] > most:
                yield checking.breach(self.id, (line, assignment), f"is beyond the limit of {most} lines a day")


class _Elsewhere:
    """What the other active strategies allow (C3)."""

    def __init__(self, request: PlanRequest) -> None:
        self._request = request
        self._sources = {source.id: source for source in request.sources}
        self._members = {entry.id: frozenset(entry.source_ids) for entry in request.source_lists}
        self._strategies = [
            (
                other.source_ids,
                [(rule, parameters.read(rule.params, MaximumOrdersParameters, rule.id)) for rule in other.rules],
            )
            for other in request.limits_elsewhere
            if request.strategy.maximum_orders_across is MaximumOrdersAcross.HIGHEST
        ]

    def raised(self, line: OrdersLine, group: Sequence[SourceId]) -> OrdersLine:
        """The line with the highest limit of any strategy. A group of one is a source by itself; totals stay.

        The lowest within a strategy and then the highest across is the same as raising each line by itself.
        """
        if line.per is Per.TOTAL or not self._strategies:
            return line
        return line.model_copy(update={"limit": max([line.limit, *self._lowest_of_each(group[0], line.basis)])})

    def _lowest_of_each(self, source_id: SourceId, basis: Basis) -> Iterator[int]:
        """The lowest limit within each strategy that limits the source."""
        source = self._sources[source_id]
        for source_ids, rules in self._strategies:
            limits = [
                line.limit
                for record, params in rules
                if source_id in source_ids and self._request.in_force_at(record, source)
                for line in params.lines
                if (line.per, line.basis) == (Per.EACH, basis) and self._is_at(line, source_id)
            ]
            if limits:
                yield min(limits)

    def _is_at(self, line: OrdersLine, source_id: SourceId) -> bool:
        if line.source_id is not None:
            return line.source_id == source_id
        return line.source_list_id is None or source_id in self._members.get(line.source_list_id, ())


def _by_line(line: OrdersLine) -> bool:
    return line.basis is Basis.LINES_PER_DAY


def _groups(batch: Batch, line: OrdersLine) -> list[tuple[SourceId, ...]]:
    """The sources that share the limit of a line: each alone, or all together."""
    ids = _source_ids(batch, line)
    if line.per is Per.TOTAL:
        return [ids] if ids else []
    return [(source_id,) for source_id in ids]


def _source_ids(batch: Batch, line: OrdersLine) -> tuple[SourceId, ...]:
    if line.source_id is not None:
        return (line.source_id,)
    if line.source_list_id is None:
        return tuple(source.id for source in batch.sources)
    lists = (entry for entry in batch.request.source_lists if entry.id == line.source_list_id)
    return tuple(sorted({source_id for entry in lists for source_id in entry.source_ids}))


def _orders_of(load: SourceLoad, basis: Basis) -> frozenset[OrderId]:
    match basis:
        case Basis.OPEN_ORDERS:
            return load.open_order_ids
        case Basis.CALENDAR_DAY:
            return load.order_ids_today
        case Basis.LINES_PER_DAY:
            return frozenset()


def _counter_of(limit: OrdersLine, source_id: SourceId) -> str:
    """The name under which the audit adds up what counts together."""
    return "" if limit.per is Per.TOTAL else source_id


def _most_at(facts: checking.Facts, limit: OrdersLine, source_id: SourceId) -> int:
    """The audit's own reading of what several strategies allow at a source: straight from the stored parameters."""
    most = limit.limit
    if limit.per is Per.TOTAL or facts.request.strategy.maximum_orders_across is MaximumOrdersAcross.OWN:
        return most
    for other in facts.request.limits_elsewhere:
        allowed = [
            entry["limit"]
            for rule in other.rules
            for entry in rule.params["lines"]
            if source_id in other.source_ids
            and facts.request.in_force_at(rule, facts.sources.get(source_id))
            and entry.get("per", "each") == "each"
            and entry.get("basis", "open_orders") == limit.basis
            and entry.get("source_id", source_id) in (source_id, None)
            and (not entry.get("source_list_id") or source_id in facts.members.get(entry["source_list_id"], ()))
        ]
        most = max(most, min(allowed, default=0))
    return most


def _together(facts: checking.Facts, limit: OrdersLine, source_id: SourceId) -> list[SourceId]:
    """The sources whose earlier orders count together with this source's."""
    if limit.per is Per.EACH or limit.source_id is not None:
        return [source_id]
    if limit.source_list_id is not None:
        return sorted(facts.members[limit.source_list_id])
    return sorted(facts.sources)


def _placed_before(facts: checking.Facts, limit: OrdersLine, source_id: SourceId) -> set[tuple[OrderId, SourceId]]:
    """The (order, source) pairs of earlier plans that count towards a limit."""
    placed: set[tuple[OrderId, SourceId]] = set()
    for member in _together(facts, limit, source_id):
        load = facts.request.load(member)
        orders = load.open_order_ids if limit.basis is Basis.OPEN_ORDERS else load.order_ids_today
        placed.update((order_id, member) for order_id in orders)
    return placed
