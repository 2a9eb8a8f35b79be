"""A run's input as a JSON document: what a plan keeps so that it can be made again.

JSON has neither tuples as keys nor sets: stock and loads become sorted lists here, and mappings again on the way back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from pydantic import ConfigDict, Field

from dom_core.domain.ids import OrderId, PlanId, ProductId, RunId, SourceId
from dom_core.domain.network import STRICT, Product, Source, SourceList
from dom_core.domain.order import Order
from dom_core.domain.request import LimitsElsewhere, PlanRequest, SourceLoad
from dom_core.domain.roads import NOT_MEASURED, Place, RoadTable
from dom_core.domain.strategy import CostFactorRecord, RuleRecord, Strategy
from dom_core.domain.units import Count, Units, UtcTime


@dataclass(frozen=True, slots=True)
class AvailableUnits:
    """Units of a product at a source that may be promised."""

    product_id: ProductId
    source_id: SourceId
    units: Units


@dataclass(frozen=True, slots=True)
class LoadedSource:
    """What earlier plans already put on a source."""

    source_id: SourceId
    open_order_ids: tuple[OrderId, ...]
    order_ids_today: tuple[OrderId, ...]
    lines_today: Count


@dataclass(frozen=True, slots=True)
class RoadHead:
    """Which distances by road a run went by. Fields as in RoadTable."""

    engine: str
    circuity_percent: Count
    source_ids: tuple[SourceId, ...]
    fault: str = ""


@dataclass(frozen=True, slots=True)
class RoadRow:
    """Metres by road from each source to one place, -1 where nobody measured."""

    place: Place
    metres: tuple[Annotated[int, Field(strict=True, ge=NOT_MEASURED, lt=2**31)], ...]


@dataclass(frozen=True, slots=True)
class RequestDocument:
    """A plan request in the form in which it is stored. Fields as in PlanRequest."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    plan_id: PlanId
    run_id: RunId
    now: UtcTime
    strategy: Strategy
    sources: tuple[Source, ...]
    source_lists: tuple[SourceList, ...]
    products: tuple[Product, ...]
    rules: tuple[RuleRecord, ...]
    cost_factors: tuple[CostFactorRecord, ...]
    orders: tuple[Order, ...]
    available: tuple[AvailableUnits, ...]
    loads: tuple[LoadedSource, ...]
    limits_elsewhere: tuple[LimitsElsewhere, ...] = ()
    claimants: tuple[Strategy, ...] = ()
    roads: RoadHead | None = None
    road_rows: tuple[RoadRow, ...] = ()

    def __post_init__(self) -> None:
        wide = len(self.roads.source_ids) if self.roads else 0
        if any(len(row.metres) != wide for row in self.road_rows):
            raise ValueError("a row of distances by road has not one number for each source")

    def to_request(self) -> PlanRequest:
        """The request that this document describes."""
        return PlanRequest(
            plan_id=self.plan_id,
            run_id=self.run_id,
            now=self.now,
            strategy=self.strategy,
            sources=self.sources,
            source_lists=self.source_lists,
            products={product.id: product for product in self.products},
            rules=self.rules,
            orders=self.orders,
            available={(cell.product_id, cell.source_id): cell.units for cell in self.available},
            loads={load.source_id: _load(load) for load in self.loads},
            cost_factors=self.cost_factors,
            limits_elsewhere=self.limits_elsewhere,
            claimants=self.claimants,
            roads=self._roads(),
        )

    def _roads(self) -> RoadTable | None:
        if self.roads is None:
            return None
        rows = {row.place: np.array(row.metres, dtype=np.int64) for row in self.road_rows}
        named = (self.roads.engine, self.roads.circuity_percent)
        return RoadTable.of(named, self.roads.source_ids, rows, self.roads.fault)


def document_of(request: PlanRequest) -> RequestDocument:
    """The document of a request, without anything personal."""
    return RequestDocument(
        plan_id=request.plan_id,
        run_id=request.run_id,
        now=request.now,
        strategy=request.strategy,
        sources=request.sources,
        source_lists=request.source_lists,
        products=tuple(request.products[product_id] for product_id in sorted(request.products)),
        rules=request.rules,
        cost_factors=request.cost_factors,
        orders=request.without_personal_data().orders,
        available=tuple(
            AvailableUnits(product_id, source_id, units)
            for (product_id, source_id), units in sorted(request.available.items())
        ),
        loads=_loads(request.loads),
        limits_elsewhere=request.limits_elsewhere,
        claimants=request.claimants,
        roads=_road_head(request.roads),
        road_rows=_road_rows(request.roads),
    )


def _road_head(roads: RoadTable | None) -> RoadHead | None:
    return RoadHead(roads.engine, roads.circuity_percent, roads.source_ids, roads.fault) if roads else None


def _road_rows(roads: RoadTable | None) -> tuple[RoadRow, ...]:
    return tuple(RoadRow(place, roads.row(number)) for number, place in enumerate(roads.places)) if roads else ()


def _loads(loads: Mapping[SourceId, SourceLoad]) -> tuple[LoadedSource, ...]:
    return tuple(
        LoadedSource(
            source_id, tuple(sorted(load.open_order_ids)), tuple(sorted(load.order_ids_today)), load.lines_today
        )
        for source_id, load in sorted(loads.items())
    )


def _load(load: LoadedSource) -> SourceLoad:
    return SourceLoad(frozenset(load.open_order_ids), frozenset(load.order_ids_today), load.lines_today)
