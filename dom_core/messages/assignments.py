"""The messages that leave the system: what became of a line at a source (docs/assignments.md describes them).

One message tells of one line, so it stays far below every queue's limit. It names nobody and no address.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import ConfigDict

from dom_core.domain.ids import Id, LineId, OrderId, PlanId, ProductId, SourceId
from dom_core.domain.network import STRICT
from dom_core.domain.notice import Happening, Notice
from dom_core.domain.units import Count, UtcTime
from dom_core.messages.reading import write_value

Schema = Literal["dom.assignment/1"]
"""The format's name and version. Under it a field may be added; none is renamed, removed or given another sense."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentMessage:
    """What became of so many units of a line at a source. The same `id` is the same message, however often it comes."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    schema: Schema = "dom.assignment/1"
    id: Id
    order_id: OrderId
    sequence: Count
    at: UtcTime
    what: Happening
    line_id: LineId
    product_id: ProductId
    source_id: SourceId
    plan_id: PlanId
    units: Count
    units_left: Count
    must_accept: bool
    on_hold: bool
    because: str | None

    @property
    def encoded(self) -> bytes:
        """The message as it travels."""
        return json.dumps(write_value(self, AssignmentMessage)).encode()


def message_of(order_id: OrderId, notice: Notice) -> AssignmentMessage:
    """The message that tells of this notice: always the same for the same notice."""
    return AssignmentMessage(
        id=_message_id(order_id, notice.sequence),
        order_id=order_id,
        sequence=notice.sequence,
        at=notice.at,
        what=notice.what,
        line_id=notice.line_id,
        product_id=notice.product_id,
        source_id=notice.source_id,
        plan_id=notice.plan_id,
        units=notice.units,
        units_left=notice.units_left,
        must_accept=notice.must_accept,
        on_hold=notice.on_hold,
        because=notice.because or None,
    )


def _message_id(order_id: OrderId, sequence: int) -> str:
    """Without full stops: a webhook's signature is made over id, time and body, with full stops between."""
    return "msg_" + hashlib.sha256(f"{order_id}#{sequence}".encode()).hexdigest()[:32]
