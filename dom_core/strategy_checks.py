"""What is wrong, or doubtful, with strategies beside each other (docs/semantics.md section 2)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from itertools import combinations

from dom_core.configuration import Configuration
from dom_core.configuration_sources import sources_left
from dom_core.domain.strategy import (
    MAX_RULES_TO_RELAX,
    DistanceMode,
    LocationPriorityMode,
    Relaxation,
    Strategy,
    too_many_to_relax,
)
from dom_core.errors import Problem
from dom_core.rules import LOCATION_PRIORITY, never_gives_way


def shared_filters(configuration: Configuration) -> Iterator[Problem]:
    """A sales origin or a mode of delivery in two strategies that are active on the same day.

    Simulations take nothing away from the others, so they may look at the same lines. An alternate takes the lines of
    the strategy for which it stands in, and only when that one finds nothing: it may share what that one has.
    """
    alternates = {strategy.id: strategy.alternate_strategy_id for strategy in configuration.strategies}
    for one, other in _together(configuration):
        if not _stands_in(alternates, one.id, other.id) and not _stands_in(alternates, other.id, one.id):
            yield from _both_have(one, other, "sales_origins", "sales origin", lambda strategy: strategy.sales_origins)
            yield from _both_have(
                one, other, "modes_of_delivery", "mode of delivery", lambda strategy: strategy.modes_of_delivery
            )


def several_defaults(configuration: Configuration) -> Iterator[Problem]:
    """Two default strategies on the same day: each would take what the other takes."""
    for one, other in _together(configuration):
        if one.default_strategy and other.default_strategy:
            yield Problem(
                f"strategies[{other.id}].default_strategy", f"the active strategy '{one.id}' is the default already"
            )


def too_many_soft_rules(configuration: Configuration) -> Iterator[Problem]:
    """Strategies with `relaxation: minimal` that link more soft rules than can be tried in every set."""
    rules = {rule.id: rule for rule in configuration.rules if rule.enabled}
    for strategy in configuration.strategies:
        if strategy.relaxation is not Relaxation.MINIMAL:
            continue
        mode = strategy.location_priority_mode
        linked = [rules[rule_id] for rule_id in dict.fromkeys(strategy.rule_ids) if rule_id in rules]
        soft = [rule for rule in linked if not never_gives_way(rule, mode)]
        if mode is LocationPriorityMode.FLAG_DECIDES:
            soft = [
                rule for rule in soft if rule.kind != LOCATION_PRIORITY
            ]  # It only ranks: there is nothing to break.
        if len(soft) > MAX_RULES_TO_RELAX:
            yield Problem(f"strategies[{strategy.id}].relaxation", too_many_to_relax(len(soft)))


def without_source(configuration: Configuration, today: date | None) -> Iterator[Problem]:
    """Strategies that have active sources, of which their rules leave none."""
    for found in sources_left(configuration, today):
        if found.active and not found.left:
            rules = ", ".join(f"'{rule_id}'" for rule_id in sorted(found.out))
            many = "rules" if len(found.out) > 1 else "rule"
            yield Problem(
                f"strategies[{found.strategy_id}].rule_ids",
                f"strategy '{found.strategy_id}' has no source left: {many} {rules} took out all {len(found.active)}; "
                "nothing can be assigned",
            )


def road_distances(configuration: Configuration) -> Iterator[Problem]:
    """Strategies that go by road, where nobody measures roads."""
    for strategy in configuration.strategies:
        if strategy.distance_mode is DistanceMode.ROAD:
            yield Problem(
                f"strategies[{strategy.id}].distance_mode",
                "nobody measures distances by road here (DOM_DISTANCES): the great circle is used instead",
            )


def idle_alternates(configuration: Configuration) -> Iterator[Problem]:
    """Alternates that would not run when they are needed."""
    strategies = {strategy.id: strategy for strategy in configuration.strategies}
    for strategy in configuration.strategies:
        alternate = strategies.get(strategy.alternate_strategy_id or "")
        if alternate is not None and (not alternate.enabled or not _overlap(strategy, alternate)):
            why = "is never active on the same day" if alternate.enabled else "is not enabled"
            yield Problem(
                f"strategies[{strategy.id}].alternate_strategy_id",
                f"the alternate '{alternate.id}' {why}: it never runs",
            )


def _overlap(one: Strategy, other: Strategy) -> bool:
    """Whether there is a day on which both may run."""
    start = max(one.start_date or date.min, other.start_date or date.min)
    return start <= min(one.end_date or date.max, other.end_date or date.max)


def _together(configuration: Configuration) -> Iterator[tuple[Strategy, Strategy]]:
    """Pairs of strategies that decide on the same day."""
    deciding = [strategy for strategy in configuration.strategies if strategy.decides]
    return ((one, two) for one, two in combinations(deciding, 2) if one.id != two.id and _overlap(one, two))


def _stands_in(alternates: Mapping[str, str | None], first: str, second: str) -> bool:
    """Whether the second strategy is reached from the first over alternates."""
    seen = {first}
    at = alternates.get(first)
    while at is not None and at not in seen:
        if at == second:
            return True
        seen.add(at)
        at = alternates.get(at)
    return False


def _both_have(
    one: Strategy, other: Strategy, field: str, noun: str, labels: Callable[[Strategy], Sequence[str]]
) -> Iterator[Problem]:
    for position, label in enumerate(labels(other)):
        if label in labels(one):
            yield Problem(
                f"strategies[{other.id}].{field}[{position}]",
                f"the {noun} '{label}' already belongs to the active strategy '{one.id}'",
            )
