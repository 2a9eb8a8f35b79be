"""Which ways are worth measuring by road, before anything is measured.

A way by road is never shorter than the great circle: what the rules rule out along the great circle, they rule out by
road as well. So only pairs are asked for that iteration 2, the more generous one, would allow along the great circle.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from dom_core.domain.batch import UNKNOWN_DISTANCE_M
from dom_core.domain.network import Location
from dom_core.domain.reason import BoolArray, IntArray
from dom_core.domain.request import PlanRequest
from dom_core.domain.roads import Place, place_of
from dom_core.optimizer import activation, candidates
from dom_core.optimizer.pipeline import open_lines

_Name = TypeVar("_Name", Place, tuple[float, float])


@dataclass(frozen=True, slots=True, eq=False)
class Journeys:
    """Ways from where sources stand to places. `great_circle_m` and `useful` are (places, origins), both in order."""

    places: tuple[Place, ...]
    origins: tuple[Location, ...]
    great_circle_m: IntArray
    useful: BoolArray


def worth_measuring(request: PlanRequest) -> Journeys:
    """The ways that may decide something: of lines that the run takes, from sources that may serve them."""
    batch, _ = open_lines(replace(request, roads=None))
    allowed = candidates.generate(batch, activation.in_iteration(request, 2)).allowed
    allowed = allowed & (batch.distance_m != UNKNOWN_DISTANCE_M)
    lines, columns = np.flatnonzero(allowed.any(axis=1)), np.flatnonzero(allowed.any(axis=0))
    locations = [batch.lines[line].location for line in lines]
    places, rows = _numbered([place_of(location) for location in locations if location])
    stands = [batch.sources[column].location for column in columns]
    origins, origin_of = _numbered([(stand.latitude, stand.longitude) for stand in stands if stand])
    cells = np.ix_(lines, columns)
    useful = np.zeros((len(places), len(origins)), dtype=bool)
    nearest_m = np.full(useful.shape, np.iinfo(np.int64).max, dtype=np.int64)
    np.logical_or.at(useful, np.ix_(rows, origin_of), allowed[cells])
    np.minimum.at(nearest_m, np.ix_(rows, origin_of), batch.distance_m[cells])
    return Journeys(places, tuple(Location(*origin) for origin in origins), nearest_m, useful)


def _numbered(names: Sequence[_Name]) -> tuple[tuple[_Name, ...], list[int]]:
    """The distinct names in order, and the position of each among them."""
    distinct = tuple(sorted(set(names)))
    position = {name: number for number, name in enumerate(distinct)}
    return distinct, [position[name] for name in names]
