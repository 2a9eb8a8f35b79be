"""Two solvers that share no code find plans of equal worth."""

from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec

import numpy as np
import pytest

from dom_core.domain.plan import Ending, IterationReport, Plan, PlanAssignment
from dom_core.domain.request import PlanRequest
from dom_core.domain.strategy import ObjectiveMode, SolverLimits
from dom_core.errors import SolverFailed
from dom_core.optimizer import solving_highs
from dom_core.optimizer.linear import Basis, LinearProgram
from dom_core.optimizer.pipeline import plan_once
from dom_core.optimizer.solving import CbcSolver
from dom_core.optimizer.solving_highs import HighsSolver
from dom_core.watch import Watch, WatchedLimits
from tests.optimizer.test_solving import a_model, rivals
from tests.oracle.comparison import describe
from tests.oracle.generation import generate

needs_highs = pytest.mark.skipif(
    find_spec("highspy") is None,
    reason="THE SECOND SOLVER IS MISSING, so nothing checks CBC here: pip install 'dom-optimizer[highs]'",
)

CASES, CHUNK = 150, 25


def levels(report: IterationReport) -> tuple[int, ...]:
    return tuple(value.amount for value in report.levels)


def units(plan: Plan) -> list[tuple[PlanAssignment, ...]]:
    """What iteration 1 assigns to each line."""
    return [line.assignments for line in plan.up_to_iteration(1).lines]


def in_mode(request: PlanRequest, mode: ObjectiveMode) -> PlanRequest:
    return replace(request, strategy=replace(request.strategy, objective_mode=mode))


@needs_highs
@pytest.mark.parametrize("first_seed", range(0, CASES, CHUNK))
@pytest.mark.parametrize("mode", list(ObjectiveMode))
def test_two_solvers_agree_on_every_level(first_seed: int, mode: ObjectiveMode) -> None:
    """Level by level in strict mode, else in the total: equal totals may be made up of other levels.

    Iteration 2 works on what iteration 1 left, so it is comparable where iteration 1 did not choose among equals.
    """
    for seed in range(first_seed, first_seed + CHUNK):
        request = in_mode(generate(seed), mode)
        one, other = plan_once(request, CbcSolver()), plan_once(request, HighsSolver())
        pairs = list(zip(one.iterations, other.iterations, strict=True))
        for first, second in pairs if units(one) == units(other) else pairs[:1]:
            assert first.total == second.total, f"seed {seed}\n{describe(request)}"
            assert mode is ObjectiveMode.RATES or levels(first) == levels(second), f"seed {seed}\n{describe(request)}"
        assert [report.ending for report in other.iterations] == [report.ending for report in one.iterations]


@needs_highs
def test_a_finished_search_is_optimal_and_its_flows_are_whole_units() -> None:
    # Two rivals ask for 3 P and 2 Q each, and there is enough of both.
    answer = HighsSolver().solve(a_model(rivals(2)), SolverLimits())
    assert (sum(units for *_, units in answer.flows), answer.ending, answer.limit) == (10, Ending.OPTIMAL, "")


@needs_highs
def test_a_gap_that_was_allowed_is_not_called_optimal() -> None:
    answer = HighsSolver().solve(a_model(rivals(12)), SolverLimits(relative_gap=0.9))
    assert (answer.ending, answer.limit) == (Ending.WITHIN_GAP, "gap")


@needs_highs
@pytest.mark.parametrize(
    ("limits", "limit"),
    [(SolverLimits(max_nodes=1, solve_limit_s=20), "nodes"), (SolverLimits(solve_limit_s=0.01), "seconds")],
)
def test_a_limit_ends_unproven_and_is_named(limits: SolverLimits, limit: str) -> None:
    answer = HighsSolver().solve(a_model(rivals(40)), limits)
    assert answer.limit == limit
    assert answer.ending in (Ending.UNPROVEN, Ending.NO_PLAN)


def test_where_it_is_not_installed_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solving_highs, "find_spec", lambda _: None)
    with pytest.raises(SolverFailed, match=r"dom-optimizer\[highs\]"):
        HighsSolver()


@needs_highs
def test_highs_ends_a_linear_program_soon_after_it_is_asked_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solving_highs, "LOOK_EVERY_S", 0.0)
    answers = iter([True])  # only while it works: afterwards nobody wants to stop
    limits = WatchedLimits.of(SolverLimits(), Watch(stop_asked=lambda: next(answers, False)))
    with pytest.raises(SolverFailed, match=r"(?i)interrupt"):
        HighsSolver().solve_linear(a_dense_program(40, 80), limits)


@needs_highs
@pytest.mark.parametrize("seed", range(12))
def test_highs_begins_where_the_last_master_ended_and_agrees_with_clp(seed: int) -> None:
    """A corner of half of the columns is a corner of all; from the optimum itself no step is left."""
    whole = a_dense_program(30, 60, seed)
    last = HighsSolver().solve_linear(a_dense_program(30, 30, seed), SolverLimits())
    assert last.basis is not None
    corner = Basis(np.concatenate((last.basis.columns, np.zeros(30, dtype=bool))), last.basis.rows)
    answer = HighsSolver().solve_linear(replace(whole, start=corner), SolverLimits())
    assert answer.value == pytest.approx(CbcSolver().solve_linear(whole, SolverLimits()).value)
    assert answer.value < last.value
    assert float(answer.prices @ whole.limits) == pytest.approx(-answer.value)
    assert answer.basis is not None
    assert simplex_steps(whole, answer.basis) == 0 < simplex_steps(whole, corner)


@pytest.mark.parametrize(
    ("columns", "fresh", "near"),
    [(9_000, 900, True), (9_000, 901, False), (20_000, 400, True), (20_000, 401, False)],
    ids=["few new", "many new", "much choice, few new", "much choice, many new"],
)
def test_a_corner_is_near_while_few_columns_are_new(columns: int, fresh: int, near: bool) -> None:
    program = replace(a_dense_program(1, 1), costs=np.zeros(columns))
    start = Basis(np.zeros(columns, dtype=bool), np.zeros(1, dtype=bool), fresh)
    assert solving_highs._is_near(replace(program, start=start)) is near
    assert not solving_highs._is_near(program)


def simplex_steps(program: LinearProgram, start: Basis | None) -> int:
    """How many steps the simplex takes from this corner, or from nothing."""
    highspy = import_module("highspy")
    method = {"solver": "simplex", "presolve": "off", **({} if start is None else solving_highs._method(start))}
    highs = solving_highs._instance(highspy, SolverLimits(), **method)
    highs.passModel(solving_highs._linear(highspy, program))
    if start is not None:
        highs.setBasis(solving_highs._basis(highspy, start))
    highs.run()
    return int(highs.getInfo().simplex_iteration_count)


def a_dense_program(rows: int, columns: int, seed: int = 1) -> LinearProgram:
    """A program that no solver sees through before it begins."""
    random = np.random.default_rng(seed)
    costs, amounts = np.split(random.random((columns, rows + 1)), [1], axis=1)
    return LinearProgram(
        costs=-costs.ravel(),
        starts=np.arange(columns + 1) * rows,
        rows=np.tile(np.arange(rows), columns),
        amounts=amounts.ravel(),
        limits=np.full(rows, 10.0),
    )
