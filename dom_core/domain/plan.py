"""What a run decided: assignments, what each iteration was worth, and the reasons for every choice."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import ClassVar

from pydantic import ConfigDict

from dom_core.domain.ids import (
    CostFactorId,
    Id,
    LineId,
    OrderId,
    PlanId,
    ProductId,
    RuleId,
    RunId,
    SourceId,
    StrategyId,
)
from dom_core.domain.network import STRICT
from dom_core.domain.order import ExceptionKind
from dom_core.domain.proof import IterationProof
from dom_core.domain.reason import Reason
from dom_core.domain.reason_table import ReasonTable
from dom_core.domain.units import Count, UtcTime


class PlanState(StrEnum):
    """Where a plan is in its life. A simulation stays `simulated` for ever."""

    PROPOSED = "proposed"
    APPLIED = "applied"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    SIMULATED = "simulated"


@dataclass(frozen=True, slots=True)
class Closing:
    """Who gave a plan its final state, when, and why."""

    at: UtcTime
    who: str
    why: str = ""


class Fulfillment(StrEnum):
    """How much of a line a plan fills."""

    FULLY = "fully"
    PARTIALLY = "partially"
    NOT_SOURCED = "not_sourced"
    EXCEPTION = "exception"


class Ending(StrEnum):
    """How a solve ended. `unproven`: a limit stopped it with a plan and a gap; `no_plan`: it stopped without one."""

    OPTIMAL = "optimal"
    WITHIN_GAP = "within_gap"
    UNPROVEN = "unproven"
    INFEASIBLE = "infeasible"
    NO_PLAN = "no_plan"


class Level(StrEnum):
    """The levels of the objective, most important first: a plan by `closest` has shipments, one by `cost` has cents."""

    UNFILLED_UNITS = "unfilled_units"
    SHIPMENTS = "shipments"
    COST_CENTS = "cost_cents"
    PRIORITY_STEPS = "priority_steps"
    DISTANCE_KM = "distance_km"


@dataclass(frozen=True, slots=True)
class LevelValue:
    """One level of a total: so much of it, at so many points each. Unfilled units are weighted by priority class."""

    level: Level
    amount: int
    rate: int

    @property
    def points(self) -> int:
        """What this level adds to the total."""
        return self.amount * self.rate


@dataclass(frozen=True, slots=True)
class IterationReport:
    """What one iteration took on and how good its answer is proven to be.

    `total` and `bound` are points; `gap` = (total - bound) / total, zero when proven best. `ending_limit` names the
    limit that stopped the solver, if one did.
    """

    number: int
    lines: Count
    filled_lines: Count
    units: Count
    filled_units: Count
    levels: tuple[LevelValue, ...]
    total: int
    bound: float
    gap: float
    ending: Ending
    ending_limit: str
    solver: str
    seconds: float


@dataclass(frozen=True, slots=True)
class CostItem:
    """An assignment's share of what a cost factor charges. The shares of all assignments add up to the cent."""

    factor_id: CostFactorId
    cents: int


@dataclass(frozen=True, slots=True)
class PlanAssignment:
    """So many units of a line from a source, and what that costs where the strategy counts cost.

    `round` is 1 but for `relaxation: minimal`, where iteration 2 goes in rounds; what came earlier has the lower one.
    `distance_estimated` where the strategy goes by road and nobody measured this way: the great circle, stretched.
    """

    source_id: SourceId
    units: int
    distance_m: int | None
    iteration: int
    relaxed_rule_ids: tuple[RuleId, ...] = ()
    costs: tuple[CostItem, ...] = ()
    round: int = 1
    distance_estimated: bool = False

    @property
    def cost_cents(self) -> int:
        """The sum of all cost items."""
        return sum(item.cents for item in self.costs)


@dataclass(frozen=True, slots=True)
class PlanLine:
    """What the plan does with one line. `order_version` is the version of the order that the plan has seen."""

    order_id: OrderId
    line_id: LineId
    order_version: Count
    product_id: ProductId
    units: int
    assignments: tuple[PlanAssignment, ...]
    exception: ExceptionKind | None = None

    @property
    def filled_units(self) -> int:
        """Units that the plan assigns."""
        return sum(assignment.units for assignment in self.assignments)

    def up_to_iteration(self, number: int) -> "PlanLine":
        """The line with the assignments of the first iterations only."""
        if all(assignment.iteration <= number for assignment in self.assignments):
            return self
        return replace(self, assignments=tuple(made for made in self.assignments if made.iteration <= number))

    @property
    def fulfillment(self) -> Fulfillment:
        """How much of the line is filled."""
        if self.filled_units == 0:
            return Fulfillment.EXCEPTION if self.exception else Fulfillment.NOT_SOURCED
        return Fulfillment.FULLY if self.filled_units == self.units else Fulfillment.PARTIALLY


@dataclass(frozen=True, slots=True)
class HeldLine:
    """A line that the run did not take, and why."""

    order_id: OrderId
    line_id: LineId
    reason: Reason


@dataclass(frozen=True, slots=True)
class Plan:
    """The stored result of a run.

    `rounds` are the soft rules that iteration 2 did without, round by round, where it went in rounds: of each round
    that placed something. It is null where iteration 2 had nothing to try. `proofs` say what proves the bound of each
    iteration; plans of older engines have none.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    id: PlanId
    run_id: RunId
    strategy_id: StrategyId
    state: PlanState
    planned_at: UtcTime
    engine_version: str
    configuration_hash: str
    input_hash: str
    lines: tuple[PlanLine, ...]
    held: tuple[HeldLine, ...]
    iterations: tuple[IterationReport, ...]
    reasons: ReasonTable
    rounds: tuple[tuple[RuleId, ...], ...] | None = None
    proofs: tuple[IterationProof, ...] = ()
    largest_distance_km: int = 1000
    seconds: float = 0.0
    warnings: tuple[str, ...] = field(default=())
    closing: Closing | None = None

    def up_to_iteration(self, number: int) -> "Plan":
        """The plan with the assignments of the first iterations only."""
        return replace(self, lines=tuple(line.up_to_iteration(number) for line in self.lines))

    def position(self, order_id: Id, line_id: Id) -> int | None:
        """Where a line stands in the plan, if it was planned."""
        return next(
            (i for i, line in enumerate(self.lines) if (line.order_id, line.line_id) == (order_id, line_id)), None
        )
