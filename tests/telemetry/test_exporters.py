"""Spans and measurements arrive at a collector, over HTTP; without a setting nothing of OpenTelemetry is loaded."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from azure.monitor.opentelemetry.exporter import AzureMonitorMetricExporter, AzureMonitorTraceExporter
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from dom_core import settings
from dom_core.adapters import telemetry
from dom_core.adapters.telemetry import exporters
from dom_core.telemetry.events import QueueAge
from dom_core.telemetry.ways import order_way
from tests.architecture.source_code import ROOT
from tests.telemetry.open_telemetry_in_memory import Seen

INSIGHTS = "InstrumentationKey=00000000-0000-0000-0000-000000000000;IngestionEndpoint=http://127.0.0.1:1/"


class Collector(ThreadingHTTPServer):
    """Keeps what is sent to it, by path."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Keeping)
        self.received: dict[str, bytes] = {}


class Keeping(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        self.server.received[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def chosen(kind: str) -> settings.Settings:
    return settings.from_environment({"DOM_TELEMETRY": kind})


def test_what_was_told_is_with_the_collector_when_the_process_ends(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{collector.server_port}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
    with telemetry.opened(chosen("otlp")) as watch:
        watch.tell(QueueAge("orders", 12.5, 3))
        with watch.step("take_order", order_way("O1")):
            pass

    spans = ExportTraceServiceRequest.FromString(collector.received["/v1/traces"]).resource_spans[0]
    assert {a.key: a.value.string_value for a in spans.resource.attributes} == {"service.name": "dom"}
    (span,) = spans.scope_spans[0].spans
    assert (span.name, span.trace_id.hex()) == ("take_order", order_way("O1").trace_id)
    metrics = ExportMetricsServiceRequest.FromString(collector.received["/v1/metrics"]).resource_metrics[0]
    assert [metric.name for metric in metrics.scope_metrics[0].metrics] == ["dom.queue.age", "dom.queue.messages"]


def test_a_collector_that_is_away_disturbs_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    caplog.set_level(logging.CRITICAL)
    caplog.set_level(logging.INFO, logger="dom.events")
    with telemetry.opened(chosen("otlp")) as watch, watch.step("take_order", order_way("O1")):
        watch.tell(QueueAge("orders", 12.5, 3))

    assert [json.loads(record.message)["event"] for record in caplog.records] == ["queue_age"], "the log is told still"


def test_the_operator_names_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "dom-staging")
    spans, metrics = exporters.providers("otlp")
    assert spans.resource.attributes["service.name"] == "dom-staging"
    spans.shutdown()
    metrics.shutdown(timeout_millis=1)


def test_a_sample_of_orders_is_followed_whole_or_not_at_all_by_every_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.5")
    seen = Seen()
    processes = seen.watch(), seen.watch()
    ways = [order_way(f"O{number}") for number in range(40)]
    for way in ways:
        for watch in processes:
            with watch.step("take_order", way):
                pass
    followed = [len(seen.names(way)) for way in ways]
    assert set(followed) == {0, 2}
    assert 10 < followed.count(2) < 30


def test_application_insights_is_reached_by_its_own_exporters_and_leaves_nothing_on_disk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("APPLICATIONINSIGHTS_CONNECTION_STRING", INSIGHTS)
    monkeypatch.setenv("APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL", "true")
    spans, metrics = exporters._azure_monitor()
    assert isinstance(spans, AzureMonitorTraceExporter)
    assert isinstance(metrics, AzureMonitorMetricExporter)
    assert spans.storage is metrics.storage is None
    spans.shutdown()
    metrics.shutdown()


@pytest.mark.parametrize(("kind", "loaded"), [("off", False), ("otlp", True)])
def test_nothing_of_open_telemetry_is_loaded_before_a_setting_wants_it(kind: str, loaded: bool) -> None:
    script = (
        "import json, sys\nfrom dom_core import settings\nfrom dom_core.adapters import telemetry\n"
        f"with telemetry.opened(settings.from_environment({{'DOM_TELEMETRY': {kind!r}}})):\n"
        "    print(json.dumps([name for name in ('opentelemetry', 'azure.monitor') if name in sys.modules]))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True)
    assert json.loads(told.stdout) == (["opentelemetry"] if loaded else [])
