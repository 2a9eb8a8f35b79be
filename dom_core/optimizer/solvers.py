"""The solvers by name: CBC, which PuLP brings, and HiGHS, which is faster and an extra to install."""

from dom_core.domain.plan import Plan
from dom_core.optimizer.solving import CbcSolver, Solver

CBC, HIGHS = "cbc", "highs"
NAMES = (CBC, HIGHS)


def solver_named(name: str) -> Solver:
    """The solver of this name. Raises SolverFailed where it is not installed."""
    if name == HIGHS:
        from dom_core.optimizer.solving_highs import HighsSolver

        return HighsSolver()
    return CbcSolver()


def solver_of(plan: Plan) -> Solver:
    """The solver that made the plan: another would find plans of equal worth, not the same. Raises SolverFailed."""
    made_by_highs = any(report.solver.startswith("HiGHS") for report in plan.iterations)
    return solver_named(HIGHS if made_by_highs else CBC)
