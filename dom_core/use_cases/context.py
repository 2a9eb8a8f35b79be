"""What every use case is given: the ports, and the shapes of its answers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from dom_core.optimizer.solving import Solver
from dom_core.ports import (
    Blobs,
    Clock,
    DocumentStore,
    Geocoder,
    MessageQueues,
    Pauses,
    Pulse,
    RoadDistances,
    WebhookReceiver,
)
from dom_core.repositories.reading import Slice, Versioned
from dom_core.settings import Settings
from dom_core.telemetry.listening import Silent, Telemetry
from dom_core.use_cases.health_memory import HealthMemory

__all__ = ["Ports", "Slice", "Versioned"]


class NoPulse:
    """Nothing beats: for whoever never holds a turn for long, and for tests that beat themselves."""

    @contextmanager
    def every(self, seconds: float, beat: Callable[[], bool]) -> Iterator[None]:  # noqa: ARG002  # as Pulse has it
        """Only the block."""
        yield


class NoPauses:
    """Nobody waits: for whoever has nobody to wait for."""

    def pause(self, seconds: float) -> None:
        """Go on at once."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The world, as far as a use case may touch it.

    Without `roads` nobody knows how far it is by road; without `webhook` nobody is told of assignments by HTTP.
    """

    store: DocumentStore
    queues: MessageQueues
    blobs: Blobs
    clock: Clock
    geocoder: Geocoder
    settings: Settings
    solver: Solver
    pulse: Pulse = field(default_factory=NoPulse)
    pauses: Pauses = field(default_factory=NoPauses)
    roads: RoadDistances | None = None
    webhook: WebhookReceiver | None = None
    health_memory: HealthMemory = field(default_factory=HealthMemory)
    telemetry: Telemetry = field(default_factory=Silent)
