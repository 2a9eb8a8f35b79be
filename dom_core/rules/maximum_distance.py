"""Maximum distance: sources farther away than this from the ship-to address are out.

Unlike for other kinds, the most specific line does not win: the lowest of all matching lines does, so that no
override can loosen a limit (C10). A pair whose distance is unknown is out wherever a limit holds. The distance is
that of the strategy's distance mode, in whole metres; a source exactly at the limit stays in.

Parameters:

- `lines`, at least one: a scope and `km`, 0 or more.

```json
{"lines": [{"km": 800.0}, {"source_list_id": "stores", "category": "Furniture", "km": 80.0}]}
```

Reasons: limit `80.0 km`, actual `91.2 km`, or `unknown`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import floor
from typing import Any, ClassVar, Self

from dom_core.domain.batch import UNKNOWN_DISTANCE_M, Batch
from dom_core.domain.ids import RuleId
from dom_core.domain.plan import Plan
from dom_core.domain.reason import Rejection
from dom_core.domain.request import PlanRequest
from dom_core.domain.units import Kilometres
from dom_core.rules import checking, parameters, scope
from dom_core.rules.base import Rule, Violation
from dom_core.watch import UNWATCHED, Watch

_NO_LIMIT_M = 2**62


class DistanceLine(parameters.Scope):
    """A distance, within a scope."""

    km: Kilometres

    @property
    def limit_m(self) -> int:
        """The limit in whole metres. The small addend undoes binary rounding: 80.1 km are 80,100 m, not 80,099."""
        return floor(self.km * 1000 + 1e-6)


class MaximumDistanceParameters(parameters.Parameters):
    """How far is too far."""

    lines: parameters.NonEmpty[DistanceLine]


@dataclass(frozen=True, slots=True)
class MaximumDistance(Rule):
    """Keeps out sources that are too far away."""

    kind: ClassVar[str] = "maximum_distance"

    params: MaximumDistanceParameters

    @classmethod
    def from_params(cls, id: RuleId, params: Mapping[str, Any]) -> Self:
        """The rule that these stored parameters describe."""
        return cls(id, parameters.read(params, MaximumDistanceParameters, id))

    def references(self) -> Iterator[tuple[str, str, str]]:
        """Sources, source lists and products of the lines."""
        return parameters.references_of(self.params.lines, "params.lines")

    def reject_candidates(self, batch: Batch) -> Iterator[Rejection]:
        """Pairs beyond their limit, and limited pairs of unknown distance."""
        lines, distance_m = self.params.lines, batch.distance_m
        limit_m = scope.lowest(batch, lines, [line.limit_m for line in lines], _NO_LIMIT_M)[batch.product_of]
        too_far = distance_m > limit_m
        unknown = (distance_m == UNKNOWN_DISTANCE_M) & (limit_m < _NO_LIMIT_M)
        limit_km = limit_m / 1000
        if too_far.any():
            yield Rejection(self.kind, too_far, limit_km, distance_m / 1000, "km", self.id)
        if unknown.any():
            yield Rejection(self.kind, unknown, limit_km, "unknown", "km", self.id)

    def violations(self, request: PlanRequest, plan: Plan, watch: Watch = UNWATCHED) -> Iterator[Violation]:
        """Assignments that say they are farther than a line allows, or do not say how far they are."""
        lines = checking.ScopedLines(checking.Facts.of(request), self.params.lines)
        for line, assignment in checking.assignments(plan, watch):
            found = lines.matching(line.product_id, assignment.source_id)
            limit_km = min((entry.km for entry in found), default=None)
            if limit_km is not None and _too_far(assignment.distance_m, limit_km):
                message = f"is {_text(assignment.distance_m)} away, the limit is {limit_km:.1f} km"
                yield checking.breach(self.id, (line, assignment), message)


def _too_far(distance_m: int | None, limit_km: float) -> bool:
    return distance_m is None or distance_m / 1000 > limit_km


def _text(distance_m: int | None) -> str:
    return "an unknown distance" if distance_m is None else f"{distance_m / 1000:.1f} km"
