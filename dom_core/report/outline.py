"""The outline of the country behind the map: public-domain borders, simplified, shipped with the package."""

import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from dom_core.domain.network import Location

Polyline = tuple[Location, ...]


@cache
def united_states() -> dict[str, tuple[Polyline, ...]]:
    """The contiguous United States: polylines by kind (`outline`, `state_border`)."""
    text = files("dom_core.report").joinpath("outline.json").read_text(encoding="utf-8")
    return polylines(json.loads(text))


def polylines(collection: dict[str, Any]) -> dict[str, tuple[Polyline, ...]]:
    """The lines of a GeoJSON feature collection, by each feature's `kind`."""
    return {
        feature["properties"]["kind"]: tuple(_lines(feature["geometry"]["coordinates"]))
        for feature in collection["features"]
    }


def _lines(coordinates: list[Any]) -> Iterator[Polyline]:
    """The lines of a geometry, however deep it nests them."""
    if coordinates and isinstance(coordinates[0][0], int | float):
        yield tuple(Location(latitude, longitude) for longitude, latitude in coordinates)
        return
    for part in coordinates:
        yield from _lines(part)
