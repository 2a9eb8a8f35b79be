"""One execution of one strategy: who asked for it, how far it is, and what came of it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from pydantic import ConfigDict

from dom_core.domain.ids import PlanId, RunId, StrategyId
from dom_core.domain.network import STRICT
from dom_core.domain.plan import Fulfillment, Plan
from dom_core.domain.units import Count, UtcTime


class RunState(StrEnum):
    """Where a run is in its life.

    `failed` says why in `error`; the same run message may start it again. `cancelled` is for ever: somebody stopped it.
    """

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What a run achieved, in one line of a table.

    `shipments` counts distinct order-source pairs, `average_km` is over those whose distance is known.
    `total`, `bound` and `gap` are those of iteration 1, which takes every line; the plan has those of both.
    """

    lines: Count
    filled_lines: Count
    units: Count
    filled_units: Count
    shipments: Count
    average_km: float | None
    unfilled_by_reason: Mapping[str, int] = field(default_factory=dict)
    bound: float = 0.0
    gap: float = 0.0
    total: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of one strategy over all its eligible lines.

    `share` is the part that is done, 0 to 1; `gap` the newest that a search has proven while it goes on.

    `alternate_run_id` is the run of the alternate strategy that this one started, as it found nothing. `request_units`
    (RU) is what the newest attempt asked of the store; zero where the store does not charge. `cancelled_by` is who
    asked to stop it: until it is `cancelled`, it is being stopped.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    id: RunId
    strategy_id: StrategyId
    state: RunState
    requested_by: str
    requested_at: UtcTime
    started_at: UtcTime | None = None
    finished_at: UtcTime | None = None
    fence: Count | None = None
    plan_id: PlanId | None = None
    error: str = ""
    stage: str = ""
    share: float = 0.0
    summary: RunSummary | None = None
    alternate_run_id: RunId | None = None
    request_units: float = 0.0
    cancelled_by: str = ""
    cancelled_why: str = ""
    gap: float | None = None

    @property
    def has_ended(self) -> bool:
        """Whether nothing more comes of it, unless a failed one is started again."""
        return self.state in (RunState.FINISHED, RunState.FAILED, RunState.CANCELLED)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to plan what will be applied, and to apply plans, until `expires_at`: one for all strategies.

    `holder` is a run's id, or says what else somebody does. The fence only grows. A lease that was `released` holds
    nobody up, whatever the clock of its holder said.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    holder: str
    fence: Count
    taken_at: UtcTime
    expires_at: UtcTime
    released: bool = False

    def is_held(self, now: datetime) -> bool:
        """Whether others must wait."""
        return not self.released and self.expires_at > now


def summarise(plan: Plan) -> RunSummary:
    """The figures of a plan."""
    metres = {
        (line.order_id, assignment.source_id): assignment.distance_m
        for line in plan.lines
        for assignment in line.assignments
    }
    known = [distance for distance in metres.values() if distance is not None]
    unfilled = (line for line in plan.lines if line.fulfillment is not Fulfillment.FULLY)
    first = plan.iterations[0] if plan.iterations else None
    return RunSummary(
        lines=len(plan.lines),
        filled_lines=sum(line.fulfillment is Fulfillment.FULLY for line in plan.lines),
        units=sum(line.units for line in plan.lines),
        filled_units=sum(line.filled_units for line in plan.lines),
        shipments=len(metres),
        average_km=round(sum(known) / len(known) / 1000, 1) if known else None,
        unfilled_by_reason=dict(sorted(Counter(str(line.exception or "partly_filled") for line in unfilled).items())),
        bound=first.bound if first else 0.0,
        gap=first.gap if first else 0.0,
        total=first.total if first else 0,
        seconds=plan.seconds,
    )
