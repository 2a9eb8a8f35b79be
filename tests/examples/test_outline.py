"""The outline of the United States: decoded rightly, small, and where it should be."""

import json
from pathlib import Path
from typing import Any

import pytest

from examples.outline import build

# Two square states side by side: arc 0 is their common border, arcs 1 and 2 are the coasts. The first coast has a point
# that strays 0.01 degrees, and the outside state is an island of its own. Steps are tenths of a degree from (-100, 40).
TOPOLOGY: dict[str, Any] = {
    "type": "Topology",
    "transform": {"scale": [0.01, 0.01], "translate": [-100, 40]},
    "arcs": [
        [[100, 0], [0, 100]],
        [[100, 100], [-50, 1], [-50, -1], [0, -100], [100, 0]],
        [[100, 0], [100, 0], [0, 100], [-100, 0]],
        [[500, 500], [300, 0], [0, 300], [-300, -300]],
        [[300, 0], [10, 0], [0, 10], [-10, -10]],
    ],
    "objects": {
        "states": {
            "type": "GeometryCollection",
            "geometries": [
                {"type": "Polygon", "id": "08", "arcs": [[0, 1]]},
                {"type": "MultiPolygon", "id": "20", "arcs": [[[-1, 2]], [[4]]]},
                {"type": "Polygon", "id": "02", "arcs": [[3]]},
            ],
        }
    },
}


def _lines(outline: dict[str, Any], kind: str) -> list[list[tuple[float, float]]]:
    (feature,) = [feature for feature in outline["features"] if feature["properties"]["kind"] == kind]
    lines: list[list[tuple[float, float]]] = feature["geometry"]["coordinates"]
    return lines


def test_a_border_between_states_is_drawn_once() -> None:
    assert _lines(build.outline(TOPOLOGY), "state_border") == [[(-99.0, 40.0), (-99.0, 41.0)]]


def test_coasts_lose_the_points_that_hardly_stray_and_keep_their_corners() -> None:
    west, east = _lines(build.outline(TOPOLOGY), "outline")
    assert west == [(-99.0, 41.0), (-100.0, 41.0), (-100.0, 40.0), (-99.0, 40.0)]
    assert east == [(-99.0, 40.0), (-98.0, 40.0), (-98.0, 41.0), (-99.0, 41.0)]


def test_the_program_writes_the_outline(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "states.json").write_text(json.dumps(TOPOLOGY), "utf-8")
    out = tmp_path / "outline.json"
    assert build.main(["--topology", str(tmp_path / "states.json"), "--out", str(out)]) == 0
    assert out.read_text("utf-8") == build.outline_text(TOPOLOGY)
    assert "bytes" in capsys.readouterr().err


def test_the_committed_outline_is_small_and_covers_the_contiguous_states() -> None:
    raw = build.OUTPUT.read_bytes()
    outline = json.loads(raw)
    points = [point for kind in ("outline", "state_border") for line in _lines(outline, kind) for point in line]
    assert len(raw) < 60_000
    assert (min(x for x, _ in points), max(x for x, _ in points)) == pytest.approx((-124.7, -67.0), abs=0.1)
    assert (min(y for _, y in points), max(y for _, y in points)) == pytest.approx((24.6, 49.4), abs=0.1)
    assert all(round(x, 2) == x and round(y, 2) == y for x, y in points)
