"""How one order would be sourced now: the best assignment, and what every other source would cost."""

from dataclasses import dataclass

from dom_core.domain.explanation import SourceExplanation
from dom_core.domain.ids import LineId, OrderId, ProductId, StrategyId
from dom_core.domain.order import ExceptionKind
from dom_core.domain.plan import Fulfillment, IterationReport, LevelValue, PlanAssignment
from dom_core.domain.reason import Reason
from dom_core.domain.units import Count, UtcTime


@dataclass(frozen=True, slots=True)
class OrderPrice:
    """What the whole order costs, level by level, when a line ships from a certain source.

    `units` of the line come from that source then. `more_points` is what that adds to the suggested assignment: zero
    for the sources that it uses.
    """

    units: Count
    points: int
    more_points: int
    levels: tuple[LevelValue, ...]


@dataclass(frozen=True, slots=True)
class SuggestedSource(SourceExplanation):
    """A source with its reason for a line, and the order's price with it; no price where it cannot serve the line."""

    price: OrderPrice | None = None


@dataclass(frozen=True, slots=True)
class SuggestedLine:
    """A line with the best assignment, and every source of the list: the cheapest first, at the end those that cannot.

    `held` is why the strategy would not take the line at all; then there is nothing else to say.
    """

    line_id: LineId
    product_id: ProductId
    units: Count
    filled_units: Count
    fulfillment: Fulfillment
    exception: ExceptionKind | None = None
    held: Reason | None = None
    assignments: tuple[PlanAssignment, ...] = ()
    sources: tuple[SuggestedSource, ...] = ()


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The answer for one order: nothing is promised by it, and nothing is stored.

    `iterations` are the figures of the plan, with its levels, total and proven bound.
    """

    order_id: OrderId
    strategy_id: StrategyId
    planned_at: UtcTime
    lines: tuple[SuggestedLine, ...]
    iterations: tuple[IterationReport, ...]
    warnings: tuple[str, ...] = ()
