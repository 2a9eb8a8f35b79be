"""Prices by steps: up where more is asked for than there is, down where less, towards the best bound.

Each step is a pass over the working set. Directions are averaged, because a single one swings between the orders that
compete; steps shrink when the bound stands still. Every price has a pace of its own, the slower the more its row was in
excess or idle so far (Duchi, Hazan and Singer 2011, "adaptive subgradient methods"): else best sellers, where hundreds
of units are asked for too many, would set the pace of products of which there is one.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dom_core.domain.reason import FloatArray
from dom_core.optimizer.linear import ROUNDING
from dom_core.optimizer.working_set import Multipliers, Pass, WorkingSet

STALE_ROUNDS = 8
"""Rounds without a better value after which steps shrink and start again from the best prices."""

SHRINK, KEEP_DIRECTION = 0.7, 0.7

FIRST_STEP, LAST_STEP = 0.1, 1e-4
"""A step of 1 would close the gap to the upper value, if that were reached and the value linear."""


LARGEST_GAP, NEARLY_THERE = 0.1, 0.75
"""Steps believe the best plan to be no farther above the value than this share of it: a rough plan says too much.

Where values come so far up to what was believed, it was too little, and is raised: scarce room makes plans dear.
"""


def ascend(working: WorkingSet, start: Multipliers, ceiling: float, rounds: int) -> Iterator[Pass]:
    """Passes at prices that climb, each better than those before; `ceiling` is the value of some plan."""
    walk, hope = _Walk(working), _Hope(ceiling)
    at, step, stale = _flat(start), FIRST_STEP, 0
    best, best_at, direction, squares = float("-inf"), at, np.zeros_like(at), np.zeros_like(at)
    left = rounds
    while left > 0:
        left -= 1
        found = working.price(working.shaped(at))
        stale = 0 if found.value > best + 1e-5 * abs(best) else stale + 1
        if found.value > best:
            best, best_at = found.value, at
            yield found
            left = rounds if hope.raised_by(best) else left
        if stale >= STALE_ROUNDS:
            step, stale, at, direction = step * SHRINK, 0, best_at, np.zeros_like(at)
            if step < LAST_STEP:
                return
            continue
        excess = walk.excess(found)
        squares += excess**2
        pace = 1.0 / np.sqrt(np.maximum(squares, 1.0))
        direction = KEEP_DIRECTION * direction + (1 - KEEP_DIRECTION) * excess if direction.any() else excess
        climbing = np.where((direction < 0) & (at <= 0), 0.0, direction)
        length = float((pace * climbing**2).sum())
        if length == 0.0:
            return
        at = np.maximum(at + step * max(hope.value - found.value, 1.0) / length * pace * climbing, 0.0)


@dataclass(slots=True)
class _Hope:
    """How far up values may come, as far as anybody knows: never above the ceiling."""

    ceiling: float
    value: float = 0.0
    since: float = 0.0

    def raised_by(self, reached: float) -> bool:
        """Raise the hope when a value came near to it; whether it did."""
        if reached < self.since + NEARLY_THERE * (self.value - self.since) or self.value >= self.ceiling:
            return False
        self.since, self.value = reached, min(self.ceiling, reached + LARGEST_GAP * abs(reached))
        return True


@dataclass(frozen=True, slots=True, eq=False)
class _Walk:
    working: WorkingSet

    def excess(self, found: Pass) -> FloatArray:
        there = np.concatenate((self.working.stock.ravel(), self.working.pricer.rooms.room))
        excess: FloatArray = _flat(found.use) - there
        # Shares of a visit add up to one but for rounding. Taken for a need, that would raise a price for ever.
        excess[np.abs(excess) < ROUNDING] = 0.0
        # The first cell of every divisor stands for all that is not scarce.
        excess[: self.working.stock.size : self.working.stock.shape[1]] = 0.0
        return excess


def _flat(multipliers: Multipliers) -> FloatArray:
    return np.concatenate((multipliers.cells.ravel(), multipliers.room))
