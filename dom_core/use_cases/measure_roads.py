"""Measure the ways by road that a run may need: from what is kept, and for the rest from the engine.

An engine that does not answer stops no run: what it did not measure is estimated, and the plan says so.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from dom_core.domain.network import Source
from dom_core.domain.reason import BoolArray, IntArray
from dom_core.domain.request import PlanRequest
from dom_core.domain.roads import NOT_MEASURED, RoadTable, location_of
from dom_core.domain.strategy import DistanceMode
from dom_core.errors import Unavailable
from dom_core.optimizer.journeys import Journeys, worth_measuring
from dom_core.ports import Journeys as Question
from dom_core.ports import Measured, RoadDistances
from dom_core.repositories.measured_roads import MeasuredRoads, standing
from dom_core.use_cases.context import Ports

RUN_LIMIT_S = 300.0
"""How long a run asks an engine that answers, but slowly."""

QUICK_LIMIT_S = 5.0
"""The same for an answer for which somebody waits."""

_NO_WAY = -2
"""In the table while it is filled: the engine was asked, and knows no way."""


def with_roads(
    ports: Ports,
    request: PlanRequest,
    alive: Callable[[], None] = lambda: None,
    *,
    limit_s: float = RUN_LIMIT_S,
    keep: bool = True,
) -> PlanRequest:
    """The request with its distances by road, where its strategy goes by road and there is an engine.

    `alive` is called again and again meanwhile. What is new is kept for later runs, unless nothing may be written.
    """
    if request.strategy.distance_mode is not DistanceMode.ROAD or ports.roads is None:
        return request
    filling = _Filling(ports, ports.roads, worth_measuring(request), alive)
    filling.recall()
    fault = filling.ask(limit_s)
    if keep:
        filling.keep()
    return replace(request, roads=filling.table(request.sources, fault))


@dataclass(slots=True)
class _Filling:
    """A table that is being filled: metres (places, origins), and which of them are new."""

    ports: Ports
    roads: RoadDistances
    journeys: Journeys
    alive: Callable[[], None]
    metres: IntArray = field(init=False)
    new: BoolArray = field(init=False)

    def __post_init__(self) -> None:
        self.metres = np.full(self.journeys.useful.shape, NOT_MEASURED, dtype=np.int64)
        self.new = np.zeros(self.journeys.useful.shape, dtype=bool)

    def recall(self) -> None:
        """Fill in what was measured before."""
        kept, today = self._kept(), self.ports.clock.now().date()
        stands = [standing(origin) for origin in self.journeys.origins]
        for row, place in enumerate(self.journeys.places):
            known = kept.find(place, today)
            self.metres[row] = [_cell(known[name]) if name in known else NOT_MEASURED for name in stands]
            self.alive()

    def ask(self, limit_s: float) -> str:
        """Ask for the rest. Why there are gaps that there should not be, or nothing."""
        wanted, fault = self._wanted()
        try:
            for part in self.roads.measure(self._questions(wanted), limit_s):
                self._fill(part)
                self.alive()
        except Unavailable as error:
            return str(error)
        return fault

    def _wanted(self) -> tuple[BoolArray, str]:
        """What is useful, unknown and near enough; of too much the nearest, and that it was too much."""
        near = self.journeys.great_circle_m <= self.ports.settings.road_within_km * 1000
        wanted = self.journeys.useful & near & (self.metres == NOT_MEASURED)
        most, many = self.ports.settings.road_cells, int(wanted.sum())
        if many <= most:
            return wanted, ""
        cells = np.flatnonzero(wanted)
        nearest = cells[np.argsort(self.journeys.great_circle_m.ravel()[cells], kind="stable")[:most]]
        chosen = np.zeros(wanted.size, dtype=bool)
        chosen[nearest] = True
        return chosen.reshape(wanted.shape), f"a run asks for {most:,} ways at most, and {many:,} were unknown"

    def _questions(self, wanted: BoolArray) -> Iterator[Question]:
        """Places that need the same origins are asked for together, so that nothing else is."""
        together: dict[bytes, list[int]] = defaultdict(list)
        for row in np.flatnonzero(wanted.any(axis=1)).tolist():
            together[wanted[row].tobytes()].append(row)
        for rows in together.values():
            origins = tuple(self.journeys.origins[column] for column in np.flatnonzero(wanted[rows[0]]))
            yield Question(origins, tuple(location_of(self.journeys.places[row]) for row in rows))

    def _fill(self, part: Measured) -> None:
        rows = {location_of(place): row for row, place in enumerate(self.journeys.places)}
        columns = {origin: column for column, origin in enumerate(self.journeys.origins)}
        cells = np.ix_(
            [rows[place] for place in part.journeys.destinations], [columns[origin] for origin in part.journeys.origins]
        )
        self.metres[cells] = np.array([[_cell(cell) for cell in row] for row in part.metres], dtype=np.int64).T
        self.new[cells] = True

    def keep(self) -> None:
        """Store what is new for later runs."""
        kept, today = self._kept(), self.ports.clock.now().date()
        stands = [standing(origin) for origin in self.journeys.origins]
        for row in np.flatnonzero(self.new.any(axis=1)).tolist():
            columns = np.flatnonzero(self.new[row]).tolist()
            metres = {stands[column]: _known(int(self.metres[row, column])) for column in columns}
            kept.keep(self.journeys.places[row], metres, today, self.ports.settings.road_cache_days)
            self.alive()

    def table(self, sources: Sequence[Source], fault: str) -> RoadTable:
        """What is known now, as a request carries it."""
        columns = {origin: column for column, origin in enumerate(self.journeys.origins)}
        measured = {source.id: columns[source.location] for source in sources if source.location in columns}
        metres = np.maximum(self.metres, NOT_MEASURED)[:, list(measured.values())]
        rows = dict(zip(self.journeys.places, metres, strict=True))
        return RoadTable.of((self.roads.name, self.ports.settings.road_circuity_percent), list(measured), rows, fault)

    def _kept(self) -> MeasuredRoads:
        return MeasuredRoads(self.ports.store, self.roads.name)


def _cell(metres: int | None) -> int:
    return _NO_WAY if metres is None else metres


def _known(cell: int) -> int | None:
    return None if cell == _NO_WAY else cell
