"""Location priority: which sources may serve, and in which order of preference.

The rule is ranking *and* membership: a product that at least one line covers is served only by sources that have a
priority for it; 1 is the best, 10 the worst. A product that no line covers is none of this rule's business. The rule
is the only one that also holds for write-in lines (C8). Whether it binds in both iterations is the strategy's
`location_priority_mode` (C1): `always_hard` (default), `flag_decides` or `ordinary`.

Where several lines match, the most specific wins; between equals the worse priority, the larger number: no line is
ever ranked better than each of its equals allows. When a strategy links several location-priority rules, a source
needs a priority in each, and the worst of them ranks it.

Parameters:

- `lines`, at least one: a scope and `priority`, 1 to 10.

```json
{"lines": [{"source_list_id": "warehouses", "priority": 1}, {"source_list_id": "stores", "priority": 3}]}
```

Reasons: limit `priority 1 to 10`, actual `none`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import Field

from dom_core.domain.batch import Batch
from dom_core.domain.ids import RuleId, SourceId
from dom_core.domain.network import Product
from dom_core.domain.plan import Plan
from dom_core.domain.reason import IntArray, Rejection
from dom_core.domain.request import PlanRequest
from dom_core.rules import checking, parameters, scope
from dom_core.rules.base import Network, Rule, Violation
from dom_core.watch import UNWATCHED, Watch

_NO_PRIORITY = 0


class PriorityLine(parameters.Scope):
    """A priority, within a scope."""

    priority: Annotated[int, Field(ge=1, le=10)]


class LocationPriorityParameters(parameters.Parameters):
    """Who serves, and how gladly."""

    lines: parameters.NonEmpty[PriorityLine]


@dataclass(frozen=True, slots=True)
class LocationPriority(Rule):
    """Ranks sources and keeps out those without a rank."""

    kind: ClassVar[str] = "location_priority"
    applies_to_write_in: ClassVar[bool] = True

    params: LocationPriorityParameters

    @classmethod
    def from_params(cls, id: RuleId, params: Mapping[str, Any]) -> Self:
        """The rule that these stored parameters describe."""
        return cls(id, parameters.read(params, LocationPriorityParameters, id))

    def references(self) -> Iterator[tuple[str, str, str]]:
        """Sources, source lists and products of the lines."""
        return parameters.references_of(self.params.lines, "params.lines")

    def sources_out(self, network: Network) -> frozenset[SourceId]:
        """Sources that no line names, once every product is the rule's business."""
        if not self._covers_all(network.products):
            return frozenset()
        return frozenset(source.id for source in network.sources) - parameters.sources_of(self.params.lines, network)

    def priorities(self, batch: Batch) -> IntArray | None:
        """Priority per pair (L, S); 0 for no priority, and for products that no line covers."""
        return self._per_product(batch)[batch.product_of]

    def reject_candidates(self, batch: Batch) -> Iterator[Rejection]:
        """Pairs without a priority, of products that a line covers."""
        covered = scope.covered_products(batch, self.params.lines)
        outside = (self._per_product(batch) == _NO_PRIORITY) & covered[:, np.newaxis]
        if outside.any():
            pairs = outside[batch.product_of]
            yield Rejection(self.kind, pairs, "priority 1 to 10", "none", rule_id=self.id)

    def violations(self, request: PlanRequest, plan: Plan, watch: Watch = UNWATCHED) -> Iterator[Violation]:
        """Assignments to sources without a priority for the line's product."""
        lines = checking.ScopedLines(checking.Facts.of(request), self.params.lines)
        for line, assignment in checking.assignments(plan, watch, with_write_in=True):
            covered = lines.for_product(line.product_id)
            if covered and not lines.matching(line.product_id, assignment.source_id):
                yield checking.breach(self.id, (line, assignment), "has no priority for this product")

    def _covers_all(self, products: Sequence[Product]) -> bool:
        """Whether every product of the catalogue has a line."""
        lines = self.params.lines
        if any(not (line.product_id or line.supplementary_category or line.category) for line in lines):
            return True
        named = {line.product_id for line in lines} - {None}
        supplementary = {line.supplementary_category for line in lines}
        categories = {line.category for line in lines}
        return bool(products) and all(
            not named.isdisjoint((product.id, product.parent_id))
            or not supplementary.isdisjoint(product.supplementary_categories)
            or not categories.isdisjoint(product.categories)
            for product in products
        )

    def _per_product(self, batch: Batch) -> IntArray:
        lines = self.params.lines
        return scope.most_specific(batch, lines, [line.priority for line in lines], otherwise=_NO_PRIORITY)
