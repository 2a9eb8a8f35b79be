"""A whole configuration, its checks, and the request that a strategy makes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from dom_core.domain.ids import ProductId, SourceId
from dom_core.domain.network import Product, Source, SourceList
from dom_core.domain.order import Order
from dom_core.domain.request import LimitsElsewhere, PlanRequest, SourceLoad
from dom_core.domain.strategy import MAXIMUM_ORDERS, CostFactorRecord, RuleRecord, Strategy
from dom_core.errors import NotFound


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything that is configured: the network, the catalogue, and how to decide."""

    sources: tuple[Source, ...] = ()
    source_lists: tuple[SourceList, ...] = ()
    products: tuple[Product, ...] = ()
    rules: tuple[RuleRecord, ...] = ()
    cost_factors: tuple[CostFactorRecord, ...] = ()
    strategies: tuple[Strategy, ...] = ()

    def strategy(self, strategy_id: str) -> Strategy:
        """The strategy with this id. Raises NotFound."""
        for strategy in self.strategies:
            if strategy.id == strategy_id:
                return strategy
        raise NotFound("strategy", strategy_id)

    def sources_of(self, strategy: Strategy) -> frozenset[SourceId]:
        """The sources of the strategy's list."""
        lists = (source_list for source_list in self.source_lists if source_list.id == strategy.source_list_id)
        return frozenset(source_id for source_list in lists for source_id in source_list.source_ids)

    def deciding_with(self, strategy: Strategy, today: date) -> tuple[Strategy, ...]:
        """The other strategies that are active on a UTC day, simulations left out, by id."""
        others = (other for other in self.strategies if other.id != strategy.id)
        return tuple(sorted((o for o in others if o.decides and o.in_date(today)), key=lambda other: other.id))


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What changes from run to run: the demand, the stock and what earlier plans put on the sources."""

    plan_id: str
    run_id: str
    now: datetime
    orders: Sequence[Order]
    available: Mapping[tuple[ProductId, SourceId], int]
    loads: Mapping[SourceId, SourceLoad]


def request_for(configuration: Configuration, strategy_id: str, facts: RunFacts) -> PlanRequest:
    """The request of one run: the strategy with the sources of its list and the rules that it links."""
    strategy = configuration.strategy(strategy_id)
    listed = configuration.sources_of(strategy)
    others = configuration.deciding_with(strategy, facts.now.astimezone(UTC).date())
    return PlanRequest(
        plan_id=facts.plan_id,
        run_id=facts.run_id,
        now=facts.now,
        strategy=strategy,
        sources=tuple(sorted((s for s in configuration.sources if s.id in listed), key=lambda source: source.id)),
        source_lists=tuple(sorted(configuration.source_lists, key=lambda source_list: source_list.id)),
        products={product.id: product for product in configuration.products},
        rules=tuple(sorted((r for r in configuration.rules if r.id in strategy.rule_ids), key=lambda rule: rule.id)),
        orders=tuple(facts.orders),
        available=dict(facts.available),
        loads=dict(facts.loads),
        cost_factors=tuple(
            sorted((f for f in configuration.cost_factors if f.id in strategy.cost_factor_ids), key=lambda f: f.id)
        ),
        limits_elsewhere=tuple(_limits_of(configuration, other) for other in others),
        claimants=tuple(other for other in others if not other.default_strategy) if strategy.default_strategy else (),
    )


def _limits_of(configuration: Configuration, strategy: Strategy) -> LimitsElsewhere:
    linked = (rule for rule in configuration.rules if rule.id in strategy.rule_ids)
    limits = (rule for rule in linked if rule.kind == MAXIMUM_ORDERS and rule.enabled)
    return LimitsElsewhere(
        strategy.id, configuration.sources_of(strategy), tuple(sorted(limits, key=lambda rule: rule.id))
    )
