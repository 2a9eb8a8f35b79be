"""Distances by Azure Maps: `POST /route/matrix`, API version 2025-01-01, answered at once up to 2,500 pairs.

Reference: https://learn.microsoft.com/rest/api/maps/route/post-route-matrix. The key travels in a header, never in the
URL, so that no proxy or log sees it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from dom_core.adapters.distances.asking import Limits, Metres
from dom_core.adapters.distances.service import JsonService, unknown_shape, whole_metres
from dom_core.domain.network import Location
from dom_core.errors import InvalidInput, Problem
from dom_core.ports import Journeys

API_VERSION = "2025-01-01"
BASE_URL = "https://atlas.microsoft.com"
DEFAULT_PROFILE = "driving"
LIMITS = Limits(cells=2_500)


class AzureMapsEngine:
    """One question to Azure Maps. Traffic is that of the past: the same way is as long today as tomorrow."""

    limits = LIMITS

    def __init__(self, key: str, profile: str = DEFAULT_PROFILE, *, base_url: str = BASE_URL) -> None:
        if not key.strip():
            problem = Problem("DOM_AZURE_MAPS_KEY", "is needed when distances come from azure_maps")
            raise InvalidInput([problem], "settings")
        self._profile = profile
        headers = {"subscription-key": key.strip()}
        self._service = JsonService("Azure Maps", base_url, "DOM_AZURE_MAPS_KEY", headers)
        self.name = f"azure_maps {profile}"

    def ask(self, journeys: Journeys, timeout_s: float) -> Metres:
        """The answer. Raises NoAnswer, Refused."""
        question = {
            "type": "FeatureCollection",
            "features": [_points("origins", journeys.origins), _points("destinations", journeys.destinations)],
            "travelMode": self._profile,
            "traffic": "historical",
        }
        answer = self._service.post(f"/route/matrix?api-version={API_VERSION}", question, timeout_s)
        try:
            cells = answer["properties"]["matrix"]
            return _metres(cells, len(journeys.origins), len(journeys.destinations))
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise unknown_shape("Azure Maps", error) from error


def _points(role: str, points: Sequence[Location]) -> dict[str, Any]:
    coordinates = [[round(point.longitude, 5), round(point.latitude, 5)] for point in points]
    return {
        "type": "Feature",
        "geometry": {"type": "MultiPoint", "coordinates": coordinates},
        "properties": {"pointType": role},
    }


def _metres(cells: Sequence[Mapping[str, Any]], origins: int, destinations: int) -> Metres:
    """Cells come in any order. One that failed, or is missing, has no distance."""
    metres: Metres = [[None] * destinations for _ in range(origins)]
    for cell in cells:
        row, column = int(cell["originIndex"]), int(cell["destinationIndex"])
        if not (0 <= row < origins and 0 <= column < destinations):
            raise ValueError("a pair that was not asked for")
        if cell.get("statusCode") == 200:
            metres[row][column] = whole_metres(cell["distanceInMeters"])
    return metres
