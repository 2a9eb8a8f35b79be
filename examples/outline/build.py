"""Makes `dom_core/report/outline.json`: the contiguous United States as lines, small enough for a report page.

Input is `states-10m.json` of the npm package `us-atlas` (boundaries of the US Census Bureau, 2017, in TopoJSON):

    npm pack us-atlas@3.0.1 && tar xzf us-atlas-3.0.1.tgz
    python -m examples.outline.build --topology package/states-10m.json

Output is GeoJSON: one feature with the coast and the national border, one with the borders between states. Each is a
MultiLineString of longitude and latitude in degrees. The same input gives the same bytes.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

Point = tuple[float, float]
"""Longitude and latitude in degrees."""

OUTPUT = Path(__file__).parents[2] / "dom_core" / "report" / "outline.json"
OUTSIDE = frozenset({"02", "15", "60", "66", "69", "72", "78"})
"""Census codes of what is not contiguous: Alaska, Hawaii, the territories."""

TOLERANCE_DEG = 0.03
"""How far the drawn line may stray from the true one: about 3 km, less than a pixel on a page-wide map."""

SMALLEST_ISLAND_DEG = 0.25
"""Islands that are smaller than this in both directions are left out."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the topology, write the outline, say what was done."""
    options = _options(arguments)
    text = outline_text(json.loads(options.topology.read_text("utf-8")))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(text, "utf-8", newline="\n")
    sys.stderr.write(f"wrote {options.out}: {len(text):,} bytes\n")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m examples.outline.build", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--topology", type=Path, required=True, metavar="FILE", help="states-10m.json of us-atlas")
    parser.add_argument("--out", type=Path, default=OUTPUT, metavar="FILE", help="default: %(default)s")
    return parser.parse_args(arguments)


def outline_text(topology: dict[str, Any]) -> str:
    """The outline as GeoJSON text, without spaces."""
    return json.dumps(outline(topology), separators=(",", ":")) + "\n"


def outline(topology: dict[str, Any]) -> dict[str, Any]:
    """The outline as a GeoJSON FeatureCollection with features of kind `outline` and `state_border`."""
    times_used = Counter(_arcs_of_states(topology))
    lines = [(times, _simplified(_points(topology, arc))) for arc, times in sorted(times_used.items())]
    drawn = [(times, line) for times, line in lines if not _is_small_island(line)]
    return {
        "type": "FeatureCollection",
        "features": [
            _feature("outline", [line for times, line in drawn if times == 1]),
            _feature("state_border", [line for times, line in drawn if times > 1]),
        ],
    }


def _feature(kind: str, lines: list[list[Point]]) -> dict[str, Any]:
    geometry = {"type": "MultiLineString", "coordinates": lines}
    return {"type": "Feature", "properties": {"kind": kind}, "geometry": geometry}


def _arcs_of_states(topology: dict[str, Any]) -> Iterator[int]:
    """The arc of each piece of each state's edge; a border between two states comes twice."""
    for state in topology["objects"]["states"]["geometries"]:
        if state["id"] not in OUTSIDE:
            polygons = state["arcs"] if state["type"] == "MultiPolygon" else [state["arcs"]]
            for ring in (ring for polygon in polygons for ring in polygon):
                # TopoJSON writes an arc that is walked backwards as its complement.
                yield from (arc if arc >= 0 else ~arc for arc in ring)


def _points(topology: dict[str, Any], arc: int) -> list[Point]:
    """The arc's points in degrees. TopoJSON stores whole steps from point to point."""
    (scale_x, scale_y), (origin_x, origin_y) = topology["transform"]["scale"], topology["transform"]["translate"]
    points, x, y = [], 0, 0
    for step_x, step_y in topology["arcs"][arc]:
        x, y = x + step_x, y + step_y
        points.append((round(x * scale_x + origin_x, 2), round(y * scale_y + origin_y, 2)))
    return points


def _simplified(points: list[Point]) -> list[Point]:
    """The line without the points that lie within the tolerance of it (Douglas and Peucker); the ends stay."""
    keep = {0, len(points) - 1}
    spans = [(0, len(points) - 1)]
    while spans:
        first, last = spans.pop()
        distances = [_distance_deg(points[i], points[first], points[last]) for i in range(first + 1, last)]
        if distances and max(distances) > TOLERANCE_DEG:
            farthest = first + 1 + distances.index(max(distances))
            keep.add(farthest)
            spans += [(first, farthest), (farthest, last)]
    return [points[i] for i in sorted(keep)]


def _distance_deg(point: Point, start: Point, end: Point) -> float:
    """How far the point is from the segment, in degrees."""
    along = complex(end[0] - start[0], end[1] - start[1])
    to_point = complex(point[0] - start[0], point[1] - start[1])
    if along == 0:  # a closed line: both ends are one point
        return abs(to_point)
    share = min(1.0, max(0.0, (to_point * along.conjugate()).real / abs(along) ** 2))
    return abs(to_point - share * along)


def _is_small_island(line: list[Point]) -> bool:
    longitudes, latitudes = [x for x, _ in line], [y for _, y in line]
    width, height = max(longitudes) - min(longitudes), max(latitudes) - min(latitudes)
    return line[0] == line[-1] and max(width, height) < SMALLEST_ISLAND_DEG


if __name__ == "__main__":
    sys.exit(main())
