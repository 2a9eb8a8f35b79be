"""What was searched, against the optimum that CBC proves for the compact model."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dom_core.domain.plan import Ending
from dom_core.domain.strategy import SolverLimits
from dom_core.optimizer import decomposition, formulation
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.solving import CbcSolver
from dom_core.optimizer.standing import Standing
from tests.engine.searching import Searched

PROVING = SolverLimits(solve_limit_s=60)

BOUND_TOLERANCE = 1e-6
"""Of the optimum: what floating point may add to a bound."""


def optimum(problem: Problem) -> int | None:
    """The least total there is, all parts in one model; None where CBC does not prove it in time."""
    answer = CbcSolver().solve(formulation.build(problem, decomposition.independent_parts(problem)), PROVING)
    return Standing(problem, answer.flows).total if answer.ending is Ending.OPTIMAL else None


@dataclass(frozen=True, slots=True)
class Judged:
    """The value and the bound that a search states for a block, beside the optimum, if that is known."""

    optimum: int | None
    value: int
    bound: float
    ending: Ending
    findings: tuple[str, ...]

    @property
    def missed(self) -> bool:
        """Whether a better plan is possible."""
        return self.optimum is not None and self.value > self.optimum

    def __str__(self) -> str:
        return f"{self.ending} with {self.value}, bound {self.bound}; {self.optimum} is possible"


def judged(searched: Searched) -> Judged:
    """What is wrong with the answer to one block. That a better plan is possible is wrong only if it denies that."""
    answer, best = searched.answer, optimum(searched.problem)
    value = Standing(searched.problem, answer.flows).total
    wrong = () if best is None else tuple(_wrong(best, value, answer.ending, searched.bounds))
    return Judged(best, value, answer.bound, answer.ending, wrong)


def _wrong(best: int, value: int, ending: Ending, bounds: Sequence[float]) -> Iterator[str]:
    if value < best:
        yield f"a plan of {value} is better than the optimum {best}"
    if max(bounds) > best + BOUND_TOLERANCE * max(1, best):
        yield f"a bound of {max(bounds)} is above the optimum {best}"
    if value > best and ending is Ending.OPTIMAL:
        yield f"a plan of {value} is called optimal, {best} is possible"
