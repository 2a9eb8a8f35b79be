"""Somebody who listens, and remembers what was told and which steps were taken."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from dom_core.telemetry.events import Event
from dom_core.telemetry.ways import Way

E = TypeVar("E", bound=Event)


@dataclass
class Listener:
    """Implements `Telemetry`."""

    events: list[Event] = field(default_factory=list)
    steps: list[tuple[str, Way]] = field(default_factory=list)

    def tell(self, event: Event, /) -> None:
        self.events.append(event)

    @contextmanager
    def step(self, name: str, way: Way, /) -> Iterator[None]:
        self.steps.append((name, way))
        yield

    def of(self, kind: type[E]) -> list[E]:
        """What was told of this kind, in order."""
        return [event for event in self.events if isinstance(event, kind)]
