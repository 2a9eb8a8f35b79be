"""Finished plans for tests that look at plans: who ships what, and nothing about how it was decided."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeAlias

from dom_core.domain.plan import Plan, PlanAssignment, PlanLine, PlanState
from dom_core.domain.reason_table import ReasonTable
from dom_core.domain.request import PlanRequest
from dom_core.messages.reading import write_value
from dom_core.rules.base import Rule

LineKey: TypeAlias = tuple[str, str]
"""Order, line."""


def from_source(source_id: str, units: int = 1, *, km: float | None = 1.0, iteration: int = 1) -> PlanAssignment:
    """So many units from a source."""
    return PlanAssignment(source_id, units, None if km is None else round(km * 1000), iteration)


def a_plan(request: PlanRequest, assigned: Mapping[LineKey, tuple[PlanAssignment, ...]]) -> Plan:
    """A plan over all lines of the request; lines that `assigned` does not name stay empty."""
    return Plan(
        id=request.plan_id,
        run_id=request.run_id,
        strategy_id=request.strategy.id,
        state=PlanState.PROPOSED,
        planned_at=request.now,
        engine_version="test",
        configuration_hash="",
        input_hash="",
        lines=tuple(
            PlanLine(
                order.id, line.id, order.version, line.product_id, line.units, assigned.get((order.id, line.id), ())
            )
            for order in request.orders
            for line in order.lines
        ),
        held=(),
        iterations=(),
        reasons=ReasonTable((), (), ()),
    )


def broken(
    rule: Rule, request: PlanRequest, assigned: Mapping[LineKey, tuple[PlanAssignment, ...]]
) -> list[tuple[str | None, str | None, str | None]]:
    """The (order, line, source) of every violation that a rule finds in a plan."""
    found = rule.violations(request, a_plan(request, assigned))
    return [(violation.order_id, violation.line_id, violation.source_id) for violation in found]


def comparable(plan: Plan) -> bytes:
    """The plan as bytes, without the seconds that it took, and with every reason."""
    reports = tuple(replace(report, seconds=0.0) for report in plan.iterations)
    plain = write_value(replace(plan, seconds=0.0, iterations=reports), Plan)
    plain["reasons"]["codes"] = [row.hex() for row in plan.reasons.codes]
    return json.dumps(plain, sort_keys=True).encode()
