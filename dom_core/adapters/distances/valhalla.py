"""Distances by Valhalla: `POST /sources_to_targets`.

Reference: https://valhalla.github.io/valhalla/api/matrix/api-reference/. A server takes 2,500 pairs a question, and
refuses a question of which a single pair is farther apart than 400 km, or a single point is near no road.
"""

from collections.abc import Mapping
from typing import Any

from dom_core.adapters.distances.asking import MAX_SNAP_M, Limits, Metres
from dom_core.adapters.distances.service import JsonService, unknown_shape, whole_metres
from dom_core.domain.network import Location
from dom_core.ports import Journeys

DEFAULT_PROFILE = "auto"
LIMITS = Limits(cells=2_500)


class ValhallaEngine:
    """One question to a Valhalla server."""

    limits = LIMITS

    def __init__(self, url: str, profile: str = DEFAULT_PROFILE) -> None:
        self._profile = profile
        self._service = JsonService("Valhalla", url, "DOM_VALHALLA_URL")
        self.name = f"valhalla {profile}"

    def ask(self, journeys: Journeys, timeout_s: float) -> Metres:
        """The answer. Raises NoAnswer, Refused."""
        question = {
            "sources": [_written(point) for point in journeys.origins],
            "targets": [_written(point) for point in journeys.destinations],
            "costing": self._profile,
            "units": "kilometers",
            "verbose": False,
        }
        answer = self._service.post("/sources_to_targets", question, timeout_s)
        try:
            return _metres(answer["sources_to_targets"], len(journeys.origins), len(journeys.destinations))
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise unknown_shape("Valhalla", error) from error


def _written(point: Location) -> dict[str, float]:
    return {"lat": round(point.latitude, 5), "lon": round(point.longitude, 5), "search_cutoff": MAX_SNAP_M}


def _metres(matrix: Any, origins: int, destinations: int) -> Metres:
    """Versions before 3.5 know no short answer: their rows are objects of a pair each."""
    rows = (
        matrix["distances"] if isinstance(matrix, Mapping) else [[cell["distance"] for cell in row] for row in matrix]
    )
    if len(rows) != origins or any(len(row) != destinations for row in rows):
        raise ValueError("another number of pairs")
    return [[None if km is None else whole_metres(km * 1000) for km in row] for row in rows]
