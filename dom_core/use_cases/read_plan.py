"""Show plans and runs."""

from contextlib import suppress
from dataclasses import replace

from dom_core.domain.ids import PlanId, RunId
from dom_core.domain.plan import Plan
from dom_core.domain.plan_header import PlanHeader
from dom_core.domain.run import Run
from dom_core.errors import Conflict, InvalidInput, Problem
from dom_core.optimizer.expanding import expand
from dom_core.repositories.plans import Plans
from dom_core.repositories.runs import Runs
from dom_core.use_cases.context import Ports, Slice

MOST_REASONS = 200_000
"""Reasons that one answer spells out; of a larger plan one asks line by line."""


def get_plan(ports: Ports, plan_id: PlanId) -> Plan:
    """The whole plan, with its reasons as codes. Raises NotFound."""
    return Plans(ports.store).get(plan_id)


def get_explained_plan(ports: Ports, plan_id: PlanId) -> Plan:
    """The whole plan with its reasons spelt out; those of a plan stored without its request stay as they are.

    Raises NotFound, and InvalidInput for a plan of more than MOST_REASONS.
    """
    plans = Plans(ports.store)
    plan = plans.get(plan_id)
    pairs = len(plan.lines) * len(plan.reasons.source_ids)
    if pairs > MOST_REASONS:
        message = f"this plan has {pairs:,} reasons; at most {MOST_REASONS:,} are told at once: ask line by line"
        raise InvalidInput([Problem("reasons", message)], "question")
    with suppress(Conflict):
        return replace(plan, reasons=expand(plans.request(plan_id), plan))
    return plan


def list_plans(ports: Ports, limit: int, continuation: str | None = None) -> Slice[PlanHeader]:
    """Plans at a glance."""
    return Plans(ports.store).page(limit, continuation)


def get_run(ports: Ports, run_id: RunId) -> Run:
    """The run. Raises NotFound."""
    return Runs(ports.store).get(run_id).value


def list_runs(ports: Ports, limit: int, continuation: str | None = None) -> Slice[Run]:
    """Some of the runs."""
    return Runs(ports.store).page(limit, continuation)
