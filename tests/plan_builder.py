"""Plans made by hand, so that applying can be tested without planning."""

from dataclasses import dataclass, replace
from typing import Self

from dom_core.domain.order import ExceptionKind, Order
from dom_core.domain.plan import Plan, PlanAssignment, PlanLine, PlanState
from dom_core.domain.reason import Reason, Verdict
from dom_core.domain.reason_table import ReasonTable
from tests.builders import NOW


@dataclass(frozen=True)
class PlanBuilder:
    """A plan under construction; every call returns a new builder."""

    plan: Plan

    def assigning(self, order: Order, line_id: str, *parts: tuple[str, int], rest: ExceptionKind | None = None) -> Self:
        """The line gets so many units from each source; `rest` is what becomes of the others."""
        assignments = tuple(PlanAssignment(source_id, units, 12_000, 1) for source_id, units in parts)
        return self._with_line(order, line_id, assignments, rest)

    def failing(self, order: Order, line_id: str, kind: ExceptionKind = ExceptionKind.NO_SOURCE) -> Self:
        return self._with_line(order, line_id, (), kind)

    def in_state(self, state: PlanState) -> Self:
        return replace(self, plan=replace(self.plan, state=state))

    def build(self) -> Plan:
        return self.plan

    def _with_line(
        self, order: Order, line_id: str, assignments: tuple[PlanAssignment, ...], kind: ExceptionKind | None
    ) -> Self:
        line = order.line(line_id)
        assert line is not None
        planned = PlanLine(order.id, line_id, order.version, line.product_id, line.units, assignments, kind)
        reasons = self.plan.reasons
        chosen = {assignment.source_id for assignment in assignments}
        codes = bytes(0 if source_id in chosen else 1 for source_id in reasons.source_ids)
        return replace(
            self,
            plan=replace(
                self.plan,
                lines=(*self.plan.lines, planned),
                reasons=replace(reasons, codes=(*reasons.codes, codes)),
            ),
        )


def a_plan(id: str = "P1", strategy_id: str = "standard") -> PlanBuilder:
    """A proposed plan without lines, over the sources A and B."""
    templates = (Reason(Verdict.CHOSEN, "chosen"), Reason(Verdict.DEARER, "distance_km", actual="3 km more"))
    return PlanBuilder(
        Plan(
            id=id,
            run_id=f"run-{id}",
            strategy_id=strategy_id,
            state=PlanState.PROPOSED,
            planned_at=NOW,
            engine_version="test",
            configuration_hash="",
            input_hash="",
            lines=(),
            held=(),
            iterations=(),
            reasons=ReasonTable(("A", "B"), templates, ()),
        )
    )
