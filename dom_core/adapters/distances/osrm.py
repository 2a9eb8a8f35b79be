"""Distances by OSRM: `GET /table/v1/{profile}/{lon,lat;…}?annotations=distance`.

Reference: https://project-osrm.org/docs/latest/api/#table-service. A server takes 100 points a question unless it was
started with another `--max-table-size`. It answers for the nearest road, however far that is, and says how far.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from dom_core.adapters.distances.asking import MAX_SNAP_M, Limits, Metres
from dom_core.adapters.distances.service import JsonService, NoAnswer, Refused, unknown_shape, whole_metres
from dom_core.domain.network import Location
from dom_core.ports import Journeys

DEFAULT_PROFILE = "driving"
LIMITS = Limits(cells=2_500, points=100)


class OsrmEngine:
    """One question to an OSRM server."""

    limits = LIMITS

    def __init__(self, url: str, profile: str = DEFAULT_PROFILE) -> None:
        self._profile = profile
        self._service = JsonService("OSRM", url, "DOM_OSRM_URL")
        self.name = f"osrm {profile}"

    def ask(self, journeys: Journeys, timeout_s: float) -> Metres:
        """The answer. Raises NoAnswer, Refused."""
        origins, destinations = len(journeys.origins), len(journeys.destinations)
        points = ";".join(map(_written, (*journeys.origins, *journeys.destinations)))
        asked = (
            f"annotations=distance&generate_hints=false&sources={_numbers(0, origins)}"
            f"&destinations={_numbers(origins, destinations)}"
        )
        answer = self._service.get(f"/table/v1/{self._profile}/{points}?{asked}", timeout_s)
        try:
            return _metres(answer, origins, destinations)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise unknown_shape("OSRM", error) from error


def _written(point: Location) -> str:
    return f"{point.longitude:.5f},{point.latitude:.5f}"


def _numbers(first: int, count: int) -> str:
    return ";".join(str(number) for number in range(first, first + count))


def _metres(answer: Mapping[str, Any], origins: int, destinations: int) -> Metres:
    if answer["code"] != "Ok":
        raise Refused(f"OSRM says {answer['code']}")
    rows = answer["distances"]
    on_map = [_on_the_map(answer["sources"], origins), _on_the_map(answer["destinations"], destinations)]
    if len(rows) != origins or any(len(row) != destinations for row in rows):
        raise NoAnswer("OSRM answered another question", None)
    return [
        [_distance(cell) if here and there else None for cell, there in zip(row, on_map[1], strict=True)]
        for row, here in zip(rows, on_map[0], strict=True)
    ]


def _distance(cell: float | None) -> int | None:
    """Between neighbours OSRM may answer less than nothing (its issue 5855): that is no measurement."""
    metres = None if isinstance(cell, int | float) and cell < 0 else cell
    return whole_metres(metres)


def _on_the_map(snapped: Sequence[Mapping[str, Any] | None], count: int) -> list[bool]:
    """Whether each point is near enough to the road that stands for it."""
    if len(snapped) != count:
        raise ValueError("another number of points")
    return [point is not None and float(point["distance"]) <= MAX_SNAP_M for point in snapped]
