"""A plan as a page of text: what was filled, what was not and why, and how good the plan is."""

from collections.abc import Iterator

from dom_core.cli.terminal import table
from dom_core.domain.plan import IterationReport
from dom_core.report.figures import Figures, figures_of
from dom_core.report.sections import level_words
from dom_core.report.view import PlanView
from dom_core.report.wording import count_words, ending_words, exception_words, km_words, share_words, words


def summary(view: PlanView) -> str:
    """The whole summary."""
    figures = figures_of(view.plan)
    return "\n".join(
        [
            f"Plan {view.plan.id}, strategy {view.strategy_name or view.plan.strategy_id}",
            "",
            table(_figures(view, figures)),
            *_unfilled(figures),
            *_held(figures),
            *(text for report in view.plan.iterations for text in _iteration(report)),
            *_warnings(view),
        ]
    )


def _figures(view: PlanView, figures: Figures) -> Iterator[tuple[str, str]]:
    yield "lines", f"{figures.filled_lines:,} of {figures.lines:,} filled ({_share(figures)})"
    yield "units", f"{figures.filled_units:,} of {figures.units:,} filled"
    yield "orders", f"{figures.orders:,}, {figures.split_orders:,} from more than one source"
    yield "shipments", f"{figures.shipments:,}"
    yield "average", f"{km_words(figures.average_km)} per shipment"
    yield "time", f"{view.plan.seconds:.1f} s"


def _share(figures: Figures) -> str:
    return share_words(figures.filled_lines, figures.lines)


def _unfilled(figures: Figures) -> Iterator[str]:
    if figures.unfilled:
        yield "\nUnfilled"
        rows = [
            (count_words(group.lines, "line"), count_words(group.units, "unit"), exception_words(group.reason))
            for group in figures.unfilled
        ]
        yield table(rows, right=frozenset({0, 1}))


def _held(figures: Figures) -> Iterator[str]:
    if figures.held:
        yield "\nNot planned in this run"
        rows = [(count_words(group.lines, "line"), exception_words(group.reason)) for group in figures.held]
        yield table(rows, right=frozenset({0}))


def _iteration(report: IterationReport) -> Iterator[str]:
    yield f"\nIteration {report.number}: {report.filled_lines:,} of {count_words(report.lines, 'line')} filled"
    rows = [tuple(text.split(": ", 1)) for text in level_words(report)]
    rows += [
        ("total", f"{report.total:,} points"),
        ("bound", f"{report.bound:,.0f} points, gap {100 * report.gap:.2f} %"),
        ("ending", f"{words(ending_words(report))}, {report.solver}, {report.seconds:.2f} s"),
    ]
    yield table(rows)


def _warnings(view: PlanView) -> Iterator[str]:
    for warning in view.plan.warnings:
        yield f"\nWarning: {warning}"
