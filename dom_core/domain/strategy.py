"""What one run executes: a strategy, the rules and cost factors it links, and its objective."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, ClassVar

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
    """When a run stops improving. Nodes end a search the same way everywhere; seconds are the last resort."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    solve_limit_s: Annotated[float, Field(gt=0, le=3600)] = 120.0
    relative_gap: Annotated[float, Field(ge=0, le=1)] = 0.0
    max_nodes: Annotated[int, Field(strict=True, ge=1)] | None = None


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
        return (self.start_date is None or self.start_date <= day) and (self.end_date is None or day <= self.end_date)


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
        return (self.start_date is None or self.start_date <= day) and (self.end_date is None or day <= self.end_date)


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
    simulation: bool = False
    auto_apply: bool = True
    max_order_lines: Count = 0
    aggregation_minutes: Count = 0
    max_attempts: Annotated[int, Field(strict=True, ge=1)] = 10
    rejection_period_days: Count = 30
    alternate_strategy_id: Id | None = None
    owner: Name = ""
    limits: SolverLimits = SolverLimits()

    def in_date(self, day: date) -> bool:
        """Whether the strategy may run on this UTC date; both ends belong to it."""
        return (self.start_date is None or self.start_date <= day) and (self.end_date is None or day <= self.end_date)
