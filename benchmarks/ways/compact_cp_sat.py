"""The same exact model given to OR-Tools CP-SAT, which works in whole numbers and on every core.

In a process of its own, where it is imported before PuLP: PuLP loads highspy when it finds it, and OR-Tools brings
another copy of the same library.
"""

from typing import Any

from ortools.sat.python import cp_model

from benchmarks.answers import Answer, NoAnswer, in_ids
from benchmarks.ways.compact import modelled
from dom_core.domain.plan import Ending
from dom_core.domain.request import PlanRequest
from dom_core.optimizer.formulation import Model, Terms

_SEED = 1
_WORKERS = 8
"""Also on fewer cores: with two workers neither of them looks at the linear relaxation, and nothing is ever proven."""

_AT_MOST, _EQUAL = -1, 0
"""How PuLP writes the sense of a row."""


def with_cp_sat(request: PlanRequest, limit_s: float) -> Answer:
    """The model by CP-SAT."""
    made = modelled(request)
    program, variables = _translated(made.model)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = limit_s
    solver.parameters.num_workers = _WORKERS
    solver.parameters.random_seed = _SEED
    status = solver.solve(program)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        raise NoAnswer
    for theirs, ours in zip(variables, made.model.program.variables(), strict=True):
        ours.varValue = solver.value(theirs)
    ending = Ending.OPTIMAL if status == cp_model.OPTIMAL else Ending.UNPROVEN
    bound = made.model.constant + solver.best_objective_bound + made.outside_points
    return Answer(in_ids(made.batch, made.model.flows()), bound, ending)


def _translated(model: Model) -> tuple[cp_model.CpModel, list[cp_model.IntVar]]:
    """The same variables and rows. Every variable is whole, or may be: what an order pays above its best priority."""
    program = cp_model.CpModel()
    ours = model.program.variables()
    variables = [program.new_int_var(int(one.lowBound), int(one.upBound), one.name) for one in ours]
    theirs = {one.name: variable for one, variable in zip(ours, variables, strict=True)}
    for row in _rows(model):
        left, right = _sum(theirs, list(row.items())), round(-row.constant)
        program.add(left == right if row.sense == _EQUAL else left <= right)
    program.minimize(_sum(theirs, model.priced))
    return program, variables


def _rows(model: Model) -> list[Any]:
    rows = list(model.program.constraints.values())
    unknown = {row.sense for row in rows} - {_AT_MOST, _EQUAL}
    if unknown:
        raise ValueError(f"rows of the senses {unknown} are not translated")
    return rows


def _sum(theirs: dict[str, cp_model.IntVar], terms: Terms) -> cp_model.LinearExprT:
    return cp_model.LinearExpr.weighted_sum(
        [theirs[variable.name] for variable, _ in terms], [round(coefficient) for _, coefficient in terms]
    )
