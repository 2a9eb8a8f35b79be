"""The life of a line: what may happen to it in which state, and what it then becomes (docs/semantics.md section 7).

Every function takes an order and returns the next one: its version is one higher and its history longer. A repetition
that changes nothing returns the order itself. An event that the state does not allow raises IllegalTransition.

A new kind of event is a row of ALLOWED and a function: here what plans and sources do, in `interventions.py` what
people decide.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from dom_core.domain.ids import LineId, PlanId, SourceId, StrategyId
from dom_core.domain.order import Acceptance, Bar, Event, ExceptionKind, Line, LineAssignment, LineState, Order, What
from dom_core.domain.outbox import with_notices
from dom_core.domain.plan import PlanAssignment, PlanLine
from dom_core.domain.splitting import split_line
from dom_core.errors import Conflict, IllegalTransition, InvalidInput, NotFound, Problem


class Action(StrEnum):
    """What can happen to a line."""

    ASSIGN = "assign"
    FAIL = "fail"
    DATA_CONFLICT = "data_conflict"
    NO_LOCATION = "no_location"
    ACCEPT = "accept"
    REJECT = "reject"
    RESET = "reset"
    PICK = "pick"
    SHIP = "ship"
    CANCEL = "cancel"
    EXCLUDE = "exclude"
    INCLUDE = "include"


_OPEN = frozenset({LineState.UNASSIGNED, LineState.EXCEPTION})

ALLOWED: Mapping[Action, frozenset[LineState]] = MappingProxyType(
    {
        Action.ASSIGN: _OPEN,
        Action.FAIL: _OPEN,
        Action.DATA_CONFLICT: _OPEN,
        Action.NO_LOCATION: _OPEN,
        Action.ACCEPT: frozenset({LineState.ASSIGNED}),
        Action.REJECT: frozenset({LineState.ASSIGNED}),
        Action.RESET: frozenset({LineState.EXCEPTION}),
        Action.PICK: frozenset({LineState.ASSIGNED}),
        Action.SHIP: frozenset({LineState.PICKED}),
        Action.CANCEL: _OPEN | {LineState.ASSIGNED, LineState.PICKED, LineState.EXCLUDED},
        Action.EXCLUDE: _OPEN,
        Action.INCLUDE: frozenset({LineState.EXCLUDED}),
    }
)
"""The states in which each event is possible."""

REPEATED: Mapping[Action, frozenset[LineState]] = MappingProxyType(
    {
        Action.ACCEPT: frozenset({LineState.PICKED, LineState.SHIPPED}),
        Action.PICK: frozenset({LineState.PICKED, LineState.SHIPPED}),
        Action.SHIP: frozenset({LineState.SHIPPED}),
        Action.CANCEL: frozenset({LineState.CANCELLED}),
        Action.EXCLUDE: frozenset({LineState.EXCLUDED}),
        Action.INCLUDE: _OPEN,
    }
)
"""The states in which the event can only be repeating itself: nothing changes, and the answer is the same."""

ASKED_FOR = (
    Action.ACCEPT,
    Action.REJECT,
    Action.RESET,
    Action.PICK,
    Action.SHIP,
    Action.CANCEL,
    Action.EXCLUDE,
    Action.INCLUDE,
)
"""Events that callers ask for; the others happen by themselves. Only these are named as possible in an error."""

ON_HOLD = "on_hold"
"""The state of an order that somebody holds, as errors name it."""

_STOPPED_BY_A_HOLD = frozenset({Action.ASSIGN, Action.FAIL, Action.PICK, Action.SHIP})
"""Events that an order on hold does not allow: no plan touches it, and nothing of it leaves."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Who makes something happen, when, and why."""

    at: datetime
    who: str
    why: str = ""

    def event(self, what: What, *, line: Line | None = None, **details: str | int | None) -> Event:
        """The entry for the history."""
        entry = Event(self.at, self.who, what, self.why, line_id=line.id if line else None)
        return replace(entry, **details)  # type: ignore[arg-type]  # fields of Event, by name


@dataclass(frozen=True, slots=True)
class Refusal:
    """A source gives units of a line back. `units` None: all. `threshold` None: rejections are not limited."""

    source_id: SourceId
    reason_code: str
    units: int | None
    reference: str
    barred_days: int
    threshold: int | None


@dataclass(frozen=True, slots=True)
class PlanTerms:
    """What a plan's lines share when they are applied."""

    plan_id: PlanId
    strategy_id: StrategyId
    max_attempts: int
    manual_accept: frozenset[SourceId]


def handled_by(order: Order, plan_id: PlanId) -> What | None:
    """What this plan already did to the order: PLANNED, DATA_CONFLICT, or nothing yet."""
    for event in order.history:
        if event.plan_id == plan_id and event.line_id is None:
            return What(event.what)
    return None


def apply_plan(order: Order, plan_lines: Sequence[PlanLine], terms: PlanTerms, cause: Cause) -> Order:
    """Assign what the plan assigns, fail what it does not; a line served from several sources becomes several lines."""
    events = [cause.event(What.PLANNED, plan_id=terms.plan_id)]
    for plan_line in plan_lines:
        line = _require_plannable(order, plan_line)
        order, line_events = _apply_plan_line(order, line, plan_line, terms, cause)
        events += line_events
    return advanced(order, events)


def _require_plannable(order: Order, plan_line: PlanLine) -> Line:
    line = require_line(order, plan_line.line_id)
    require(Action.ASSIGN if plan_line.assignments else Action.FAIL, order, line)
    return line


def _apply_plan_line(
    order: Order, line: Line, plan_line: PlanLine, terms: PlanTerms, cause: Cause
) -> tuple[Order, list[Event]]:
    rest = line.units - plan_line.filled_units
    outcomes: list[PlanAssignment | None] = [*_by_source(plan_line.assignments), *([None] if rest else [])]
    units = [outcome.units if outcome else rest for outcome in outcomes]
    parts = split_line(line, units, [other.id for other in order.lines])
    after: list[Line] = []
    events = [_split_event(part, cause) for part in parts[1:]]
    for part, outcome in zip(parts, outcomes, strict=True):
        if outcome:
            after.append(_assigned(part, outcome, terms, cause.at))
            events.append(about(after[-1], What.ASSIGNED, cause))
        else:
            after.append(_failed(part, plan_line.exception or ExceptionKind.NOT_IN_PLAN, terms.max_attempts))
            events.append(_exception_event(after[-1], cause, plan_id=terms.plan_id))
    return with_lines(order, line.id, after), events


def _by_source(assignments: Sequence[PlanAssignment]) -> Iterator[PlanAssignment]:
    """One assignment per source. What both iterations took from a source counts as made by the second."""
    merged: dict[SourceId, PlanAssignment] = {}
    for made in sorted(assignments, key=lambda assignment: (assignment.iteration, assignment.round)):
        before = merged.get(made.source_id)
        merged[made.source_id] = _merged(before, made) if before else made
    yield from (merged[source_id] for source_id in dict.fromkeys(made.source_id for made in assignments))


def _merged(first: PlanAssignment, second: PlanAssignment) -> PlanAssignment:
    relaxed = sorted({*first.relaxed_rule_ids, *second.relaxed_rule_ids})
    return replace(second, units=first.units + second.units, relaxed_rule_ids=tuple(relaxed))


def _assigned(line: Line, planned: PlanAssignment, terms: PlanTerms, at: datetime) -> Line:
    waits = planned.source_id in terms.manual_accept
    assignment = LineAssignment(
        source_id=planned.source_id,
        plan_id=terms.plan_id,
        strategy_id=terms.strategy_id,
        iteration=planned.iteration,
        distance_m=planned.distance_m,
        acceptance=Acceptance.PENDING if waits else Acceptance.ACCEPTED,
        assigned_at=at,
        relaxed_rule_ids=planned.relaxed_rule_ids,
    )
    return replace(line, state=LineState.ASSIGNED, exception=None, assignment=assignment)


def _failed(line: Line, kind: ExceptionKind, max_attempts: int) -> Line:
    attempts = line.attempts + 1
    lasting = ExceptionKind.MAX_ATTEMPTS if attempts >= max_attempts else kind
    return replace(_in_exception(line, lasting), attempts=attempts)


def data_conflict(order: Order, line_ids: Iterable[LineId], plan_id: PlanId, cause: Cause) -> Order:
    """The plan does not hold for this order any more: those of its planned lines that are still open wait for the next.

    The version rises even when no line is open, so that nobody can still confirm the plan.
    """
    events = [cause.event(What.DATA_CONFLICT, plan_id=plan_id)]
    for line_id in line_ids:
        line = order.line(line_id)
        if line is not None and line.state in ALLOWED[Action.DATA_CONFLICT] and not _is_permanent(line):
            line = _in_exception(line, ExceptionKind.DATA_CONFLICT)
            order = with_lines(order, line.id, [line])
            events.append(_exception_event(line, cause, plan_id=plan_id))
    return advanced(order, events)


def accept(order: Order, line_id: LineId, source_id: SourceId, cause: Cause) -> Order:
    """The source takes the line on. Accepting again changes nothing."""
    line = require_line(order, line_id)
    if _was_done_by(line, source_id, Action.ACCEPT):
        return order
    assignment = _require_held_by(order, line, source_id, Action.ACCEPT)
    if assignment.acceptance is Acceptance.ACCEPTED:
        return order
    line = replace(line, assignment=replace(assignment, acceptance=Acceptance.ACCEPTED))
    return advanced(with_lines(order, line_id, [line]), [about(line, What.ACCEPTED, cause)])


def pick(order: Order, line_id: LineId, source_id: SourceId, cause: Cause) -> Order:
    """The source has taken the units from its shelves. Picking again changes nothing."""
    return _moved(order, line_id, source_id, Action.PICK, cause)


def ship(order: Order, line_id: LineId, source_id: SourceId, cause: Cause) -> Order:
    """The units have left the source, for good. Shipping again changes nothing."""
    return _moved(order, line_id, source_id, Action.SHIP, cause)


_MOVES: Mapping[Action, tuple[LineState, What]] = MappingProxyType(
    {Action.PICK: (LineState.PICKED, What.PICKED), Action.SHIP: (LineState.SHIPPED, What.SHIPPED)}
)


def _moved(order: Order, line_id: LineId, source_id: SourceId, action: Action, cause: Cause) -> Order:
    line = require_line(order, line_id)
    if _was_done_by(line, source_id, action):
        return order
    _require_held_by(order, line, source_id, action)
    state, what = _MOVES[action]
    line = replace(line, state=state)
    return advanced(with_lines(order, line_id, [line]), [about(line, what, cause)])


def _was_done_by(line: Line, source_id: SourceId, action: Action) -> bool:
    """Whether this source did this before, for the assignment that the line still has."""
    held = line.assignment
    return line.state in REPEATED[action] and held is not None and held.source_id == source_id


def reject(order: Order, line_id: LineId, refusal: Refusal, cause: Cause) -> Order:
    """The source gives units back; the same rejection again changes nothing. Refused units of many become a new line.

    Raises Conflict when the source does not hold the line and never refused it, InvalidInput for too many units.
    """
    line = require_line(order, line_id)
    if _is_repeated(order, line, refusal):
        return order
    _require_held_by(order, line, refusal.source_id, Action.REJECT)
    units = line.units if refusal.units is None else refusal.units
    if units > line.units:
        raise InvalidInput([Problem("units", f"the line has {line.units} units, not {units}")], "rejection")
    because = replace(cause, why=f"{refusal.reason_code}: {cause.why}" if cause.why else refusal.reason_code)
    events = [about(line, What.REJECTED, because, units=units, reference=refusal.reference)]
    if units == line.units:
        lines = [_refused(line, refusal, cause.at)]
    else:
        kept, part = split_line(line, [line.units - units, units], [other.id for other in order.lines])
        events.append(_split_event(part, cause))
        lines = [kept, _refused(part, refusal, cause.at)]
    events.append(_exception_event(lines[-1], cause))
    return advanced(with_lines(order, line_id, lines), events)


def last_refusal(order: Order, line_id: LineId, source_id: SourceId) -> Event | None:
    """The newest rejection of this line by this source, before or after the line was split off."""
    refused = list(_refusals(order.history, require_line(order, line_id), order))
    return next((event for event in reversed(refused) if event.source_id == source_id), None)


def _is_repeated(order: Order, line: Line, refusal: Refusal) -> bool:
    """Whether this rejection was counted before.

    While the source still holds the line, a rejection of a part is the same as an earlier one of as many units under
    the same plan, unless their references differ. Once it does not hold the line, it can only be repeating itself.
    """
    known = [event for event in _refusals(order.history, line, order) if event.source_id == refusal.source_id]
    if refusal.reference and any(event.reference == refusal.reference for event in known):
        return True
    held = line.assignment
    if held is None or held.source_id != refusal.source_id:
        return bool(known)
    return refusal.units is not None and any(
        event.plan_id == held.plan_id
        and event.units == refusal.units
        and (not refusal.reference or not event.reference)
        for event in known
    )


def _refusals(history: Sequence[Event], line: Line, order: Order) -> Iterator[Event]:
    """Rejections of the line, and of the line that it was split from until it was."""
    parent = order.line(line.parent_line_id) if line.parent_line_id else None
    born = next((n for n, e in enumerate(history) if e.what == What.SPLIT and e.line_id == line.id), None)
    if parent is not None and born is not None:
        yield from _refusals(history[:born], parent, order)
    yield from (event for event in history if event.what == What.REJECTED and event.line_id == line.id)


def _refused(line: Line, refusal: Refusal, at: datetime) -> Line:
    rejects = line.rejects + 1
    final = refusal.threshold is not None and rejects >= refusal.threshold
    until = at + timedelta(days=refusal.barred_days)
    bars = tuple(bar for bar in line.bars if bar.source_id != refusal.source_id)
    line = _in_exception(line, ExceptionKind.MAX_REJECTS if final else ExceptionKind.REJECTED)
    return replace(line, rejects=rejects, bars=(*bars, Bar(refusal.source_id, until)))


def reset(order: Order, line_id: LineId, cause: Cause) -> Order:
    """A person gives the line a fresh start: counters zero, bars lifted, history kept. Twice is the same as once."""
    line = require_line(order, line_id)
    if line.state is LineState.UNASSIGNED and _fresh(line) == line:
        return order
    if line.state is not LineState.UNASSIGNED:
        require(Action.RESET, order, line)
    return advanced(with_lines(order, line_id, [_fresh(line)]), [cause.event(What.RESET, line=line)])


def reset_all(order: Order, cause: Cause) -> Order:
    """Reset every line in exception. Raises IllegalTransition when there is none, unless all are unassigned already."""
    stuck = [line for line in order.lines if line.state in ALLOWED[Action.RESET]]
    if not stuck:
        for line in order.lines:
            if line.state is not LineState.UNASSIGNED:
                require(Action.RESET, order, line)
        return order
    for line in stuck:
        order = with_lines(order, line.id, [_fresh(line)])
    return advanced(order, [cause.event(What.RESET, line=line) for line in stuck])


def without_location(order: Order, cause: Cause) -> Order:
    """An order just received: lines of which the address was not found are in exception from the start."""
    lost = [_in_exception(line, ExceptionKind.NO_LOCATION) for line in order.lines if _lacks_location(line)]
    for line in lost:
        order = with_lines(order, line.id, [line])
    return replace(order, history=(*order.history, *(_exception_event(line, cause) for line in lost)))


def _lacks_location(line: Line) -> bool:
    return line.location is None and line.state in ALLOWED[Action.NO_LOCATION] and not _is_permanent(line)


def revise(stored: Order, incoming: Order, cause: Cause) -> Order:
    """The storefront's newer revision takes the place of the stored one; equal line ids keep counters and bars.

    What only a person may lift stays: a permanent exception, a cancelled or excluded line, a hold. Raises Conflict once
    something is assigned, picked or shipped.
    """
    under_way = [line.id for line in stored.lines if line.state in _UNDER_WAY]
    if under_way:
        raise Conflict(
            f"order '{stored.id}' cannot be revised: lines {', '.join(under_way)} are assigned, picked or shipped; "
            "cancel them, and send the change as an order of its own; what has shipped stays as it is"
        )
    lines = tuple(_inheriting(line, _family(stored, line.id)) for line in incoming.lines)
    revised = replace(
        incoming,
        lines=lines,
        on_hold=stored.on_hold,
        cancelled=stored.cancelled,
        version=stored.version,
        history=stored.history,
        notices=stored.notices,
    )
    return advanced(revised, [cause.event(What.REVISED)])


_UNDER_WAY = frozenset({LineState.ASSIGNED, LineState.PICKED, LineState.SHIPPED})
_LIFTED_BY_PEOPLE = frozenset({LineState.CANCELLED, LineState.EXCLUDED})


def _family(order: Order, line_id: LineId) -> list[Line]:
    """The line and everything split from it."""
    ids = {line_id}
    for line in order.lines:  # a part always comes after the line it was split from
        if line.parent_line_id in ids:
            ids.add(line.id)
    return [line for line in order.lines if line.id in ids]


def _inheriting(line: Line, family: Sequence[Line]) -> Line:
    if not family:
        return line
    until: dict[SourceId, datetime] = {}
    for bar in (bar for member in family for bar in member.bars):
        until[bar.source_id] = max(bar.until, until.get(bar.source_id, bar.until))
    line = replace(
        line,
        attempts=max(member.attempts for member in family),
        rejects=max(member.rejects for member in family),
        bars=tuple(Bar(source_id, moment) for source_id, moment in sorted(until.items())),
    )
    lasting = next((member for member in family if _is_permanent(member) or member.state in _LIFTED_BY_PEOPLE), None)
    return replace(line, state=lasting.state, exception=lasting.exception) if lasting else line


def require_line(order: Order, line_id: LineId) -> Line:
    """The line with this id. Raises NotFound."""
    line = order.line(line_id)
    if line is None:
        raise NotFound(f"line of order '{order.id}'", line_id)
    return line


def require(action: Action, order: Order, line: Line) -> None:
    """The event is possible now. Raises IllegalTransition, which says what is possible instead."""
    obstacle = _obstacle(action, order, line)
    if obstacle is not None:
        state, subject = obstacle
        raise IllegalTransition(action, state, possible(order, line), subject)


def possible(order: Order, line: Line) -> list[Action]:
    """What may be asked for now."""
    return [action for action in ASKED_FOR if _obstacle(action, order, line) is None]


def _obstacle(action: Action, order: Order, line: Line) -> tuple[str, str] | None:
    """The state that forbids the event, and whose state it is."""
    if line.state not in ALLOWED[action] or (action is Action.ASSIGN and _is_permanent(line)):
        return line.state, "line"
    if action is Action.PICK and line.assignment and line.assignment.acceptance is Acceptance.PENDING:
        return Acceptance.PENDING, "line"
    if action in _STOPPED_BY_A_HOLD and order.on_hold:
        return ON_HOLD, "order"
    return None


def _require_held_by(order: Order, line: Line, source_id: SourceId, action: Action) -> LineAssignment:
    """The line's assignment, which is this source's. Raises IllegalTransition, and Conflict for another source."""
    require(action, order, line)
    assert line.assignment is not None, "an assigned or picked line has an assignment"  # noqa: S101 - our own mistake
    if line.assignment.source_id != source_id:
        # Which source has it is not for another one to know.
        raise Conflict(
            f"source '{source_id}' cannot {action} line '{line.id}': it is assigned to another source, "
            f"which alone may {action} it"
        )
    return line.assignment


def _is_permanent(line: Line) -> bool:
    return line.exception is not None and line.exception.permanent


def _in_exception(line: Line, kind: ExceptionKind) -> Line:
    return replace(line, state=LineState.EXCEPTION, exception=kind, assignment=None)


def _fresh(line: Line) -> Line:
    return replace(line, state=LineState.UNASSIGNED, exception=None, attempts=0, rejects=0, bars=())


def with_lines(order: Order, line_id: LineId, lines: Sequence[Line]) -> Order:
    """The order with these lines in the place of one; parts stand right behind the line they come from."""
    return replace(
        order,
        lines=tuple(new for line in order.lines for new in (lines if line.id == line_id else (line,))),
    )


def advanced(order: Order, events: Iterable[Event]) -> Order:
    """The order as its next version, with these events in its history, and in its outbox what the world must hear."""
    events = tuple(events)
    order = replace(order, version=order.version + 1, history=(*order.history, *events))
    return with_notices(order, events)


def about(line: Line, what: What, cause: Cause, **details: str | int | None) -> Event:
    """An event about an assigned line: names its source and its plan."""
    assert line.assignment is not None, "only assigned lines have these events"  # noqa: S101 - our own mistake
    given: dict[str, str | int | None] = {
        "source_id": line.assignment.source_id,
        "plan_id": line.assignment.plan_id,
        "units": line.units,
    }
    given |= details
    return cause.event(what, line=line, **given)


def _split_event(part: Line, cause: Cause) -> Event:
    return replace(cause, why=f"from line {part.parent_line_id}").event(What.SPLIT, line=part, units=part.units)


def _exception_event(line: Line, cause: Cause, plan_id: PlanId | None = None) -> Event:
    return replace(cause, why=str(line.exception)).event(What.EXCEPTION, line=line, plan_id=plan_id, units=line.units)
