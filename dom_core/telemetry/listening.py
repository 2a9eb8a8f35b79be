"""Who listens to what is told. An adapter implements the protocol."""

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from dom_core.telemetry.events import Event
from dom_core.telemetry.ways import Way


class Telemetry(Protocol):
    """Takes note of what happens. Called in the middle of work from any thread: it is quick, and never raises."""

    def tell(self, event: Event, /) -> None:
        """Something happened."""
        ...

    def step(self, name: str, way: Way, /) -> AbstractContextManager[None]:
        """The block is a step on this way, named after what is done in it. An error leaves it by its type only.

        Inside a step of another way it is caused by that one.
        """
        ...


class Silent:
    """Nobody listens."""

    def tell(self, _event: Event, /) -> None:
        """Forget it."""

    def step(self, _name: str, _way: Way, /) -> AbstractContextManager[None]:
        """Do what the block does, and nothing else."""
        return nullcontext()
