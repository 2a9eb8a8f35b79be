"""Distances by road as a run uses them: what was measured between places and sources, and how gaps are filled.

Places are rounded to a thousandth of a degree, some 100 m: orders from one street share their measurements, and a table
tells nobody's door.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dom_core.domain.ids import SourceId
from dom_core.domain.network import Location
from dom_core.domain.reason import IntArray

Place = tuple[int, int]
"""A place, rounded: thousandths of a degree north and east."""

NOT_MEASURED = -1
"""In a table of metres: nobody asked, or there was no answer."""

_CELL = np.dtype("<i4")


def place_of(location: Location) -> Place:
    """The place that a location is counted to."""
    return (round(location.latitude * 1000), round(location.longitude * 1000))


def location_of(place: Place) -> Location:
    """Where a place is."""
    return Location(place[0] / 1000, place[1] / 1000)


@dataclass(frozen=True, slots=True)
class RoadTable:
    """Whole metres by road from each source to each place, for one run.

    `rows` has for each of `places` the metres from each of `source_ids`, NOT_MEASURED where nothing is known, as
    little-endian 32-bit integers. A gap counts as `circuity_percent` of the great circle. `fault` says why there are
    gaps that there should not be: the engine did not answer, or too much was to be asked.
    """

    engine: str
    circuity_percent: int
    source_ids: tuple[SourceId, ...]
    places: tuple[Place, ...]
    rows: tuple[bytes, ...]
    fault: str = ""

    @classmethod
    def of(
        cls,
        names: tuple[str, int],
        source_ids: Sequence[SourceId],
        rows: Mapping[Place, IntArray],
        fault: str = "",
    ) -> "RoadTable":
        """The table of these rows of metres; `names` are the engine and the circuity. Places come in order."""
        places = tuple(sorted(rows))
        packed = tuple(rows[place].astype(_CELL).tobytes() for place in places)
        return cls(names[0], names[1], tuple(source_ids), places, packed, fault)

    def metres(self) -> IntArray:
        """All rows as an array (places, sources)."""
        cells = np.frombuffer(b"".join(self.rows), dtype=_CELL).astype(np.int64)
        return cells.reshape(len(self.places), len(self.source_ids))

    def row(self, number: int) -> tuple[int, ...]:
        """The metres of one place, by source."""
        return tuple(np.frombuffer(self.rows[number], dtype=_CELL).tolist())

    def estimated_m(self, great_circle_m: int) -> int:
        """How far it is by road, as far as one can guess: the great circle, stretched. Rounded half up."""
        return (great_circle_m * self.circuity_percent + 50) // 100
