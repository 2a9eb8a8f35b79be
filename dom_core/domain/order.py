"""Demand: an order, its lines, and everything that has happened to them.

An order is one document. A line has at most one assignment; a line served from two places becomes two lines
(`3` and `3.1`), so that no units are ever in two assignments.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from dom_core.domain.ids import Id, Label, LineId, Name, OrderId, PlanId, ProductId, RuleId, SourceId, StrategyId
from dom_core.domain.network import STRICT, Address, Location
from dom_core.domain.notice import Notice
from dom_core.domain.units import Cents, Count, PositiveUnits, UtcTime


class LineState(StrEnum):
    """Where a line is in its life."""

    UNASSIGNED = "unassigned"
    ASSIGNED = "assigned"
    PICKED = "picked"
    SHIPPED = "shipped"
    EXCEPTION = "exception"
    CANCELLED = "cancelled"
    EXCLUDED = "excluded"


class ExceptionKind(StrEnum):
    """Why a line is in `exception`. A line that is excluded from there keeps it."""

    NO_QUANTITY = "no_quantity"
    NO_SOURCE = "no_source"
    NOT_IN_PLAN = "not_in_plan"
    REJECTED = "rejected"
    DATA_CONFLICT = "data_conflict"
    NO_LOCATION = "no_location"
    MAX_ATTEMPTS = "max_attempts"
    MAX_REJECTS = "max_rejects"

    @property
    def permanent(self) -> bool:
        """Whether only a manual reset brings the line back."""
        return self in (ExceptionKind.MAX_ATTEMPTS, ExceptionKind.MAX_REJECTS)


class Acceptance(StrEnum):
    """Whether the source has taken an assignment on."""

    PENDING = "pending"
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class LineAssignment:
    """All units of one line, promised from one source by one plan."""

    source_id: SourceId
    plan_id: PlanId
    strategy_id: StrategyId
    iteration: int
    distance_m: int | None
    acceptance: Acceptance
    assigned_at: UtcTime
    relaxed_rule_ids: tuple[RuleId, ...] = ()


@dataclass(frozen=True, slots=True)
class Bar:
    """A source that refused a line may not be tried again for it before `until`."""

    source_id: SourceId
    until: UtcTime


@dataclass(frozen=True, slots=True)
class Line:
    """So many units of a product, to one address. Amount and tax are for the whole line."""

    id: LineId
    product_id: ProductId
    units: PositiveUnits
    ship_to: Address
    location: Location | None
    mode_of_delivery: Label
    amount_cents: Cents = 0
    tax_cents: Cents = 0
    direct_delivery: bool = False
    state: LineState = LineState.UNASSIGNED
    exception: ExceptionKind | None = None
    assignment: LineAssignment | None = None
    attempts: Count = 0
    rejects: Count = 0
    bars: tuple[Bar, ...] = ()
    parent_line_id: LineId | None = None


class What(StrEnum):
    """The words of an order's history."""

    RECEIVED = "received"
    REVISED = "revised"
    PLANNED = "planned"
    DATA_CONFLICT = "data_conflict"
    ASSIGNED = "assigned"
    EXCEPTION = "exception"
    SPLIT = "split"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    RESET = "reset"
    PICKED = "picked"
    SHIPPED = "shipped"
    HELD = "held"
    RELEASED = "released"
    CANCELLED = "cancelled"
    EXCLUDED = "excluded"
    INCLUDED = "included"


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of an order's history: who did what to which line, when and why.

    Without a line it concerns the whole order. `reference` is the caller's own id of its message, if it gave one.
    """

    at: UtcTime
    who: str
    what: str
    why: str = ""
    line_id: LineId | None = None
    source_id: SourceId | None = None
    plan_id: PlanId | None = None
    units: int | None = None
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """A customer's order.

    `revision` counts the storefront's own changes: order id and revision are the intake key. `version` counts every
    change stored here: a plan is applied only to the version that it has seen. `notices` counts what the world was, or
    is to be, told of it; `outbox` holds what the store does not know of yet, and is stored beside the order.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    id: OrderId
    revision: Count
    ordered_at: UtcTime
    lines: tuple[Line, ...]
    content_hash: str = ""
    sales_origin: Label | None = None
    legal_entity: Label = "default"
    priority_class: int | None = None
    promised_by: UtcTime | None = None
    customer_reference: Name = ""
    on_hold: bool = False
    cancelled: bool = False
    version: Count = 0
    history: tuple[Event, ...] = ()
    notices: Count = 0
    outbox: Annotated[tuple[Notice, ...], Field(exclude=True)] = ()

    @property
    def amount_cents(self) -> int:
        """What the whole order is worth, in cents, without tax."""
        return sum(line.amount_cents for line in self.lines)

    def line(self, line_id: LineId) -> Line | None:
        """The line with this id, if the order has it."""
        return next((line for line in self.lines if line.id == line_id), None)

    @property
    def plannable(self) -> bool:
        """Whether a run might still have something to do here: a cheap first filter for the store."""
        open_states = (LineState.UNASSIGNED, LineState.EXCEPTION)
        return not self.cancelled and any(
            line.state in open_states and not (line.exception and line.exception.permanent) for line in self.lines
        )


PICKUP_MODES = frozenset({"pickup", "electronic"})
"""Modes of delivery that need no source: the customer collects, or nothing is shipped."""


def sort_key(order: Order) -> tuple[UtcTime, Id]:
    """Earliest ordered first, then lowest id: the tie-break of every run."""
    return (order.ordered_at, order.id)
