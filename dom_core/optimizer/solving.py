"""Run a solver on a model: how it ended, what the answer is worth, and what is proven about it.

CBC runs as a child process in a folder of its own. Its word "optimal" is not taken on trust: the bound is read from
its log, the value is computed again from the units.
"""

import errno
import os
import re
import resource
import shutil
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Thread
from typing import IO, Any, Protocol

import pulp

from dom_core.domain.plan import Ending
from dom_core.domain.prices import NO_PRICES, PriceTable
from dom_core.domain.strategy import SolverLimits
from dom_core.errors import SolverFailed, SolverNotStarted
from dom_core.optimizer import mps
from dom_core.optimizer.costs import Flow
from dom_core.optimizer.executable import find_cbc, working_folder
from dom_core.optimizer.formulation import Model, Terms, expression
from dom_core.optimizer.linear import LinearAnswer, LinearProgram, WholeAnswer
from dom_core.watch import watch_of

KILL_AFTER_TIMES, KILL_AFTER_S = 1.25, 2.0
"""CBC is killed after its time limit times the first, plus the second."""

IN_TIME = 0.9
"""The share of its time limit after which CBC's word that a model is infeasible proves nothing, nor does a crash.

CBC 2.10.3 calls a model infeasible when the limit falls into its preprocessing, and may crash when it falls into the
first program of its tree. The rest of the share is for clocks that do not agree.
"""

LOOK_EVERY_S = 0.25
"""How often a run is asked whether to go on while CBC works."""

_LOADER_FAILED = 127
"""The code with which a program ends whose shared libraries cannot be loaded."""

_UNLOADABLE = re.compile("error while loading shared libraries|symbol lookup error|version `.*' not found")

_STATED_SECONDS = re.compile(r"Wallclock seconds\):\s+([\d.]+)")
"""What CBC's own clock says at its end. A machine that stood still may have set it forward, and not ours."""

_WITH_ANSWER = (pulp.LpSolutionOptimal, pulp.LpSolutionIntegerFeasible)

_TIME_IS_UP = "Stopped on time limit"
"""What stands for the log of a search that found nothing in its time."""

OPTIMAL_WITHIN = 1e-9
"""Relative difference of value and bound up to which a finished search counts as proven: float arithmetic's share."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a solver found for one model.

    `bound` is a proven lower bound of the model's objective in points, tie-breaking charges taken off. `limit` names
    the limit that stopped the search: `seconds`, `nodes`, `gap`, or nothing. `trouble` is what a solver that failed
    had to say, where an answer was found without it. `priced` is what `prices` prove, where prices were sought.
    """

    flows: tuple[Flow, ...]
    ending: Ending
    bound: float
    limit: str
    seconds: float
    trouble: str = ""
    prices: PriceTable = NO_PRICES
    priced: float | None = None


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

    def solve_linear(self, program: LinearProgram, limits: SolverLimits) -> LinearAnswer:
        """The optimum of a linear program that has one. Raises SolverFailed, also when its time is up."""
        ...

    def solve_whole(self, program: LinearProgram, limits: SolverLimits, below: float) -> WholeAnswer:
        """The best choice of whole columns that costs less than `below`, within the limits. Raises SolverFailed."""
        ...


@dataclass(frozen=True, slots=True)
class Search:
    """One call of a solver: `bound` is proven for the objective that it had, without constants."""

    ending: Ending
    bound: float
    limit: str


NO_CHOICE = Search(Ending.INFEASIBLE, float("-inf"), "")
"""No choice keeps the rows. That proves nothing: our models always have one, unless somebody forced a pair."""


class PulpSolver(ABC):
    """What all solvers that take PuLP's models have in common: the order in which objectives are solved."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The solver's name and version, for the plan."""

    @abstractmethod
    def search(self, model: Model, limits: SolverLimits) -> Search:
        """Minimise the objective that the program has; its variables hold the answer afterwards."""

    def solve(self, model: Model, limits: SolverLimits) -> Answer:
        """Minimise the sum of all levels; what it leaves equal is decided by charges that no point can feel."""
        started = time.monotonic()
        if not model.tie_breakers:
            search = self._minimise(model, [*model.priced, *model.ties], limits, model.constant)
            bound = model.constant + search.bound - model.ties_at_most
            return _answer(search, _flows(model, search), bound, started)
        search = self._minimise(model, model.priced, limits, model.constant)
        flows = _flows(model, search)
        if search.ending is Ending.OPTIMAL:
            _fix(model, model.priced)
            flows = _flows(model, self._minimise(model, [*model.tie_breakers, *model.ties], limits)) or flows
        return _answer(search, flows, model.constant + search.bound, started)

    def solve_strictly(self, model: Model, limits: SolverLimits) -> Answer:
        """Minimise level after level, each fixed at its value before the next; ties last.

        A level's bound holds for the best plan only while the levels above it are proven, so every level is searched to
        its end, whatever gap the limits allow.
        """
        started, limits = time.monotonic(), replace(limits, relative_gap=0.0)
        worst, bound = Search(Ending.OPTIMAL, 0.0, ""), model.constant
        flows: tuple[Flow, ...] = ()
        for level, terms in model.levels.items():
            search = self._minimise(model, terms, limits)
            if worst.ending is Ending.OPTIMAL:
                bound += search.bound * model.rates[level]
            worst = worst if search.ending is Ending.OPTIMAL else search
            flows = _flows(model, search) or flows
            if search.ending in _WITHOUT_ANSWER:
                break
            _fix(model, terms)
        else:
            flows = _flows(model, self._minimise(model, model.ties, limits)) or flows
        return _answer(worst, flows, bound, started)

    def _minimise(self, model: Model, terms: Terms, limits: SolverLimits, besides: float = 0.0) -> Search:
        """Search with these terms as the objective. An allowed gap is a share of what they and `besides` cost."""
        if not terms:
            # Nothing to choose: keep the values of the level before, or zero.
            if any(variable.value() is None for variable in model.program.variables()):
                terms = [(variable, 0.0) for variable in model.program.variables()]
            else:
                return Search(Ending.OPTIMAL, 0.0, "")
        if not terms:
            return Search(Ending.OPTIMAL, 0.0, "")
        if not (limits.relative_gap and besides):
            model.program.setObjective(expression(terms))
            return self.search(model, limits)
        # PuLP writes no constants: a variable that is always one has this charge.
        always = model.program.add_variable("always", 1, 1)
        model.program.setObjective(expression([*terms, (always, besides)]))
        search = self.search(model, limits)
        return replace(search, bound=search.bound - besides)


class CbcSolver(PulpSolver):
    """COIN-OR CBC through PuLP: the executable that PuLP's wheel brings, or the one on the PATH."""

    @property
    def name(self) -> str:
        """CBC and the PuLP that drives it."""
        return f"CBC via PuLP {pulp.__version__}"

    def search(self, model: Model, limits: SolverLimits) -> Search:
        """Run CBC on the model."""
        with working_folder() as folder:
            log = _run_cbc(model.program, folder, limits)
            return _read_search(model, log, limits)

    def solve_linear(self, program: LinearProgram, limits: SolverLimits) -> LinearAnswer:
        """Run CLP, which is part of CBC, on the program."""
        with working_folder() as folder:
            return _run_clp(program, folder, limits)

    def solve_whole(self, program: LinearProgram, limits: SolverLimits, below: float) -> WholeAnswer:
        """Run CBC on the program."""
        with working_folder() as folder:
            return _run_cbc_whole(program, folder, limits, below)


_WITHOUT_ANSWER = (Ending.NO_PLAN, Ending.INFEASIBLE)


def _fix(model: Model, terms: Terms) -> None:
    """Let nothing that follows worsen these terms. Half a point is less than any real difference."""
    if terms:
        reached = round(sum(coefficient * (variable.value() or 0.0) for variable, coefficient in terms))
        model.program += expression(terms) <= reached + 0.5


def _flows(model: Model, search: Search) -> tuple[Flow, ...]:
    return () if search.ending in _WITHOUT_ANSWER else model.flows()


def _answer(search: Search, flows: tuple[Flow, ...], bound: float, started: float) -> Answer:
    return Answer(flows, search.ending, bound, search.limit, time.monotonic() - started)


def _run_cbc(program: pulp.LpProblem, folder: Path, limits: SolverLimits) -> str:
    """Let CBC solve the program in a child process; its log. The variables hold the answer, if there is one."""
    model_file, answer_file = folder / "model.mps", folder / "answer.sol"
    variables, variable_names, constraint_names, _ = program.writeMPS(str(model_file), rename=1)
    arguments = [str(model_file), *_options(limits), "-solve", "-printingOptions", "all"]
    run = _ran([*arguments, "-solution", str(answer_file)], folder, limits)
    if run.ended:
        if not answer_file.is_file():
            raise SolverFailed("CBC ended without an answer")
        status, values, ending = _read_answer(program, answer_file, (variables, variable_names, constraint_names))
        if run.in_time or ending != pulp.LpSolutionInfeasible:
            program.assignVarsVals(values)
            program.assignStatus(status, ending)
            return run.log
    program.assignStatus(pulp.LpStatusNotSolved, pulp.LpSolutionNoSolutionFound)
    return _TIME_IS_UP


@dataclass(frozen=True, slots=True)
class _Run:
    """A run of CBC: whether it ended by itself, with an answer; whether well before its limit; and its log."""

    ended: bool
    in_time: bool
    log: str


def _ran(arguments: list[str], folder: Path, limits: SolverLimits) -> _Run:
    """Run CBC with these arguments. Raises SolverFailed when it crashes; when its time is up that is only an end.

    CBC looks at its time limit only between some of its steps, so it is killed, with all that it started, when it
    is well over.
    """
    executable, log_file, started = cbc_executable(), folder / "cbc.log", time.monotonic()
    with log_file.open("wb") as output:
        process = _start([str(executable), *arguments], output, folder)
    _limit_memory(process, limits)
    ended = _wait(process, limits, limits.solve_limit_s * KILL_AFTER_TIMES + KILL_AFTER_S)
    log = log_file.read_text(errors="replace")
    seconds = max([time.monotonic() - started, *map(float, _STATED_SECONDS.findall(log))])
    in_time = seconds < limits.solve_limit_s * IN_TIME
    if ended and process.returncode != 0 and not (process.returncode == -signal.SIGSEGV and not in_time):
        raise _crash(executable, process.returncode, log)
    return _Run(ended and process.returncode == 0, in_time, log)


def _simplex(program: LinearProgram, start_file: Path) -> list[str]:
    """From where the last program ended, the primal simplex: that corner is allowed, and most often near.

    Where only rows are new the dual one: what it cost is still right. Without a corner the dual simplex, too; for large
    masters with much choice the primal one after a rough start, in half of the time.
    """
    if program.start is not None:
        start_file.write_text(mps.write_basis(program.start))
        simplex = "-primalSimplex" if program.start.fresh else "-dualSimplex"
        return ["-presolve", "off", "-basisIn", start_file.name, simplex]
    return ["-idiot", "20", "-primalSimplex"] if program.much_choice else ["-dualSimplex"]


def _run_clp(program: LinearProgram, folder: Path, limits: SolverLimits) -> LinearAnswer:
    """Let CLP solve a linear program in a child process. It is killed when its time is up: half an answer is none."""
    model_file, answer_file, log_file = folder / "model.mps", folder / "answer.sol", folder / "clp.log"
    start_file, end_file = folder / "start.bas", folder / "end.bas"
    model_file.write_text(mps.write(program))
    executable = cbc_executable()
    command = [str(executable), str(model_file), *_simplex(program, start_file), "-basisOut", end_file.name]
    command += ["-printingOptions", "all"]
    with log_file.open("wb") as output:
        process = _start([*command, "-solution", str(answer_file)], output, folder)
    _limit_memory(process, limits)
    if not _wait(process, limits, limits.solve_limit_s):
        raise SolverFailed("CLP was not done in time")
    if process.returncode != 0:
        raise _crash(executable, process.returncode, log_file.read_text(errors="replace"))
    if not answer_file.is_file():
        raise SolverFailed("CLP ended without an answer")
    answer = mps.read(answer_file.read_text(errors="replace"), program)
    basis = mps.read_basis(end_file.read_text(errors="replace"), program) if end_file.is_file() else None
    return replace(answer, basis=basis)


def _run_cbc_whole(program: LinearProgram, folder: Path, limits: SolverLimits, below: float) -> WholeAnswer:
    """Let CBC choose whole columns in a child process, and look at nothing that costs as much as `below`.

    Its heuristics stay off: where a good choice is known already they take half of the time, and find little.
    """
    model_file, answer_file = folder / "model.mps", folder / "answer.sol"
    model_file.write_text(mps.write(program, whole=True))
    arguments = [str(model_file), *_options(limits), "-heur", "off", "-cutoff", f"{below:.12g}", "-solve"]
    run = _ran([*arguments, "-solution", str(answer_file)], folder, limits)
    nothing_found = WholeAnswer(None, _bound_in(run.log, fallback=float("-inf")), Ending.NO_PLAN)
    if not run.ended:
        return nothing_found
    if not answer_file.is_file():
        raise SolverFailed("CBC ended without an answer")
    answer = mps.read_whole(answer_file.read_text(errors="replace"), program, nothing_found.bound)
    if answer.ending is Ending.INFEASIBLE and not run.in_time:
        return nothing_found
    if answer.taken is not None and float(program.costs @ answer.taken) >= below:
        return WholeAnswer(None, min(below, answer.bound), Ending.NO_PLAN)
    return answer


def _start(command: list[str], output: IO[bytes], folder: Path) -> "subprocess.Popen[bytes]":
    """The solver's process, leader of a group of its own. Raises SolverNotStarted."""
    try:
        return subprocess.Popen(  # noqa: S603  # our own solver, our own file names
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            cwd=folder,
            start_new_session=True,
        )
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.ENOMEM):
            raise SolverFailed("CBC could not be started: this machine has no room for another process") from error
        raise SolverNotStarted(command[0], error.strerror or str(error)) from error


def _crash(executable: Path, code: int, log: str) -> SolverFailed:
    """Why the solver ended with this code."""
    if code == _LOADER_FAILED or _UNLOADABLE.search(log):
        return SolverNotStarted(str(executable), log.strip().rpartition("\n")[2] or f"it ended with code {code}")
    if code == -signal.SIGILL:
        return SolverNotStarted(str(executable), "this processor does not know one of its instructions")
    if code == -signal.SIGKILL:
        return SolverFailed("CBC was killed by the system; the usual reason is that memory ran out")
    return SolverFailed(f"CBC could not solve the model: it ended with code {code}")


def _read_answer(
    program: pulp.LpProblem, answer_file: Path, names: tuple[Any, ...]
) -> tuple[int, dict[str, float], int]:
    """Status, values by variable, and how the search ended, as CBC wrote them for a model with these names.

    CBC ends well when a full disk took the rest of its answer, and PuLP reads what is not there as zero: such an answer
    is refused with an OSError.
    """
    cut_short = OSError(errno.ENOSPC, "the solver's answer in it is cut short")
    if not answer_file.read_bytes().endswith(b"\n"):
        raise cut_short
    reader = pulp.COIN_CMD(msg=False)
    status, values, read, *_, ending = reader.readsol_MPS(str(answer_file), program, *names)
    if status == pulp.LpStatusInfeasible:
        # PuLP says so of "Infeasible" only, not of "Integer infeasible".
        ending = pulp.LpSolutionInfeasible
    if ending in _WITH_ANSWER and len(read) < len(values):
        raise cut_short
    return status, values, ending


def _options(limits: SolverLimits) -> list[str]:
    options = ["-timeMode", "elapsed", "-sec", str(limits.solve_limit_s)]
    if limits.relative_gap:
        options += ["-ratio", str(limits.relative_gap)]
    if limits.max_nodes:
        options += ["-maxNodes", str(limits.max_nodes)]
    return options


def _limit_memory(process: "subprocess.Popen[bytes]", limits: SolverLimits) -> None:
    """Let the solver have so much memory and no more, where the system can see to it."""
    if limits.memory_limit_mb and hasattr(resource, "prlimit"):
        most = limits.memory_limit_mb * 1024 * 1024
        with suppress(ProcessLookupError):
            resource.prlimit(process.pid, resource.RLIMIT_AS, (most, most))


def _wait(process: "subprocess.Popen[bytes]", limits: SolverLimits, patience_s: float) -> bool:
    """Wait for the end of a process; False when it had to be killed, with its whole group. Raises Cancelled.

    A thread waits for it: `Popen.wait` with a time limit sleeps between looks, which adds a tenth to short programs.
    """
    watch, late_at = watch_of(limits), time.monotonic() + patience_s
    waiting = Thread(target=process.wait, daemon=True)
    try:
        waiting.start()
        while (left_s := late_at - time.monotonic()) > 0:
            waiting.join(min(LOOK_EVERY_S, left_s))
            if not waiting.is_alive():
                return True
            watch.go_on()
    finally:
        _kill(process)
    return False


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """End the process and all that it started, if it still runs."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _read_search(model: Model, log: str, limits: SolverLimits) -> Search:
    status = model.program.sol_status
    if status == pulp.LpSolutionInfeasible:
        return NO_CHOICE
    if status not in _WITH_ANSWER:
        return Search(Ending.NO_PLAN, _bound_in(log, fallback=float("-inf")), _limit_in(log))
    value = float(pulp.value(model.program.objective) or 0.0)
    if status == pulp.LpSolutionIntegerFeasible:
        bound = min(value, _bound_in(log, fallback=float("-inf")))
        return Search(Ending.UNPROVEN, bound, _limit_in(log))
    bound = min(value, _bound_in(log, fallback=value))
    if value - bound <= OPTIMAL_WITHIN * max(1.0, abs(value)):
        return Search(Ending.OPTIMAL, value, "")
    return Search(Ending.WITHIN_GAP, bound, "gap" if limits.relative_gap else _limit_in(log))


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


def cbc_executable() -> Path:
    """A CBC that can be executed. Looked for at every call, which is cheap: what was found may have gone since.

    Raises SolverNotStarted, NoTemporarySpace.
    """
    return find_cbc(Path(pulp.PULP_CBC_CMD.pulp_cbc_path), shutil.which)
