"""What the world must be told about an assignment: the entry of an order's outbox, before it becomes a message."""

from dataclasses import dataclass
from enum import StrEnum

from dom_core.domain.ids import LineId, PlanId, ProductId, SourceId
from dom_core.domain.units import Count, UtcTime


class Happening(StrEnum):
    """What became of the assignment of a line to a source."""

    ASSIGNED = "assigned"
    WITHDRAWN = "withdrawn"
    HELD = "held"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that happened to the units of a line at a source.

    `sequence` counts the notices of the order, from 1, without gaps. `units` are those that it happened to. The rest
    says how things stand from then on, so whoever knows the newest notice of a line and a source needs no other: so
    many units the source is to ship of this line, it is still asked whether it will, the order is on hold. `because` is
    the event of the order's history that took units away.
    """

    sequence: Count
    at: UtcTime
    what: Happening
    line_id: LineId
    product_id: ProductId
    source_id: SourceId
    plan_id: PlanId
    units: Count
    units_left: Count
    must_accept: bool = False
    on_hold: bool = False
    because: str = ""
