"""A whole configuration, its checks, and the request that a strategy makes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from dom_core.domain.ids import ProductId, SourceId
from dom_core.domain.network import Product, Source, SourceList
from dom_core.domain.order import Order
from dom_core.domain.request import PlanRequest, SourceLoad
from dom_core.domain.strategy import CostFactorRecord, RuleRecord, Strategy
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
    listed = {
        source_id
        for source_list in configuration.source_lists
        if source_list.id == strategy.source_list_id
        for source_id in source_list.source_ids
    }
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
    )
