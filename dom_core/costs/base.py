"""What a cost factor is: an amount of money for each leg, shipment or part of a plan.

- A *leg* is one journey: the lines of an order that travel with one mode of delivery from one source to one
  destination. However many units and lines travel, the leg is paid once.
- A *shipment* is an order at a source: it is paid once for each source that ships anything of the order.
- A *part* is a line at a source: a line from one source has one part, a line split over two sources has two.

Several linked cost factors add up. Amounts are whole cents, zero or more; where no parameter line holds, a cost factor
costs nothing.

A line of parameters holds at a place: `source_id`, `source_list_id`, or everywhere when neither is given. Where several
lines of one cost factor match, the most specific decides; between equals the dearer.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from dom_core.domain.batch import Batch
from dom_core.domain.ids import CostFactorId, SourceId
from dom_core.domain.reason import IntArray
from dom_core.rules.checking import Facts


@dataclass(frozen=True, slots=True)
class CostFactor(ABC):
    """A money component of the objective, with its parameters understood.

    The first three hooks price every pair of a batch at once. The last three say the same about one thing at a time, in
    plain Python that shares nothing with the arrays but the parameters: the audit adds up with them. Dates and the
    `active` flag are not the cost factor's business: the stages ask only those in force.
    """

    kind: ClassVar[str]

    id: CostFactorId

    @classmethod
    @abstractmethod
    def from_params(cls, id: CostFactorId, params: Mapping[str, Any]) -> Self:
        """The cost factor that these stored parameters describe. Raises InvalidInput with a path for each problem."""

    def references(self) -> Iterator[tuple[str, str, str]]:
        """What the parameters name, as (path, kind of object, id): checked when a configuration is saved."""
        return iter(())

    def leg_cents(self, batch: Batch) -> IntArray | None:
        """Cents of the leg that takes a line from a source (L, S), perhaps read-only; None when legs cost nothing.

        Equal for the lines of one order that have the same destination and mode of delivery: they share the leg.
        """
        return None

    def shipment_cents(self, batch: Batch) -> IntArray | None:
        """Cents of the shipment of a line's order from a source (L, S), perhaps read-only; None when it is nothing.

        Equal for all lines of one order: they share the shipment.
        """
        return None

    def part_cents(self, batch: Batch) -> IntArray | None:
        """Cents of serving a line, or part of it, from a source (L, S), perhaps read-only; None when it is nothing."""
        return None

    def cost_of_leg_cents(
        self, facts: Facts, source_id: SourceId, mode_of_delivery: str, distance_m: int | None
    ) -> int:
        """What one leg costs. The distance is None where it is unknown."""
        return 0

    def cost_of_shipment_cents(self, facts: Facts, source_id: SourceId) -> int:
        """What one shipment costs."""
        return 0

    def cost_of_part_cents(self, facts: Facts, source_id: SourceId) -> int:
        """What one part costs."""
        return 0
