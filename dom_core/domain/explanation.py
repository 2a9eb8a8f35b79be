"""Why a line is planned as it is, what would place it, and what another choice would have changed."""

from dataclasses import dataclass

from dom_core.domain.ids import LineId, OrderId, PlanId, ProductId, RuleId, SourceId
from dom_core.domain.order import ExceptionKind
from dom_core.domain.plan import Fulfillment, Level, PlanAssignment
from dom_core.domain.reason import Reason, Verdict
from dom_core.domain.units import Count


@dataclass(frozen=True, slots=True)
class Taker:
    """Somebody who has the stock or the room that a line would need.

    Stock is held by lines; room by orders (`line_id` null), or by lines where lines are counted. `earlier`: an order
    of an earlier plan, whose units this plan does not know.
    """

    order_id: OrderId
    source_id: SourceId
    line_id: LineId | None = None
    units: Count | None = None
    earlier: bool = False


@dataclass(frozen=True, slots=True)
class SourceExplanation:
    """The one reason of a source for a line; for `taken`, with those who have it."""

    source_id: SourceId
    verdict: Verdict
    code: str
    rule_id: RuleId | None = None
    limit: str = ""
    actual: str = ""
    taken_by: tuple[Taker, ...] = ()

    @property
    def reason(self) -> Reason:
        """The reason by itself."""
        return Reason(self.verdict, self.code, self.rule_id, self.limit, self.actual)


def source_explanation(source_id: SourceId, reason: Reason, taken_by: tuple[Taker, ...] = ()) -> SourceExplanation:
    """A source with its reason, spelt out."""
    return SourceExplanation(
        source_id, reason.verdict, reason.code, reason.rule_id, reason.limit, reason.actual, taken_by
    )


@dataclass(frozen=True, slots=True)
class Share:
    """So many units of a line from a source."""

    source_id: SourceId
    units: Count


@dataclass(frozen=True, slots=True)
class Relief:
    """The smallest set of rules without which an unfilled line would have been placed.

    The order is planned alone, against the stock and the room that the plan leaves it, and must not lose units of its
    other lines. `rule_ids` is null when no set of up to `largest_set` of the `considered_rule_ids` helps, and empty
    when none needs to go: the plan was not proven best, or its rates make the line not worth its way. `shares` are the
    units that the line then gets, which may still be fewer than it wants. `blocked` says, when nothing helps, which
    gate, or whose stock, stands in the way at each source.
    """

    rule_ids: tuple[RuleId, ...] | None
    shares: tuple[Share, ...]
    considered_rule_ids: tuple[RuleId, ...]
    largest_set: Count
    blocked: tuple[SourceExplanation, ...] = ()


@dataclass(frozen=True, slots=True)
class LevelChange:
    """A level of the objective before and after; `points` is what the change adds to the total.

    Amounts are those of the finished plan: what both iterations spend, and the units that the last leaves unfilled.
    """

    level: Level
    rate: int
    before: int
    after: int
    points: int


@dataclass(frozen=True, slots=True)
class LineChange:
    """A line whose sources, or units from them, change."""

    order_id: OrderId
    line_id: LineId
    before: tuple[Share, ...]
    after: tuple[Share, ...]


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """What the plan would be if the line had to take at least a unit from the source, in iteration 1.

    `refused` says why that is never possible: a gate that no rule opens. `lifted` are the objections that were set
    aside for this pair alone. `proven`: both the plan and its counterpart are proven best, so that the difference is
    the price of the choice; otherwise it is an estimate. `rivals_only` is null where all lines that could compete with
    the order were planned again; in large plans only so many were, those of the order and its rivals.
    """

    source_id: SourceId
    refused: Reason | None
    lifted: tuple[Reason, ...] = ()
    proven: bool = False
    total_before: int = 0
    total_after: int = 0
    levels: tuple[LevelChange, ...] = ()
    line: LineChange | None = None
    displaced: tuple[LineChange, ...] = ()
    rivals_only: Count | None = None


@dataclass(frozen=True, slots=True)
class LineExplanation:
    """A line of a plan with everything that can be said about it.

    `held` is why the run did not take the line at all; then there is nothing else to say. `relief` is there for a line
    that is not filled, `counterfactual` when somebody asked for one.
    """

    plan_id: PlanId
    order_id: OrderId
    line_id: LineId
    product_id: ProductId
    units: Count
    filled_units: Count
    fulfillment: Fulfillment
    exception: ExceptionKind | None = None
    held: Reason | None = None
    assignments: tuple[PlanAssignment, ...] = ()
    sources: tuple[SourceExplanation, ...] = ()
    relief: Relief | None = None
    counterfactual: Counterfactual | None = None
