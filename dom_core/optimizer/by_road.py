"""Distances by road in columns: what the request's table measured, and estimates for the rest.

A way by road is never shorter than the great circle: engines look for the nearest road, tables round places, and where
that makes a way shorter than possible, the great circle counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dom_core.domain.batch import UNKNOWN_DISTANCE_M, Batch
from dom_core.domain.network import Location, Source
from dom_core.domain.reason import BoolArray, IntArray
from dom_core.domain.roads import NOT_MEASURED, RoadTable, place_of


def distances_m(
    great_circle_m: IntArray, places: Sequence[Location | None], sources: Sequence[Source], roads: RoadTable | None
) -> IntArray:
    """The distances (places, sources) that a run goes by: those along the great circle, unless there is a table."""
    if roads is None:
        return great_circle_m
    measured = measured_m(places, sources, roads)
    estimates = (great_circle_m * roads.circuity_percent + 50) // 100
    by_road = np.where(measured == NOT_MEASURED, estimates, np.maximum(measured, great_circle_m))
    return np.where(great_circle_m == UNKNOWN_DISTANCE_M, UNKNOWN_DISTANCE_M, by_road)


def measured_m(places: Sequence[Location | None], sources: Sequence[Source], roads: RoadTable) -> IntArray:
    """What the table says about these places and sources, NOT_MEASURED where it is silent."""
    table = np.full((len(roads.places) + 1, len(roads.source_ids) + 1), NOT_MEASURED, dtype=np.int64)
    table[:-1, :-1] = roads.metres()
    row = {place: number for number, place in enumerate(roads.places)}
    column = {source_id: number for number, source_id in enumerate(roads.source_ids)}
    rows = [row.get(place_of(place), -1) if place else -1 for place in places]
    columns = [column.get(source.id, -1) for source in sources]
    return table[np.ix_(rows, columns)]


@dataclass(frozen=True, slots=True, eq=False)
class Estimates:
    """Which pairs (lines, sources) of a batch go by an estimate."""

    pairs: BoolArray

    def of(self, line: int, source: int) -> bool:
        """Whether this pair does."""
        return bool(self.pairs[line, source])

    def among(self, pairs: BoolArray) -> tuple[int, int]:
        """How many of these pairs do, and of how many."""
        return int((pairs & self.pairs).sum()), int(pairs.sum())


def estimates(batch: Batch) -> Estimates:
    """The pairs that the batch's table did not measure. None where distances are not by road, or unknown."""
    roads = batch.request.roads
    if roads is None:
        return Estimates(np.zeros(batch.shape, dtype=bool))
    places = [line.location for line in batch.lines]
    measured = measured_m(places, batch.sources, roads)
    return Estimates((measured == NOT_MEASURED) & (batch.distance_m != UNKNOWN_DISTANCE_M))
