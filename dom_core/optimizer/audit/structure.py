"""Whether a plan is about its request at all: every other check looks things up by the ids in it."""

from collections import Counter
from collections.abc import Iterator

from dom_core.domain.plan import Level, PlanAssignment, PlanState
from dom_core.domain.reason_table import code_type
from dom_core.domain.strategy import Objective, Relaxation
from dom_core.optimizer.audit.subject import Check, Subject, name

CLOSEST = (Level.UNFILLED_UNITS, Level.SHIPMENTS, Level.PRIORITY_STEPS, Level.DISTANCE_KM)
BY_COST = (Level.UNFILLED_UNITS, Level.COST_CENTS, Level.PRIORITY_STEPS, Level.DISTANCE_KM)


def _header(subject: Subject) -> Iterator[str]:
    request, plan = subject.request, subject.plan
    if (plan.id, plan.run_id, plan.strategy_id) != (request.plan_id, request.run_id, request.strategy.id):
        yield f"plan {plan.id} answers another request than {request.plan_id}"
    if request.strategy.simulation and plan.state is not PlanState.SIMULATED:
        yield f"a simulation is {plan.state}"
    if [report.number for report in plan.iterations] != [1, 2]:
        yield "the plan does not report iterations 1 and 2"
    levels = BY_COST if request.strategy.objective is Objective.COST and request.costs_in_force() else CLOSEST
    for report in plan.iterations:
        if tuple(value.level for value in report.levels) != levels:
            yield f"iteration {report.number} does not report every level once, in their order"


def _lines_known(subject: Subject) -> Iterator[str]:
    for planned in subject.planned():
        line = subject.lines.get((planned.order_id, planned.line_id))
        if line is None:
            yield f"{name(planned)} is not in the request"
        elif (planned.product_id, planned.units) != (line.product_id, line.units):
            yield f"{name(planned)} is planned with another product or other units than it asks for"
        elif planned.order_version != subject.orders[planned.order_id].version:
            yield f"{name(planned)} was planned on version {planned.order_version} of its order"


def _each_line_once(subject: Subject) -> Iterator[str]:
    planned = [(line.order_id, line.line_id) for line in subject.planned()]
    named = Counter(planned + [(line.order_id, line.line_id) for line in subject.plan.held])
    subject.watch.go_on()
    known_or_named = subject.watch.each(subject.lines.keys() | named.keys())
    for order_id, line_id in sorted(line for line in known_or_named if named[line] != 1):
        times = named[order_id, line_id]
        yield f"order {order_id} line {line_id} is {f'named {times} times' if times else 'missing'}"


def _assignments_well_formed(subject: Subject) -> Iterator[str]:
    in_rounds = subject.request.strategy.relaxation is Relaxation.MINIMAL
    for line, assignment in subject.assigned():
        if assignment.source_id not in subject.sources:
            yield f"{name(line, assignment)}: the source is not in the request"
        if assignment.units < 1:
            yield f"{name(line, assignment)}: {assignment.units} units are assigned"
        if assignment.iteration not in (1, 2):
            yield f"{name(line, assignment)}: there is no iteration {assignment.iteration}"
        if assignment.round != 1 and not (in_rounds and assignment.iteration == 2 and assignment.round > 1):
            yield f"{name(line, assignment)}: there is no round {assignment.round}"
        if [_occasion(other) for other in line.assignments].count(_occasion(assignment)) > 1:
            yield f"{name(line, assignment)}: assigned twice in one iteration"


def _occasion(assignment: PlanAssignment) -> tuple[str, int, int]:
    return (assignment.source_id, assignment.iteration, assignment.round)


def _reasons_well_formed(subject: Subject) -> Iterator[str]:
    reasons = subject.plan.reasons
    if sorted(reasons.source_ids) != sorted(subject.sources):
        yield "the reasons are not about the sources of the request"
    if len(reasons.codes) != len(subject.plan.lines):
        yield f"{len(reasons.codes)} lines have reasons, {len(subject.plan.lines)} are planned"
    width = code_type(len(reasons.templates)).itemsize
    for position, codes in enumerate(subject.watch.each(reasons.codes)):
        right = len(codes) == width * len(reasons.source_ids)
        if not right or reasons.row(position).max(initial=0) >= len(reasons.templates):
            yield "a line has not exactly one reason for each source"


CHECKS: tuple[Check, ...] = (_header, _lines_known, _each_line_once, _assignments_well_formed, _reasons_well_formed)
