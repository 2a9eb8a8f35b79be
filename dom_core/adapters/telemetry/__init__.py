"""Telemetry: the log always; traces and measurements by OpenTelemetry when the settings say so.

Only what is chosen is imported: the exporters take long to load.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from dom_core.adapters.telemetry.event_log import EventLog
from dom_core.charges import ChargeRecorder
from dom_core.settings import Settings
from dom_core.telemetry.listening import Telemetry


class Watch(Telemetry, ChargeRecorder, Protocol):
    """Takes note of what happens, and of what the store charges."""


@contextmanager
def opened(settings: Settings) -> Iterator[Watch]:
    """Who listens, as the settings choose. At the end of the block what was not sent yet is sent."""
    log = EventLog()
    if settings.telemetry == "off":
        yield log
        return
    from dom_core.adapters.telemetry import exporters
    from dom_core.adapters.telemetry.open_telemetry import OpenTelemetryWatch

    watch = OpenTelemetryWatch(*exporters.providers(settings.telemetry), log)
    try:
        yield watch
    finally:
        watch.close()
