"""The tables of the page: figures, iterations, load, and what was not filled."""

from collections.abc import Iterable, Iterator, Sequence

from dom_core.domain.plan import IterationReport, LevelValue
from dom_core.report.figures import Figures, Load, Unfilled
from dom_core.report.markup import Content, Html, tag
from dom_core.report.view import PlanView
from dom_core.report.wording import count_words, ending_words, exception_words, km_words, level_name, share_words, words


def tiles(view: PlanView, figures: Figures) -> Html:
    """The figures that matter most, large."""
    return tag("dl", [_tile(*entry) for entry in _tile_entries(view, figures)], class_="tiles")


def _tile_entries(view: PlanView, figures: Figures) -> Iterator[tuple[str, str, str]]:
    yield "Lines filled", f"{figures.filled_lines:,}", f"of {figures.lines:,}"
    yield "Units filled", f"{figures.filled_units:,}", f"of {figures.units:,}"
    yield "Shipments", f"{figures.shipments:,}", f"{count_words(figures.split_orders, 'split order')}"
    yield "Average distance", km_words(figures.average_km), "per shipment"
    yield "Gap", gap_words(view.plan.iterations), "to the proven bound"
    yield "Time", f"{view.plan.seconds:.1f} s", count_words(len(view.plan.iterations), "iteration")


def _tile(name: str, value: str, note: str) -> Html:
    return tag("div", tag("dt", name), tag("dd", tag("strong", value), tag("span", note)))


def gap_words(iterations: Sequence[IterationReport]) -> str:
    """The largest gap of the iterations, in percent."""
    return f"{100 * max((iteration.gap for iteration in iterations), default=0.0):.2f} %"


def iterations(view: PlanView) -> list[Html]:
    """What each iteration took on, what it cost level by level, and how good it is proven to be."""
    return [_iteration(report) for report in view.plan.iterations]


def _iteration(report: IterationReport) -> Html:
    rows: list[list[Content]] = [
        [level_name(value.level), f"{value.amount:,}", f"{value.rate:,}", f"{value.points:,}"]
        for value in _levels_that_count(report)
    ]
    rows.append([tag("b", "total"), "", "", tag("b", f"{report.total:,}")])
    rows.append(["proven bound", "", "", f"{report.bound:,.0f}"])
    filled = f"{report.filled_lines:,} of {count_words(report.lines, 'line')} filled"
    units = f"{report.filled_units:,} of {count_words(report.units, 'unit')}"
    return tag(
        "div",
        tag("h3", f"Iteration {report.number}: {filled}, {units}"),
        _table(f"Iteration {report.number}", ("Level", "Amount", "Rate", "Points"), rows),
        tag("p", f"Gap {100 * report.gap:.2f} %: {ending_words(report)}. {report.solver}, {report.seconds:.2f} s."),
        class_="iteration",
    )


def _levels_that_count(report: IterationReport) -> list[LevelValue]:
    return [value for value in report.levels if value.rate or value.amount]


def level_words(report: IterationReport) -> list[str]:
    """Each level of the total: amount, rate and points."""
    return [
        f"{level_name(value.level)}: {value.amount:,} × {value.rate:,} = {value.points:,}"
        for value in _levels_that_count(report)
    ]


def loads(view: PlanView, entries: Sequence[Load]) -> Html:
    """What the plan puts on each source, the busiest first."""
    most = max((load.units for load in entries), default=0)
    headings = ("Source", "Load", "Units", "Lines", "Orders", "Average km")
    return _table("Load per source", headings, [_load(view, load, most) for load in entries])


def _load(view: PlanView, load: Load, most: int) -> list[Content]:
    source = view.sources()[load.source_id]
    return [
        tag("span", source.label, tag("small", words(source.type)), class_="named"),
        _bar(load.units, most, str(source.type)),
        f"{load.units:,}",
        f"{load.lines:,}",
        f"{load.orders:,}",
        "–" if load.average_km is None else f"{load.average_km:,.0f}",
    ]


def unfilled(figures: Figures) -> Html:
    """Why lines got nothing, or too little."""
    if not figures.unfilled:
        return tag("p", "Every planned line is filled.", class_="empty")
    headings = ("Reason", "Share", "Lines", "Units")
    return _table("Unfilled lines by reason", headings, _reasons(figures.unfilled, figures.lines, "short"))


def held(figures: Figures) -> Html:
    """Why lines were not planned in this run at all."""
    if not figures.held:
        return tag("p", "The run took every line that it was given.", class_="empty")
    headings = ("Reason", "Share", "Lines")
    total = sum(group.lines for group in figures.held)
    return _table("Lines not planned by reason", headings, _reasons(figures.held, total, "virtual"))


def _reasons(groups: Iterable[Unfilled], whole: int, kind: str) -> list[list[Content]]:
    return [
        [
            exception_words(group.reason),
            tag("span", _bar(group.lines, whole, kind), f" {share_words(group.lines, whole)}", class_="share"),
            f"{group.lines:,}",
            *([f"{group.units:,}"] if group.units else []),
        ]
        for group in groups
    ]


def _bar(part: int, whole: int, kind: str) -> Html:
    width = 100 * part / whole if whole else 0.0
    drawn = tag("rect", x=0, y=0, width=width, height=10, class_=f"filled {kind}")
    return tag("svg", drawn, viewBox="0 0 100 10", preserveAspectRatio="none", class_="bar", aria_hidden="true")


_TEXT_COLUMNS = frozenset({"Source", "Load", "Reason", "Share", "Level"})


def _table(caption: str, headings: Sequence[str], rows: Iterable[Sequence[Content]]) -> Html:
    classes = [None if heading in _TEXT_COLUMNS else "number" for heading in headings]
    columns = list(zip(headings, classes, strict=True))
    head = [tag("th", heading, scope="col", class_=kind) for heading, kind in columns]
    body = [tag("tr", [tag("td", cell, class_=kind) for cell, kind in zip(row, classes, strict=True)]) for row in rows]
    table = tag("table", tag("caption", caption), tag("thead", tag("tr", head)), tag("tbody", body))
    return tag("div", table, class_="scroll")
