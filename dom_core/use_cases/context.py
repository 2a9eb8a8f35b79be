"""What every use case is given: the ports, and the shapes of its answers."""

from dataclasses import dataclass, field

from dom_core.optimizer.solving import Solver
from dom_core.ports import Clock, DocumentStore, Geocoder, MessageQueues
from dom_core.repositories.reading import Slice, Versioned
from dom_core.settings import Settings
from dom_core.telemetry.listening import Silent, Telemetry
from dom_core.use_cases.solver_memory import SolverMemory

__all__ = ["Ports", "Slice", "Versioned"]


@dataclass(frozen=True, slots=True)
class Ports:
    """The world, as far as a use case may touch it."""

    store: DocumentStore
    queues: MessageQueues
    clock: Clock
    geocoder: Geocoder
    settings: Settings
    solver: Solver
    solver_memory: SolverMemory = field(default_factory=SolverMemory)
    telemetry: Telemetry = field(default_factory=Silent)
