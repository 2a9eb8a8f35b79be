"""The lines of a plan, each with where it ships from and, folded away, the reason of every source."""

from collections.abc import Iterator, Sequence
from datetime import UTC

from dom_core.domain.ids import SourceId
from dom_core.domain.plan import Fulfillment, HeldLine, Plan, PlanLine
from dom_core.domain.reason import Reason
from dom_core.report.explanation import HEADINGS, reasons_by_verdict
from dom_core.report.markup import Content, Html, tag
from dom_core.report.view import Destination, PlanView, ViewedSource
from dom_core.report.wording import assignment_words, distance_words, exception_words, reason_words

MOST_LINES = 4_000
MOST_REASONS = 120_000
"""Lines and reasons that one page holds: a browser opens that at once. `dom explain` knows the others."""

OUTCOMES = {
    Fulfillment.FULLY: "filled",
    Fulfillment.PARTIALLY: "partly filled",
    Fulfillment.NOT_SOURCED: "unfilled",
    Fulfillment.EXCEPTION: "unfilled",
}
NOT_PLANNED = "not planned"
_ORDER = (Fulfillment.EXCEPTION, Fulfillment.NOT_SOURCED, Fulfillment.PARTIALLY, Fulfillment.FULLY)


class _Names:
    """Names and places of a view, looked up for each line."""

    def __init__(self, view: PlanView) -> None:
        self.sources: dict[SourceId, ViewedSource] = view.sources()
        self._places = view.places()
        self._products = view.product_names

    def source(self, source_id: SourceId) -> str:
        return self.sources[source_id].label

    def place(self, line: PlanLine | HeldLine) -> str:
        return self._destination(line).place

    def promise(self, line: PlanLine) -> str:
        """When the order is promised, in UTC; empty without a promise."""
        promised_by = self._destination(line).promised_by
        return f"Promised by {promised_by.astimezone(UTC):%Y-%m-%d %H:%M} UTC." if promised_by else ""

    def _destination(self, line: PlanLine | HeldLine) -> Destination:
        return self._places.get((line.order_id, line.line_id), Destination("", ""))

    def product(self, line: PlanLine) -> str:
        return self._products.get(line.product_id, "")


def line_list(view: PlanView) -> Html:
    """All lines: those with something unfilled first, those that were not planned last."""
    names = _Names(view)
    explained = frozenset(explained_positions(view.plan))
    rows = [_planned(view, names, position, with_reasons=position in explained) for position in _shown(view.plan)]
    rows += [_held(names, line) for line in view.plan.held[: MOST_LINES - len(rows)]]
    total = len(view.plan.lines) + len(view.plan.held)
    headings = [tag("span", heading) for heading in ("Outcome", "Order / line", "Product", "Units", "From", "To")]
    return Html(
        _left_out(len(rows), total) + tag("div", headings, class_="row heads", aria_hidden="true") + _body(rows)
    )


def explained_positions(plan: Plan) -> Sequence[int]:
    """The lines that a page shows with their reasons."""
    return _shown(plan)[: MOST_REASONS // max(1, len(plan.reasons.source_ids))]


def _shown(plan: Plan) -> Sequence[int]:
    """The lines that a page shows, in its order."""
    return sorted(range(len(plan.lines)), key=lambda position: _ORDER.index(plan.lines[position].fulfillment))[
        :MOST_LINES
    ]


def _body(rows: Sequence[Html]) -> Html:
    return tag("div", rows, id="lines")


def _left_out(shown: int, total: int) -> Html:
    if shown == total:
        return Html("")
    return tag("p", f"The first {shown:,} of {total:,} lines. `dom explain` answers for all of them.", class_="hint")


def _planned(view: PlanView, names: _Names, position: int, *, with_reasons: bool) -> Html:
    line = view.plan.lines[position]
    outcome = OUTCOMES[line.fulfillment]
    summary = _row(
        outcome,
        f"{line.order_id} / {line.line_id}",
        [line.product_id, _small(names.product(line))],
        _units(line),
        list(_origins(names, line)),
        names.place(line) or "–",
    )
    reasons = _reasons(view, names, position) if with_reasons else tag("p", "Ask `dom explain` for the reasons.")
    details = [tag("p", text) for text in (*_assignments(names, line), names.promise(line)) if text]
    return tag(
        "details",
        tag("summary", summary),
        tag("div", details, reasons, class_="why"),
        class_="line",
        data_outcome=outcome,
        data_sources=" ".join(sorted(assignment.source_id for assignment in line.assignments)) or None,
    )


def _row(outcome: str, *cells: Content) -> Html:
    pill = tag("span", tag("b", outcome, class_=f"pill {outcome.replace(' ', '-')}"))
    return tag("span", pill, [tag("span", cell) for cell in cells], class_="row")


def _units(line: PlanLine) -> str:
    return f"{line.units:,}" if line.filled_units in (0, line.units) else f"{line.filled_units:,} of {line.units:,}"


def _origins(names: _Names, line: PlanLine) -> Iterator[Content]:
    if not line.assignments:
        yield exception_words(line.exception) if line.exception else "no source"
    for assignment in line.assignments:
        far = distance_words(assignment)
        again = f", iteration {assignment.iteration}" if assignment.iteration > 1 else ""
        split = f"{assignment.units:,} × " if len(line.assignments) > 1 else ""
        yield tag("span", split + names.source(assignment.source_id), _small(far + again), class_="origin")


def _small(text: str) -> Html | None:
    return tag("small", text) if text else None


def _assignments(names: _Names, line: PlanLine) -> Iterator[str]:
    for assignment in line.assignments:
        yield f"From {names.source(assignment.source_id)}: {assignment_words(assignment)}."
    missing = line.units - line.filled_units
    if missing:
        cause = f": {exception_words(line.exception)}" if line.exception else ""
        yield f"{missing:,} of {line.units:,} units unfilled{cause}."


def _reasons(view: PlanView, names: _Names, position: int) -> Html:
    return tag(
        "div",
        [
            tag("section", tag("h4", f"{HEADINGS[verdict]} ({len(pairs)})"), _pairs(names, pairs), class_=verdict)
            for verdict, pairs in reasons_by_verdict(view.plan.reasons.of_line(position))
        ],
        class_="verdicts",
    )


def _pairs(names: _Names, pairs: Sequence[tuple[SourceId, Reason]]) -> Html:
    return tag("ul", [tag("li", tag("b", names.source(id)), " ", reason_words(reason)) for id, reason in pairs])


def _held(names: _Names, line: HeldLine) -> Html:
    place = f"{line.order_id} / {line.line_id}"
    row = _row(NOT_PLANNED, place, "–", "–", reason_words(line.reason), names.place(line) or "–")
    return tag("div", row, class_="line", data_outcome=NOT_PLANNED)
