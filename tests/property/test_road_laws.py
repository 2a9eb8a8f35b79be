"""Laws of plans by road: what was not worth measuring decides nothing, and the audit agrees with every table."""

from dataclasses import replace
from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dom_core.domain.plan import Plan
from dom_core.domain.reason import IntArray
from dom_core.domain.request import PlanRequest
from dom_core.domain.roads import NOT_MEASURED, Place, RoadTable, place_of
from dom_core.domain.strategy import DistanceMode
from dom_core.messages.plan_request import RequestDocument, document_of
from dom_core.messages.reading import read_value, write_value
from dom_core.optimizer import audit
from dom_core.optimizer.journeys import worth_measuring
from dom_core.optimizer.pipeline import plan_once
from dom_core.optimizer.solving import CbcSolver
from tests.oracle.generation import generate

requests = st.integers(0, 10**6).map(generate)
seeds = st.integers(0, 10**6)
law = settings(max_examples=30, deadline=None, derandomize=True, database=None)


@law
@given(requests, seeds)
def test_what_is_not_worth_measuring_decides_nothing(request: PlanRequest, seed: int) -> None:
    everything = by_road(request, Random(seed), gaps=0.0)
    assert everything.roads is not None
    with_all = planned(everything)
    only_useful = planned(replace(everything, roads=useful_part(everything, everything.roads)))
    assert only_useful.lines == with_all.lines
    assert [report.total for report in only_useful.iterations] == [report.total for report in with_all.iterations]
    assert only_useful.warnings == with_all.warnings


@law
@given(requests, seeds)
def test_the_audit_accepts_a_plan_by_any_table_with_any_gaps(request: PlanRequest, seed: int) -> None:
    asked = by_road(request, Random(seed), gaps=0.4)
    assert audit.findings(asked, planned(asked)) == ()


@law
@given(requests, seeds)
def test_a_plan_by_road_made_again_from_its_written_request_is_the_same(request: PlanRequest, seed: int) -> None:
    asked = by_road(request, Random(seed), gaps=0.4)
    written = write_value(document_of(asked), RequestDocument)
    again = read_value(written, RequestDocument, "request").to_request()
    assert replace(planned(again), seconds=0, iterations=()) == replace(planned(asked), seconds=0, iterations=())


def planned(request: PlanRequest) -> Plan:
    return plan_once(request, CbcSolver())


def by_road(request: PlanRequest, random: Random, gaps: float) -> PlanRequest:
    """The request with a table of ways of up to 2,000 km, some of them shorter than possible, some not measured."""
    places = sorted({place_of(line.location) for order in request.orders for line in order.lines if line.location})
    source_ids = [source.id for source in request.sources]
    rows: dict[Place, IntArray] = {
        place: np.array([NOT_MEASURED if random.random() < gaps else random.randrange(2_000_000) for _ in source_ids])
        for place in places
    }
    strategy = replace(request.strategy, distance_mode=DistanceMode.ROAD)
    return replace(request, strategy=strategy, roads=RoadTable.of(("paper car", 140), source_ids, rows))


def useful_part(request: PlanRequest, roads: RoadTable) -> RoadTable:
    """The table without what would not have been asked for."""
    worth = worth_measuring(request)
    rows = {place: np.full(len(roads.source_ids), NOT_MEASURED) for place in roads.places}
    located = {source.id: source.location for source in request.sources}
    for row, place in enumerate(worth.places):
        for column, source_id in enumerate(roads.source_ids):
            location = located[source_id]
            if location in worth.origins and worth.useful[row, worth.origins.index(location)]:
                rows[place][column] = roads.metres()[roads.places.index(place), column]
    return RoadTable.of((roads.engine, roads.circuity_percent), roads.source_ids, rows)
