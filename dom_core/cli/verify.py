"""`dom verify`: whether a plan keeps its rules and is worth what it says, and whether its bound is proven."""

import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from dom_core.cli.plan_file import read_plan_file, request_of
from dom_core.cli.terminal import Ending, list_problems, progress_bar, say
from dom_core.domain.plan import IterationReport, Plan
from dom_core.domain.request import PlanRequest
from dom_core.errors import Conflict, InvalidInput, SolverFailed
from dom_core.optimizer.solving import CbcSolver, Solver
from dom_core.optimizer.solving_highs import HighsSolver
from dom_core.report.wording import count_words
from dom_core.use_cases.verify_plan import solve_again, verify_plan
from dom_core.verification import Support, Verified

_SHOWN_FINDINGS = 20


def run(options: Namespace) -> Ending:
    """Print `verified` and what the bound rests on, or each figure that is wrong."""
    try:
        plan, request = _read(options.plan)
    except InvalidInput as error:
        list_problems(sys.stderr, error.problems, "problem")
        return Ending.USAGE
    except Conflict as error:
        say(sys.stderr, f"dom: {error}")
        return Ending.USAGE
    with progress_bar(quiet=False) as watch:
        verified = verify_plan(plan, request, lambda share: watch.at("verifying", share))
    if verified.findings:
        return _refuse(verified.findings)
    say(sys.stdout, "verified")
    for report, support in zip(plan.iterations, verified.supports, strict=True):
        for line in _told(report, support, again=options.again):
            say(sys.stdout, f"  {line}")
    return _again(plan, request, verified) if options.again else Ending.DONE


def _read(path: Path) -> tuple[Plan, PlanRequest]:
    view = read_plan_file(path)
    return view.plan, request_of(view)


def _refuse(findings: tuple[str, ...]) -> Ending:
    say(sys.stdout, "refused")
    for finding in findings[:_SHOWN_FINDINGS]:
        say(sys.stdout, f"  {finding}")
    if len(findings) > _SHOWN_FINDINGS:
        say(sys.stdout, f"  … and {len(findings) - _SHOWN_FINDINGS:,} more")
    return Ending.PROBLEMS


def _told(report: IterationReport, support: Support, *, again: bool) -> Iterator[str]:
    limit = f" ({report.ending_limit})" if report.ending_limit else ""
    yield (
        f"iteration {report.number}: {report.total:,} points, bound {report.bound:,.3f}, gap {report.gap:.4%}, "
        f"{report.ending}{limit}"
    )
    level = report.levels[0]
    if level.amount:
        yield f"  unfilled units, weighted: {level.amount:,}, in any plan at least {support.unfilled:,}"
    if not support.by_search:
        return
    parts = count_words(len(support.by_search), "part")
    yield f"  {support.by_solver:,.3f} points of the bound rest on the solver's own search, in {parts}"
    if not again:
        yield "  --again solves them again"


def _again(plan: Plan, request: PlanRequest, verified: Verified) -> Ending:
    """Solve again what rests on the solver, and say what came of it."""
    solver = _solver()
    ending = Ending.DONE
    for found in solve_again(plan, request, verified.supports, solver):
        verdict = "confirmed" if found.confirmed else "refused" if found.complete else "not decided within the limits"
        say(sys.stdout, f"  {verdict} by {solver.name}: {found}")
        if not found.confirmed:
            ending = Ending.PROBLEMS
    return ending


def _solver() -> Solver:
    """HiGHS where it is installed: another solver than the one that made the plan."""
    try:
        return HighsSolver()
    except SolverFailed:
        return CbcSolver()
