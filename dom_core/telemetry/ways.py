"""Ways: what a trace follows through every process, from the first message to the last.

The trace's id comes from what it follows, so nobody has to carry it: an order that a provider queued, that is planned
an hour later and rejected after a week is on the same way as one that came by HTTP a moment ago.
"""

from dataclasses import dataclass
from hashlib import sha256

from dom_core.domain.ids import Id, OrderId, RunId


@dataclass(frozen=True, slots=True)
class Way:
    """The way of one thing. `kind` says what: `order`, `run`."""

    kind: str
    id: Id

    @property
    def trace_id(self) -> str:
        """The id of its trace as W3C Trace Context writes it: 32 hexadecimal digits."""
        return self._digest()[:32]

    @property
    def first_span_id(self) -> str:
        """The id of the span, never recorded, under which all steps of the way are: 16 hexadecimal digits."""
        return self._digest()[32:48]

    def _digest(self) -> str:
        return sha256(f"{self.kind}\n{self.id}".encode()).hexdigest()


def order_way(order_id: OrderId) -> Way:
    """The way of an order, from intake to its last shipment. All its revisions are on it."""
    return Way("order", order_id)


def run_way(run_id: RunId) -> Way:
    """The way of a run, from asking for it to its end. All attempts at it are on it."""
    return Way("run", run_id)
