"""Re-checks a finished plan without looking at how it was made.

Plain loops over domain objects, nothing shared with the model builder: what is wrong there does not hide itself here.
Structure comes first, because the other checks look things up by the ids in the plan; then stock and gates, every
rule through its own `violations`, the distances, the objective (`recount.py`), the reports and the reasons.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import asin, cos, radians, sin, sqrt

from dom_core.domain.network import WRITE_IN_PRODUCT_ID, Location, Source
from dom_core.domain.order import PICKUP_MODES, Line, LineState, Order
from dom_core.domain.plan import (
    Ending,
    IterationReport,
    Level,
    Plan,
    PlanAssignment,
    PlanLine,
    PlanState,
)
from dom_core.domain.reason import Verdict
from dom_core.domain.request import PlanRequest
from dom_core.domain.strategy import DistanceMode, InventoryMode, LocationPriorityMode, RuleRecord
from dom_core.errors import PlanRejected
from dom_core.optimizer import recount
from dom_core.rules import build
from dom_core.rules.base import Rule, Violation

_EARTH_RADIUS_M = 6_371_009.0
_DISTANCE_TOLERANCE_M = 2
_BOUND_TOLERANCE = 1e-6
"""Of the total: what floating point may add to a bound, or leave of a gap that is proven to be zero."""

_RULES_ABOUT_ORDERS = frozenset({"partial_orders", "maximum_rejects"})
"""Kinds whose dates are UTC dates even where a violation names the source that it was seen at."""


def require_valid(request: PlanRequest, plan: Plan) -> None:
    """Raise PlanRejected with every finding, if there is one."""
    found = findings(request, plan)
    if found:
        raise PlanRejected(found)


def findings(request: PlanRequest, plan: Plan) -> tuple[str, ...]:
    """Everything that is wrong with a plan, one sentence each. A plan of broken structure is not looked at further."""
    subject = _Subject.of(request, plan)
    broken = tuple(finding for check in _STRUCTURE for finding in check(subject))
    return broken or tuple(finding for check in _CONTENT for finding in check(subject))


@dataclass(frozen=True, slots=True)
class _BoundRule:
    """A rule with its record: `dropped` is whether iteration 2 does without it."""

    record: RuleRecord
    rule: Rule
    dropped: bool


@dataclass(frozen=True, slots=True)
class _Subject:
    """What is audited, and what the checks look up by id."""

    request: PlanRequest
    plan: Plan
    orders: dict[str, Order]
    lines: dict[tuple[str, str], Line]
    sources: dict[str, Source]
    rules: tuple[_BoundRule, ...]

    @classmethod
    def of(cls, request: PlanRequest, plan: Plan) -> "_Subject":
        return cls(
            request,
            plan,
            {order.id: order for order in request.orders},
            {(order.id, line.id): line for order in request.orders for line in order.lines},
            {source.id: source for source in request.sources},
            tuple(_bound_rule(request, record) for record in request.rules_enabled()),
        )

    def assigned(self) -> Iterator[tuple[PlanLine, PlanAssignment]]:
        """Every assignment with its line."""
        for line in self.plan.lines:
            for assignment in line.assignments:
                yield line, assignment

    def in_force(self, record: RuleRecord, source_id: str | None = None) -> bool:
        """Whether the rule's dates cover the run: on the source's calendar for rules about sources, else in UTC."""
        about_source = source_id is not None and record.kind not in _RULES_ABOUT_ORDERS
        return self.request.in_force_at(record, self.sources.get(source_id or "") if about_source else None)


Check = Callable[[_Subject], Iterator[str]]


def _bound_rule(request: PlanRequest, record: RuleRecord) -> _BoundRule:
    rule = build(record)
    always_hard = request.strategy.location_priority_mode is LocationPriorityMode.ALWAYS_HARD
    kept = record.hard or rule.never_relaxed or (record.kind == "location_priority" and always_hard)
    return _BoundRule(record, rule, not kept)


def _name(line: PlanLine, assignment: PlanAssignment | None = None) -> str:
    return f"order {line.order_id} line {line.line_id}" + (f" from {assignment.source_id}" if assignment else "")


# Structure


def _header(subject: _Subject) -> Iterator[str]:
    request, plan = subject.request, subject.plan
    if (plan.id, plan.run_id, plan.strategy_id) != (request.plan_id, request.run_id, request.strategy.id):
        yield f"plan {plan.id} answers another request than {request.plan_id}"
    if request.strategy.simulation and plan.state is not PlanState.SIMULATED:
        yield f"a simulation is {plan.state}"
    if [report.number for report in plan.iterations] != [1, 2]:
        yield "the plan does not report iterations 1 and 2"
    for report in plan.iterations:
        if [value.level for value in report.levels] != list(Level):
            yield f"iteration {report.number} does not report every level once, in their order"


def _lines_known(subject: _Subject) -> Iterator[str]:
    for planned in subject.plan.lines:
        line = subject.lines.get((planned.order_id, planned.line_id))
        if line is None:
            yield f"{_name(planned)} is not in the request"
        elif (planned.product_id, planned.units) != (line.product_id, line.units):
            yield f"{_name(planned)} is planned with another product or other units than it asks for"
        elif planned.order_version != subject.orders[planned.order_id].version:
            yield f"{_name(planned)} was planned on version {planned.order_version} of its order"


def _each_line_once(subject: _Subject) -> Iterator[str]:
    planned = [(line.order_id, line.line_id) for line in subject.plan.lines]
    named = Counter(planned + [(line.order_id, line.line_id) for line in subject.plan.held])
    for order_id, line_id in sorted(subject.lines.keys() | named.keys()):
        times = named[order_id, line_id]
        if times != 1:
            yield f"order {order_id} line {line_id} is {f'named {times} times' if times else 'missing'}"


def _assignments_well_formed(subject: _Subject) -> Iterator[str]:
    for line, assignment in subject.assigned():
        if assignment.source_id not in subject.sources:
            yield f"{_name(line, assignment)}: the source is not in the request"
        if assignment.units < 1:
            yield f"{_name(line, assignment)}: {assignment.units} units are assigned"
        if assignment.iteration not in (1, 2):
            yield f"{_name(line, assignment)}: there is no iteration {assignment.iteration}"
        if [(a.source_id, a.iteration) for a in line.assignments].count(
            (assignment.source_id, assignment.iteration)
        ) > 1:
            yield f"{_name(line, assignment)}: assigned twice in one iteration"


def _reasons_well_formed(subject: _Subject) -> Iterator[str]:
    reasons = subject.plan.reasons
    if sorted(reasons.source_ids) != sorted(subject.sources):
        yield "the reasons are not about the sources of the request"
    if len(reasons.codes) != len(subject.plan.lines):
        yield f"{len(reasons.codes)} lines have reasons, {len(subject.plan.lines)} are planned"
    for row in reasons.codes:
        if len(row) != len(reasons.source_ids) or not all(0 <= code < len(reasons.templates) for code in set(row)):
            yield "a line has not exactly one reason for each source"


_STRUCTURE: tuple[Check, ...] = (
    _header,
    _lines_known,
    _each_line_once,
    _assignments_well_formed,
    _reasons_well_formed,
)


# Which lines


def _eligibility(subject: _Subject) -> Iterator[str]:
    planned = {(line.order_id, line.line_id) for line in subject.plan.lines}
    for (order_id, line_id), line in subject.lines.items():
        order = subject.orders[order_id]
        held = _why_not(subject.request, order, line) or _held_by_rule(subject, order, line)
        if held and (order_id, line_id) in planned:
            yield f"order {order_id} line {line_id} is planned, but {held}"
        if not held and (order_id, line_id) not in planned:
            yield f"order {order_id} line {line_id} is held, but nothing keeps it from being planned"


def _why_not(request: PlanRequest, order: Order, line: Line) -> str:
    """Why no run of this strategy may take the line (docs/semantics.md section 6); empty when it may."""
    strategy = request.strategy
    origins = strategy.sales_origins
    origin_fits = order.sales_origin in origins or (order.sales_origin is None and strategy.process_empty_sales_origin)
    conditions = {
        "its order is cancelled or on hold": order.cancelled or order.on_hold,
        "its legal entity is another": strategy.legal_entities and order.legal_entity not in strategy.legal_entities,
        "its sales origin is another": origins and not origin_fits,
        "its mode of delivery is another": strategy.modes_of_delivery
        and line.mode_of_delivery not in strategy.modes_of_delivery,
        "it needs no source": line.mode_of_delivery in PICKUP_MODES or line.direct_delivery,
        f"it is {line.state}": line.state not in (LineState.UNASSIGNED, LineState.EXCEPTION),
        f"it waits for a person ({line.exception})": line.exception is not None and line.exception.permanent,
        "its attempts are used up": line.attempts >= strategy.max_attempts,
        "its destination is unknown": line.location is None,
    }
    return next((reason for reason, true in conditions.items() if true), "")


def _held_by_rule(subject: _Subject, order: Order, line: Line) -> str:
    for bound in subject.rules:
        if subject.in_force(bound.record) and bound.rule.hold_line(subject.request, order, line):
            return f"rule {bound.record.id} holds it"
    return ""


# Units, gates, distances


def _units(subject: _Subject) -> Iterator[str]:
    for line in subject.plan.lines:
        if line.filled_units > line.units:
            yield f"{_name(line)} gets {line.filled_units} of {line.units} units"
        if line.filled_units == line.units and line.exception:
            yield f"{_name(line)} is filled and yet an exception ({line.exception})"


def _stock(subject: _Subject) -> Iterator[str]:
    taken: Counter[tuple[str, str]] = Counter()
    for line, assignment in subject.assigned():
        if line.product_id != WRITE_IN_PRODUCT_ID and _stock_is_counted(subject, assignment.source_id):
            taken[line.product_id, assignment.source_id] += assignment.units
    for (product_id, source_id), units in sorted(taken.items()):
        available = subject.request.available.get((product_id, source_id), 0)
        if units > available:
            yield f"{source_id} gives {units} units of {product_id} and has {available}"


def _stock_is_counted(subject: _Subject, source_id: str) -> bool:
    mode = subject.request.strategy.inventory_mode
    return (
        subject.sources[source_id].use_real_inventory if mode is InventoryMode.INHERIT else mode is InventoryMode.REAL
    )


def _gates(subject: _Subject) -> Iterator[str]:
    for line, assignment in subject.assigned():
        source, order = subject.sources[assignment.source_id], subject.orders[line.order_id]
        if not source.active:
            yield f"{_name(line, assignment)}: the source is not active"
        if source.legal_entity != order.legal_entity:
            yield f"{_name(line, assignment)}: the source belongs to {source.legal_entity}, not {order.legal_entity}"
        for bar in subject.lines[line.order_id, line.line_id].bars:
            if bar.source_id == source.id and bar.until > subject.request.now:
                yield f"{_name(line, assignment)}: the source refused the line and is barred until {bar.until}"


def _distances(subject: _Subject) -> Iterator[str]:
    if subject.request.strategy.distance_mode is not DistanceMode.AERIAL:
        return  # Distances by road come from outside: there is nothing to compare them with.
    for line, assignment in subject.assigned():
        destination = subject.lines[line.order_id, line.line_id].location
        expected = _distance_m(destination, subject.sources[assignment.source_id].location)
        reported = assignment.distance_m
        if (expected is None) != (reported is None) or (
            expected is not None and reported is not None and abs(expected - reported) > _DISTANCE_TOLERANCE_M
        ):
            yield f"{_name(line, assignment)}: reported {reported} m away, it is {expected and round(expected)} m"


def _distance_m(one: Location | None, other: Location | None) -> float | None:
    """The haversine formula; None where an end has no coordinates."""
    if one is None or other is None:
        return None
    north, south = radians(one.latitude), radians(other.latitude)
    rise, turn = sin((north - south) / 2), sin(radians(one.longitude - other.longitude) / 2)
    return 2 * _EARTH_RADIUS_M * asin(min(1.0, sqrt(rise * rise + cos(north) * cos(south) * turn * turn)))


def _largest_distance(subject: _Subject) -> Iterator[str]:
    largest_km = subject.plan.largest_distance_km
    if largest_km < 1000 or largest_km % 1000:
        yield f"the largest distance of {largest_km} km is not in whole thousands"
    farthest_m = max((assignment.distance_m or 0 for _, assignment in subject.assigned()), default=0)
    if farthest_m > largest_km * 1000:
        yield f"an assignment over {farthest_m} m is farther than the largest distance of {largest_km} km"


# Rules


def _rules(subject: _Subject) -> Iterator[str]:
    """Rules that bind both iterations hold for the whole plan, the others for what iteration 1 assigned."""
    first = replace(subject.plan, lines=tuple(_of_first_iteration(line) for line in subject.plan.lines))
    for bound in subject.rules:
        for violation in _violations(subject, bound, first if bound.dropped else subject.plan):
            where = _where(violation)
            yield f"rule {violation.rule_id}: {where}{violation.message}"


def _violations(subject: _Subject, bound: _BoundRule, plan: Plan) -> Iterator[Violation]:
    """What breaks a rule where it is in force."""
    mode = subject.request.strategy.location_priority_mode
    if bound.record.kind == "location_priority" and mode is LocationPriorityMode.FLAG_DECIDES and bound.dropped:
        return  # Soft, and the flag decides: it ranks sources and rejects none.
    for violation in bound.rule.violations(subject.request, plan):
        if subject.in_force(bound.record, violation.source_id):
            yield violation


def _of_first_iteration(line: PlanLine) -> PlanLine:
    return replace(line, assignments=tuple(a for a in line.assignments if a.iteration == 1))


def _where(violation: Violation) -> str:
    parts = {"order": violation.order_id, "line": violation.line_id, "from": violation.source_id}
    return "".join(f"{word} {id} " for word, id in parts.items() if id)


def _lines_in_full(subject: _Subject) -> Iterator[str]:
    """Without a partial-orders rule each line is filled in full or not at all; write-in lines are free (C8)."""
    limits = [b for b in subject.rules if b.record.kind == "partial_orders" and subject.in_force(b.record)]
    for line in subject.plan.lines:
        filled = _of_first_iteration(line).filled_units
        short_first = not limits and 0 < filled < line.units
        short_second = all(bound.dropped for bound in limits) and filled < line.filled_units < line.units
        if line.product_id != WRITE_IN_PRODUCT_ID and (short_first or short_second):
            yield f"{_name(line)} is filled in part, and no rule allows it"


def _second_iteration(subject: _Subject) -> Iterator[str]:
    """Iteration 2 needs a soft rule, and each of its assignments names the soft rules that it breaks."""
    soft = [bound for bound in subject.rules if bound.dropped and _in_force_somewhere(subject, bound.record)]
    broken = [violation for bound in soft for violation in _violations(subject, bound, subject.plan)]
    for line, assignment in subject.assigned():
        expected = {violation.rule_id for violation in broken if _concerns(violation, line, assignment)}
        named = sorted(assignment.relaxed_rule_ids)
        if assignment.iteration == 1:
            if named:
                yield f"{_name(line, assignment)}: iteration 1 relaxed {named}"
        elif not soft:
            yield f"{_name(line, assignment)}: assigned by iteration 2, and no rule is soft"
        elif named != sorted(expected):
            yield f"{_name(line, assignment)}: names {named} as relaxed, it breaks {sorted(expected)}"


def _in_force_somewhere(subject: _Subject, record: RuleRecord) -> bool:
    return subject.in_force(record) or any(subject.in_force(record, source_id) for source_id in subject.sources)


def _concerns(violation: Violation, line: PlanLine, assignment: PlanAssignment) -> bool:
    return (
        violation.order_id in (None, line.order_id)
        and violation.line_id in (None, line.line_id)
        and violation.source_id in (None, assignment.source_id)
    )


# Objective, reports, reasons


def _objective(subject: _Subject) -> Iterator[str]:
    for report in subject.plan.iterations:
        for expected, told in zip(
            recount.level_values(subject.request, subject.plan, report.number), report.levels, strict=True
        ):
            if told != expected:
                yield (
                    f"iteration {report.number} reports {told.amount} {told.level} at {told.rate} points, "
                    f"there are {expected.amount} at {expected.rate}"
                )
        total = sum(value.points for value in report.levels)
        if report.total != total:
            yield f"iteration {report.number} reports a total of {report.total}, its levels add up to {total}"


def _bounds(subject: _Subject) -> Iterator[str]:
    for report in subject.plan.iterations:
        name = f"iteration {report.number}"
        tolerance = _BOUND_TOLERANCE * max(1, report.total)
        if not report.bound <= report.total + tolerance:
            yield f"{name} is worth {report.total}, less than its bound of {report.bound}"
        gap = (report.total - report.bound) / report.total if report.total else 0.0
        if not abs(report.gap - max(0.0, gap)) <= _BOUND_TOLERANCE:
            yield f"{name} reports a gap of {report.gap}; total and bound make it {gap}"
        if report.ending is Ending.OPTIMAL and report.gap > _BOUND_TOLERANCE:
            yield f"{name} is called optimal with a gap of {report.gap}"


def _counts(subject: _Subject) -> Iterator[str]:
    for report in subject.plan.iterations:
        for field, expected in _expected_counts(subject.plan, report).items():
            told = getattr(report, field)
            if told != expected:
                yield f"iteration {report.number} reports {told} {field}, there are {expected}"


def _expected_counts(plan: Plan, report: IterationReport) -> dict[str, int]:
    """What an iteration takes on is what those before it left; a line is filled when nothing of it is left."""
    before = [_units_by(line, report.number - 1) for line in plan.lines]
    after = [_units_by(line, report.number) for line in plan.lines]
    open_units = [line.units - filled for line, filled in zip(plan.lines, before, strict=True)]
    left = [line.units - filled for line, filled in zip(plan.lines, after, strict=True)]
    return {
        "lines": sum(units > 0 for units in open_units),
        "filled_lines": sum(had > 0 and has == 0 for had, has in zip(open_units, left, strict=True)),
        "units": sum(open_units),
        "filled_units": sum(after) - sum(before),
    }


def _units_by(line: PlanLine, iteration: int) -> int:
    return sum(assignment.units for assignment in line.assignments if assignment.iteration <= iteration)


def _reasons(subject: _Subject) -> Iterator[str]:
    """`chosen` stands exactly where something is assigned."""
    reasons = subject.plan.reasons
    chosen_codes = {code for code, reason in enumerate(reasons.templates) if reason.verdict is Verdict.CHOSEN}
    for line, row in zip(subject.plan.lines, reasons.codes, strict=True):
        chosen = {source for source, code in zip(reasons.source_ids, row, strict=True) if code in chosen_codes}
        assigned = {assignment.source_id for assignment in line.assignments}
        if chosen != assigned:
            yield f"{_name(line)}: the reasons call {sorted(chosen)} chosen, assigned are {sorted(assigned)}"


_CONTENT: tuple[Check, ...] = (
    _eligibility,
    _units,
    _stock,
    _gates,
    _distances,
    _largest_distance,
    _rules,
    _lines_in_full,
    _second_iteration,
    _objective,
    _bounds,
    _counts,
    _reasons,
)
