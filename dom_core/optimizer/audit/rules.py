"""Every rule, by its own look at the finished plan, and what iteration 2 says that it relaxed."""

from collections.abc import Iterator

from dom_core.domain.network import WRITE_IN_PRODUCT_ID
from dom_core.domain.plan import Plan, PlanAssignment, PlanLine
from dom_core.domain.strategy import LocationPriorityMode, RuleRecord
from dom_core.optimizer.audit.subject import BoundRule, Check, Subject, name
from dom_core.rules.base import Violation


def _rules(subject: Subject) -> Iterator[str]:
    """Every rule that is broken, and where."""
    for bound in subject.rules:
        subject.watch.go_on()
        for violation in breaches(subject, bound):
            where = _where(violation)
            yield f"rule {violation.rule_id}: {where}{violation.message}"


def breaches(subject: Subject, bound: BoundRule) -> Iterator[Violation]:
    """A rule that binds both iterations holds for the whole plan, another for what iteration 1 assigned."""
    yield from _violations(subject, bound, subject.plan.up_to_iteration(1) if bound.dropped else subject.plan)


def _violations(subject: Subject, bound: BoundRule, plan: Plan) -> Iterator[Violation]:
    """What breaks a rule where it is in force."""
    mode = subject.request.strategy.location_priority_mode
    if bound.record.kind == "location_priority" and mode is LocationPriorityMode.FLAG_DECIDES and bound.dropped:
        return  # Soft, and the flag decides: it ranks sources and rejects none.
    for violation in bound.rule.violations(subject.request, plan, subject.watch):
        if subject.in_force(bound.record, violation.source_id):
            yield violation


def _where(violation: Violation) -> str:
    parts = {"order": violation.order_id, "line": violation.line_id, "from": violation.source_id}
    return "".join(f"{word} {id} " for word, id in parts.items() if id)


def _lines_in_full(subject: Subject) -> Iterator[str]:
    """Without a partial-orders rule each line is filled in full or not at all; write-in lines are free (C8)."""
    limits = [b for b in subject.rules if b.record.kind == "partial_orders" and subject.in_force(b.record)]
    for line in subject.planned():
        filled = line.up_to_iteration(1).filled_units
        short_first = not limits and 0 < filled < line.units
        short_second = all(bound.dropped for bound in limits) and filled < line.filled_units < line.units
        if line.product_id != WRITE_IN_PRODUCT_ID and (short_first or short_second):
            yield f"{name(line)} is filled in part, and no rule allows it"


def _second_iteration(subject: Subject) -> Iterator[str]:
    """Iteration 2 needs a soft rule, and each of its assignments names the soft rules that it breaks."""
    soft = [bound for bound in subject.rules if bound.dropped and _in_force_somewhere(subject, bound.record)]
    broken: dict[_Place, set[str]] = {}
    for bound in soft:
        for violation in _violations(subject, bound, subject.plan):
            place = (violation.order_id, violation.line_id, violation.source_id)
            broken.setdefault(place, set()).add(violation.rule_id)
    for line, assignment in subject.assigned():
        expected = {rule_id for place in _places(line, assignment) for rule_id in broken.get(place, ())}
        named = sorted(assignment.relaxed_rule_ids)
        if assignment.iteration == 1:
            if named:
                yield f"{name(line, assignment)}: iteration 1 relaxed {named}"
        elif not soft:
            yield f"{name(line, assignment)}: assigned by iteration 2, and no rule is soft"
        elif named != sorted(expected):
            yield f"{name(line, assignment)}: names {named} as relaxed, it breaks {sorted(expected)}"


def _in_force_somewhere(subject: Subject, record: RuleRecord) -> bool:
    return subject.in_force(record) or any(subject.in_force(record, source_id) for source_id in subject.sources)


_Place = tuple[str | None, str | None, str | None]
"""What a violation concerns: order, line, source; all of them where it names none."""


def _places(line: PlanLine, assignment: PlanAssignment) -> Iterator[_Place]:
    """Every way in which a violation can name an assignment."""
    for order_id in (None, line.order_id):
        for line_id in (None, line.line_id):
            for source_id in (None, assignment.source_id):
                yield order_id, line_id, source_id


CHECKS: tuple[Check, ...] = (_rules, _lines_in_full, _second_iteration)
