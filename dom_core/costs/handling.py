"""Handling: what it costs a source to handle an order, and each of its lines.

`per_order_cents` is paid once for each shipment, that is for each source that ships anything of the order;
`per_line_cents` once for each part, that is for each line at each source that ships anything of it, however many units.

Each of the two amounts is decided by itself, among the lines that give it: a source beats a list, and a list beats
everywhere; between equals the larger amount decides. A line that leaves one amount out leaves it to more general lines;
an amount of 0 lifts it.

Parameters:

- `lines`, at least one: a place, and `per_order_cents`, `per_line_cents` or both; whole cents, 0 or more.

```json
{"lines": [{"per_order_cents": 250, "per_line_cents": 40}, {"source_list_id": "stores", "per_order_cents": 600}]}
```
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from dom_core.costs.base import CostFactor
from dom_core.domain.batch import Batch
from dom_core.domain.ids import CostFactorId, SourceId
from dom_core.domain.reason import IntArray
from dom_core.domain.units import Cents
from dom_core.rules import checking, parameters, scope

Amounts = Sequence[tuple[parameters.PlaceScope, int]]


class HandlingLine(parameters.PlaceScope):
    """What handling costs at a place."""

    per_order_cents: Cents | None = None
    per_line_cents: Cents | None = Field(default=None, validate_default=True)

    @field_validator("per_line_cents")
    @classmethod
    def _some_amount(cls, value: int | None, info: ValidationInfo) -> int | None:
        # An amount per order that is wrong is missing from the data: somebody gave one all the same.
        if value is None and info.data.get("per_order_cents", 0) is None:
            raise PydanticCustomError("no_amount", "give per_order_cents, per_line_cents or both")
        return value


class HandlingParameters(parameters.Parameters):
    """What handling costs."""

    lines: parameters.NonEmpty[HandlingLine]


@dataclass(frozen=True, slots=True)
class Handling(CostFactor):
    """Prices each shipment and each part."""

    kind: ClassVar[str] = "handling"

    params: HandlingParameters

    @classmethod
    def from_params(cls, id: CostFactorId, params: Mapping[str, Any]) -> Self:
        """The cost factor that these stored parameters describe."""
        return cls(id, parameters.read(params, HandlingParameters, id, "cost factor"))

    def references(self) -> Iterator[tuple[str, str, str]]:
        """Sources and source lists of the lines."""
        return parameters.references_of(self.params.lines, "params.lines")

    def shipment_cents(self, batch: Batch) -> IntArray | None:
        """The amount per order that decides at each source, the same for every line (L, S)."""
        return _table(batch, self._per_order())

    def part_cents(self, batch: Batch) -> IntArray | None:
        """The amount per line that decides at each source, the same for every line (L, S)."""
        return _table(batch, self._per_line())

    def cost_of_shipment_cents(self, facts: checking.Facts, source_id: SourceId) -> int:
        """The amount per order that decides at a source."""
        return _of_one(facts, self._per_order(), source_id)

    def cost_of_part_cents(self, facts: checking.Facts, source_id: SourceId) -> int:
        """The amount per line that decides at a source."""
        return _of_one(facts, self._per_line(), source_id)

    def _per_order(self) -> Amounts:
        return [(line, line.per_order_cents) for line in self.params.lines if line.per_order_cents is not None]

    def _per_line(self) -> Amounts:
        return [(line, line.per_line_cents) for line in self.params.lines if line.per_line_cents is not None]


def _table(batch: Batch, amounts: Amounts) -> IntArray | None:
    """The deciding amount of each source in every row, read-only; None without amounts."""
    if not amounts:
        return None
    cents = np.zeros(len(batch.sources), dtype=np.int64)
    # From general to specific, from cheap to dear, so that the last word is the most specific and dearest one.
    for place, amount in sorted(amounts, key=lambda entry: (scope.place_specificity(entry[0]), entry[1])):
        cents[scope.source_positions(batch, place)] = amount
    return np.broadcast_to(cents, batch.shape)


def _of_one(facts: checking.Facts, amounts: Amounts, source_id: SourceId) -> int:
    """The audit's own reading: the amounts of the source, or else of its lists, or else of everywhere."""
    holding = [(place, amount) for place, amount in amounts if checking.holds_at(facts, place, source_id)]
    named = [amount for place, amount in holding if place.source_id is not None]
    listed = [amount for place, amount in holding if place.source_list_id is not None]
    return max(named or listed or [amount for _, amount in holding], default=0)
