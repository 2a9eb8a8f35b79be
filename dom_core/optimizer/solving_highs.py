"""A second solver: HiGHS through PuLP, inside this process. Optional; it shows that no plan hangs on one solver's word.

Its statuses and bounds are read from HiGHS itself, because PuLP knows neither bounds nor every way to end.
"""

import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import pulp

from dom_core.domain.plan import Ending
from dom_core.domain.reason import BoolArray
from dom_core.domain.strategy import SolverLimits
from dom_core.errors import SolverFailed
from dom_core.optimizer.formulation import Model
from dom_core.optimizer.linear import Basis, LinearAnswer, LinearProgram, WholeAnswer
from dom_core.optimizer.solving import LOOK_EVERY_S, NO_CHOICE, PulpSolver, Search
from dom_core.watch import Watch, watch_of

PROVEN_WITHIN = 1e-6
"""Relative difference of value and bound up to which HiGHS, asked for no gap, has proven its answer."""

FEW_FRESH, FEW_FRESH_WITH_MUCH_CHOICE = 0.1, 0.02
"""The share of new columns up to which a master is solved from the corner where the last one ended."""

_LIMITS = {"kTimeLimit": "seconds", "kSolutionLimit": "nodes"}
_NOTHING_BELOW = ("kInfeasible", "kObjectiveBound")
_DUAL_SIMPLEX, _PRIMAL_SIMPLEX = 1, 4
_WITH_ANSWER = 2
"""How HiGHS numbers its simplex methods; how it numbers a primal solution that keeps every constraint."""


class HighsSolver(PulpSolver):
    """HiGHS, in one thread: the same model gives the same answer. Raises SolverFailed where it is not installed."""

    def __init__(self) -> None:
        if find_spec("highspy") is None:
            raise SolverFailed("HiGHS is not installed; install it with: pip install 'dom-optimizer[highs]'")

    @property
    def name(self) -> str:
        """HiGHS and the PuLP that drives it."""
        return f"HiGHS via PuLP {pulp.__version__}"

    def search(self, model: Model, limits: SolverLimits) -> Search:
        """Build the model in HiGHS, run it, and read what it found."""
        program = model.program
        highs = _driver(limits)
        highs.createAndConfigureSolver(program)
        highs.buildSolverModel(program)
        highs.callSolver(program)
        return _read_search(program, limits)

    def solve_linear(self, program: LinearProgram, limits: SolverLimits) -> LinearAnswer:
        """Run HiGHS' simplex from where the last program ended, or its interior point method with crossover.

        From near by the simplex takes a fifth of the time, from elsewhere many times as long. Raises Cancelled soon
        after the watch asks to stop: HiGHS asks between iterations.
        """
        highspy = import_module("highspy")
        start = program.start if _is_near(program) else None
        highs = _instance(highspy, limits, **_method(start))
        highs.passModel(_linear(highspy, program))
        if start is not None:
            highs.setBasis(_basis(highspy, start))
        look = _look_for(watch_of(limits))
        highs.cbIpmInterrupt.subscribe(look)
        highs.cbSimplexInterrupt.subscribe(look)
        highs.run()
        watch_of(limits).go_on()
        if highs.getModelStatus().name != "kOptimal":
            raise SolverFailed(f"HiGHS gave no optimum: {highs.modelStatusToString(highs.getModelStatus())}")
        found = highs.getSolution()
        amounts, prices = np.array(found.col_value), np.maximum(-np.array(found.row_dual), 0.0)
        return LinearAnswer(float(program.costs @ amounts), amounts, prices, _corner(highspy, highs.getBasis()))

    def solve_whole(self, program: LinearProgram, limits: SolverLimits, below: float) -> WholeAnswer:
        """Run HiGHS on the program, as it is: its presolve removes next to no patterns, in half of the time.

        Raises Cancelled soon after the watch asks to stop.
        """
        highspy = import_module("highspy")
        nodes = limits.max_nodes or highspy.kHighsIInf
        whole = {"presolve": "off", "mip_rel_gap": limits.relative_gap, "mip_max_nodes": nodes}
        highs = _instance(highspy, limits, **whole, objective_bound=below)
        model = _linear(highspy, program)
        model.col_upper_ = np.ones(len(program.costs))
        model.integrality_ = [highspy.HighsVarType.kInteger] * len(program.costs)
        highs.passModel(model)
        highs.cbMipInterrupt.subscribe(_look_for(watch_of(limits)))
        highs.run()
        watch_of(limits).go_on()
        return _whole_answer(highs, program, below)


def _is_near(program: LinearProgram) -> bool:
    """Whether the program's corner, if it has one, is near its optimum: if few columns are new."""
    few = FEW_FRESH_WITH_MUCH_CHOICE if program.much_choice else FEW_FRESH
    return program.start is not None and program.start.fresh <= few * len(program.costs)


def _method(start: Basis | None) -> dict[str, object]:
    """The interior point method; from a corner the primal simplex, or the dual one where only rows are new."""
    if start is None:
        return {"solver": "ipm"}
    return {"solver": "simplex", "simplex_strategy": _PRIMAL_SIMPLEX if start.fresh else _DUAL_SIMPLEX}


def _instance(highspy: Any, limits: SolverLimits, **options: object) -> Any:
    """A HiGHS of its own, silent, in one thread, with these options."""
    highs = highspy.Highs()
    every = {"output_flag": False, "threads": 1, "time_limit": limits.solve_limit_s, **options}
    for option, value in every.items():
        highs.setOptionValue(option, value)
    return highs


def _whole_answer(highs: Any, program: LinearProgram, below: float) -> WholeAnswer:
    """What HiGHS chose; what costs as much as `below` counts as nothing."""
    status, figures = highs.getModelStatus().name, highs.getInfo()
    if status in _NOTHING_BELOW:
        return WholeAnswer(None, float("inf"), Ending.INFEASIBLE)
    if status != "kOptimal" and status not in _LIMITS:
        raise SolverFailed(f"HiGHS could not solve the model: {highs.modelStatusToString(highs.getModelStatus())}")
    bound = float(figures.mip_dual_bound)
    if figures.primal_solution_status != _WITH_ANSWER:
        return WholeAnswer(None, bound, Ending.NO_PLAN)
    taken: BoolArray = np.array(highs.getSolution().col_value) > 0.5
    value = float(program.costs @ taken)
    if value >= below:
        return WholeAnswer(None, min(below, bound), Ending.NO_PLAN)
    if status == "kOptimal" and value - bound <= PROVEN_WITHIN * max(1.0, abs(value)):
        return WholeAnswer(taken, value, Ending.OPTIMAL)
    return WholeAnswer(taken, min(value, bound), Ending.UNPROVEN)


def _look_for(watch: Watch) -> Callable[[Any], None]:
    """What HiGHS calls between iterations: ends the run when the watch, asked now and then, says so."""
    asked_at = time.monotonic()

    def look(event: Any) -> None:
        nonlocal asked_at
        if time.monotonic() - asked_at >= LOOK_EVERY_S:
            asked_at = time.monotonic()
            if watch.stop_asked():
                event.interrupt()

    return look


def _linear(highspy: Any, program: LinearProgram) -> Any:
    """The program as HiGHS takes it."""
    model = highspy.HighsLp()
    columns, rows = len(program.costs), len(program.limits)
    model.num_col_, model.num_row_ = columns, rows
    model.col_cost_, model.col_lower_, model.col_upper_ = program.costs, np.zeros(columns), np.full(columns, np.inf)
    model.row_lower_, model.row_upper_ = np.full(rows, -np.inf), program.limits
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_ = program.starts.astype(np.int32)
    model.a_matrix_.index_, model.a_matrix_.value_ = program.rows.astype(np.int32), program.amounts
    return model


def _basis(highspy: Any, corner: Basis) -> Any:
    """The corner as HiGHS takes it: a row that is used up is no part of the basis."""
    status, basis = highspy.HighsBasisStatus, highspy.HighsBasis()
    basis.col_status = [status.kBasic if above else status.kLower for above in corner.columns.tolist()]
    basis.row_status = [status.kUpper if used_up else status.kBasic for used_up in corner.rows.tolist()]
    basis.valid = True
    return basis


def _corner(highspy: Any, basis: Any) -> Basis | None:
    """The corner where HiGHS ended; nothing when it is not the whole of it: no answer hangs on it."""
    basic = highspy.HighsBasisStatus.kBasic
    columns = np.array([status == basic for status in basis.col_status], dtype=bool)
    corner = Basis(columns, np.array([status != basic for status in basis.row_status], dtype=bool))
    return corner if corner.whole else None


def _driver(limits: SolverLimits) -> pulp.LpSolver:
    options = {"mip_max_nodes": limits.max_nodes} if limits.max_nodes else {}
    return pulp.HiGHS(
        msg=False,
        timeLimit=limits.solve_limit_s,
        gapRel=limits.relative_gap,
        gapAbs=0.0,
        threads=1,
        **options,
    )


def _read_search(program: pulp.LpProblem, limits: SolverLimits) -> Search:
    highs = program.solverModel
    status, figures = highs.getModelStatus().name, highs.getInfo()
    if status == "kInfeasible":
        return NO_CHOICE
    if status != "kOptimal" and status not in _LIMITS:
        raise SolverFailed(f"HiGHS could not solve the model: {highs.modelStatusToString(highs.getModelStatus())}")
    limit, bound = _LIMITS.get(status, ""), float(figures.mip_dual_bound)
    if figures.primal_solution_status != _WITH_ANSWER:
        return Search(Ending.NO_PLAN, bound, limit)
    for variable, value in zip(program.variables(), highs.getSolution().col_value, strict=True):
        variable.varValue = value
    value = float(figures.objective_function_value)
    if limit:
        return Search(Ending.UNPROVEN, min(value, bound), limit)
    if value - bound <= PROVEN_WITHIN * max(1.0, abs(value)):
        return Search(Ending.OPTIMAL, value, "")
    return Search(Ending.WITHIN_GAP, bound, "gap" if limits.relative_gap else "")
