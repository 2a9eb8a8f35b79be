"""Why a line goes where it goes, and why not to each other source."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from dom_core.domain.explanation import LineExplanation
from dom_core.domain.ids import LineId, OrderId, SourceId
from dom_core.domain.plan import HeldLine, PlanLine
from dom_core.domain.reason import Reason, Verdict
from dom_core.errors import NotFound
from dom_core.report.answers import answers, taken_by_words
from dom_core.report.view import PlanView
from dom_core.report.wording import assignment_words, exception_words, reason_words

VERDICT_ORDER = tuple(Verdict)
"""The order in which verdicts are shown: chosen first."""

HEADINGS = {
    Verdict.CHOSEN: "Chosen",
    Verdict.DEARER: "Possible, but dearer",
    Verdict.TAKEN: "Taken by other orders",
    Verdict.EXCLUDED: "Ruled out",
}


def explain(view: PlanView, order_id: OrderId, line_id: LineId, explanation: LineExplanation | None = None) -> str:
    """One line in words: its reasons, and what an explanation knows beyond them.

    Raises NotFound for a line that the plan does not know.
    """
    position = view.plan.position(order_id, line_id)
    if position is not None:
        further = answers(explanation) if explanation else ()
        return "\n".join([*_planned(view, position, explanation), *further]) + "\n"
    for held in view.plan.held:
        if (held.order_id, held.line_id) == (order_id, line_id):
            return _not_taken(held)
    raise NotFound("line in this plan", f"{order_id}/{line_id}")


def reasons_by_verdict(
    pairs: Iterable[tuple[SourceId, Reason]],
) -> list[tuple[Verdict, list[tuple[SourceId, Reason]]]]:
    """The reasons of a line, grouped by verdict in the order in which they are shown; sources by id in each."""
    in_order = sorted(pairs, key=lambda pair: (VERDICT_ORDER.index(pair[1].verdict), pair[0]))
    return [(verdict, list(group)) for verdict, group in groupby(in_order, key=lambda pair: pair[1].verdict)]


def _reasons(view: PlanView, position: int, explanation: LineExplanation | None) -> Iterable[tuple[SourceId, Reason]]:
    """Spelt out where there is an explanation, else as far as the plan's own codes tell."""
    if explanation is None:
        return view.plan.reasons.of_line(position)
    return ((source.source_id, source.reason) for source in explanation.sources)


def _not_taken(held: HeldLine) -> str:
    return f"Line {held.order_id}/{held.line_id} was not planned in this run.\n  Reason: {reason_words(held.reason)}\n"


def _planned(view: PlanView, position: int, explanation: LineExplanation | None) -> Iterator[str]:
    taken_by = {source.source_id: source.taken_by for source in explanation.sources} if explanation else {}
    line = view.plan.lines[position]
    yield from _header(view, line)
    labels = {source.id: source.label for source in view.sources().values()}
    width = max((len(labels[source_id]) for source_id in view.plan.reasons.source_ids), default=0)
    for verdict, pairs in reasons_by_verdict(_reasons(view, position, explanation)):
        yield ""
        yield f"{HEADINGS[verdict]} ({len(pairs)})"
        for source_id, reason in pairs:
            yield f"  {labels[source_id]:<{width}}  {reason_words(reason)}"
            yield from (f"  {'':<{width}}    {who}" for who in taken_by_words(taken_by.get(source_id, ())))


def _header(view: PlanView, line: PlanLine) -> Iterator[str]:
    product = view.product_names.get(line.product_id)
    destination = view.places().get((line.order_id, line.line_id))
    yield f"Line {line.order_id}/{line.line_id}: {line.units:,} × {line.product_id}" + (
        f", {product}" if product else ""
    )
    if destination and destination.place:
        yield f"  Ships to {destination.place}"
    sources = view.sources()
    for assignment in line.assignments:
        yield f"  From {sources[assignment.source_id].label}: {assignment_words(assignment)}"
    missing = line.units - line.filled_units
    if missing:
        cause = f" ({exception_words(line.exception)})" if line.exception else ""
        yield f"  Unfilled: {missing:,} of {line.units:,} units{cause}"
