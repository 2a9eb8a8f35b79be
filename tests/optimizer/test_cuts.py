"""Cuts say something that shares break and that no choice of whole columns does."""

import numpy as np
import pytest

from dom_core.domain.reason import FloatArray, IntArray
from dom_core.domain.strategy import SolverLimits
from dom_core.optimizer import cuts
from dom_core.optimizer.linear import LinearProgram
from dom_core.optimizer.solving import CbcSolver
from tests.optimizer.test_whole_programs import every_choice, keeps

MANY = 1_000


def patterns(seed: int, columns: int = 10, rows: int = 6, orders: int = 5) -> LinearProgram:
    """Patterns of some orders, at most one of each, for stock of which there is little."""
    random = np.random.default_rng(seed)
    uses = np.where(random.random((columns, rows)) < 0.35, random.integers(1, 4, (columns, rows)), 0)
    matrix = np.hstack((uses, np.eye(orders, dtype=np.int64)[np.arange(columns) % orders]))
    column, row = np.nonzero(matrix)
    return LinearProgram(
        costs=-random.integers(1, 40, columns).astype(np.float64),
        starts=np.concatenate(([0], np.cumsum((matrix > 0).sum(axis=1)))),
        rows=row,
        amounts=matrix[column, row].astype(np.float64),
        limits=np.array([*random.integers(1, 4, rows), *([1] * orders)], dtype=np.float64),
    )


def matrix_of(program: LinearProgram) -> FloatArray:
    """Rows by columns."""
    matrix = np.zeros((len(program.limits), len(program.costs)))
    for column in range(len(program.costs)):
        for entry in range(program.starts[column], program.starts[column + 1]):
            matrix[program.rows[entry], column] += program.amounts[entry]
    return matrix


def shares_of(program: LinearProgram) -> FloatArray:
    return CbcSolver().solve_linear(program, SolverLimits()).amounts


def halved(matrix: FloatArray, limits: FloatArray, rows: IntArray) -> tuple[FloatArray, float]:
    """Half of the sum of these rows, rounded down: its numbers and its limit."""
    return np.floor(matrix[rows].sum(axis=0) / 2), float(np.floor(limits[rows].sum() / 2))


def test_of_three_pairs_of_orders_that_share_a_last_unit_one_order_can_be_whole() -> None:
    pairs = np.array([[1.0, 1, 0], [0, 1, 1], [1, 0, 1]])
    found = cuts.zero_half(pairs, np.ones(3), np.full(3, 0.5), MANY)
    assert [rows.tolist() for rows in found] == [[0, 1, 2]]
    numbers, limit = halved(pairs, np.ones(3), found[0])
    assert (numbers.tolist(), limit) == ([1.0, 1.0, 1.0], 1.0)


def test_what_is_whole_breaks_no_cut() -> None:
    pairs = np.array([[1.0, 1, 0], [0, 1, 1], [1, 0, 1]])
    assert not cuts.zero_half(pairs, np.ones(3), np.array([1.0, 0, 0]), MANY)


def test_rows_with_other_than_whole_numbers_are_left_out() -> None:
    pairs = np.array([[1.0, 1, 0], [0, 1, 1], [1, 0, 1]])
    assert not cuts.zero_half(pairs * [[1.0], [0.5], [1]], np.ones(3), np.full(3, 0.5), MANY)
    assert not cuts.zero_half(pairs, np.array([1.0, 1, 1.25]), np.full(3, 0.5), MANY)


def test_shares_break_every_cut_and_no_choice_does() -> None:
    seen = 0
    for seed in range(60):
        program = patterns(seed)
        matrix, shares = matrix_of(program), shares_of(program)
        allowed = [taken for taken in every_choice(program) if keeps(program, taken)]
        for rows in cuts.zero_half(matrix, program.limits, shares, MANY):
            seen += 1
            numbers, limit = halved(matrix, program.limits, rows)
            assert float(numbers @ shares) >= limit + cuts.LEAST_BREACH - 1e-6, seed
            assert all(float(numbers @ taken) <= limit for taken in allowed), seed
    assert seen > 30


@pytest.mark.parametrize("most", [0, 1, 2])
def test_as_many_cuts_as_wanted_the_most_broken_first(most: int) -> None:
    for seed in range(20):
        program = patterns(seed)
        matrix, shares = matrix_of(program), shares_of(program)
        every = cuts.zero_half(matrix, program.limits, shares, MANY)
        breaches = []
        for rows in every:
            numbers, limit = halved(matrix, program.limits, rows)
            breaches.append(round(float(numbers @ shares) - limit, 6))
        assert breaches == sorted(breaches, reverse=True)
        some = cuts.zero_half(matrix, program.limits, shares, most)
        assert [rows.tolist() for rows in some] == [rows.tolist() for rows in every[:most]]
