"""Events as lines of JSON in the log: one object a line, made of ids, numbers and words of our own."""

import json
import logging
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from typing import Any

from dom_core.charges import Charge
from dom_core.telemetry.events import Event
from dom_core.telemetry.ways import Way

_logger = logging.getLogger("dom.events")


class EventLog:
    """Writes each event as a line. Steps and single charges leave none."""

    def tell(self, event: Event, /) -> None:
        """Write the event."""
        _logger.log(event.level, "%s", line_of(event))

    def step(self, _name: str, _way: Way, /) -> AbstractContextManager[None]:
        """Nothing but the block."""
        return nullcontext()

    def record(self, _charge: Charge, /) -> None:
        """Nothing: what a function was charged is an event at its end."""


def line_of(event: Event) -> str:
    """The event as JSON: its name first; the trace of its way last, where it is on one."""
    content: dict[str, Any] = {"event": event.name(), **asdict(event)}
    if event.way is not None:
        content["trace_id"] = event.way.trace_id
    return json.dumps(content, ensure_ascii=False, allow_nan=False)
