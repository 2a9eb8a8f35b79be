"""What a way of planning is asked, and what it answers."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from dom_core.domain.batch import Batch
from dom_core.domain.ids import LineId, OrderId, SourceId
from dom_core.domain.plan import Ending, Plan
from dom_core.domain.request import PlanRequest
from dom_core.domain.strategy import SolverLimits
from dom_core.optimizer.costs import Flow

Served: TypeAlias = tuple[OrderId, LineId, SourceId, int]
"""So many units of a line from a source."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a way of planning found.

    `bound` is what no plan can be cheaper than, in points; None from those that prove nothing. `ending` is None where
    no search could be stopped early. `plan` is there when a whole plan was made, with its reasons; `stages` are then
    the seconds that each stage of the run took.
    """

    served: tuple[Served, ...]
    bound: float | None = None
    ending: Ending | None = None
    plan: Plan | None = None
    stages: Mapping[str, float] = field(default_factory=dict)


Way: TypeAlias = Callable[[PlanRequest, float], Answer]
"""A way of planning: a request, and the seconds that a solver may take, to an answer. Raises NoAnswer."""


class NoAnswer(Exception):
    """The limit came before any plan was found."""


def in_ids(batch: Batch, flows: Iterable[Flow]) -> tuple[Served, ...]:
    """Flows between positions as units between ids."""
    return tuple(
        (batch.order(line).id, batch.lines[line].id, batch.sources[source].id, units) for line, source, units in flows
    )


def served_by(plan: Plan) -> tuple[Served, ...]:
    """What a plan assigns."""
    return tuple(
        (line.order_id, line.line_id, assignment.source_id, assignment.units)
        for line in plan.lines
        for assignment in line.assignments
    )


def within(request: PlanRequest, limit_s: float) -> PlanRequest:
    """The request with these seconds for the solver."""
    return _limited(request, replace(request.strategy.limits, solve_limit_s=limit_s))


def until(request: PlanRequest, relative_gap: float) -> PlanRequest:
    """The request for a plan with this gap."""
    return _limited(request, replace(request.strategy.limits, relative_gap=relative_gap))


def _limited(request: PlanRequest, limits: SolverLimits) -> PlanRequest:
    return replace(request, strategy=replace(request.strategy, limits=limits))
