"""A finished plan made by brute force: what the audit must accept without knowing the optimizer."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from dom_core.domain.network import Location, Source
from dom_core.domain.order import ExceptionKind, Line, Order
from dom_core.domain.plan import (
    CostItem,
    Ending,
    HeldLine,
    IterationReport,
    Level,
    LevelValue,
    Plan,
    PlanAssignment,
    PlanLine,
    PlanState,
)
from dom_core.domain.reason import Reason, Verdict
from dom_core.domain.reason_table import ReasonTable
from dom_core.domain.request import PlanRequest
from dom_core.domain.strategy import ObjectiveMode, RuleRecord
from dom_core.rules import build
from dom_core.rules.base import Violation
from tests.oracle.distance import distance_m
from tests.oracle.enumeration import Best, best_first_iteration, best_second_iteration, cents_charged
from tests.oracle.meaning import Meaning, Use, eligible_orders, of_iteration

CLOSEST = (Level.UNFILLED_UNITS, Level.SHIPMENTS, Level.PRIORITY_STEPS, Level.DISTANCE_KM)
BY_COST = (Level.UNFILLED_UNITS, Level.COST_CENTS, Level.PRIORITY_STEPS, Level.DISTANCE_KM)

CHOSEN = Reason(Verdict.CHOSEN, "chosen")
DEARER = Reason(Verdict.DEARER, "distance_km")


def plan_by_brute_force(request: PlanRequest) -> Plan:
    """The best plan of a tiny request, with reports and the simplest reasons."""
    strict = request.strategy.objective_mode is ObjectiveMode.STRICT
    first = best_first_iteration(request, strict=strict)
    second = best_second_iteration(request, first.use, strict=strict)
    eligible = [(order, line) for order, lines in eligible_orders(request) for line in lines]
    taken = {(order.id, line.id) for order, line in eligible}
    reason = Reason(Verdict.EXCLUDED, "held")
    costs = _costs(of_iteration(request, 2), first.use, second.use)
    lines = tuple(_plan_line(request, order, line, first.use, second.use, costs) for order, line in eligible)
    return naming_what_it_relaxes(
        request,
        Plan(
            id=request.plan_id,
            run_id=request.run_id,
            strategy_id=request.strategy.id,
            state=PlanState.SIMULATED if request.strategy.simulation else PlanState.PROPOSED,
            planned_at=request.now,
            engine_version="brute force",
            configuration_hash="",
            input_hash="",
            lines=lines,
            held=tuple(
                HeldLine(order.id, line.id, reason)
                for order in request.orders
                for line in order.lines
                if (order.id, line.id) not in taken
            ),
            iterations=(_report(request, 1, lines, first), _report(request, 2, lines, second)),
            reasons=_reasons(request, lines),
            largest_distance_km=first.largest_distance_km,
        ),
    )


def naming_what_it_relaxes(request: PlanRequest, plan: Plan) -> Plan:
    """The plan with each assignment of iteration 2 naming the soft rules whose own check it fails."""
    broken = {
        (violation.order_id, violation.line_id, violation.source_id, record.id)
        for record in request.rules_enabled()
        for violation in build(record).violations(request, plan)
        if request.in_force_at(record, _calendar(request, record, violation))
        and not (record.kind == "location_priority" and not record.hard and _ranks_only(request))
    }

    def named(line: PlanLine, assignment: PlanAssignment) -> PlanAssignment:
        here = (line.order_id, line.line_id, assignment.source_id)
        ids = tuple(sorted(id for *place, id in broken if tuple(place) == here))
        return replace(assignment, relaxed_rule_ids=ids) if assignment.iteration == 2 else assignment

    return replace(
        plan,
        lines=tuple(replace(line, assignments=tuple(named(line, a) for a in line.assignments)) for line in plan.lines),
    )


def _calendar(request: PlanRequest, record: RuleRecord, violation: Violation) -> Source | None:
    """Whose calendar the rule follows: that of the source, unless the rule is about the order."""
    return None if record.kind == "partial_orders" else _source(request, violation.source_id)


def _ranks_only(request: PlanRequest) -> bool:
    return request.strategy.location_priority_mode == "flag_decides"


def _source(request: PlanRequest, source_id: str | None) -> Source | None:
    return next((source for source in request.sources if source.id == source_id), None)


Part = tuple[str, str, str, int]
"""Order id, line id, source id, iteration: one assignment."""


def _costs(meaning: Meaning, first: Use, second: Use) -> Mapping[Part, tuple[CostItem, ...]]:
    """Everything that a shipment pays, on its first assignment: how shares are cut is nobody's business here."""
    parts = [(pair, number) for number, use in ((1, first), (2, second)) for pair in sorted(use)]
    found: dict[Part, tuple[CostItem, ...]] = {}
    for order, lines in meaning.orders:
        cents = Counter[tuple[object, object]]()
        for (_, source_id, factor_id, *_), amount in cents_charged(meaning, order, lines, {**first, **second}).items():
            cents[source_id, factor_id] += amount
        for (source_id, factor_id), amount in cents.items():
            place = next(
                (*key, source, number) for (key, source), number in parts if (key[0], source) == (order.id, source_id)
            )
            found[place] = (*found.get(place, ()), CostItem(str(factor_id), amount))
    return found


def _plan_line(
    request: PlanRequest,
    order: Order,
    line: Line,
    first: Use,
    second: Use,
    costs: Mapping[Part, tuple[CostItem, ...]],
) -> PlanLine:
    assignments = tuple(
        PlanAssignment(
            source_id,
            units,
            distance_m(line.location, _location(request, source_id)),
            number,
            costs=costs.get((*key, source_id, number), ()),
        )
        for number, use in ((1, first), (2, second))
        for (key, source_id), units in sorted(use.items())
        if key == (order.id, line.id)
    )
    filled = sum(assignment.units for assignment in assignments)
    exception = None if filled == line.units else ExceptionKind.NOT_IN_PLAN
    return PlanLine(order.id, line.id, order.version, line.product_id, line.units, assignments, exception)


def _location(request: PlanRequest, source_id: str) -> Location | None:
    source = _source(request, source_id)
    return source.location if source else None


def _report(request: PlanRequest, number: int, lines: tuple[PlanLine, ...], best: Best) -> IterationReport:
    meaning = of_iteration(request, number)
    rates, names = meaning.rates, CLOSEST if meaning.tariff is None else BY_COST
    points = (rates.unfilled_unit, rates.shipment, rates.priority_step, rates.kilometre)
    before = [sum(a.units for a in line.assignments if a.iteration < number) for line in lines]
    after = [sum(a.units for a in line.assignments if a.iteration <= number) for line in lines]
    spans = list(zip((line.units for line in lines), before, after, strict=True))
    return IterationReport(
        number=number,
        lines=sum(had < units for units, had, _ in spans),
        filled_lines=sum(had < units == has for units, had, has in spans),
        units=sum(units - had for units, had, _ in spans),
        filled_units=sum(has - had for _, had, has in spans),
        levels=tuple(
            LevelValue(level, amount, rate) for level, amount, rate in zip(names, best.levels, points, strict=True)
        ),
        total=best.total,
        bound=float(best.total),
        gap=0.0,
        ending=Ending.OPTIMAL,
        ending_limit="",
        solver="brute force",
        seconds=0.0,
    )


def _reasons(request: PlanRequest, lines: tuple[PlanLine, ...]) -> ReasonTable:
    source_ids = tuple(sorted(source.id for source in request.sources))
    rows = (
        bytes(0 if source_id in {a.source_id for a in line.assignments} else 1 for source_id in source_ids)
        for line in lines
    )
    return ReasonTable(source_ids, (CHOSEN, DEARER), tuple(rows))
