"""Large programs are narrowed by cuts and solved in steps: what is left out is never part of a better choice."""

from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest

from dom_core.domain.plan import Ending
from dom_core.domain.reason import BoolArray
from dom_core.domain.strategy import SolverLimits
from dom_core.errors import SolverFailed
from dom_core.optimizer import narrowing, stepping
from dom_core.optimizer.linear import Choose, Linear, LinearAnswer, LinearProgram, WholeAnswer
from dom_core.optimizer.narrowing import Narrowing
from dom_core.optimizer.solving import CbcSolver, Solver
from tests.optimizer.test_cuts import patterns
from tests.optimizer.test_solving_highs import simplex_steps
from tests.optimizer.test_whole_programs import (
    ANYTHING,
    MakeSolver,
    best_value,
    both_solvers,
    every_choice,
    keeps,
)

MANY, CASES = 1_000, 30


@pytest.fixture(autouse=True)
def small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs that can be tried out count as large ones."""
    monkeypatch.setattr(narrowing, "FEW", 0)
    monkeypatch.setattr(narrowing, "A_ROW", 1)
    monkeypatch.setattr(stepping, "FIRST_COLUMNS", 2)


def linear(solver: Solver) -> Linear:
    return lambda program: solver.solve_linear(program, SolverLimits())


def whole(solver: Solver) -> Choose:
    return lambda program, below: solver.solve_whole(program, SolverLimits(), below)


def better(program: LinearProgram, value: float) -> list[BoolArray]:
    """Every choice that is allowed and costs less than the value."""
    return [
        taken
        for taken in every_choice(program)
        if keeps(program, taken) and float(program.costs @ taken) < value - 1e-9
    ]


def cuts_of(left: Narrowing) -> list[list[float]]:
    """The numbers of each cut, column by column."""
    table = np.zeros((len(left.program.limits), len(left.positions)))
    table[left.program.rows, left.program.columns] = left.program.amounts
    rows: list[list[float]] = table[left.own_rows :].tolist()
    return rows


def random_prices(seed: int) -> Linear:
    """A solver whose every answer is made up."""
    random = np.random.default_rng(seed)

    def solve(program: LinearProgram) -> LinearAnswer:
        amounts = random.random(len(program.costs))
        return LinearAnswer(-1e9, amounts, random.random(len(program.limits)) * 8 - 1)

    return solve


@pytest.mark.parametrize(
    "solve", [pytest.param(linear(CbcSolver()), id="CLP"), pytest.param(random_prices(1), id="any prices")]
)
@pytest.mark.parametrize("above_best", [0.0, 0.5, 6.0])
def test_all_that_better_choices_use_is_left_and_keeps_every_cut(solve: Linear, above_best: float) -> None:
    dropped = with_cuts = 0
    for seed in range(CASES):
        program = patterns(seed)
        value = best_value(program) + above_best
        left = Narrowing(program).below(value, solve)
        dropped += len(program.costs) - len(left.positions)
        with_cuts += len(cuts_of(left))
        assert left.last_row.tolist() == program.rows[program.starts[left.positions + 1] - 1].tolist(), seed
        choices = better(program, value)
        assert all(float(program.costs @ taken) >= min(left.bound, value) - 1e-6 for taken in choices), seed
        for taken in choices:
            assert set(np.flatnonzero(taken)) <= set(left.positions.tolist()), seed
            assert left.program.allows(taken[left.positions]), seed
    assert dropped
    assert with_cuts or above_best == 0.0


def rival_pairs(units: float) -> LinearProgram:
    """Three patterns of which any two want the same so many units, and there are no more."""
    return LinearProgram(
        costs=np.array([-4.0, -4, -4]),
        starts=np.array([0, 2, 4, 6]),
        rows=np.array([0, 2, 0, 1, 1, 2]),
        amounts=np.full(6, units),
        limits=np.full(3, units),
    )


def test_cuts_raise_the_bound() -> None:
    left = Narrowing(rival_pairs(1.0)).below(ANYTHING, linear(CbcSolver()))
    assert CbcSolver().solve_linear(rival_pairs(1.0), SolverLimits()).value == pytest.approx(-6)
    assert left.bound == pytest.approx(-4)
    assert cuts_of(left) == [[1, 1, 1]]


@pytest.mark.parametrize("units", [29_999.0, 30_001.0, 65_537.0, 1e9 + 1])
def test_cuts_of_many_units_are_right_or_left_out(units: float) -> None:
    left = Narrowing(rival_pairs(units)).below(ANYTHING, linear(CbcSolver()))
    assert bool(cuts_of(left)) is (units < narrowing.LARGEST)
    assert all(left.program.allows(taken) for taken in better(rival_pairs(units), ANYTHING))


def test_each_program_begins_where_the_last_one_ended() -> None:
    """From there the simplex takes few steps, whether columns or cuts are new, and finds the same."""
    asked, solver = list[LinearProgram](), CbcSolver()

    def solve(program: LinearProgram) -> LinearAnswer:
        asked.append(program)
        return solver.solve_linear(program, SolverLimits())

    for seed in range(6):
        Narrowing(patterns(seed, columns=200, rows=20, orders=60)).below(-1.0, solve)
    started = [program for program in asked if program.start is not None]
    assert len(started) == len(asked) - 6  # each narrowing begins with nothing
    assert {program.start.fresh > 0 for program in started if program.start} == {False, True}
    for program in started:
        cold = solver.solve_linear(replace(program, start=None), SolverLimits())
        assert solver.solve_linear(program, SolverLimits()).value == pytest.approx(cold.value)
    if find_spec("highspy") is not None:
        steps = sum(simplex_steps(program, program.start) for program in started)
        assert 0 < steps < sum(simplex_steps(program, None) for program in started) / 2


def test_where_every_column_costs_something_nothing_is_asked() -> None:
    dear = replace(rival_pairs(1.0), costs=np.ones(3))
    left = Narrowing(dear).below(ANYTHING, random_prices(1))
    assert (left.bound, left.positions.tolist()) == (0.0, [0, 1, 2])


def test_narrowing_further_leaves_what_was_there_as_it_is() -> None:
    for seed in range(CASES):
        program = patterns(seed)
        best = best_value(program)
        wide = Narrowing(program).below(best + 8, linear(CbcSolver()))
        before = (wide.positions.tolist(), cuts_of(wide), wide.asked.tolist(), wide.bound)
        wide.below(best + 0.5, linear(CbcSolver()))
        assert (wide.positions.tolist(), cuts_of(wide), wide.asked.tolist(), wide.bound) == before


@both_solvers
@pytest.mark.parametrize("above_best", [0.5, 4.0, 60.0])
def test_the_best_choice_is_found_and_proven(make: MakeSolver, above_best: float) -> None:
    solver = make()
    for seed in range(CASES):
        program = patterns(seed)
        best = best_value(program)
        answer = stepping.best_below(program, best + above_best, linear(solver), whole(solver), MANY)
        assert answer.taken is not None, seed
        assert keeps(program, answer.taken), seed
        assert float(program.costs @ answer.taken) == pytest.approx(best), seed
        assert answer.ending is Ending.OPTIMAL, seed
        assert answer.bound == pytest.approx(best), seed


@both_solvers
@pytest.mark.parametrize("above_best", [0.0, -0.25, -50.0])
def test_where_nothing_costs_less_that_is_proven(make: MakeSolver, above_best: float) -> None:
    solver = make()
    for seed in range(CASES):
        program = patterns(seed)
        value = best_value(program) + above_best
        answer = stepping.best_below(program, value, linear(solver), whole(solver), MANY)
        assert answer.taken is None, seed
        assert answer.bound >= value - 1e-6, seed


Answer = Callable[[LinearProgram, float], WholeAnswer]


def steps_of(seed: int, answer: Answer | None = None, most: int = MANY) -> tuple[list[float], WholeAnswer]:
    """Below which values the solver was asked, and what came of it."""
    asked, solver = list[float](), CbcSolver()

    def solve(program: LinearProgram, below: float) -> WholeAnswer:
        asked.append(below)
        return (answer or whole(solver))(program, below)

    program = patterns(seed)
    return asked, stepping.best_below(program, ANYTHING, linear(solver), solve, most)


def test_steps_go_further_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(narrowing, "CUTS_A_ROUND", 0)
    every = [steps_of(seed)[0] for seed in range(CASES)]
    assert max(map(len, every)) > 1
    assert all(asked == sorted(set(asked)) for asked in every)
    assert all(asked[-1] <= ANYTHING for asked in every)


def test_with_too_many_columns_the_bound_is_the_answer() -> None:
    asked, answer = steps_of(1, most=0)
    assert not asked
    assert (answer.taken, answer.ending) == (None, Ending.NO_PLAN)
    assert float("-inf") < answer.bound <= best_value(patterns(1))


def test_a_solver_that_does_not_get_there_ends_it_with_what_is_proven() -> None:
    for seed in range(CASES):
        asked, answer = steps_of(seed, lambda *_: WholeAnswer(None, float("-inf"), Ending.NO_PLAN))
        assert len(asked) <= 1
        assert answer.taken is None
        assert answer.ending is (Ending.NO_PLAN if asked else Ending.INFEASIBLE)
        assert answer.bound <= best_value(patterns(seed)) + 1e-6 or not asked


def test_what_a_step_proves_of_less_is_not_said_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first step proves that nothing costs less than its value; the solver gives up on the next."""
    monkeypatch.setattr(narrowing, "CUTS_A_ROUND", 0)
    proven = 0
    for seed in range(CASES):
        best = best_value(patterns(seed))

        def gives_up_later(program: LinearProgram, below: float, best: float = best) -> WholeAnswer:
            if below <= best:
                return WholeAnswer(None, float("inf"), Ending.INFEASIBLE)
            return WholeAnswer(None, float("-inf"), Ending.NO_PLAN)

        asked, answer = steps_of(seed, gives_up_later)
        assert not asked or answer.bound <= best + 1e-6
        proven += len(asked) > 1
    assert proven


def test_a_choice_that_is_not_proven_best_keeps_its_ending() -> None:
    def hasty(program: LinearProgram, below: float) -> WholeAnswer:
        return replace(CbcSolver().solve_whole(program, SolverLimits(), below), bound=-1e6, ending=Ending.UNPROVEN)

    for seed in range(CASES):
        _, answer = steps_of(seed, hasty)
        if answer.taken is not None:
            assert answer.ending is Ending.UNPROVEN
            assert -1e6 < answer.bound <= best_value(patterns(seed)) + 1e-6


@pytest.mark.parametrize("fails_after", [0, 2])
def test_a_solver_that_fails_is_said_to(fails_after: int) -> None:
    calls = 0

    def failing(program: LinearProgram) -> LinearAnswer:
        nonlocal calls
        calls += 1
        if calls > fails_after:
            raise SolverFailed("on purpose")
        return CbcSolver().solve_linear(program, SolverLimits())

    with pytest.raises(SolverFailed, match="on purpose"):
        stepping.best_below(patterns(1), ANYTHING, failing, whole(CbcSolver()), MANY)


def test_the_same_program_is_answered_the_same() -> None:
    first, second = steps_of(5), steps_of(5)
    assert first[0] == second[0]
    assert first[1].taken is not None
    assert second[1].taken is not None
    assert first[1].taken.tolist() == second[1].taken.tolist()
