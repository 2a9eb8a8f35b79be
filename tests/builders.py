"""Builders: a test says only what matters to it, in the words of the domain."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Self

from dom_core.domain.batch import Batch
from dom_core.domain.network import Address, Location, Product, Source, SourceList, SourceType
from dom_core.domain.order import Bar, ExceptionKind, Line, LineState, Order
from dom_core.domain.request import LimitsElsewhere, PlanRequest, SourceLoad
from dom_core.domain.strategy import CostFactorRecord, RuleRecord, Strategy
from dom_core.optimizer import columns, eligibility

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
"""A Monday afternoon in UTC."""

SEATTLE = Location(47.6, -122.3)


@dataclass(frozen=True)
class OrderBuilder:
    """An order under construction; every call returns a new builder."""

    order: Order
    place: Location = SEATTLE

    def with_line(self, product_id: str, units: int = 1, *, id: str | None = None, **fields: Any) -> Self:
        line_id = id or str(len(self.order.lines) + 1)
        line = Line(line_id, product_id, units, Address(), fields.pop("location", self.place), "standard")
        return replace(self, order=replace(self.order, lines=(*self.order.lines, replace(line, **fields))))

    def shipping_to(self, latitude: float, longitude: float) -> Self:
        place = Location(latitude, longitude)
        lines = tuple(replace(line, location=place) for line in self.order.lines)
        return replace(self, place=place, order=replace(self.order, lines=lines))

    def ordered_at(self, time: datetime) -> Self:
        return replace(self, order=replace(self.order, ordered_at=time))

    def with_fields(self, **fields: Any) -> Self:
        return replace(self, order=replace(self.order, **fields))

    def rejected_by(self, source_id: str, until: datetime, *, line_id: str = "1", rejects: int = 1) -> Self:
        def barred(line: Line) -> Line:
            if line.id != line_id:
                return line
            return replace(
                line,
                state=LineState.EXCEPTION,
                exception=ExceptionKind.REJECTED,
                rejects=rejects,
                bars=(*line.bars, Bar(source_id, until)),
            )

        return replace(self, order=replace(self.order, lines=tuple(barred(line) for line in self.order.lines)))

    def build(self) -> Order:
        return self.order


def an_order(id: str = "O1", **fields: Any) -> OrderBuilder:
    """An order of this morning without lines, shipping to Seattle."""
    defaults: dict[str, Any] = {"revision": 1, "ordered_at": NOW.replace(hour=8), "lines": ()}
    return OrderBuilder(Order(id=id, **(defaults | fields)))


def a_source(id: str = "S1", at: tuple[float, float] | None = (47.6, -122.3), **fields: Any) -> Source:
    """An active warehouse that is always open; in Seattle unless told otherwise."""
    location = Location(*at) if at else None
    return Source(**({"id": id, "type": SourceType.WAREHOUSE, "location": location} | fields))


def a_rule(kind: str, params: dict[str, Any] | None = None, **fields: Any) -> RuleRecord:
    """A hard, enabled rule without dates; its id is its kind."""
    return RuleRecord(**({"id": kind, "kind": kind, "params": params or {}} | fields))


def a_cost_factor(kind: str, params: dict[str, Any] | None = None, **fields: Any) -> CostFactorRecord:
    """An active cost factor without dates; its id is its kind."""
    return CostFactorRecord(**({"id": kind, "kind": kind, "params": params or {}} | fields))


@dataclass(frozen=True)
class RequestBuilder:
    """A plan request under construction."""

    request: PlanRequest

    def with_sources(self, *sources: Source) -> Self:
        return replace(self, request=replace(self.request, sources=sources))

    def with_list(self, id: str, *source_ids: str) -> Self:
        lists = (*self.request.source_lists, SourceList(id, source_ids))
        return replace(self, request=replace(self.request, source_lists=lists))

    def with_products(self, *products: Product) -> Self:
        known = {**self.request.products, **{product.id: product for product in products}}
        return replace(self, request=replace(self.request, products=known))

    def with_orders(self, *orders: Order | OrderBuilder) -> Self:
        built = tuple(order.build() if isinstance(order, OrderBuilder) else order for order in orders)
        return replace(self, request=replace(self.request, orders=(*self.request.orders, *built)))

    def with_stock(self, stock: Mapping[tuple[str, str], int]) -> Self:
        """Available units per (product, source)."""
        return replace(self, request=replace(self.request, available={**self.request.available, **stock}))

    def with_rules(self, *rules: RuleRecord) -> Self:
        return replace(self, request=replace(self.request, rules=(*self.request.rules, *rules)))

    def with_cost_factors(self, *factors: CostFactorRecord) -> Self:
        return replace(self, request=replace(self.request, cost_factors=(*self.request.cost_factors, *factors)))

    def with_load(self, source_id: str, load: SourceLoad) -> Self:
        return replace(self, request=replace(self.request, loads={**self.request.loads, source_id: load}))

    def with_limits_elsewhere(self, strategy_id: str, source_ids: str, *rules: RuleRecord) -> Self:
        """Another active strategy over these sources (one letter each) links these maximum-orders rules."""
        limits = LimitsElsewhere(strategy_id, frozenset(source_ids), rules)
        return replace(self, request=replace(self.request, limits_elsewhere=(*self.request.limits_elsewhere, limits)))

    def with_strategy(self, **fields: Any) -> Self:
        return replace(self, request=replace(self.request, strategy=replace(self.request.strategy, **fields)))

    def at(self, now: datetime) -> Self:
        return replace(self, request=replace(self.request, now=now))

    def build(self) -> PlanRequest:
        return self.request

    def batch(self) -> Batch:
        """The columns of all eligible lines, as no rule holds them."""
        eligible, _ = eligibility.split(self.request, ())
        return columns.to_batch(self.request, eligible)


def a_request() -> RequestBuilder:
    """A request without sources, stock, rules or orders, planned on a Monday afternoon."""
    return RequestBuilder(
        PlanRequest(
            plan_id="P1",
            run_id="R1",
            now=NOW,
            strategy=Strategy("strategy", "all"),
            sources=(),
            source_lists=(),
            products={},
            rules=(),
            orders=(),
            available={},
            loads={},
        )
    )
