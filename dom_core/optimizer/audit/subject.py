"""What is audited, and what the checks look up."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self

from dom_core.domain.network import Source
from dom_core.domain.order import Line, Order
from dom_core.domain.plan import Plan, PlanAssignment, PlanLine
from dom_core.domain.request import PlanRequest
from dom_core.domain.strategy import LocationPriorityMode, RuleRecord
from dom_core.rules import build, kinds
from dom_core.rules.base import Rule
from dom_core.watch import UNWATCHED, Watch


@dataclass(frozen=True, slots=True)
class BoundRule:
    """A rule with its record: `dropped` is whether iteration 2 does without it."""

    record: RuleRecord
    rule: Rule
    dropped: bool


@dataclass(frozen=True, slots=True)
class Subject:
    """What is audited, and what the checks look up by id."""

    request: PlanRequest
    plan: Plan
    orders: dict[str, Order]
    lines: dict[tuple[str, str], Line]
    sources: dict[str, Source]
    rules: tuple[BoundRule, ...]
    watch: Watch = UNWATCHED

    @classmethod
    def of(cls, request: PlanRequest, plan: Plan, watch: Watch = UNWATCHED) -> Self:
        """The request and its plan, ready to be looked at."""
        return cls(
            request,
            plan,
            {order.id: order for order in request.orders},
            {(order.id, line.id): line for order in request.orders for line in order.lines},
            {source.id: source for source in request.sources},
            tuple(_bound_rule(request, record) for record in request.rules_enabled()),
            watch,
        )

    def planned(self) -> Iterator[PlanLine]:
        """Every line of the plan, for as long as the run is to go on."""
        return self.watch.each(self.plan.lines)

    def assigned(self) -> Iterator[tuple[PlanLine, PlanAssignment]]:
        """Every assignment with its line."""
        for line in self.planned():
            for assignment in line.assignments:
                yield line, assignment

    def in_force(self, record: RuleRecord, source_id: str | None = None) -> bool:
        """Whether the rule's dates cover the run: on the source's calendar for rules about sources, else in UTC."""
        about_source = source_id is not None and kinds()[record.kind].dated_by_source
        return self.request.in_force_at(record, self.sources.get(source_id or "") if about_source else None)


Check = Callable[[Subject], Iterator[str]]


def _bound_rule(request: PlanRequest, record: RuleRecord) -> BoundRule:
    rule = build(record)
    always_hard = request.strategy.location_priority_mode is LocationPriorityMode.ALWAYS_HARD
    kept = record.hard or rule.never_relaxed or (record.kind == "location_priority" and always_hard)
    return BoundRule(record, rule, not kept)


def name(line: PlanLine, assignment: PlanAssignment | None = None) -> str:
    """How findings call a line, or one of its assignments."""
    return f"order {line.order_id} line {line.line_id}" + (f" from {assignment.source_id}" if assignment else "")
