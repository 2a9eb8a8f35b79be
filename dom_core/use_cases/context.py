"""What every use case is given: the ports, and the shapes of its answers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from dom_core.optimizer.solving import Solver
from dom_core.ports import Clock, DocumentStore, Geocoder, MessageQueues, Pulse, RoadDistances
from dom_core.repositories.reading import Slice, Versioned
from dom_core.settings import Settings
from dom_core.telemetry.listening import Silent, Telemetry
from dom_core.use_cases.solver_memory import SolverMemory

__all__ = ["Ports", "Slice", "Versioned"]


class NoPulse:
    """Nothing beats: for whoever never holds a turn for long, and for tests that beat themselves."""

    @contextmanager
    def every(self, seconds: float, beat: Callable[[], bool]) -> Iterator[None]:  # noqa: ARG002  # as Pulse has it
        """Only the block."""
        yield


@dataclass(frozen=True, slots=True)
class Ports:
    """The world, as far as a use case may touch it. Without `roads` nobody knows how far it is by road."""

    store: DocumentStore
    queues: MessageQueues
    clock: Clock
    geocoder: Geocoder
    settings: Settings
    solver: Solver
    pulse: Pulse = field(default_factory=NoPulse)
    roads: RoadDistances | None = None
    solver_memory: SolverMemory = field(default_factory=SolverMemory)
    telemetry: Telemetry = field(default_factory=Silent)
