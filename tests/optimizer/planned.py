"""A request with its plan, as tests of explanations need them."""

from dataclasses import dataclass

from dom_core.domain.explanation import Counterfactual, LineExplanation, Relief, SourceExplanation
from dom_core.domain.plan import Plan, PlanLine
from dom_core.domain.request import PlanRequest
from dom_core.optimizer.pipeline import plan_once
from dom_core.optimizer.solving import CbcSolver
from dom_core.use_cases.explain_line import explain
from tests.builders import RequestBuilder


@dataclass(frozen=True)
class Planned:
    """What was asked and what came out."""

    request: PlanRequest
    plan: Plan

    def line(self, order_id: str, line_id: str = "1") -> PlanLine:
        position = self.plan.position(order_id, line_id)
        assert position is not None
        return self.plan.lines[position]

    def explained(self, order_id: str, line_id: str = "1", force: str | None = None) -> LineExplanation:
        return explain(self.plan, self.request, CbcSolver(), (order_id, line_id), force)

    def source(self, source_id: str, order_id: str, line_id: str = "1") -> SourceExplanation:
        (found,) = (one for one in self.explained(order_id, line_id).sources if one.source_id == source_id)
        return found

    def relief(self, order_id: str, line_id: str = "1") -> Relief:
        relief = self.explained(order_id, line_id).relief
        assert relief is not None
        return relief

    def forced(self, source_id: str, order_id: str, line_id: str = "1") -> Counterfactual:
        answer = self.explained(order_id, line_id, source_id).counterfactual
        assert answer is not None
        return answer


def planned(builder: RequestBuilder) -> Planned:
    request = builder.build()
    return Planned(request, plan_once(request, CbcSolver()))
