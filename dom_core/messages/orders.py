"""The intake message: one order, as a storefront posts it or an order provider queues it."""

import hashlib
import json
from collections import Counter
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from dom_core.domain.ids import Id, Label, Name
from dom_core.domain.network import Address, Location
from dom_core.domain.order import Event, Line, Order
from dom_core.domain.units import Cents, Count, PositiveUnits, UtcTime
from dom_core.errors import InvalidInput
from dom_core.messages.actions import Who
from dom_core.messages.claim import About, Claim
from dom_core.messages.reading import read_value


class IntakeLine(BaseModel):
    """One line. `ship_to`, `location` and `mode_of_delivery` default to the order's."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: Id
    product_id: Id
    units: PositiveUnits
    amount_cents: Cents = 0
    tax_cents: Cents = 0
    ship_to: Address | None = None
    location: Location | None = None
    mode_of_delivery: Label | None = None
    direct_delivery: bool = False


class IntakeOrder(BaseModel):
    """One order. The key is (`id`, `revision`): the same key with the same content changes nothing.

    `who` sends it, for its history; that is no part of the content.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: Id
    revision: Count = 1
    ordered_at: UtcTime
    lines: Annotated[tuple[IntakeLine, ...], Field(min_length=1, max_length=1000)]
    ship_to: Address
    location: Location | None = None
    mode_of_delivery: Label = "standard"
    sales_origin: Label | None = None
    legal_entity: Label = "default"
    priority_class: Annotated[int, Field(strict=True, ge=1, le=5)] | None = None
    promised_by: UtcTime | None = None
    customer_reference: Name = ""
    who: Who | None = None

    @field_validator("lines")
    @classmethod
    def _ids_are_unique(cls, lines: tuple[IntakeLine, ...]) -> tuple[IntakeLine, ...]:
        twice = sorted(line for line, times in Counter(line.id for line in lines).items() if times > 1)
        if twice:
            raise ValueError(f"ids must be unique; used more than once: {', '.join(twice)}")
        return lines

    @property
    def content_hash(self) -> str:
        """SHA-256 of the content in canonical JSON: equal for equal orders, whatever their formatting."""
        canonical = json.dumps(self.model_dump(mode="json", exclude={"who"}), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    def to_order(self, received_at: datetime, who: str) -> Order:
        """The order as the system keeps it; line locations not given are still to be geocoded."""
        return Order(
            id=self.id,
            revision=self.revision,
            ordered_at=self.ordered_at,
            lines=tuple(self._line(line) for line in self.lines),
            content_hash=self.content_hash,
            sales_origin=self.sales_origin,
            legal_entity=self.legal_entity,
            priority_class=self.priority_class,
            promised_by=self.promised_by,
            customer_reference=self.customer_reference,
            history=(Event(at=received_at, who=who, what="received"),),
        )

    def addresses_to_find(self) -> list[tuple[str, Address]]:
        """The addresses without coordinates that lines go to, each with its path."""
        own = [
            (f"lines[{position}].ship_to", line.ship_to)
            for position, line in enumerate(self.lines)
            if line.ship_to and line.location is None
        ]
        shared = any(line.ship_to is None and line.location is None for line in self.lines)
        return [("ship_to", self.ship_to), *own] if shared and self.location is None else own

    def _line(self, line: IntakeLine) -> Line:
        # A line with its own address does not take the order's coordinates.
        location = line.location or (self.location if line.ship_to is None else None)
        return Line(
            id=line.id,
            product_id=line.product_id,
            units=line.units,
            ship_to=line.ship_to or self.ship_to,
            location=location,
            mode_of_delivery=line.mode_of_delivery or self.mode_of_delivery,
            amount_cents=line.amount_cents,
            tax_cents=line.tax_cents,
            direct_delivery=line.direct_delivery,
        )


class OrderKey(BaseModel):
    """The key of an order of which nothing else is known."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    order_id: Id
    revision: Count
    content_hash: str


def about_order(order: IntakeOrder) -> About:
    """The key of the order, for a claim check: it tells whether an order whose content is gone was stored already."""
    return key_of(order).model_dump()


def key_of(order: IntakeOrder) -> OrderKey:
    """The key of the order, with the hash that tells other content under the same key."""
    return OrderKey(order_id=order.id, revision=order.revision, content_hash=order.content_hash)


def key_in(claim: Claim) -> OrderKey | None:
    """The key of the order that a claim is for; None when it does not say."""
    try:
        return read_value(dict(claim.about), OrderKey, "claim check")
    except InvalidInput:
        return None
