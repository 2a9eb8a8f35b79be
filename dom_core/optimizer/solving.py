"""Run a solver on a model: how it ended, what the answer is worth, and what is proven about it.

CBC runs as a child process in a folder of its own. Its word "optimal" is not taken on trust: the bound is read from
its log, the value is computed again from the units.
"""

import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

import pulp

from dom_core.domain.plan import Ending
from dom_core.domain.strategy import SolverLimits
from dom_core.errors import SolverFailed
from dom_core.optimizer.costs import Flow
from dom_core.optimizer.formulation import Model, Terms, expression

OPTIMAL_WITHIN = 1e-9
"""Relative difference of value and bound up to which a finished search counts as proven: float arithmetic's share."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a solver found for one model.

    `bound` is a proven lower bound of the model's objective in points, tie-breaking charges taken off. `limit` names
    the limit that stopped the search: `seconds`, `nodes`, `gap`, or nothing.
    """

    flows: tuple[Flow, ...]
    ending: Ending
    bound: float
    limit: str
    seconds: float


class Solver(Protocol):
    """Anything that solves our models."""

    @property
    def name(self) -> str:
        """The solver's name and version, for the plan."""
        ...

    def solve(self, model: Model, limits: SolverLimits) -> Answer:
        """The best answer within the limits, in rates: one sum of points. Raises SolverFailed."""
        ...

    def solve_strictly(self, model: Model, limits: SolverLimits) -> Answer:
        """The best answer level by level. Raises SolverFailed."""
        ...


@dataclass(frozen=True, slots=True)
class _Search:
    """One call of the solver."""

    ending: Ending
    bound: float
    limit: str


class CbcSolver:
    """COIN-OR CBC through PuLP: the executable that PuLP's wheel brings, or the one on the PATH."""

    @property
    def name(self) -> str:
        """CBC and the PuLP that drives it."""
        return f"CBC via PuLP {pulp.__version__}"

    def solve(self, model: Model, limits: SolverLimits) -> Answer:
        """Minimise the sum of all levels; what it leaves equal is decided by charges that no point can feel."""
        started = time.monotonic()
        if not model.tie_breakers:
            search = _minimise(model, [*model.priced, *model.ties], limits)
            bound = model.constant + search.bound - model.ties_at_most
            return _answer(search, _flows(model, search), bound, started)
        search = _minimise(model, model.priced, limits)
        flows = _flows(model, search)
        if search.ending is Ending.OPTIMAL:
            _fix(model, model.priced)
            flows = _flows(model, _minimise(model, [*model.tie_breakers, *model.ties], limits)) or flows
        return _answer(search, flows, model.constant + search.bound, started)

    def solve_strictly(self, model: Model, limits: SolverLimits) -> Answer:
        """Minimise level after level, each fixed at its value before the next; ties last.

        A level's bound holds for the best plan only while the levels above it are proven.
        """
        started = time.monotonic()
        worst, bound = _Search(Ending.OPTIMAL, 0.0, ""), model.constant
        flows: tuple[Flow, ...] = ()
        for level, terms in model.levels.items():
            search = _minimise(model, terms, limits)
            if worst.ending is Ending.OPTIMAL:
                bound += search.bound * model.rates[level]
            worst = worst if search.ending is Ending.OPTIMAL else search
            flows = _flows(model, search) or flows
            if search.ending in _WITHOUT_ANSWER:
                break
            _fix(model, terms)
        else:
            flows = _flows(model, _minimise(model, model.ties, limits)) or flows
        return _answer(worst, flows, bound, started)


_WITHOUT_ANSWER = (Ending.NO_PLAN, Ending.INFEASIBLE)


def _fix(model: Model, terms: Terms) -> None:
    """Let nothing that follows worsen these terms. Half a point is less than any real difference."""
    if terms:
        reached = round(sum(coefficient * (variable.value() or 0.0) for variable, coefficient in terms))
        model.program += expression(terms) <= reached + 0.5


def _flows(model: Model, search: _Search) -> tuple[Flow, ...]:
    return () if search.ending in _WITHOUT_ANSWER else model.flows()


def _answer(search: _Search, flows: tuple[Flow, ...], bound: float, started: float) -> Answer:
    return Answer(flows, search.ending, bound, search.limit, time.monotonic() - started)


def _minimise(model: Model, terms: Terms, limits: SolverLimits) -> _Search:
    """Run CBC on the model with this objective; the variables hold its answer afterwards."""
    if not terms:
        # Nothing to choose: keep the values of the level before, or zero.
        if any(variable.value() is None for variable in model.program.variables()):
            terms = [(variable, 0.0) for variable in model.program.variables()]
        else:
            return _Search(Ending.OPTIMAL, 0.0, "")
    if not terms:
        return _Search(Ending.OPTIMAL, 0.0, "")
    model.program.setObjective(expression(terms))
    with tempfile.TemporaryDirectory(prefix="dom-cbc-") as folder:
        log = Path(folder) / "cbc.log"
        solver = pulp.COIN_CMD(
            path=str(cbc_executable()),
            msg=False,
            timeLimit=limits.solve_limit_s,
            gapRel=limits.relative_gap or None,
            maxNodes=limits.max_nodes,
            logPath=str(log),
        )
        solver.tmpDir = folder
        try:
            model.program.solve(solver)
        except pulp.PulpSolverError as error:
            raise SolverFailed(f"CBC could not solve the model: {error}") from error
        return _read_search(model, log.read_text(errors="replace"), limits)


def _read_search(model: Model, log: str, limits: SolverLimits) -> _Search:
    status = model.program.sol_status
    if status == pulp.LpSolutionInfeasible:
        return _Search(Ending.INFEASIBLE, 0.0, "")
    if status not in (pulp.LpSolutionOptimal, pulp.LpSolutionIntegerFeasible):
        return _Search(Ending.NO_PLAN, _bound_in(log, fallback=float("-inf")), _limit_in(log))
    value = float(pulp.value(model.program.objective) or 0.0)
    if status == pulp.LpSolutionIntegerFeasible:
        bound = min(value, _bound_in(log, fallback=float("-inf")))
        return _Search(Ending.UNPROVEN, bound, _limit_in(log))
    bound = min(value, _bound_in(log, fallback=value))
    if value - bound <= OPTIMAL_WITHIN * max(1.0, abs(value)):
        return _Search(Ending.OPTIMAL, value, "")
    return _Search(Ending.WITHIN_GAP, bound, "gap" if limits.relative_gap else _limit_in(log))


def _bound_in(log: str, fallback: float) -> float:
    """The proven bound as CBC's log states it at the end of the search."""
    stated = re.findall(r"^Lower bound:\s+(-?[\d.]+(?:e[+-]?\d+)?)", log, re.MULTILINE)
    return float(stated[-1]) if stated else fallback


def _limit_in(log: str) -> str:
    if "Stopped on time limit" in log or "Exiting on maximum time" in log:
        return "seconds"
    if "Stopped on node limit" in log or "Exiting on maximum nodes" in log:
        return "nodes"
    return "gap" if "within gap tolerance" in log else ""


@cache
def cbc_executable() -> Path:
    """A CBC that can be executed.

    Deployments by zip lose the executable bit, and the app's folder may be read-only: then a copy in the temporary
    folder is made executable. Raises SolverFailed when there is no CBC at all.
    """
    bundled = Path(pulp.PULP_CBC_CMD.pulp_cbc_path)
    return find_cbc(bundled, shutil.which)


def find_cbc(bundled: Path, which: Callable[[str], str | None]) -> Path:
    """The bundled CBC, an executable copy of it, or the one on the PATH, in this order."""
    if bundled.is_file():
        return bundled if os.access(bundled, os.X_OK) else _executable_copy(bundled)
    on_path = which("cbc")
    if on_path:
        return Path(on_path)
    raise SolverFailed(f"no CBC at {bundled} and none on the PATH; reinstall with: pip install 'pulp>=3.3.2,<4'")


def _executable_copy(bundled: Path) -> Path:
    copy = Path(tempfile.mkdtemp(prefix="dom-cbc-")) / bundled.name
    try:
        shutil.copyfile(bundled, copy)
        copy.chmod(stat.S_IRWXU | stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH)
    except OSError as error:
        raise SolverFailed(f"CBC at {bundled} is not executable and cannot be copied to {copy.parent}") from error
    return copy
