"""Seconds and gap of every way, a panel a batch, as SVG that reads well on light and on dark pages."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

from benchmarks.comparing import Compared, compared
from benchmarks.records import Record
from benchmarks.ways import BY_KEY, WAYS

PANELS, COLUMNS = 9, 3
PANEL_WIDTH, PANEL_HEIGHT = 300, 210
LEFT, RIGHT, ABOVE, BELOW = 62, 24, 34, 38
LEGEND_ROW, LEGEND_COLUMNS = 20, 3

SMALLEST_GAP = 1e-5
"""Smaller gaps, and none, are drawn here: the axis is logarithmic."""

COLOURS = {
    "engine-cbc": "#1f77d0",
    "engine-highs": "#12a5b8",
    "batches": "#8a63d2",
    "compact-cbc": "#c2571a",
    "compact-highs": "#d98e04",
    "compact-cp-sat": "#b8434e",
    "fewest-splits": "#3d9140",
    "rule-cascade": "#7a8b1f",
    "nearest-source": "#808080",
}
"""Of middling lightness, so that they stand out on white and on black."""

STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #737b84 }
  .title { font-weight: 600; font-size: 13px }
  .tick { font-size: 10px }
  .grid { stroke: #808080; stroke-opacity: .25 }
  .mark { stroke-width: 1.5 }
"""


@dataclass(frozen=True, slots=True)
class Point:
    """One answer: how long, and by how much it may be dearer than the best plan."""

    way: str
    seconds: float
    gap: float


@dataclass(frozen=True, slots=True)
class Axis:
    """A logarithmic axis from one power of ten to another, `start` to `end` in pixels."""

    low: int
    high: int
    start: float
    end: float

    def at(self, value: float) -> float:
        """Where a value is."""
        return self.start + (log10(value) - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self) -> Iterator[int]:
        """Every power of ten."""
        return iter(range(self.low, self.high + 1))


def draw(records: Sequence[Record]) -> str:
    """The chart. Empty panels are left out; without any there is a chart that says so."""
    panels = [(case, points) for case in _shown(compared(records)) if (points := list(points_of(case)))]
    rows = max(1, -(-len(panels) // COLUMNS))
    legend = -(-len(WAYS) // LEGEND_COLUMNS) * LEGEND_ROW + 40
    width, height = COLUMNS * PANEL_WIDTH, rows * PANEL_HEIGHT + legend
    everything = [point for _, points in panels for point in points]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'role="img">',
        "<title>Seconds and gap of every way of planning, by batch</title>",
        f"<style>{STYLE}</style>",
    ]
    if not panels:
        parts.append(f'<text x="{LEFT}" y="{ABOVE}">nothing is measured yet</text>')
    for number, (case, points) in enumerate(panels):
        row, column = divmod(number, COLUMNS)
        parts += _panel(case.case, points, everything, column * PANEL_WIDTH, row * PANEL_HEIGHT)
    parts += _legend({point.way for point in everything}, rows * PANEL_HEIGHT)
    return "\n".join([*parts, "</svg>"]) + "\n"


def points_of(case: Compared) -> Iterator[Point]:
    """What is drawn of a case: answers, where some way has proven a bound."""
    for record in case.records:
        above = case.above_best_bound(record.figures) if record.figures else None
        if above is not None and record.result.seconds is not None:
            yield Point(record.way, max(record.result.seconds, 1e-3), max(above, SMALLEST_GAP))


def _shown(cases: Sequence[Compared]) -> list[Compared]:
    """Batches of 200 sources, or whatever there is."""
    batches = [case for case in cases if case.is_batch]
    usual = [case for case in batches if case.shape and case.shape.sources == 200]
    return (usual or batches)[:PANELS]


def _panel(title: str, points: Sequence[Point], everything: Sequence[Point], x: float, y: float) -> Iterator[str]:
    """One batch. All panels have the same axes, so that they can be compared."""
    across = _axis([point.seconds for point in everything], x + LEFT, x + PANEL_WIDTH - RIGHT)
    up = _axis([point.gap for point in everything], y + PANEL_HEIGHT - BELOW, y + ABOVE)
    yield f'<text class="title" x="{x + LEFT}" y="{y + 18}">{escape(title)}</text>'
    for power in across.ticks():
        place = across.at(10.0**power)
        yield f'<line class="grid" x1="{place:.1f}" x2="{place:.1f}" y1="{up.start}" y2="{up.end}"/>'
        yield _tick(place, up.start + 13, "middle", f"{10.0**power:g} s")
    for power in up.ticks():
        place = up.at(10.0**power)
        label = f"{100 * 10.0**power:g} %"
        yield f'<line class="grid" x1="{across.start}" x2="{across.end}" y1="{place:.1f}" y2="{place:.1f}"/>'
        yield _tick(across.start - 5, place + 3, "end", f"≤ {label}" if 10.0**power <= SMALLEST_GAP else label)
    for point in points:
        hint = f"{BY_KEY[point.way].title}: {point.seconds:,.1f} s, {100 * point.gap:.3f} %"
        yield _mark(point.way, across.at(point.seconds), up.at(point.gap), hint)


def _tick(x: float, y: float, anchor: str, label: str) -> str:
    return f'<text class="tick" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(label)}</text>'


def _axis(values: Sequence[float], start: float, end: float) -> Axis:
    low, high = floor(log10(min(values)) + 1e-9), ceil(log10(max(values)) - 1e-9)
    return Axis(low, max(high, low + 1), start, end)


def _mark(way: str, x: float, y: float, hint: str) -> str:
    """A disc for this engine, a square for exact models, a triangle for pieces, a ring for simple ways."""
    colour, shape = COLOURS[way], f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5"'
    fill = colour
    if way.startswith("compact"):
        shape = f'<rect x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8"'
    elif way == "batches":
        shape = f'<path d="M{x:.1f} {y - 5.5:.1f} l5 9 h-10 z"'
    elif not way.startswith("engine"):
        fill = "none"
    return f'{shape} class="mark" fill="{fill}" stroke="{colour}"><title>{escape(hint)}</title>{_closing(shape)}'


def _closing(shape: str) -> str:
    return f"</{shape[1:].partition(' ')[0]}>"


def _legend(shown: set[str], y: float) -> Iterator[str]:
    axes = "across: seconds; up: how much dearer than the best bound that any way has proven; both logarithmic"
    yield f'<text x="{LEFT}" y="{y + 12}">{axes}</text>'
    ways = [way for way in WAYS if way.key in shown]
    for number, way in enumerate(ways):
        row, column = divmod(number, LEGEND_COLUMNS)
        left, line = LEFT + column * PANEL_WIDTH, y + 38 + row * LEGEND_ROW
        yield _mark(way.key, left, line - 4, way.title)
        yield f'<text x="{left + 12}" y="{line}">{escape(way.title)}</text>'
