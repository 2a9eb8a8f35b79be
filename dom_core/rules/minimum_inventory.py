"""Minimum inventory: units of a product that a source keeps for itself.

With mode `subtract` (the default, C15) the units are ring-fenced: allocatable = max(0, available - units). With mode
`exclude_if_below` nothing is subtracted, but the source is out for a product while available < units.

Where several lines match, the most specific wins; between equals the larger number of units. Stock that is not
counted (a source without real inventory, or a strategy with unlimited inventory) is not ring-fenced.

Parameters:

- `lines`, at least one: a scope and `units`, 0 or more. A line with 0 units lifts a more general one.
- `mode`: `subtract` or `exclude_if_below`.

```json
{"lines": [{"units": 2}, {"source_list_id": "stores", "category": "Phones", "units": 5}], "mode": "subtract"}
```

Reasons: limit `5 units`, actual `3 units`: the minimum and what is available. With `subtract` only where nothing
allocatable is left; otherwise the pair stays, with fewer units.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Self

import numpy as np

from dom_core.domain.batch import Batch
from dom_core.domain.ids import ProductId, RuleId, SourceId
from dom_core.domain.plan import Plan
from dom_core.domain.reason import IntArray, Rejection
from dom_core.domain.request import PlanRequest
from dom_core.domain.units import UNLIMITED_UNITS, Units
from dom_core.rules import checking, parameters, scope
from dom_core.rules.base import Rule, Violation
from dom_core.watch import UNWATCHED, Watch


class MinimumMode(StrEnum):
    """What a minimum does to a source's stock."""

    SUBTRACT = "subtract"
    EXCLUDE_IF_BELOW = "exclude_if_below"


class MinimumLine(parameters.Scope):
    """So many units, within a scope."""

    units: Units


class MinimumInventoryParameters(parameters.Parameters):
    """Lines and what they do."""

    lines: parameters.NonEmpty[MinimumLine]
    mode: MinimumMode = MinimumMode.SUBTRACT


@dataclass(frozen=True, slots=True)
class MinimumInventory(Rule):
    """Keeps units of a product at a source."""

    kind: ClassVar[str] = "minimum_inventory"

    params: MinimumInventoryParameters

    @classmethod
    def from_params(cls, id: RuleId, params: Mapping[str, Any]) -> Self:
        """The rule that these stored parameters describe."""
        return cls(id, parameters.read(params, MinimumInventoryParameters, id))

    def references(self) -> Iterator[tuple[str, str, str]]:
        """Sources, source lists and products of the lines."""
        return parameters.references_of(self.params.lines, "params.lines")

    def units_kept_back(self, batch: Batch) -> IntArray | None:
        """With `subtract`: the units of the deciding line per product and source, 0 where stock is not counted."""
        if self.params.mode is not MinimumMode.SUBTRACT:
            return None
        return np.where(batch.available < UNLIMITED_UNITS, self._minimum(batch), 0)

    def reject_candidates(self, batch: Batch) -> Iterator[Rejection]:
        """With `exclude_if_below`: sources that have fewer units of the line's product than the minimum."""
        if self.params.mode is not MinimumMode.EXCLUDE_IF_BELOW:
            return
        minimum = self._minimum(batch)
        below = batch.available < minimum
        if below.any():
            rows = batch.product_of
            yield Rejection(self.kind, below[rows], minimum[rows], batch.available[rows], "units", self.id)

    def violations(self, request: PlanRequest, plan: Plan, watch: Watch = UNWATCHED) -> Iterator[Violation]:
        """Assignments that take units which are kept back, or from a source that is below its minimum."""
        facts = checking.Facts.of(request)
        lines = checking.ScopedLines(facts, self.params.lines)
        taken: Counter[tuple[ProductId, SourceId]] = Counter()
        for line, assignment in checking.assignments(plan, watch):
            cell = (line.product_id, assignment.source_id)
            taken[cell] += assignment.units
            minimum = max((entry.units for entry in lines.deciding(*cell)), default=0)
            if minimum and facts.counts_stock(assignment.source_id):
                problem = self._problem(minimum, request.available.get(cell, 0), taken[cell])
                if problem:
                    yield checking.breach(self.id, (line, assignment), problem)

    def _minimum(self, batch: Batch) -> IntArray:
        lines = self.params.lines
        return scope.most_specific(batch, lines, [line.units for line in lines], otherwise=0)

    def _problem(self, minimum: int, available: int, taken: int) -> str:
        if self.params.mode is MinimumMode.EXCLUDE_IF_BELOW:
            return f"has {available} units, below the minimum of {minimum}" if available < minimum else ""
        allocatable = max(0, available - minimum)
        return f"gives {taken} of {allocatable} units; {minimum} are kept back" if taken > allocatable else ""
