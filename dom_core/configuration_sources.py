"""How many sources each strategy has left once the rules have spoken that need no order to speak.

A quick look before saving: inactive sources, and those that a rule which iteration 2 keeps takes out altogether.
Working hours, distances and stock are not asked.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from dom_core.configuration import Configuration
from dom_core.domain.ids import RuleId, SourceId, StrategyId
from dom_core.domain.strategy import RuleRecord, Strategy
from dom_core.errors import InvalidInput
from dom_core.rules import build, never_gives_way
from dom_core.rules.base import Network


@dataclass(frozen=True, slots=True)
class SourcesLeft:
    """The active sources of a strategy's list, and those of them that each rule takes out."""

    strategy_id: StrategyId
    active: frozenset[SourceId]
    out: Mapping[RuleId, frozenset[SourceId]]

    @property
    def left(self) -> frozenset[SourceId]:
        """The sources that may serve something."""
        return self.active.difference(*self.out.values())


def sources_left(configuration: Configuration, today: date | None = None) -> Iterator[SourcesLeft]:
    """Every enabled strategy with its sources. Rules that ended before today do not count, where today is known."""
    network = Network(
        configuration.sources,
        {entry.id: frozenset(entry.source_ids) for entry in configuration.source_lists},
        configuration.products,
    )
    active = frozenset(source.id for source in configuration.sources if source.active)
    for strategy in configuration.strategies:
        if strategy.enabled:
            mine = active & configuration.sources_of(strategy)
            taken = ((rule.id, mine & _out(rule, network)) for rule in _kept(configuration, strategy, today))
            yield SourcesLeft(strategy.id, mine, {rule_id: out for rule_id, out in taken if out})


def _kept(configuration: Configuration, strategy: Strategy, today: date | None) -> Iterator[RuleRecord]:
    for rule in configuration.rules:
        over = today is not None and rule.end_date is not None and rule.end_date < today
        linked = rule.id in strategy.rule_ids and rule.enabled and not over
        if linked and never_gives_way(rule, strategy.location_priority_mode):
            yield rule


def _out(record: RuleRecord, network: Network) -> frozenset[SourceId]:
    try:
        return build(record).sources_out(network)
    except InvalidInput:
        return frozenset()  # What is wrong with it is told by the checks.
