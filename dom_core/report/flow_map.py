"""The map: sources by type and load, destinations, and the flows between them, as inline SVG."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt

from dom_core.domain.ids import SourceId
from dom_core.domain.network import Location, SourceType
from dom_core.report import outline
from dom_core.report.figures import Load
from dom_core.report.markup import Html, tag
from dom_core.report.projection import Point, Projection, in_north_america, projection_for
from dom_core.report.view import Destination, PlanView, ViewedSource
from dom_core.report.wording import count_words, words

WIDTH = 1000
MARGIN = 28
MOST_FLOWS = 1500
"""Flows that are drawn, the largest first: more would be a blot."""
MOST_LABELS, MAJOR_LABELS = 40, 12
LETTER_WIDTH, TEXT_HEIGHT = 6.4, 13.0

_Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Flow:
    """Units that go from one source to one place in one iteration."""

    source_id: SourceId
    place: Location
    iteration: int
    units: int
    name: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """Where places fall on the sheet."""

    project: Projection
    west_km: float
    north_km: float
    pixels_per_km: float
    height: int

    def at(self, place: Location) -> Point:
        """A place in pixels."""
        east_km, south_km = self.project(place)
        return (
            MARGIN + (east_km - self.west_km) * self.pixels_per_km,
            MARGIN + (south_km - self.north_km) * self.pixels_per_km,
        )


def flow_map(view: PlanView, loads: Sequence[Load]) -> Html:
    """The map of a plan; a sentence instead when nothing has coordinates."""
    sources = [source for source in view.network if source.location]
    places = [source.location for source in sources if source.location]
    destinations = _planned_destinations(view)
    places += [destination.location for destination in destinations if destination.location]
    if not places:
        return tag("p", "No source or destination has coordinates: there is nothing to draw.", class_="empty")
    borders = outline.united_states() if in_north_america(places) else {}
    framed = [place for lines in borders.values() for line in lines for place in line]
    drawing = _drawing(projection_for(places), [*places, *framed])
    flows = flows_of(view)
    units = {load.source_id: load.units for load in loads}
    known = view.sources()
    # The busiest first: a small symbol is drawn over a large one, and a large one is named before a small one.
    by_units = sorted(sources, key=lambda source: (-units.get(source.id, 0), source.id))
    return tag(
        "svg",
        [_border(drawing, kind, lines) for kind, lines in borders.items()],
        tag("g", [_flow(drawing, known[flow.source_id], flow) for flow in flows[:MOST_FLOWS]], class_="flows"),
        tag("g", _destinations(drawing, view, destinations), class_="destinations"),
        tag("g", [_source(drawing, source, units) for source in by_units], class_="sources"),
        tag("g", _labels(drawing, by_units, units), class_="labels", aria_hidden="true"),
        viewBox=f"0 0 {WIDTH} {drawing.height}",
        role="img",
        aria_label=f"Map of {count_words(len(sources), 'source')} and {count_words(len(flows), 'flow')}",
    )


def flows_of(view: PlanView) -> list[Flow]:
    """The flows of a plan between places that have coordinates, the largest first."""
    places = view.places()
    sources = view.sources()
    units: dict[tuple[SourceId, Location, int], int] = defaultdict(int)
    names: dict[Location, str] = {}
    for line in view.plan.lines:
        destination = places.get((line.order_id, line.line_id))
        if destination is None or destination.location is None:
            continue
        names.setdefault(destination.location, destination.place)
        for assignment in line.assignments:
            if sources[assignment.source_id].location:
                units[assignment.source_id, destination.location, assignment.iteration] += assignment.units
    flows = [Flow(*key, units=total, name=names[key[1]]) for key, total in units.items()]
    return sorted(flows, key=lambda f: (-f.units, f.source_id, f.place.latitude, f.place.longitude, f.iteration))


def symbol(type: SourceType, x: float, y: float, radius: float) -> Html:
    """A source's symbol: shape and colour both tell the type, so that neither is needed alone."""
    match type:
        case SourceType.STORE:
            return tag("circle", cx=x, cy=y, r=radius)
        case SourceType.WAREHOUSE:
            side = radius * 0.9
            return tag("rect", x=x - side, y=y - side, width=2 * side, height=2 * side, rx=1.5)
        case SourceType.DISTRIBUTION_CENTER:
            return _polygon(x, y, radius, [(0, -1.2), (1.2, 0), (0, 1.2), (-1.2, 0)])
        case SourceType.DROP_SHIP:
            return _polygon(x, y, radius, [(0, -1.15), (1.1, 0.85), (-1.1, 0.85)])
        case SourceType.VIRTUAL:
            return _polygon(x, y, radius, [(0.6, -1), (1.15, 0), (0.6, 1), (-0.6, 1), (-1.15, 0), (-0.6, -1)])


def legend(view: PlanView) -> Html:
    """What the symbols and lines of this map mean; only those that it uses."""
    used = [type for type in SourceType if any(source.type is type for source in view.network)]
    entries = [(words(type), tag("g", symbol(type, 9.0, 9.0, 6.0), class_=f"symbol {type}")) for type in used]
    iterations = sorted({assignment.iteration for line in view.plan.lines for assignment in line.assignments})
    for number in iterations:
        meaning = "flow" if iterations == [1] else f"flow, iteration {number}"
        entries.append((meaning, tag("path", d="M1,9 H17", class_=f"flow iteration-{number}")))
    entries.append(("destination", tag("circle", cx=9, cy=9, r=2.5, class_="destination")))
    if any(line.filled_units < line.units for line in view.plan.lines):
        entries.append(("destination with unfilled lines", _cross(9, 9)))
    return tag(
        "ul",
        [tag("li", tag("svg", drawn, viewBox="0 0 18 18", aria_hidden="true"), text) for text, drawn in entries],
        tag("li", "Symbols and lines grow with units.", class_="hint"),
        class_="legend",
    )


def _drawing(project: Projection, places: Iterable[Location]) -> Drawing:
    points = [project(place) for place in places]
    west, east = min(x for x, _ in points), max(x for x, _ in points)
    north, south = min(y for _, y in points), max(y for _, y in points)
    # A single place, or a few in one town, still get a sheet of 100 km.
    width_km, height_km = max(east - west, 100.0), max(south - north, 60.0)
    pixels_per_km = min((WIDTH - 2 * MARGIN) / width_km, (0.75 * WIDTH - 2 * MARGIN) / height_km)
    west -= ((WIDTH - 2 * MARGIN) / pixels_per_km - (east - west)) / 2
    north -= (height_km - (south - north)) / 2
    return Drawing(project, west, north, pixels_per_km, round(height_km * pixels_per_km) + 2 * MARGIN)


def _border(drawing: Drawing, kind: str, lines: Iterable[outline.Polyline]) -> Html:
    path = "".join("M" + "L".join(_pair(drawing.at(place)) for place in line) for line in lines)
    return tag("path", d=path, class_=f"border {kind}")


def _flow(drawing: Drawing, source: ViewedSource, flow: Flow) -> Html:
    start = drawing.at(source.location) if source.location else (0.0, 0.0)
    end = drawing.at(flow.place)
    title = f"{source.label} → {flow.name or 'destination'}: {count_words(flow.units, 'unit')}"
    return tag(
        "path",
        tag("title", title),
        d=_arc(start, end),
        class_=f"flow {source.type} iteration-{flow.iteration}",
        stroke_width=min(5.0, 0.7 + 0.45 * sqrt(flow.units)),
        data_source=flow.source_id,
    )


def _arc(start: Point, end: Point) -> str:
    """A slightly bent line: flows in both directions between two places stay apart."""
    middle_x, middle_y = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
    bend = 0.08
    control = (middle_x + bend * (end[1] - start[1]), middle_y - bend * (end[0] - start[0]))
    return f"M{_pair(start)}Q{_pair(control)} {_pair(end)}"


def _planned_destinations(view: PlanView) -> list[Destination]:
    """Where the lines that the run took go."""
    places = view.places()
    keys = [(line.order_id, line.line_id) for line in view.plan.lines]
    return [places[key] for key in keys if key in places]


def _destinations(drawing: Drawing, view: PlanView, destinations: Sequence[Destination]) -> list[Html]:
    """A dot for each place; a cross where a line stays short."""
    short = {(line.order_id, line.line_id) for line in view.plan.lines if line.filled_units < line.units}
    places = dict.fromkeys(destination.location for destination in destinations if destination.location)
    unfilled = {d.location: d.place for d in destinations if d.location and (d.order_id, d.line_id) in short}
    dots = [_dot(drawing.at(place)) for place in places if place not in unfilled]
    return dots + [_cross(*drawing.at(place), f"Unfilled: {name}") for place, name in unfilled.items()]


def _dot(point: Point) -> Html:
    return tag("circle", cx=point[0], cy=point[1], r=1.8, class_="destination")


def _cross(x: float, y: float, title: str = "") -> Html:
    mark = f"M{x - 3.5:.1f},{y - 3.5:.1f}l7,7m0,-7l-7,7"
    return tag("path", tag("title", title) if title else None, d=mark, class_="unfilled")


def radius_of(units: int, most_units: int) -> float:
    """The radius of a source's symbol: its area grows with its units."""
    return 4.5 + 8.5 * sqrt(units / most_units) if most_units and units else 4.0


def _source(drawing: Drawing, source: ViewedSource, units: dict[SourceId, int]) -> Html:
    x, y = drawing.at(source.location) if source.location else (0.0, 0.0)
    load = units.get(source.id, 0)
    return tag(
        "g",
        tag("title", f"{source.label} ({words(source.type)}): {count_words(load, 'unit')}"),
        symbol(source.type, x, y, radius_of(load, max(units.values(), default=0))),
        class_=f"symbol {source.type}" + ("" if load else " idle"),
        data_source=source.id,
    )


def _labels(drawing: Drawing, sources: Sequence[ViewedSource], units: dict[SourceId, int]) -> list[Html]:
    """Names beside the symbols; one that would cover an earlier one is left out."""
    most = max(units.values(), default=0)
    spots = {
        source.id: (*drawing.at(source.location), radius_of(units.get(source.id, 0), most))
        for source in sources
        if source.location
    }
    taken: list[_Box] = [(x - r, y - r, x + r, y + r) for x, y, r in spots.values()]
    labels: list[Html] = []
    for source in sources[:MOST_LABELS]:
        text = source.label if len(source.label) <= 28 else source.label[:27] + "…"
        placed = _free_spot(spots[source.id], len(text) * LETTER_WIDTH, taken, drawing.height)
        if placed:
            taken.append(placed)
            labels.append(_label(text, placed, spots[source.id][0], minor=len(labels) >= MAJOR_LABELS))
    return labels


def _label(text: str, box: _Box, x: float, *, minor: bool) -> Html:
    """A name in its box, anchored where it meets the symbol: a narrow screen writes it larger."""
    anchor, at = ("start", box[0]) if box[0] > x else ("end", box[2]) if box[2] < x else ("middle", x)
    return tag("text", text, x=at, y=box[3] - 3, text_anchor=anchor, class_="minor" if minor else None)


def _free_spot(spot: tuple[float, float, float], width: float, taken: Sequence[_Box], height: int) -> _Box | None:
    x, y, r = spot
    half = TEXT_HEIGHT / 2
    corners = [(x + r + 3, y - half), (x - r - 3 - width, y - half)]
    corners += [(x - width / 2, y + r + 1), (x - width / 2, y - r - 1 - TEXT_HEIGHT)]
    for left, top in corners:
        box = (left, top, left + width, top + TEXT_HEIGHT)
        inside = left >= 0 and top >= 0 and box[2] <= WIDTH and box[3] <= height
        if inside and not any(_overlap(box, other) for other in taken):
            return box
    return None


def _overlap(one: _Box, other: _Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _polygon(x: float, y: float, radius: float, corners: Iterable[Point]) -> Html:
    points = " ".join(_pair((x + dx * radius, y + dy * radius)) for dx, dy in corners)
    return tag("polygon", points=points)


def _pair(point: Point) -> str:
    return f"{point[0]:.1f},{point[1]:.1f}"
