"""How far a search is: the best plan and the best bound so far, until when it may work, and who follows it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from dom_core.domain.strategy import SolverLimits
from dom_core.optimizer.standing import Standing
from dom_core.watch import watch_of

PRICES, MASTERS, FIRST_PLAN = "prices", "masters", "first plan"
GUESSES, NEIGHBOURHOODS, PROOF = "guesses", "neighbourhoods", "proof"
"""The stages of a search, as whoever follows it reads them (docs/optimizer.md, Large parts)."""


@dataclass(slots=True)
class Course:
    """What a search has so far. Bounds only rise and plans only get better.

    `deadline` is a monotonic second; a `stage` of the search may have to end before. `was_cut`: whether one had to.
    """

    limits: SolverLimits
    deadline: float
    plan: Standing | None = None
    bound: float = float("-inf")
    was_cut: bool = False
    stage: str = PRICES
    stage_ends: float = field(init=False)

    def __post_init__(self) -> None:
        self.stage_ends = self.deadline

    def stage_until(self, share: float) -> None:
        """What comes now must end when so much of the time is gone."""
        self.stage_ends = self.deadline - (1 - share) * self.limits.solve_limit_s

    def begin(self, stage: str) -> None:
        """Tell that another stage begins. Raises Cancelled when the search is to stop."""
        self.stage = stage
        self.look()

    def look(self) -> None:
        """Tell how far the search is. Raises Cancelled when it is to stop."""
        watch_of(self.limits).at(self.stage, self.share, self.gap)

    def offer(self, plan: Standing) -> None:
        """Keep the plan if it is the best so far."""
        if self.plan is None or plan.total < self.plan.total:
            self.plan = plan

    def prove(self, bound: float) -> None:
        """Keep the bound if it is the best so far."""
        self.bound = max(self.bound, bound)

    @property
    def gap(self) -> float | None:
        """How far the plan is from the bound, relative to the plan; None while one of them is missing."""
        if self.plan is None or self.bound == float("-inf"):
            return None
        return max(0.0, self.plan.total - self.bound) / self.plan.total if self.plan.total else 0.0

    @property
    def share(self) -> float:
        """The share of the time that has gone: of what is left to do nobody knows more."""
        left_s = self.deadline - time.monotonic()
        return min(1.0, max(0.0, 1.0 - left_s / max(self.limits.solve_limit_s, 1e-3)))

    @property
    def left_s(self) -> float:
        """Seconds until the stage must end; below zero after that."""
        return self.stage_ends - time.monotonic()

    def time_for(self, least_s: float) -> Callable[[], float]:
        """For a piece of work that begins now: tells how many seconds it still has, at first so many at least."""
        ends = max(self.stage_ends, time.monotonic() + least_s)
        return lambda: ends - time.monotonic()

    def time_is_up(self) -> bool:
        """Whether the stage must end. Who asks ends it then."""
        self.was_cut = self.was_cut or self.left_s <= 0
        return self.left_s <= 0
