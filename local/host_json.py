"""host.json, read strictly: an unknown field or a number out of range is an error, never a silent default."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

from dom_core.errors import InvalidInput, Problem
from dom_core.messages.reading import read_json

_TIME_SPAN = re.compile(r"(?:(\d{1,4})\.)?(\d{1,2}):(\d{2}):(\d{2}(?:\.\d{1,7})?)", re.ASCII)


def _seconds(raw: object) -> float:
    """Seconds of a .NET time span, `hh:mm:ss` or `d.hh:mm:ss`."""
    match = _TIME_SPAN.fullmatch(raw) if isinstance(raw, str) else None
    if match is None:
        raise ValueError("must be a time like 00:00:10 (hh:mm:ss)")
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    if hours > 23 or minutes > 59 or seconds >= 60:
        # .NET reads 24:00:00 as twenty-four days: nobody means that.
        raise ValueError("must be a time of at most 23:59:59; write a day as 1.00:00:00")
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


TimeSpan = Annotated[float, BeforeValidator(_seconds)]
"""Seconds, written as a .NET time span."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class HttpNumbers(_Section):
    """`extensions.http`: what stands before every route."""

    route_prefix: str = Field(default="api", alias="routePrefix", pattern=r"^(?:[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*)?$")


class QueueNumbers(_Section):
    """`extensions.queues`: how every queue function of the host takes and repeats its messages."""

    message_encoding: Literal["none", "base64"] = Field(default="base64", alias="messageEncoding")
    batch_size: int = Field(default=16, alias="batchSize", ge=1, le=32)
    new_batch_threshold: int | None = Field(default=None, alias="newBatchThreshold", ge=0, le=1000)
    max_dequeue_count: int = Field(default=5, alias="maxDequeueCount", ge=1, le=1000)
    visibility_timeout_s: TimeSpan = Field(default=0.0, alias="visibilityTimeout", ge=0, le=7 * 86_400)
    max_polling_interval_s: TimeSpan = Field(default=60.0, alias="maxPollingInterval", ge=0.1)

    @property
    def refill_at(self) -> int:
        """The next batch is fetched when no more than so many messages are being worked on."""
        return self.batch_size // 2 if self.new_batch_threshold is None else self.new_batch_threshold


class Extensions(_Section):
    """`extensions`: those of the triggers that this host has."""

    http: HttpNumbers = HttpNumbers()
    queues: QueueNumbers = QueueNumbers()


class HostJson(_Section):
    """host.json. The fields of type JsonValue are known to Azure and without effect here."""

    version: Literal["2.0"]
    extensions: Extensions = Extensions()
    concurrency: JsonValue = None
    extension_bundle: JsonValue = Field(default=None, alias="extensionBundle")
    function_timeout: JsonValue = Field(default=None, alias="functionTimeout")
    health_monitor: JsonValue = Field(default=None, alias="healthMonitor")
    logging: JsonValue = None
    managed_dependency: JsonValue = Field(default=None, alias="managedDependency")
    retry: JsonValue = None
    singleton: JsonValue = None
    telemetry_mode: JsonValue = Field(default=None, alias="telemetryMode")
    watch_directories: JsonValue = Field(default=None, alias="watchDirectories")
    watch_files: JsonValue = Field(default=None, alias="watchFiles")

    @property
    def without_effect(self) -> tuple[str, ...]:
        """The fields of this file that the development host reads past."""
        fields: dict[str, Any] = type(self).model_fields
        honoured = {"version", "extensions"}
        return tuple(sorted(fields[name].alias or name for name in self.model_fields_set - honoured))


def read_host_json(path: Path) -> HostJson:
    """The host.json at this path. Raises InvalidInput with every problem."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InvalidInput([Problem("", f"cannot be read: {error.strerror}")], str(path)) from error
    return read_json(raw, HostJson, str(path))
