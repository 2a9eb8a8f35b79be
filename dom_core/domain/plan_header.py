"""A plan at a glance: everything but its lines and reasons."""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import ConfigDict

from dom_core.domain.ids import PlanId, RunId, StrategyId
from dom_core.domain.network import STRICT
from dom_core.domain.plan import Closing, IterationReport, Plan, PlanState
from dom_core.domain.run import RunSummary, summarise
from dom_core.domain.units import Count, UtcTime


@dataclass(frozen=True, slots=True)
class PlanHeader:
    """The head of a stored plan. Fields as in Plan, counts instead of contents."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    id: PlanId
    run_id: RunId
    strategy_id: StrategyId
    state: PlanState
    planned_at: UtcTime
    engine_version: str
    configuration_hash: str
    input_hash: str
    iterations: tuple[IterationReport, ...]
    largest_distance_km: int
    seconds: float
    warnings: tuple[str, ...]
    held_lines: Count
    summary: RunSummary
    closing: Closing | None


def header_of(plan: Plan) -> PlanHeader:
    """The head of this plan."""
    return PlanHeader(
        id=plan.id,
        run_id=plan.run_id,
        strategy_id=plan.strategy_id,
        state=plan.state,
        planned_at=plan.planned_at,
        engine_version=plan.engine_version,
        configuration_hash=plan.configuration_hash,
        input_hash=plan.input_hash,
        iterations=plan.iterations,
        largest_distance_km=plan.largest_distance_km,
        seconds=plan.seconds,
        warnings=plan.warnings,
        held_lines=len(plan.held),
        summary=summarise(plan),
        closing=plan.closing,
    )
