"""What became of a message's webhook: every try, without what was sent or answered."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from pydantic import ConfigDict

from dom_core.domain.ids import Id, LineId
from dom_core.domain.network import STRICT
from dom_core.domain.notice import Happening
from dom_core.domain.units import Count, UtcTime


class DeliveryState(StrEnum):
    """How far a delivery is. One that is given up is a dead letter, which can be replayed."""

    DELIVERED = "delivered"
    WAITING = "waiting"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True)
class Try:
    """One try: the receiver's HTTP status, or the kind of fault when there was no answer."""

    number: Count
    at: UtcTime
    status: int | None
    fault: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether the receiver has the message: it answered with a status of success."""
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Delivery:
    """The tries at telling the receiver one message, oldest first. `next_at`: when the next one is due."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    message_id: Id
    sequence: Count
    line_id: LineId
    what: Happening
    state: DeliveryState
    tries: tuple[Try, ...] = ()
    next_at: UtcTime | None = None
