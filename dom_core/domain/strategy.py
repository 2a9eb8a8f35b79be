"""What one run executes: a strategy, the rules and cost factors it links, and its objective."""

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Self

from pydantic import ConfigDict, Field

from dom_core.domain.ids import Id, Label, Name
from dom_core.domain.network import STRICT
from dom_core.domain.units import Count, Kilometres

Rate = Annotated[int, Field(strict=True, ge=0, le=10**9)]
"""Points per unit, shipment, step or kilometre. Whole, so that totals compare exactly."""


class InventoryMode(StrEnum):
    """Whose word counts on stock: the source's own flag, or the strategy's (C7)."""

    INHERIT = "inherit"
    REAL = "real"
    UNLIMITED = "unlimited"


class DistanceMode(StrEnum):
    """How far two places are apart: along the great circle, or by road."""

    AERIAL = "aerial"
    ROAD = "road"


class Objective(StrEnum):
    """What is minimised below the filled units."""

    CLOSEST = "closest"
    COST = "cost"


class ObjectiveMode(StrEnum):
    """`rates`: one sum of points. `strict`: level by level over the whole batch."""

    RATES = "rates"
    STRICT = "strict"


class LocationPriorityMode(StrEnum):
    """How a location-priority rule binds (C1)."""

    ALWAYS_HARD = "always_hard"
    FLAG_DECIDES = "flag_decides"
    ORDINARY = "ordinary"


class Relaxation(StrEnum):
    """How iteration 2 lets soft rules go: all of them at once, or for each order the fewest that place it."""

    ALL_SOFT = "all_soft"
    MINIMAL = "minimal"


MAX_RULES_TO_RELAX = 6
"""Soft rules of a strategy with `relaxation: minimal`: every set of them is a round of its own, 63 for six rules."""


def too_many_to_relax(count: int) -> str:
    """What is wrong with so many soft rules."""
    return f"'minimal' tries every set of soft rules: at most {MAX_RULES_TO_RELAX} may be linked, there are {count}"


class MaximumOrdersAcross(StrEnum):
    """What holds where several active strategies limit the orders of one source (C3)."""

    HIGHEST = "highest"
    OWN = "own"


MAXIMUM_ORDERS = "maximum_orders"
"""The one kind of rule that strategies must know of each other."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Exchange rates of the objective in points. `None` takes the default of docs/semantics.md section 5."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    unfilled_unit: Rate | None = None
    shipment: Rate | None = None
    priority_step: Rate | None = None
    kilometre: Rate | None = None


@dataclass(frozen=True, slots=True)
class SolverLimits:
    """When a run stops improving. Nodes end a search the same way everywhere; seconds are the last resort.

    Both iterations and the work around them must end within the half hour that a function may take. `memory_limit_mb`
    is what a solver process may take; the app's own memory is not limited.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    solve_limit_s: Annotated[float, Field(gt=0, le=600)] = 120.0
    relative_gap: Annotated[float, Field(ge=0, le=1)] = 0.0
    max_nodes: Annotated[int, Field(strict=True, ge=1)] | None = None
    memory_limit_mb: Annotated[int, Field(strict=True, ge=64)] | None = None

    def part(self, share: float) -> Self:
        """The same limits with this share of the seconds."""
        return replace(self, solve_limit_s=self.solve_limit_s * share)


def _within(start: date | None, end: date | None, day: date) -> bool:
    """Whether a day lies between two dates, both inclusive; an absent end is open."""
    return (start is None or start <= day) and (end is None or day <= end)


@dataclass(frozen=True, slots=True)
class RuleRecord:
    """A rule as stored: an envelope around parameters that only the rule's own kind understands."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    id: Id
    kind: Label
    params: dict[str, Any]
    name: Name = ""
    description: Name = ""
    enabled: bool = True
    hard: bool = True
    start_date: date | None = None
    end_date: date | None = None

    def in_date(self, day: date) -> bool:
        """Whether a date lies within the rule's dates; both ends belong to it."""
        return _within(self.start_date, self.end_date, day)


@dataclass(frozen=True, slots=True)
class CostFactorRecord:
    """A cost factor as stored. Inert until a strategy links it."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    id: Id
    kind: Label
    params: dict[str, Any]
    name: Name = ""
    description: Name = ""
    active: bool = True
    start_date: date | None = None
    end_date: date | None = None

    def in_date(self, day: date) -> bool:
        """Whether a date lies within the factor's dates; both ends belong to it."""
        return _within(self.start_date, self.end_date, day)


@dataclass(frozen=True, slots=True)
class Strategy:
    """What one run executes."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    id: Id
    source_list_id: Id
    name: Name = ""
    description: Name = ""
    rule_ids: tuple[Id, ...] = ()
    cost_factor_ids: tuple[Id, ...] = ()
    enabled: bool = True
    start_date: date | None = None
    end_date: date | None = None
    sales_origins: tuple[Label, ...] = ()
    process_empty_sales_origin: bool = False
    modes_of_delivery: tuple[Label, ...] = ()
    legal_entities: tuple[Label, ...] = ()
    inventory_mode: InventoryMode = InventoryMode.INHERIT
    distance_mode: DistanceMode = DistanceMode.AERIAL
    local_radius_km: Kilometres = 0.0
    objective: Objective = Objective.CLOSEST
    objective_mode: ObjectiveMode = ObjectiveMode.RATES
    rates: Rates = Rates()
    location_priority_mode: LocationPriorityMode = LocationPriorityMode.ALWAYS_HARD
    relaxation: Relaxation = Relaxation.ALL_SOFT
    maximum_orders_across: MaximumOrdersAcross = MaximumOrdersAcross.HIGHEST
    simulation: bool = False
    auto_apply: bool = True
    max_order_lines: Count = 0
    aggregation_minutes: Count = 0
    max_attempts: Annotated[int, Field(strict=True, ge=1)] = 10
    rejection_period_days: Count = 30
    alternate_strategy_id: Id | None = None
    default_strategy: bool = False
    owner: Name = ""
    limits: SolverLimits = SolverLimits()

    def in_date(self, day: date) -> bool:
        """Whether the strategy may run on this UTC date; both ends belong to it."""
        return _within(self.start_date, self.end_date, day)

    @property
    def decides(self) -> bool:
        """Whether its plans take effect: a simulation takes no line, no stock and no room from anybody."""
        return self.enabled and not self.simulation
