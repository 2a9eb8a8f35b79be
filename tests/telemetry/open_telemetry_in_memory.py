"""OpenTelemetry whose spans and measurements stay in memory, where tests look at them."""

from dataclasses import dataclass, field
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from dom_core.adapters.telemetry.event_log import EventLog
from dom_core.adapters.telemetry.open_telemetry import OpenTelemetryWatch
from dom_core.telemetry.ways import Way


@dataclass
class Seen:
    """What one process has told."""

    exporter: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)
    reader: InMemoryMetricReader = field(default_factory=InMemoryMetricReader)

    def __post_init__(self) -> None:
        self._metrics = MeterProvider([self.reader])

    def watch(self) -> OpenTelemetryWatch:
        """The adapter, telling here."""
        spans = TracerProvider()
        spans.add_span_processor(SimpleSpanProcessor(self.exporter))
        return OpenTelemetryWatch(spans, self._metrics, EventLog())

    def spans(self) -> tuple[ReadableSpan, ...]:
        """Every span that has ended, in the order of its end."""
        return self.exporter.get_finished_spans()

    def names(self, way: Way) -> list[str]:
        """The spans of a trace, by name."""
        return [span.name for span in self.spans() if trace_of(span) == way.trace_id]

    def measured(self) -> dict[str, list[tuple[dict[str, Any], Any]]]:
        """Every instrument with its attributes and values; the sum of a histogram."""
        data = self.reader.get_metrics_data()
        found: dict[str, list[tuple[dict[str, Any], Any]]] = {}
        for resource in data.resource_metrics if data else ():
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    points = metric.data.data_points
                    found[metric.name] = [(dict(point.attributes or {}), _value(point)) for point in points]
        return found


def trace_of(span: ReadableSpan) -> str:
    """The id of the span's trace."""
    assert span.context is not None
    return f"{span.context.trace_id:032x}"


def traces_linked_from(span: ReadableSpan) -> list[str]:
    """The traces that the span links to."""
    return [f"{link.context.trace_id:032x}" for link in span.links]


def _value(point: Any) -> Any:
    return point.value if hasattr(point, "value") else point.sum
