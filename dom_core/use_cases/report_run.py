"""Tell how a run ended, with the figures of its plan."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from dom_core.domain.plan import Plan
from dom_core.domain.run import Run
from dom_core.telemetry.events import RunEnded

PARTLY_FILLED = "partly_filled"
"""The reason of a line that lacks units and has no exception."""


def run_ended(run: Run, plan: Plan | None = None) -> RunEnded:
    """The end of a run, in figures. A run that made no plan has none."""
    ended = RunEnded(
        run_id=run.id,
        strategy_id=run.strategy_id,
        state=run.state,
        seconds=_seconds(run),
        request_units=run.request_units,
    )
    return ended if plan is None else _with_figures(ended, plan)


def _with_figures(ended: RunEnded, plan: Plan) -> RunEnded:
    units = sum(line.units for line in plan.lines)
    filled = sum(line.filled_units for line in plan.lines)
    return replace(
        ended,
        plan_id=plan.id,
        lines=len(plan.lines),
        filled_units=filled,
        unfilled_units=units - filled,
        unfilled_units_by_reason=unfilled_units_by_reason(plan),
        gap=plan.iterations[0].gap if plan.iterations else None,
        endings=tuple(iteration.ending for iteration in plan.iterations),
        planning_seconds=plan.seconds,
    )


def unfilled_units_by_reason(plan: Plan) -> Mapping[str, int]:
    """The units that the plan leaves, by why: the line's exception."""
    missing: Counter[str] = Counter()
    for line in plan.lines:
        missing[str(line.exception or PARTLY_FILLED)] += line.units - line.filled_units
    return {reason: units for reason, units in sorted(missing.items()) if units}


def _seconds(run: Run) -> float:
    if run.started_at is None or run.finished_at is None:
        return 0.0
    return round((run.finished_at - run.started_at).total_seconds(), 3)
