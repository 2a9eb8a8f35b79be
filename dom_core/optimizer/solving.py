"""Run a solver on a model."""

from dataclasses import dataclass
from typing import Any, Protocol

from dom_core.domain.strategy import SolverLimits


@dataclass(frozen=True, slots=True)
class Answer:
    """What a solver said."""


class Solver(Protocol):
    """Anything that solves our models."""

    name: str

    def solve(self, model: Any, limits: SolverLimits) -> Answer:
        """The best plan that the solver finds within the limits."""
        ...
