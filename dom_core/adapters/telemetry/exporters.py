"""Where spans and measurements go: to a collector by OTLP, or to Application Insights.

The endpoint, its headers, intervals and the sampler come from OpenTelemetry's own environment variables
(`OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_METRIC_EXPORT_INTERVAL`, `OTEL_TRACES_SAMPLER`, …), those of Application Insights
from `APPLICATIONINSIGHTS_CONNECTION_STRING` and `APPLICATIONINSIGHTS_AUTHENTICATION_STRING`.
"""

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

MAX_WAITING_SPANS = 20_000
"""Applying a large plan makes a span for each order within seconds; what finds no place is not sent."""


def providers(kind: str) -> tuple[TracerProvider, MeterProvider]:
    """What makes spans and measurements and sends them on: `otlp` or `azure_monitor`."""
    spans, metrics = _azure_monitor() if kind == "azure_monitor" else _otlp()
    resource = Resource({SERVICE_NAME: "dom"}).merge(OTELResourceDetector().detect())
    tracers = TracerProvider(resource=resource)
    tracers.add_span_processor(BatchSpanProcessor(spans, max_queue_size=MAX_WAITING_SPANS))
    return tracers, MeterProvider([PeriodicExportingMetricReader(metrics)], resource=resource)


def _otlp() -> tuple[SpanExporter, MetricExporter]:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter(), OTLPMetricExporter()


def _azure_monitor() -> tuple[SpanExporter, MetricExporter]:
    from azure.monitor.opentelemetry.exporter import AzureMonitorMetricExporter, AzureMonitorTraceExporter

    # What cannot be sent is not written to disk: an instance's disk goes with it.
    return (
        AzureMonitorTraceExporter(disable_offline_storage=True),
        AzureMonitorMetricExporter(disable_offline_storage=True),
    )
