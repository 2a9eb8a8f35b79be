"""Maximum rejects: how often sources may refuse a line before a person has to look at it.

At the threshold the line becomes a permanent exception (`max_rejects`) until somebody resets it; until then no run
takes it. The rule is a gate on the line, write-in lines included: iteration 2 does not relax it, whatever its flag.

Parameters:

- `threshold`: 1 or more.

```json
{"threshold": 3}
```

Reasons: the line is held with limit `3 rejects`, actual `3 rejects`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field

from dom_core.domain.ids import RuleId
from dom_core.domain.order import Line, Order
from dom_core.domain.plan import Plan
from dom_core.domain.reason import Reason, Verdict
from dom_core.domain.request import PlanRequest
from dom_core.rules import checking, parameters
from dom_core.rules.base import Rule, Violation
from dom_core.watch import UNWATCHED, Watch


class MaximumRejectsParameters(parameters.Parameters):
    """How many refusals are enough."""

    threshold: Annotated[int, Field(ge=1)]


@dataclass(frozen=True, slots=True)
class MaximumRejects(Rule):
    """Holds lines that were refused too often."""

    kind: ClassVar[str] = "maximum_rejects"
    dated_by_source: ClassVar[bool] = False
    never_relaxed: ClassVar[bool] = True

    threshold: int

    @classmethod
    def from_params(cls, id: RuleId, params: Mapping[str, Any]) -> Self:
        """The rule that these stored parameters describe."""
        return cls(id, parameters.read(params, MaximumRejectsParameters, id).threshold)

    def hold_line(self, request: PlanRequest, order: Order, line: Line) -> Reason | None:
        """A line at the threshold, or beyond it, waits for a person."""
        del request, order  # only the line's own history counts
        if line.rejects < self.threshold:
            return None
        return Reason(Verdict.EXCLUDED, self.kind, self.id, _rejects(self.threshold), _rejects(line.rejects))

    def violations(self, request: PlanRequest, plan: Plan, watch: Watch = UNWATCHED) -> Iterator[Violation]:
        """Assignments of lines that should have been held."""
        orders = checking.Facts.of(request).orders
        for planned, assignment in checking.assignments(plan, watch, with_write_in=True):
            order = orders.get(planned.order_id)
            line = order.line(planned.line_id) if order else None
            if line and line.rejects >= self.threshold:
                message = f"was rejected {line.rejects} times, the threshold is {self.threshold}"
                yield checking.breach(self.id, (planned, assignment), message)


def _rejects(number: int) -> str:
    return f"{number} reject" if number == 1 else f"{number} rejects"
