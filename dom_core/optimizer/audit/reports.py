"""What the plan says about itself: objective, bound, gap, counts and reasons."""

from collections.abc import Iterator

from dom_core.domain.plan import Ending, IterationReport, PlanLine
from dom_core.optimizer.audit import recount
from dom_core.optimizer.audit.subject import Check, Subject, name

_BOUND_TOLERANCE = 1e-6
"""Of the total: what floating point may add to a bound, or leave of a gap that is proven to be zero."""


def _objective(subject: Subject) -> Iterator[str]:
    for report in subject.plan.iterations:
        counted = recount.level_values(subject.request, subject.plan, report.number, subject.watch)
        for expected, told in zip(counted, report.levels, strict=True):
            if told != expected:
                yield (
                    f"iteration {report.number} reports {told.amount} {told.level} at {told.rate} points, "
                    f"there are {expected.amount} at {expected.rate}"
                )
        total = sum(value.points for value in report.levels)
        if report.total != total:
            yield f"iteration {report.number} reports a total of {report.total}, its levels add up to {total}"


def _bounds(subject: Subject) -> Iterator[str]:
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


def _counts(subject: Subject) -> Iterator[str]:
    for report in subject.plan.iterations:
        for field, expected in _expected_counts(subject, report).items():
            told = getattr(report, field)
            if told != expected:
                yield f"iteration {report.number} reports {told} {field}, there are {expected}"


def _expected_counts(subject: Subject, report: IterationReport) -> dict[str, int]:
    """What an iteration takes on is what those before it left; a line is filled when nothing of it is left."""
    before = [_units_by(line, report.number - 1) for line in subject.planned()]
    after = [_units_by(line, report.number) for line in subject.planned()]
    open_units = [line.units - filled for line, filled in zip(subject.planned(), before, strict=True)]
    left = [line.units - filled for line, filled in zip(subject.planned(), after, strict=True)]
    return {
        "lines": sum(units > 0 for units in open_units),
        "filled_lines": sum(had > 0 and has == 0 for had, has in zip(open_units, left, strict=True)),
        "units": sum(open_units),
        "filled_units": sum(after) - sum(before),
    }


def _units_by(line: PlanLine, iteration: int) -> int:
    return sum(assignment.units for assignment in line.assignments if assignment.iteration <= iteration)


def _reasons(subject: Subject) -> Iterator[str]:
    """`chosen` stands exactly where something is assigned."""
    for line, chosen in zip(subject.planned(), subject.plan.reasons.chosen(), strict=True):
        assigned = {assignment.source_id for assignment in line.assignments}
        if chosen != assigned:
            yield f"{name(line)}: the reasons call {sorted(chosen)} chosen, assigned are {sorted(assigned)}"


CHECKS: tuple[Check, ...] = (_objective, _bounds, _counts, _reasons)
