"""Columns taken whole or not at all: both solvers find what trying everything finds, and say what is proven."""

from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from dom_core.domain.plan import Ending
from dom_core.domain.reason import BoolArray
from dom_core.domain.strategy import SolverLimits
from dom_core.errors import Cancelled, SolverFailed
from dom_core.optimizer import mps, solving
from dom_core.optimizer.linear import LinearProgram, WholeAnswer
from dom_core.optimizer.solving import CbcSolver, Solver
from dom_core.optimizer.solving_highs import HighsSolver
from dom_core.watch import Watch, WatchedLimits
from tests.optimizer.stand_in import says, stand_in

SOLVERS: list[object] = [
    pytest.param(CbcSolver, id="CBC"),
    pytest.param(
        HighsSolver,
        id="HiGHS",
        marks=pytest.mark.skipif(find_spec("highspy") is None, reason="the second solver is not installed"),
    ),
]
both_solvers = pytest.mark.parametrize("make", SOLVERS)
MakeSolver = Callable[[], Solver]

LIMITS, CASES, ANYTHING = SolverLimits(), 25, 0.5
"""Taking nothing costs nothing: `ANYTHING` is just above that."""


def a_program(seed: int, columns: int = 9, rows: int = 5) -> LinearProgram:
    """Columns that use some of several rows, as patterns use stock, and one of each of two groups at most."""
    random = np.random.default_rng(seed)
    uses = np.where(random.random((columns, rows)) < 0.5, random.integers(1, 5, (columns, rows)), 0)
    groups = np.eye(2, dtype=np.int64)[np.arange(columns) % 2] if seed % 2 else np.zeros((columns, 0), dtype=np.int64)
    matrix = np.hstack((uses, groups))
    column, row = np.nonzero(matrix)
    limits = np.array([*random.integers(2, 10, rows), *([1] * groups.shape[1])], dtype=np.float64)
    return LinearProgram(
        costs=-random.integers(0, 40, columns) / 2 + (random.random(columns) < 0.1) * 9.0,
        starts=np.concatenate(([0], np.cumsum((matrix > 0).sum(axis=1)))),
        rows=row,
        amounts=matrix[column, row].astype(np.float64),
        limits=limits,
    )


def use_of(program: LinearProgram, taken: BoolArray) -> list[float]:
    """What these columns use of each row, added up one by one."""
    use = [0.0] * len(program.limits)
    for column in np.flatnonzero(taken).tolist():
        for entry in range(program.starts[column], program.starts[column + 1]):
            use[program.rows[entry]] += program.amounts[entry]
    return use


def keeps(program: LinearProgram, taken: BoolArray) -> bool:
    return all(used <= limit for used, limit in zip(use_of(program, taken), program.limits, strict=True))


def every_choice(program: LinearProgram) -> list[BoolArray]:
    return [np.array(bits, dtype=bool) for bits in product((False, True), repeat=len(program.costs))]


def best_value(program: LinearProgram) -> float:
    return min(float(program.costs @ taken) for taken in every_choice(program) if keeps(program, taken))


def test_a_choice_is_allowed_where_it_keeps_every_row() -> None:
    for seed in range(6):
        program = a_program(seed)
        verdicts = [(program.allows(taken), keeps(program, taken)) for taken in every_choice(program)]
        assert {both for both, _ in verdicts} == {False, True}
        assert all(one == other for one, other in verdicts), seed


@both_solvers
def test_the_best_choice_is_found_and_proven(make: MakeSolver) -> None:
    for seed in range(CASES):
        program = a_program(seed)
        answer = make().solve_whole(program, LIMITS, ANYTHING)
        best = best_value(program)
        assert answer.taken is not None, seed
        assert program.allows(answer.taken), seed
        assert float(program.costs @ answer.taken) == pytest.approx(best), seed
        assert answer.ending is Ending.OPTIMAL, seed
        assert answer.bound == pytest.approx(best), seed


@both_solvers
def test_what_is_better_than_asked_is_found_all_the_same(make: MakeSolver) -> None:
    for seed in range(CASES):
        program = a_program(seed)
        best = best_value(program)
        answer = make().solve_whole(program, LIMITS, best + 0.25)
        assert answer.taken is not None, seed
        assert answer.ending is Ending.OPTIMAL, seed
        assert float(program.costs @ answer.taken) == pytest.approx(best), seed


@both_solvers
@pytest.mark.parametrize("above_best", [0.0, -0.25, -50.0])
def test_where_nothing_costs_less_than_asked_nothing_is_found_and_that_is_proven(
    make: MakeSolver, above_best: float
) -> None:
    for seed in range(CASES):
        program = a_program(seed)
        below = best_value(program) + above_best
        answer = make().solve_whole(program, LIMITS, below)
        assert answer.taken is None, seed
        assert answer.ending in (Ending.INFEASIBLE, Ending.NO_PLAN), seed
        assert answer.bound >= below - 1e-6, seed


@both_solvers
def test_a_limit_that_is_hit_leaves_a_choice_that_keeps_every_row_and_a_bound_that_holds(make: MakeSolver) -> None:
    program = a_program(1, columns=60, rows=30)
    best = make().solve_whole(program, LIMITS, ANYTHING)
    assert best.ending is Ending.OPTIMAL
    for limits in (SolverLimits(solve_limit_s=0.01), SolverLimits(max_nodes=1), SolverLimits(relative_gap=0.5)):
        answer = make().solve_whole(program, limits, ANYTHING)
        assert answer.bound <= best.bound + 1e-6
        if answer.taken is None:
            assert answer.ending is Ending.NO_PLAN
            continue
        value = float(program.costs @ answer.taken)
        assert program.allows(answer.taken)
        assert best.bound - 1e-6 <= value
        assert answer.ending is Ending.UNPROVEN or value == pytest.approx(best.bound)


@both_solvers
def test_hardly_any_time_is_no_failure(make: MakeSolver) -> None:
    """CBC 2.10.3 then crashes in some searches, and calls some programs infeasible that are not."""
    for seed in (1, 3, 4, 7):
        program = a_program(seed, columns=60, rows=30)
        best = make().solve_whole(program, LIMITS, ANYTHING)
        for step in range(1, 17):
            answer = make().solve_whole(program, SolverLimits(solve_limit_s=step / 4000), ANYTHING)
            assert answer.bound <= best.bound + 1e-6
            assert answer.taken is None or program.allows(answer.taken)


@both_solvers
def test_a_gap_that_was_allowed_is_not_called_proven(make: MakeSolver) -> None:
    """Half of the value may be unproven, and of this program some is."""
    answer = make().solve_whole(hard_program(), SolverLimits(relative_gap=0.5), ANYTHING)
    assert answer.taken is not None
    assert answer.ending is Ending.UNPROVEN


@both_solvers
def test_who_is_asked_to_stop_while_it_works_stops(make: MakeSolver) -> None:
    with pytest.raises(Cancelled):
        make().solve_whole(hard_program(), watched(lambda: True), ANYTHING)


@both_solvers
def test_it_is_asked_while_it_works_and_not_only_at_the_end(make: MakeSolver) -> None:
    """Only the first look says stop: CBC's process is ended at once, HiGHS is interrupted and has no answer."""
    looks = iter([True])
    expected, words = (Cancelled, "on request") if make is CbcSolver else (SolverFailed, "(?i)interrupt")
    with pytest.raises(expected, match=words):
        make().solve_whole(hard_program(), watched(lambda: next(looks, False)), ANYTHING)


@both_solvers
def test_what_no_choice_could_be_worth_is_not_looked_for(make: MakeSolver) -> None:
    answer = make().solve_whole(a_program(1), LIMITS, -1e6)
    assert (answer.taken, answer.bound, answer.ending) == (None, float("inf"), Ending.INFEASIBLE)


def watched(stop_asked: Callable[[], bool]) -> WatchedLimits:
    return WatchedLimits.of(SolverLimits(solve_limit_s=10), Watch(stop_asked=stop_asked))


def hard_program() -> LinearProgram:
    """A hundred columns that all use all of twenty rows, in odd amounts."""
    random = np.random.default_rng(1)
    columns, rows = 100, 20
    amounts = random.integers(100, 1000, (columns, rows)).astype(np.float64)
    return LinearProgram(
        costs=-random.integers(100, 1000, columns).astype(np.float64),
        starts=np.arange(columns + 1) * rows,
        rows=np.tile(np.arange(rows), columns),
        amounts=amounts.ravel(),
        limits=amounts.sum(axis=0) // 2,
    )


# What CBC writes, and what it might.


def small() -> LinearProgram:
    """Two want the only unit, the third does not: min −5 a − 3 b − 2 c with a + b ≤ 1, c ≤ 1."""
    return LinearProgram(
        costs=np.array([-5.0, -3.0, -2.0]),
        starts=np.array([0, 1, 2, 3]),
        rows=np.array([0, 0, 1]),
        amounts=np.ones(3),
        limits=np.ones(2),
    )


BEST = "Optimal - objective value -7.00000000\n      0 x0    1    -5\n      2 x2    1    -2\n"


def read(text: str, stated_bound: float = -9.0) -> WholeAnswer:
    return mps.read_whole(text, small(), stated_bound)


def test_an_answer_is_read_with_what_it_proves() -> None:
    answer = read(BEST)
    assert answer.taken is not None
    assert (answer.taken.tolist(), answer.bound, answer.ending) == ([True, False, True], -7.0, Ending.OPTIMAL)
    stopped = read(BEST.replace("Optimal", "Stopped on time"))
    assert (stopped.bound, stopped.ending) == (-9.0, Ending.UNPROVEN)
    assert read(BEST.replace("Optimal", "Optimal (within gap tolerance)")).ending is Ending.UNPROVEN


@pytest.mark.parametrize(
    ("head", "bound", "ending"),
    [
        ("Infeasible - objective value -7.00000000", float("inf"), Ending.INFEASIBLE),
        ("Integer infeasible - objective value -7.00000000", float("inf"), Ending.INFEASIBLE),
        ("Stopped on time (no integer solution - continuous used) - objective value -8.1", -9.0, Ending.NO_PLAN),
        ("", -9.0, Ending.NO_PLAN),
        ("Unbounded - objective value -7.00000000", -9.0, Ending.NO_PLAN),
    ],
)
def test_where_there_is_no_choice_its_fractions_are_not_taken_for_one(head: str, bound: float, ending: Ending) -> None:
    answer = read(f"{head}\n      0 x0    1    -5\n      1 x1    0.5    -3\n")
    assert (answer.taken, answer.bound, answer.ending) == (None, bound, ending)


@pytest.mark.parametrize(
    "text",
    [
        BEST[:-9],
        BEST.removesuffix("\n"),
        BEST.rpartition("      2")[0],
        BEST.partition("\n")[0],
        BEST.replace("x2", "x9"),
        BEST.replace("x2", "x"),
        BEST.replace("x2", "y2"),
        BEST.replace("x2    1", "x2    one"),
        BEST.replace("x2    1    -2", "x2"),
        BEST + "      1 x1    1    -3\n",
        BEST.replace("-7", "-10") + "      1 x1    1    -3\n",
        "Optimal\n garbage\n",
        "Optimal - objective value seven\n      0 x0    1    -5\n      2 x2    1    -2\n",
    ],
)
def test_an_answer_that_is_cut_short_or_none_to_this_program_is_refused(text: str) -> None:
    with pytest.raises(SolverFailed):
        read(text)


def test_columns_taken_whole_are_written_with_their_bounds() -> None:
    text = mps.write(small(), whole=True)
    assert "'INTORG'" in text
    assert text.index("RHS") < text.index("BOUNDS") < text.index(" UP b x2 1\n") < text.index("ENDATA")
    assert "BOUNDS" not in mps.write(small())


def test_a_crashing_solver_is_a_plain_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solving, "cbc_executable", lambda: Path("/bin/false"))
    with pytest.raises(SolverFailed, match="ended with code 1"):
        CbcSolver().solve_whole(small(), LIMITS, ANYTHING)


def test_a_solver_that_ends_without_an_answer_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solving, "cbc_executable", lambda: Path("/bin/true"))
    with pytest.raises(SolverFailed, match="without an answer"):
        CbcSolver().solve_whole(small(), LIMITS, ANYTHING)


def test_a_solver_that_ignores_its_limit_is_killed_and_finds_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path, monkeypatch, "exec sleep 600")
    monkeypatch.setattr(solving, "KILL_AFTER_S", 0.2)
    answer = CbcSolver().solve_whole(small(), replace(LIMITS, solve_limit_s=0.1), ANYTHING)
    assert (answer.taken, answer.ending) == (None, Ending.NO_PLAN)


@pytest.mark.parametrize("head", ["Infeasible", "Integer infeasible"])
def test_infeasible_is_a_proof_only_while_there_is_time(
    head: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path, monkeypatch, says(head))
    in_time = CbcSolver().solve_whole(small(), LIMITS, ANYTHING)
    assert (in_time.taken, in_time.bound, in_time.ending) == (None, float("inf"), Ending.INFEASIBLE)
    late = CbcSolver().solve_whole(small(), replace(LIMITS, solve_limit_s=0.1), ANYTHING)
    assert (late.taken, late.bound, late.ending) == (None, float("-inf"), Ending.NO_PLAN)


@both_solvers
def test_where_nothing_is_worth_taking_nothing_is_taken(make: MakeSolver) -> None:
    dear = replace(small(), costs=np.array([1.0, 2.0, 3.0]))
    answer = make().solve_whole(dear, LIMITS, ANYTHING)
    assert answer.taken is not None
    assert not answer.taken.any()
    assert (answer.bound, answer.ending) == (0.0, Ending.OPTIMAL)
