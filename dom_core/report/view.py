"""A plan together with the places and names that are needed to explain and to draw it: what `dom plan` writes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import ConfigDict

from dom_core.domain.ids import LineId, Name, OrderId, ProductId, SourceId
from dom_core.domain.network import STRICT, Address, Location, Product, Source, SourceType
from dom_core.domain.order import Order
from dom_core.domain.plan import Plan
from dom_core.domain.units import UtcTime
from dom_core.messages.plan_request import RequestDocument


@dataclass(frozen=True, slots=True)
class ViewedSource:
    """A source of the strategy's list."""

    id: SourceId
    type: SourceType
    name: Name = ""
    location: Location | None = None

    @property
    def label(self) -> str:
        """The name, or the id of a source without one."""
        return self.name or self.id


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a line goes: its coordinates, and the place in words; and until when its order is promised."""

    order_id: OrderId
    line_id: LineId
    location: Location | None = None
    place: str = ""
    promised_by: UtcTime | None = None


@dataclass(frozen=True, slots=True)
class PlanView:
    """A plan, the network it was made for, and where its lines go; in a file also the request that it was made from."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    plan: Plan
    network: tuple[ViewedSource, ...] = ()
    destinations: tuple[Destination, ...] = ()
    product_names: dict[ProductId, Name] = field(default_factory=dict)
    strategy_name: Name = ""
    request: RequestDocument | None = None

    def sources(self) -> dict[SourceId, ViewedSource]:
        """Every source by id; one that the plan names and the network lacks has only its id."""
        named = set(self.plan.reasons.source_ids)
        named |= {assignment.source_id for line in self.plan.lines for assignment in line.assignments}
        unknown = {source_id: ViewedSource(source_id, SourceType.VIRTUAL) for source_id in sorted(named)}
        return unknown | {source.id: source for source in self.network}

    def places(self) -> dict[tuple[OrderId, LineId], Destination]:
        """Where each line goes."""
        return {(destination.order_id, destination.line_id): destination for destination in self.destinations}


def view_of(
    plan: Plan,
    sources: Iterable[Source],
    orders: Iterable[Order],
    products: Mapping[ProductId, Product],
    strategy_name: str = "",
) -> PlanView:
    """The view of a plan. Of sources, orders and products it takes what the plan mentions, and nothing personal."""
    mentioned = {(line.order_id, line.line_id) for line in plan.lines}
    mentioned |= {(line.order_id, line.line_id) for line in plan.held}
    product_ids = sorted({line.product_id for line in plan.lines})
    return PlanView(
        plan=plan,
        network=tuple(
            ViewedSource(source.id, source.type, source.name, source.location)
            for source in sorted(sources, key=lambda source: source.id)
            if source.id in plan.reasons.source_ids
        ),
        destinations=tuple(
            Destination(order.id, line.id, line.location, _place(line.ship_to), order.promised_by)
            for order in sorted(orders, key=lambda order: order.id)
            for line in order.lines
            if (order.id, line.id) in mentioned
        ),
        product_names={id: products[id].name for id in product_ids if id in products and products[id].name},
        strategy_name=strategy_name,
    )


def _place(address: Address) -> str:
    """City and region, without street and ZIP code: enough to recognise, too little to find somebody."""
    return ", ".join(part for part in (address.city, address.region) if part) or address.country
