"""Which linked rules act in which iteration, where, and how (docs/semantics.md section 3)."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from dom_core.domain.batch import Batch
from dom_core.domain.ids import RuleId
from dom_core.domain.reason import BoolArray
from dom_core.domain.request import PlanRequest
from dom_core.domain.strategy import MAX_RULES_TO_RELAX, LocationPriorityMode, RuleRecord, too_many_to_relax
from dom_core.errors import InvalidInput, Problem
from dom_core.rules import LOCATION_PRIORITY, build, never_gives_way
from dom_core.rules.base import Rule


@dataclass(frozen=True, slots=True)
class ActiveRule:
    """A rule that acts in an iteration. One that only ranks takes no pair out."""

    rule: Rule
    record: RuleRecord
    only_ranks: bool = False

    def sources_in_force(self, batch: Batch) -> BoolArray:
        """The sources (S) on whose own calendar the rule is in force."""
        # One look for each time zone: calendars are compared by the date, and sources share their zones.
        zones = {source.time_zone: source for source in batch.sources}
        in_force = {zone: batch.request.in_force_at(self.record, source) for zone, source in zones.items()}
        return np.array([in_force[source.time_zone] for source in batch.sources], dtype=bool)

    def in_force(self, request: PlanRequest) -> bool:
        """Whether the rule is in force by UTC, for what is no source's affair."""
        return request.in_force_at(self.record)


def in_iteration(request: PlanRequest, number: int) -> tuple[ActiveRule, ...]:
    """The rules that act in iteration 1 (all enabled ones) or 2 (soft ones dropped), by kind and id."""
    return tuple(_active(request, number))


def soft_rules(request: PlanRequest) -> tuple[RuleRecord, ...]:
    """The enabled rules that iteration 2 drops and that are in force somewhere today."""
    kept = {active.record.id for active in in_iteration(request, 2)}
    return tuple(
        record for record in request.rules_enabled() if record.id not in kept and _in_force_anywhere(request, record)
    )


def breakable_rules(request: PlanRequest) -> tuple[RuleRecord, ...]:
    """The soft rules that an assignment can break: a rule that only ranks is never broken."""
    ranking = {active.record.id for active in in_iteration(request, 1) if active.only_ranks}
    return tuple(record for record in soft_rules(request) if record.id not in ranking)


def sets_to_relax(request: PlanRequest) -> tuple[frozenset[RuleId], ...]:
    """Every set of soft rules that can be dropped together, the smallest first, then by ids.

    Raises InvalidInput when there are more rules than can be tried.
    """
    ids = sorted(record.id for record in breakable_rules(request))
    if len(ids) > MAX_RULES_TO_RELAX:
        problem = Problem("relaxation", too_many_to_relax(len(ids)))
        raise InvalidInput([problem], f"strategy {request.strategy.id}")
    return tuple(frozenset(some) for size in range(1, len(ids) + 1) for some in combinations(ids, size))


def in_round(request: PlanRequest, dropped: Collection[RuleId]) -> tuple[ActiveRule, ...]:
    """The rules that act in a round of iteration 2: all but those dropped, and soft ones that only rank."""
    kept = {active.record.id for active in in_iteration(request, 2)}
    kept |= {record.id for record in breakable_rules(request) if record.id not in dropped}
    return tuple(active for active in in_iteration(request, 1) if active.record.id in kept)


def ranks_by_priority(request: PlanRequest) -> bool:
    """Whether a location-priority rule is linked and in force: it then has its level in the objective."""
    return any(record.kind == LOCATION_PRIORITY and request.in_force_at(record) for record in request.rules_enabled())


def _active(request: PlanRequest, number: int) -> Iterator[ActiveRule]:
    mode = request.strategy.location_priority_mode
    for record in request.rules_enabled():
        ranks = record.kind == LOCATION_PRIORITY and mode is LocationPriorityMode.FLAG_DECIDES
        if number == 1 or never_gives_way(record, mode):
            yield ActiveRule(build(record), record, only_ranks=ranks and not record.hard)


def _in_force_anywhere(request: PlanRequest, record: RuleRecord) -> bool:
    return request.in_force_at(record) or any(request.in_force_at(record, source) for source in request.sources)
