"""The objective of a finished plan, added up again from its assignments (docs/semantics.md section 5).

Part of the audit: nothing here is shared with the model that made the plan.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dom_core.domain.ids import OrderId, ProductId, SourceId
from dom_core.domain.network import Location, Product, Source
from dom_core.domain.order import Line, Order
from dom_core.domain.plan import Level, LevelValue, Plan, PlanAssignment
from dom_core.domain.request import PlanRequest
from dom_core.domain.strategy import LocationPriorityMode, RuleRecord
from dom_core.optimizer.audit import costs
from dom_core.watch import UNWATCHED, Watch

_CLASS_WEIGHTS = {1: 16, 2: 8, 3: 4, 4: 2, 5: 1}

Stop = tuple[OrderId, SourceId]
"""An order at a source: one shipment."""


def level_values(request: PlanRequest, plan: Plan, iteration: int, watch: Watch = UNWATCHED) -> tuple[LevelValue, ...]:
    """Every level of one iteration, most important first."""
    rates = cost_rates(request, plan) if request.costs_in_force() else level_rates(request, plan.largest_distance_km)
    return tuple(
        LevelValue(level, _AMOUNTS[level](request, plan, iteration, watch), rate) for level, rate in rates.items()
    )


def cost_rates(request: PlanRequest, plan: Plan) -> Mapping[Level, int]:
    """Points by cost: cents count once, and an unfilled unit as the plan says."""
    told = next((value.rate for value in plan.iterations[0].levels if value.level is Level.UNFILLED_UNITS), 0)
    return {
        Level.UNFILLED_UNITS: _given_or(request.strategy.rates.unfilled_unit, told),
        Level.COST_CENTS: 1,
        Level.PRIORITY_STEPS: 0,
        Level.DISTANCE_KM: 0,
    }


def level_rates(request: PlanRequest, largest_distance_km: int) -> Mapping[Level, int]:
    """Points per unit of each level: the strategy's own, or the defaults."""
    ranked = any(
        record.kind == "location_priority" and record.enabled and request.in_force_at(record)
        for record in request.rules
    )
    given = request.strategy.rates
    shipment = _given_or(given.shipment, 10 * largest_distance_km if ranked else largest_distance_km)
    return {
        Level.UNFILLED_UNITS: _given_or(given.unfilled_unit, 4 * shipment),
        Level.SHIPMENTS: shipment,
        Level.PRIORITY_STEPS: _given_or(given.priority_step, largest_distance_km if ranked else 0),
        Level.DISTANCE_KM: _given_or(given.kilometre, 1),
    }


def _given_or(given: int | None, otherwise: int) -> int:
    return otherwise if given is None else given


def _unfilled(request: PlanRequest, plan: Plan, iteration: int, watch: Watch) -> int:
    """Units that are still missing after the iteration, weighted by the priority class of their order."""
    classes = {order.id: order.priority_class for order in request.orders}
    missing = 0
    for line in watch.each(plan.lines):
        filled = sum(assignment.units for assignment in line.assignments if assignment.iteration <= iteration)
        missing += _CLASS_WEIGHTS.get(classes[line.order_id] or 0, 1) * (line.units - filled)
    return missing


def _shipments(_request: PlanRequest, plan: Plan, iteration: int, watch: Watch) -> int:
    """Orders at sources where they were not before."""
    stops: dict[Stop, int] = {}
    for line in watch.each(plan.lines):
        for assignment in line.assignments:
            stop = (line.order_id, assignment.source_id)
            stops[stop] = min(assignment.iteration, stops.get(stop, assignment.iteration))
    return sum(first == iteration for first in stops.values())


def _priority_steps(request: PlanRequest, plan: Plan, iteration: int, watch: Watch) -> int:
    """Steps down from priority 1, the worst line of each shipment; less what iteration 1 counted for it."""
    now = _steps_by_stop(request, plan, iteration, watch)
    before = _steps_by_stop(request, plan, 1, watch) if iteration > 1 else {}
    return sum(max(0, steps - before.get(stop, 0)) for stop, steps in now.items())


def _steps_by_stop(request: PlanRequest, plan: Plan, iteration: int, watch: Watch) -> dict[Stop, int]:
    ranking = _Ranking(request, iteration)
    if not ranking.records:
        return {}
    steps: dict[Stop, int] = {}
    for line in watch.each(plan.lines):
        for assignment in line.assignments:
            if assignment.iteration == iteration:
                stop = (line.order_id, assignment.source_id)
                priority = ranking.priority(line.product_id, assignment.source_id)
                steps[stop] = max(steps.get(stop, 0), priority - 1)
    return steps


def _kilometres(request: PlanRequest, plan: Plan, iteration: int, watch: Watch) -> int:
    """Kilometres of every way from a source to a destination of an order that was not travelled before."""
    ways: dict[tuple[OrderId, Location | None, SourceId], tuple[int, int]] = {}
    for order, line, assignment in _assigned(request, plan, watch):
        way = (order.id, line.location, assignment.source_id)
        first = min(assignment.iteration, ways[way][0] if way in ways else assignment.iteration)
        ways[way] = (first, _objective_km(request, plan, assignment.distance_m))
    return sum(km for first, km in ways.values() if first == iteration)


def _objective_km(request: PlanRequest, plan: Plan, distance_m: int | None) -> int:
    """Whole kilometres, half up; none within the local radius, the largest distance where it is unknown."""
    if distance_m is None:
        return plan.largest_distance_km
    within = distance_m <= request.strategy.local_radius_km * 1000
    return 0 if within else (distance_m + 500) // 1000


def _assigned(request: PlanRequest, plan: Plan, watch: Watch) -> Iterator[tuple[Order, Line, PlanAssignment]]:
    orders = {order.id: order for order in request.orders}
    lines = {(order.id, line.id): line for order in watch.each(request.orders) for line in order.lines}
    for planned in watch.each(plan.lines):
        for assignment in planned.assignments:
            yield orders[planned.order_id], lines[planned.order_id, planned.line_id], assignment


_AMOUNTS: Mapping[Level, Callable[[PlanRequest, Plan, int, Watch], int]] = {
    Level.COST_CENTS: costs.cents_of,
    Level.UNFILLED_UNITS: _unfilled,
    Level.SHIPMENTS: _shipments,
    Level.PRIORITY_STEPS: _priority_steps,
    Level.DISTANCE_KM: _kilometres,
}
"""How much an iteration adds of each level. Raises Cancelled soon after the watch asks to stop."""


class _Ranking:
    """What the location-priority rules of one iteration say, read once more from their parameters."""

    def __init__(self, request: PlanRequest, iteration: int) -> None:
        self._request = request
        self._sources = {source.id: source for source in request.sources}
        always = request.strategy.location_priority_mode is LocationPriorityMode.ALWAYS_HARD
        self.records = [
            record
            for record in request.rules_enabled()
            if record.kind == "location_priority" and (iteration == 1 or record.hard or always)
        ]
        self._known: dict[tuple[ProductId, SourceId], int] = {}

    def priority(self, product_id: ProductId, source_id: SourceId) -> int:
        """The worst priority that a rule in force gives; 0 when none gives one."""
        pair = (product_id, source_id)
        if pair not in self._known:
            product = self._request.products.get(product_id, Product(product_id))
            source = self._sources[source_id]
            in_force = (record for record in self.records if self._request.in_force_at(record, source))
            self._known[pair] = max((self._of_rule(record, product, source) for record in in_force), default=0)
        return self._known[pair]

    def _of_rule(self, record: RuleRecord, product: Product, source: Source) -> int:
        """The priority on the most specific parameter line, the worst of equals."""
        best, priority = (-1, -1), 0
        for entry in record.params["lines"]:
            specificity = (_item_specificity(entry, product), self._place_specificity(entry, source))
            if min(specificity) >= 0 and specificity >= best:
                priority = max(priority, entry["priority"]) if specificity == best else entry["priority"]
                best = specificity
        return priority

    def _place_specificity(self, entry: Mapping[str, Any], source: Source) -> int:
        """2 for the source itself, 1 for a list of it, 0 for everywhere, -1 where the line does not hold."""
        if entry.get("source_id") is not None:
            return 2 if entry["source_id"] == source.id else -1
        if entry.get("source_list_id") is None:
            return 0
        lists = (entry_list for entry_list in self._request.source_lists if entry_list.id == entry["source_list_id"])
        return 1 if any(source.id in source_list.source_ids for source_list in lists) else -1


def _item_specificity(entry: Mapping[str, Any], product: Product) -> int:
    """4 for the product itself, 3 for its parent, 2 and 1 for categories, 0 for everything, -1 for another item."""
    if entry.get("product_id") is not None:
        return {product.id: 4, product.parent_id: 3}.get(entry["product_id"], -1)
    if entry.get("supplementary_category") is not None:
        return 2 if entry["supplementary_category"] in product.supplementary_categories else -1
    if entry.get("category") is not None:
        return 1 if entry["category"] in product.categories else -1
    return 0
