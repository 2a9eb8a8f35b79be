"""Events and charges as measurements of OpenTelemetry. The table is in docs/operations.md, a test compares."""

from functools import singledispatchmethod

from opentelemetry.metrics import Meter

from dom_core.charges import Charge
from dom_core.telemetry.events import (
    CleanedUp,
    DeadLetterKept,
    Event,
    OrderTaken,
    PlanApplied,
    QueueAge,
    RunEnded,
    StockOversold,
)

RUN_BUCKETS_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 900, 1800)
"""A run takes from a second to the half hour that the host lets it have."""


class Measurements:
    """The instruments, and which event moves which."""

    def __init__(self, meter: Meter) -> None:
        self._queue_age = meter.create_gauge("dom.queue.age", "s", "Age of the oldest message that waits")
        self._queue_length = meter.create_gauge("dom.queue.messages", "{message}", "Messages in the queue")
        self._run_seconds = meter.create_histogram(
            "dom.run.duration", "s", "From start to end", explicit_bucket_boundaries_advisory=RUN_BUCKETS_S
        )
        self._gap = meter.create_gauge("dom.run.gap", "1", "Gap of iteration 1 in the newest run")
        self._filled = meter.create_counter("dom.units.filled", "{unit}", "Units that runs assigned")
        self._unfilled = meter.create_counter("dom.units.unfilled", "{unit}", "Units that runs left, by reason")
        self._orders = meter.create_counter("dom.orders.taken", "{order}", "Orders taken from the queue")
        self._confirmed = meter.create_counter("dom.lines.applied", "{line}", "Lines of applied plans, by outcome")
        self._request_units = meter.create_counter("dom.request_units", "{RU}", "Request units of the store")
        self._dead_letters = meter.create_counter("dom.dead_letters", "{message}", "Messages that could not be used")
        self._open_letters = meter.create_gauge("dom.dead_letters.open", "{message}", "Dead letters not replayed")
        self._oversold = meter.create_counter("dom.stock.oversold", "{cell}", "Findings of stock promised twice")

    def charged(self, charge: Charge) -> None:
        """A request of the store."""
        attributes = {"use_case": charge.use_case, "operation": charge.operation, "container": charge.container.value}
        self._request_units.add(charge.request_units, attributes)

    @singledispatchmethod
    def take(self, event: Event) -> None:
        """Measure what the event says; most say nothing that is measured."""

    @take.register
    def _(self, event: QueueAge) -> None:
        self._queue_age.set(event.age_s, {"queue": event.queue})
        self._queue_length.set(event.messages, {"queue": event.queue})

    @take.register
    def _(self, event: RunEnded) -> None:
        strategy = {"strategy_id": event.strategy_id}
        self._run_seconds.record(event.seconds, {**strategy, "state": event.state.value})
        if event.gap is not None:
            self._gap.set(event.gap, strategy)
        self._filled.add(event.filled_units, strategy)
        for reason, units in (event.unfilled_units_by_reason or {}).items():
            self._unfilled.add(units, {**strategy, "reason": reason})

    @take.register
    def _(self, event: OrderTaken) -> None:
        self._orders.add(1, {"intake": event.intake.value})

    @take.register
    def _(self, event: PlanApplied) -> None:
        strategy = {"strategy_id": event.strategy_id}
        self._confirmed.add(event.confirmed_lines, {**strategy, "outcome": "confirmed"})
        self._confirmed.add(event.conflicted_lines, {**strategy, "outcome": "conflicted"})

    @take.register
    def _(self, event: DeadLetterKept) -> None:
        self._dead_letters.add(1, {"queue": event.queue})

    @take.register
    def _(self, event: CleanedUp) -> None:
        self._open_letters.set(event.dead_letters_kept)

    @take.register
    def _(self, event: StockOversold) -> None:
        self._oversold.add(1, {"source_id": event.source_id})
