"""Everything one run needs, as values: the same request gives the same plan."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from dom_core.domain.ids import OrderId, ProductId, SourceId, StrategyId
from dom_core.domain.network import Address, Product, Source, SourceList
from dom_core.domain.order import Line, Order
from dom_core.domain.roads import RoadTable
from dom_core.domain.strategy import CostFactorRecord, Objective, RuleRecord, Strategy


@dataclass(frozen=True, slots=True)
class SourceLoad:
    """What earlier plans already put on a source. "Today" is the source's own calendar day."""

    open_order_ids: frozenset[OrderId] = frozenset()
    order_ids_today: frozenset[OrderId] = frozenset()
    lines_today: int = 0


@dataclass(frozen=True, slots=True)
class LimitsElsewhere:
    """The maximum-orders rules of another active strategy, and the sources of its list, for which they are meant."""

    strategy_id: StrategyId
    source_ids: frozenset[SourceId]
    rules: tuple[RuleRecord, ...]


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """The input of one run.

    `sources` are those of the strategy's list; `rules` those it links; `available` is on hand less reserved, per
    (product, source), zero where nothing is said; `loads` is per source, empty where nothing is said. Of the other
    strategies that are active now, `limits_elsewhere` are their limits of orders (C3), and `claimants` those whose
    lines a default strategy leaves alone: none unless this strategy is the default. `roads` are distances by road,
    where the strategy goes by them and an engine was asked.
    """

    plan_id: str
    run_id: str
    now: datetime
    strategy: Strategy
    sources: tuple[Source, ...]
    source_lists: tuple[SourceList, ...]
    products: Mapping[ProductId, Product]
    rules: tuple[RuleRecord, ...]
    orders: tuple[Order, ...]
    available: Mapping[tuple[ProductId, SourceId], int]
    loads: Mapping[SourceId, SourceLoad]
    cost_factors: tuple[CostFactorRecord, ...] = ()
    limits_elsewhere: tuple[LimitsElsewhere, ...] = ()
    claimants: tuple[Strategy, ...] = ()
    roads: RoadTable | None = None

    def load(self, source_id: SourceId) -> SourceLoad:
        """What earlier plans already put on this source."""
        return self.loads.get(source_id, SourceLoad())

    def rules_enabled(self) -> tuple[RuleRecord, ...]:
        """Linked rules that are enabled, by kind and id."""
        return tuple(sorted((rule for rule in self.rules if rule.enabled), key=lambda rule: (rule.kind, rule.id)))

    def costs_in_force(self) -> tuple[CostFactorRecord, ...]:
        """Linked cost factors that are active today (UTC), by id; none when the objective is not `cost`."""
        if self.strategy.objective is not Objective.COST:
            return ()
        today = self.now.astimezone(UTC).date()
        active = (factor for factor in self.cost_factors if factor.active and factor.in_date(today))
        return tuple(sorted(active, key=lambda factor: factor.id))

    def in_force_at(self, rule: RuleRecord, source: Source | None = None) -> bool:
        """Whether today lies within the rule's dates: on the source's calendar, or in UTC without one."""
        moment = source.local_time(self.now) if source else self.now.astimezone(UTC)
        return rule.in_date(moment.date())

    def without_personal_data(self) -> "PlanRequest":
        """The request as plans keep it: no streets, references, histories or notices, which decide nothing."""
        return replace(self, orders=tuple(_impersonal(order) for order in self.orders))


def _impersonal(order: Order) -> Order:
    def impersonal(line: Line) -> Line:
        return replace(line, ship_to=Address())

    lines = tuple(map(impersonal, order.lines))
    return replace(order, lines=lines, customer_reference="", content_hash="", history=(), notices=0, outbox=())
