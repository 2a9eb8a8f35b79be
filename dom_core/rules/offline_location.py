"""Offline location: sources that ship nothing for now.

A source is out when it is named, itself or by a source list. Several rules add up: the union is out.

Parameters:

- `places`, at least one: a `source_id` or a `source_list_id` each.

```json
{"places": [{"source_id": "STORE-7"}, {"source_list_id": "flooded"}]}
```

Reasons: limit `online`, actual `offline` with the place that says so: `offline (source list flooded)`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from pydantic import model_validator
from pydantic_core import PydanticCustomError

from dom_core.domain.batch import Batch
from dom_core.domain.ids import RuleId, SourceId
from dom_core.domain.plan import Plan
from dom_core.domain.reason import Rejection
from dom_core.domain.request import PlanRequest
from dom_core.rules import checking, parameters, scope
from dom_core.rules.base import Network, Rule, Violation
from dom_core.watch import UNWATCHED, Watch


class OfflinePlace(parameters.PlaceScope):
    """A source or a source list. "Everywhere" is no place here: that is a disabled strategy."""

    @model_validator(mode="after")
    def _is_named(self) -> Self:
        if self.source_id is None and self.source_list_id is None:
            raise PydanticCustomError("no_place", "name a source_id or a source_list_id")
        return self

    def __str__(self) -> str:
        return f"source {self.source_id}" if self.source_id else f"source list {self.source_list_id}"


class OfflineLocationParameters(parameters.Parameters):
    """What is offline."""

    places: parameters.NonEmpty[OfflinePlace]


@dataclass(frozen=True, slots=True)
class OfflineLocation(Rule):
    """Takes sources out."""

    kind: ClassVar[str] = "offline_location"

    params: OfflineLocationParameters

    @classmethod
    def from_params(cls, id: RuleId, params: Mapping[str, Any]) -> Self:
        """The rule that these stored parameters describe."""
        return cls(id, parameters.read(params, OfflineLocationParameters, id))

    def references(self) -> Iterator[tuple[str, str, str]]:
        """Sources and source lists that are offline."""
        return parameters.references_of(self.params.places, "params.places")

    def sources_out(self, network: Network) -> frozenset[SourceId]:
        """The offline sources."""
        return parameters.sources_of(self.params.places, network)

    def reject_candidates(self, batch: Batch) -> Iterator[Rejection]:
        """Every pair of an offline source, with the first place that names it."""
        evidence = np.full(len(batch.sources), "", dtype=object)
        # Backwards, so that the first place that names a source has the last word.
        for place in reversed(self.params.places):
            evidence[scope.source_positions(batch, place)] = f"offline ({place})"
        offline = evidence != ""
        if offline.any():
            yield Rejection(self.kind, offline[np.newaxis, :], "online", evidence[np.newaxis, :], rule_id=self.id)

    def violations(self, request: PlanRequest, plan: Plan, watch: Watch = UNWATCHED) -> Iterator[Violation]:
        """Assignments to offline sources."""
        facts = checking.Facts.of(request)
        for line, assignment in checking.assignments(plan, watch):
            if any(checking.holds_at(facts, place, assignment.source_id) for place in self.params.places):
                yield checking.breach(self.id, (line, assignment), "is offline")
