"""Verify a plan: its figures from its request alone, and on request what only the solver's own search has proven."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dom_core.domain.plan import Ending, Plan
from dom_core.domain.reason import IntArray
from dom_core.domain.request import PlanRequest
from dom_core.domain.strategy import ObjectiveMode
from dom_core.errors import Conflict
from dom_core.optimizer import decomposition, formulation, rebuilding
from dom_core.optimizer.objective import levels_of, total_of
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.restriction import Restriction
from dom_core.optimizer.solving import Solver
from dom_core.use_cases.replay_plan import require_own_request
from dom_core.verification import Support, Verified, say_nothing, verify

_TOLERANCE_POINTS = 0.01
"""Bounds are told to a thousandth of a point, totals are whole."""


@dataclass(frozen=True, slots=True)
class SolvedAgain:
    """A part whose bound rests on the solver: what the plan states, and what was proven now.

    `complete` is whether the search came to its end; when it did and proves less, the plan is wrong.
    """

    number: int
    part: int
    stated: float
    proven: float
    complete: bool

    @property
    def confirmed(self) -> bool:
        """Whether the stated bound was proven again."""
        return self.stated <= self.proven + _TOLERANCE_POINTS

    def __str__(self) -> str:
        return (
            f"iteration {self.number}, part {self.part} states a bound of {self.stated:,.3f}; "
            f"solved again, {self.proven:,.3f} is {'its best plan' if self.complete else 'proven'}"
        )


def verify_plan(plan: Plan, request: PlanRequest, told: Callable[[float], None] = say_nothing) -> Verified:
    """Verify every figure of a plan against its request. A request that is another is a finding, too."""
    try:
        require_own_request(plan, request)
    except Conflict as error:
        return Verified((str(error),))
    return verify(request, plan, told)


def solve_again(plan: Plan, request: PlanRequest, supports: Sequence[Support], solver: Solver) -> Iterator[SolvedAgain]:
    """Solve the parts anew whose bounds rest on the solver's own search. Raises SolverFailed."""
    rebuilt = rebuilding.rebuild(request, plan)
    for support in supports:
        problem = rebuilt.results[support.number - 1].problem
        proof, restriction = plan.proofs[support.number - 1], Restriction.of(problem)
        part_of = np.array([proof.part(line) for line in range(len(plan.lines))])
        for part in support.by_search:
            lines: IntArray = np.flatnonzero((part_of == part) & (problem.wanted > 0))
            proven, complete = _proven(restriction.to(lines, problem.allowed[lines]).problem, solver)
            yield SolvedAgain(support.number, part, proof.parts[part].bound, proven, complete)


def _proven(problem: Problem, solver: Solver) -> tuple[float, bool]:
    """What the compact model proves of a part, and whether the search came to its end."""
    strategy = problem.batch.request.strategy
    model = formulation.build(problem, decomposition.independent_parts(problem))
    strict = strategy.objective_mode is ObjectiveMode.STRICT
    answer = (solver.solve_strictly if strict else solver.solve)(model, replace(strategy.limits, relative_gap=0.0))
    if answer.ending is Ending.OPTIMAL:
        return float(total_of(levels_of(problem, answer.flows))), True
    return answer.bound, False
