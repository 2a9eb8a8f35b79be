"""What is told, as spans and measurements of OpenTelemetry; and in the log, as without it.

Nothing here is global: the providers are ours, so the host's worker may have its own.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, Status, StatusCode, TraceFlags

from dom_core.adapters.telemetry.event_log import EventLog
from dom_core.adapters.telemetry.measurements import Measurements
from dom_core.charges import Charge
from dom_core.telemetry.events import Event
from dom_core.telemetry.ways import Way

_SCOPE = "dom"


class OpenTelemetryWatch:
    """Makes spans of steps, measurements of events and charges. Implements `Telemetry` and `ChargeRecorder`."""

    def __init__(self, spans: TracerProvider, metrics: MeterProvider, log: EventLog) -> None:
        self._spans = spans
        self._metrics = metrics
        self._tracer = spans.get_tracer(_SCOPE)
        self._measurements = Measurements(metrics.get_meter(_SCOPE))
        self._log = log

    def tell(self, event: Event) -> None:
        """Write the event into the log, and measure it."""
        self._log.tell(event)
        self._measurements.take(event)

    def record(self, charge: Charge) -> None:
        """Measure a charge."""
        self._measurements.charged(charge)

    @contextmanager
    def step(self, name: str, way: Way) -> Iterator[None]:
        """A span in the way's trace; inside a span of another trace, with a link to that one."""
        around = trace.get_current_span().get_span_context()
        on_the_way = around.is_valid and around.trace_id == int(way.trace_id, 16)
        started = self._tracer.start_as_current_span(
            name,
            context=None if on_the_way else _beginning(way),
            attributes={f"dom.{way.kind}_id": way.id},
            links=[] if on_the_way or not around.is_valid else [Link(around)],
            # Messages of errors may quote an order.
            record_exception=False,
            set_status_on_exception=False,
        )
        with started as span, _marking_failure(span):
            yield

    def close(self) -> None:
        """Send what was not sent yet, and end the threads that send."""
        self._spans.shutdown()
        self._metrics.shutdown()


def _beginning(way: Way) -> Context:
    """Where the way's trace begins: at a span that nobody records, the same in every process."""
    first = SpanContext(
        int(way.trace_id, 16), int(way.first_span_id, 16), is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED)
    )
    return trace.set_span_in_context(NonRecordingSpan(first), Context())


@contextmanager
def _marking_failure(span: Span) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        span.set_status(Status(StatusCode.ERROR, type(error).__name__))
        raise
