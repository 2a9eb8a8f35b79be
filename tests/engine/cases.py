"""The cases: every third one has some 20 to 60 lines, the others are as tiny as brute force needs them."""

from dataclasses import replace

from dom_core.domain.request import PlanRequest
from dom_core.domain.strategy import ObjectiveMode, SolverLimits
from tests.oracle.generation import SMALL, TINY, generate

AMPLE_TIME = SolverLimits(solve_limit_s=600)
"""Seconds must end no search here: they are the one limit that is not the same on every machine."""


def case(seed: int) -> PlanRequest:
    """The batch of this seed, planned by rates to a gap of zero: in `strict` mode nothing is searched."""
    request = generate(seed, SMALL if seed % 3 == 0 else TINY)
    return replace(request, strategy=replace(request.strategy, objective_mode=ObjectiveMode.RATES, limits=AMPLE_TIME))
