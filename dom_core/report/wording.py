"""Codes and reasons in words. Codes of rules that do not exist yet read well too: nothing here lists rule kinds."""

from dom_core.domain.plan import Ending, IterationReport, Level, PlanAssignment
from dom_core.domain.reason import Reason, Verdict
from dom_core.domain.reason_table import WEIGHED

_EXCEPTIONS = {
    "no_quantity": "no stock left for it",
    "no_source": "every source is ruled out",
    "not_in_plan": "capacity or split limits",
    "no_location": "address not found",
}


def words(code: str) -> str:
    """A code as people read it: `maximum_distance` is "maximum distance"."""
    return code.replace("_", " ")


def level_name(level: Level) -> str:
    """A level of the objective. Unfilled units count by their order's priority class, so they are not plain units."""
    return "unfilled units, weighted" if level is Level.UNFILLED_UNITS else words(level)


def exception_words(code: str) -> str:
    """An exception with what it means, where its name does not say it."""
    return f"{words(code)}: {_EXCEPTIONS[code]}" if code in _EXCEPTIONS else words(code)


def reason_words(reason: Reason) -> str:
    """A reason without its verdict: what ruled, its limit, and what was found."""
    if reason == WEIGHED:
        return "weighed against what its order gets; by what it lost, only the plan's request can tell"
    rule = f" (rule {reason.rule_id})" if reason.rule_id and reason.rule_id != reason.code else ""
    return words(reason.code) + rule + _evidence(reason)


def _evidence(reason: Reason) -> str:
    limit, actual = _EVIDENCE.get(reason.code, ("limit", "actual"))
    if reason.verdict is not Verdict.EXCLUDED:
        limit = actual = ""
    parts = [f"{limit} {reason.limit}".strip()] if reason.limit else []
    parts += [f"{actual} {reason.actual}".strip()] if reason.actual else []
    return f": {', '.join(parts)}" if parts else ""


_EVIDENCE = {
    "no_stock": ("needs", "has"),
    "mode_of_delivery": ("takes", "this line:"),
    "sales_origin": ("takes", "this order:"),
    "legal_entity": ("takes", "this order:"),
}
"""What limit and actual value are called, where those words do not fit: only gates, which no rule owns."""


def distance_words(assignment: PlanAssignment) -> str:
    """How far an assignment goes, in kilometres."""
    if assignment.distance_m is None:
        return "distance unknown"
    return f"{assignment.distance_m / 1000:,.1f} km" + (" (estimated)" if assignment.distance_estimated else "")


def assignment_words(assignment: PlanAssignment) -> str:
    """What an assignment ships, how far, and in which iteration."""
    relaxed = f", breaks soft {', '.join(assignment.relaxed_rule_ids)}" if assignment.relaxed_rule_ids else ""
    units = "unit" if assignment.units == 1 else "units"
    return f"{assignment.units:,} {units}, {distance_words(assignment)}, iteration {assignment.iteration}{relaxed}"


_ENDINGS = {
    Ending.OPTIMAL: "proven best",
    Ending.WITHIN_GAP: "within the gap asked for",
    Ending.UNPROVEN: "stopped by a limit",
    Ending.INFEASIBLE: "impossible",
    Ending.NO_PLAN: "stopped without a plan",
}


def ending_words(iteration: IterationReport) -> str:
    """How the solver ended, and which limit ended it."""
    limit = f" ({iteration.ending_limit})" if iteration.ending_limit else ""
    return _ENDINGS[iteration.ending] + limit


def count_words(count: int, noun: str) -> str:
    """A number with its noun: `1 line`, `2,040 lines`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def km_words(average_km: float | None) -> str:
    """An average distance; a dash where nothing was shipped."""
    return "–" if average_km is None else f"{average_km:,.0f} km"


def share_words(part: int, whole: int) -> str:
    """A share in percent: never 100 % while something is missing."""
    if whole == 0:
        return "–"
    return "100 %" if part == whole else f"{min(99.9, 100 * part / whole):.1f} %"
