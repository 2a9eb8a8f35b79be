"""The optimizer agrees with brute force on tiny cases that mix all rules."""

import pytest

from dom_core.optimizer.pipeline import plan_once
from dom_core.optimizer.solving import CbcSolver
from tests.oracle.comparison import describe, describe_plan, disagreements
from tests.oracle.generation import generate

CASES = 420
CHUNK = 20


@pytest.mark.parametrize("first_seed", range(0, CASES, CHUNK))
def test_the_optimizer_agrees_with_brute_force(first_seed: int) -> None:
    """Same totals in both iterations (in strict mode level by level), and a bound that is the best total."""
    for seed in range(first_seed, first_seed + CHUNK):
        request = generate(seed)
        plan = plan_once(request, CbcSolver())
        found = disagreements(request, plan)
        assert not found, f"seed {seed}: {found}\n{describe(request)}\n{describe_plan(plan)}"
