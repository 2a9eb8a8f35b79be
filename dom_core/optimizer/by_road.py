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
    great_circle_m: IntArray, places: Sequence[Location | None], sources: Sequence[Source], roads: RoadTable
) -> IntArray:
    """The distances (places, sources) that a run goes by: those of the table, and estimates."""
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
    """Which pairs of a batch go by an estimate. Lines that go to the same place share a row of `rows` (places, S)."""

    row_of: IntArray
    rows: BoolArray

    def of(self, line: int, source: int) -> bool:
        """Whether this pair does."""
        return bool(self.rows[self.row_of[line], source])

    def among(self, pairs: BoolArray) -> tuple[int, int]:
        """How many of these pairs (L, S) do, and of how many."""
        by_place = np.zeros(self.rows.shape, dtype=np.int64)
        np.add.at(by_place, self.row_of, pairs)
        return int(by_place[self.rows].sum()), int(by_place.sum())


def estimates(batch: Batch) -> Estimates:
    """The pairs that the batch's table did not measure. None where distances are not by road, or unknown."""
    roads, metres = batch.request.roads, batch.metres
    estimated = np.zeros(metres.rows.shape, dtype=bool)
    if roads is not None:
        rows, first_line = np.unique(metres.row_of, return_index=True)
        places = [batch.lines[line].location for line in first_line.tolist()]
        unmeasured = measured_m(places, batch.sources, roads) == NOT_MEASURED
        estimated[rows] = unmeasured & (metres.rows[rows] != UNKNOWN_DISTANCE_M)
    return Estimates(metres.row_of, estimated)
