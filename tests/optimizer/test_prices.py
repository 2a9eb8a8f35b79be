"""Prices found by steps and by the master: what they prove holds, on working sets however small."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from dom_core.domain.plan import Ending
from dom_core.domain.reason import BoolArray
from dom_core.domain.strategy import ObjectiveMode, SolverLimits
from dom_core.errors import SolverFailed
from dom_core.optimizer import decomposition, fixing, formulation, gap, mps, objective, promising, search
from dom_core.optimizer.linear import Basis, LinearAnswer, LinearProgram
from dom_core.optimizer.master import Corner, Master
from dom_core.optimizer.performing import LocalCrew
from dom_core.optimizer.prices import DIVISORS, GRAIN, Prices
from dom_core.optimizer.pricing import Priced, Pricer
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.solving import CbcSolver
from dom_core.optimizer.solving_highs import HighsSolver
from dom_core.optimizer.standing import Standing
from dom_core.optimizer.working_set import WorkingSet
from dom_core.rules.base import CapacityLimit
from tests.builders import RequestBuilder
from tests.optimizer.test_pricing import problem_of
from tests.optimizer.test_search import rivals
from tests.oracle.generation import SMALL, generate

CASES = 40

AMPLE = {(f"P{product}", f"S{source}"): 1000 for product in range(6) for source in range(6)}

LIMITS, FOREVER = SolverLimits(), float("inf")


def small_problems(first: int) -> Iterator[tuple[int, Problem]]:
    """Problems of generated cases, with their seeds: those that the search could be asked to solve."""
    for seed in range(first, first + CASES):
        request = generate(seed)
        if request.strategy.objective_mode is ObjectiveMode.RATES:
            one = problem_of(RequestBuilder(request))
            parts = decomposition.independent_parts(one)
            if parts:
                yield seed, search.only(one, np.sort(np.concatenate(parts)))


def best_total(one: Problem) -> int:
    """The points of the best plan, by the exact model."""
    parts = decomposition.independent_parts(one)
    if not parts:
        return objective.total_of(objective.levels_of(one, ()))
    answer = CbcSolver().solve(formulation.build(one, parts), SolverLimits())
    assert answer.ending is Ending.OPTIMAL
    return objective.total_of(objective.levels_of(one, answer.flows))


def pricer_of(one: Problem) -> Pricer:
    return Pricer(one, np.flatnonzero(one.wanted > 0))


def random_prices(one: Problem, seed: int) -> Prices:
    """Prices of anything, rounded parts of cells included."""
    random = np.random.default_rng(seed)
    products, sources = np.nonzero(one.stock < 2**39)
    count = len(products)
    return Prices.of(
        np.tile(products, len(DIVISORS)),
        np.tile(sources, len(DIVISORS)),
        np.repeat(DIVISORS, count),
        random.random(len(DIVISORS) * count) * random.choice([0, 300, 3000], len(DIVISORS) * count),
        random.random(len(one.capacities)) * 1000,
    ).rounded()


def total_below(bound: float, total: float) -> bool:
    return bound <= total + 1e-6 * max(1.0, total)


@pytest.mark.parametrize("first", range(0, 240, CASES))
def test_no_prices_of_units_and_rounded_parts_ever_prove_too_much(first: int) -> None:
    for seed, one in small_problems(first):
        total = best_total(one)
        for number in range(3):
            assert total_below(pricer_of(one).price(random_prices(one, seed + number)).bound, total), seed


@pytest.mark.parametrize("first", range(240, 400, CASES))
def test_the_bound_found_on_a_tiny_working_set_holds(first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promising, "KEPT_OF_LINE", 1)
    monkeypatch.setattr(promising, "KEPT_OF_SUBSET", 1)
    for seed, one in small_problems(first):
        pricer = pricer_of(one)
        found = search.priced_best(pricer, CbcSolver(), LIMITS, FOREVER).priced
        assert total_below(found.bound, best_total(one)), seed
        assert found.bound == pytest.approx(pricer.price(found.prices).bound)
        assert np.array_equal(found.prices.points * GRAIN, np.rint(found.prices.points * GRAIN))


def slack_by_pair(pricer: Pricer, prices: Prices) -> dict[tuple[int, int], float]:
    """What the best pattern that uses a pair costs beyond the best; a line that may be split counts by the unit."""
    found: dict[tuple[int, int], float] = {}
    for block in pricer.blocks(prices, lambda priced: (priced.groups, priced.slacks())):
        for groups, slacks in block.seen:
            for row, place, column in np.argwhere(np.isfinite(slacks)).tolist():
                line, source = int(groups.lines[row, place]), int(groups.sources[row, column])
                parts = int(pricer.costs.parts_of(np.array([line]))[0])
                found[line, source] = max(0.0, float(slacks[row, place, column])) / parts
    return found


@pytest.mark.parametrize("first", range(0, 80, CASES))
def test_who_must_use_a_pair_pays_at_least_its_slack_above_the_bound(first: int) -> None:
    for seed, one in small_problems(first):
        pricer, prices = pricer_of(one), random_prices(one, seed)
        bound, slacks = pricer.price(prices).bound, slack_by_pair(pricer, prices)
        for pair in sorted(slacks)[::3]:
            forced = replace(one, forced=(pair,))
            model = formulation.build(forced, decomposition.independent_parts(forced))
            answer = CbcSolver().solve(model, SolverLimits())
            if answer.ending is Ending.OPTIMAL and any(flow[:2] == pair for flow in answer.flows):
                total = objective.total_of(objective.levels_of(one, answer.flows))
                assert total_below(bound + slacks[pair], total), (seed, pair)


def test_excess_and_unused_stock_add_up_to_the_gap() -> None:
    one = problem_of(rivals(12))
    answer = CbcSolver().solve(formulation.build(one, decomposition.independent_parts(one)), SolverLimits())
    pricer, prices = pricer_of(one), random_prices(one, 7)
    units_only = Prices.of_cells(np.where(one.stock > 0, 100.0, 0.0), np.zeros(0))
    priced = pricer.price(units_only)
    excess = gap.excess_of_orders(pricer, units_only, priced, answer.flows)
    used = np.zeros(one.stock.shape)
    for line, source, units in answer.flows:
        used[one.batch.product_of[line], source] += units
    unused = 100.0 * (one.stock - used)[one.stock > 0].sum()
    total = objective.total_of(objective.levels_of(one, answer.flows))
    assert excess.sum() + unused == pytest.approx(total - priced.bound)
    assert pricer.price(prices).bound <= total


def a_program() -> LinearProgram:
    """Two groups want the only unit of a cell: min −5 a − 3 b − 2 c with a + b ≤ 1, a ≤ 1, b + c ≤ 1."""
    return LinearProgram(
        costs=np.array([-5.0, -3.0, -2.0]),
        starts=np.array([0, 2, 4, 5]),
        rows=np.array([0, 1, 0, 2, 2]),
        amounts=np.ones(5),
        limits=np.ones(3),
    )


@pytest.mark.parametrize("solver", [CbcSolver(), HighsSolver()], ids=["CLP", "HiGHS"])
def test_a_linear_program_gives_value_amounts_and_prices(solver: CbcSolver | HighsSolver) -> None:
    answer = solver.solve_linear(a_program(), SolverLimits())
    assert answer.value == pytest.approx(-7)
    assert answer.amounts == pytest.approx([1, 0, 1])
    # By duality the prices are worth as much as the answer; what they are on the way may differ.
    assert float(answer.prices @ np.ones(3)) == pytest.approx(7)


@pytest.mark.parametrize("solver", [CbcSolver(), HighsSolver()], ids=["CLP", "HiGHS"])
def test_a_solver_starts_where_it_ended_before(solver: CbcSolver | HighsSolver) -> None:
    first = solver.solve_linear(a_program(), SolverLimits())
    assert first.basis is not None
    assert first.basis.columns[[0, 2]].all()
    again = solver.solve_linear(replace(a_program(), start=first.basis), SolverLimits())
    assert (again.value, again.amounts.tolist()) == (first.value, first.amounts.tolist())


def test_a_larger_master_starts_where_a_smaller_one_ended() -> None:
    """Pattern 3 and its group 2 are new; the row that both of the first groups want is used up. It has moved."""
    one = a_master(patterns=[0, 1, 2], groups=[0, 1])
    names, then = np.array([9, 8, 7, 6, 5, 44]), np.array([9, 8, 7, 6, 5, 4, 44])
    columns, rows = bits([1, 0, 1], [1, 0, 1])
    corner = one.corner(LinearAnswer(0.0, np.zeros(3), np.zeros(3), Basis(columns, rows)), names)
    start = a_master(patterns=[0, 1, 2, 3], groups=[0, 1, 2], row=6).starting(corner, then).program.start
    assert start is not None
    assert start.columns.tolist() == [True, False, True, False]
    assert start.rows.tolist() == [True, False, True, False]
    assert start.fresh == 1


def test_a_start_that_does_not_fit_is_left_out() -> None:
    corner = Corner(np.array([0, 7]), np.array([5]), np.array([0]), 8)
    assert a_master(patterns=[0, 1], groups=[0]).starting(corner, np.arange(6)).program.start is None


def named_rows(working: WorkingSet) -> dict[tuple[int, ...], int]:
    """What rows are called: cells by product, source and number of the divisor, and limits by their number."""
    cells = list(zip(working.products.tolist(), working.sources.tolist(), strict=True))
    rows: list[tuple[int, ...]] = [(*cell, divisor) for divisor in range(len(DIVISORS)) for cell in cells]
    rows += [(limit,) for limit in range(working.pricer.rooms.count)]
    return dict(zip(rows, working.row_names().tolist(), strict=True))


def test_masters_begin_where_the_last_one_ended_though_rows_came_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promising, "KEPT_OF_LINE", 1)
    monkeypatch.setattr(promising, "KEPT_OF_SUBSET", 1)
    monkeypatch.setattr(search, "dive", lambda *_: None)
    grow, names = WorkingSet.grow, list[dict[tuple[int, ...], int]]()
    asked, solver = list[LinearProgram](), CbcSolver()

    def growing(working: WorkingSet, prices: Prices) -> Priced:
        priced = grow(working, prices)
        names.append(named_rows(working))
        return priced

    def solve(_: CbcSolver, program: LinearProgram, limits: SolverLimits) -> LinearAnswer:
        asked.append(program)
        return linear(solver, program, limits)

    linear = CbcSolver.solve_linear
    monkeypatch.setattr(WorkingSet, "grow", growing)
    monkeypatch.setattr(CbcSolver, "solve_linear", solve)
    for seed in (41, 54):  # cases in which masters are asked again after a pass over all pairs
        names.clear()
        asked.clear()
        one = problem_of(RequestBuilder(generate(seed, SMALL)))
        some = search.only(one, np.sort(np.concatenate(decomposition.independent_parts(one))))
        search.priced_best(pricer_of(some), solver, LIMITS, FOREVER)
        assert len(asked) > 2
        assert all(program.start is not None for program in asked[1:])
        assert len(names[0]) < len(names[-1])
        for before, after in pairwise(names):
            assert len(set(after.values())) == len(after)
            assert all(after[row] == name for row, name in before.items())


def a_master(patterns: list[int], groups: list[int], row: int = 5) -> Master:
    """A master of these patterns and groups with one stock row of this number."""
    nothing = np.zeros(0, dtype=np.int64)
    columns, rows = len(patterns), 1 + len(groups)
    program = LinearProgram(
        np.zeros(columns), np.zeros(columns + 1, dtype=np.int64), nothing, np.zeros(0), np.ones(rows)
    )
    return Master(program, np.array(patterns), np.array([row]), np.array(groups), nothing, 0.0)


def bits(*rows: list[int]) -> list[BoolArray]:
    return [np.array(row, dtype=bool) for row in rows]


@pytest.mark.parametrize("text", ["", "NAME\n XU x0 r0\n", "NAME\n XU x9 r0\nENDATA\n", "NAME\n XU x0 r\nENDATA\n"])
def test_a_corner_that_cannot_be_read_is_none(text: str) -> None:
    assert mps.read_basis(text, a_program()) is None


@pytest.mark.parametrize(
    "text", ["", "Infeasible - objective value 1\n", "Optimal - objective value -7\n 0 r0 1 0\n", "Optimal\n garbage\n"]
)
def test_an_answer_that_is_not_whole_is_refused(text: str) -> None:
    with pytest.raises(SolverFailed):
        mps.read(text, a_program())


def test_without_a_working_linear_solver_there_is_still_a_bound() -> None:
    class Broken(CbcSolver):
        def solve_linear(self, *_: object) -> LinearAnswer:
            raise SolverFailed("broken")

    one = problem_of(rivals(18))
    pricer = pricer_of(one)
    found = search.priced_best(pricer, Broken(), LIMITS, FOREVER)
    assert 0 < found.priced.bound <= best_total(one)


def test_ample_stock_needs_no_solver_at_all() -> None:
    class Forbidden(CbcSolver):
        def solve_linear(self, *_: object) -> LinearAnswer:
            raise AssertionError("nothing is scarce")

    one = problem_of(rivals(18).with_stock(AMPLE))
    found = search.priced_best(pricer_of(one), Forbidden(), LIMITS, FOREVER)
    assert not len(found.priced.prices.points)
    assert found.priced.bound == best_total(one)


@pytest.mark.parametrize("first", range(0, 240, CASES))
def test_pairs_that_no_better_plan_can_use_are_not_in_the_best_one(first: int) -> None:
    """The plan at hand is a point worse than the best: what is kept must allow the best."""
    for seed, one in small_problems(first):
        total, pricer = best_total(one), pricer_of(one)
        for prices in (
            random_prices(one, seed),
            search.priced_best(pricer, CbcSolver(), LIMITS, FOREVER).priced.prices,
        ):
            bound = pricer.price(prices).bound
            kept = fixing.pairs_worth_keeping(pricer, prices, total + 1 - bound)
            assert best_total(replace(one, allowed=one.allowed & kept)) == total, seed


def test_what_is_left_after_fixing_proves_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fixing, "LARGEST_SHARE", 1.0)
    one = problem_of(rivals(12))
    pricer, solver = pricer_of(one), CbcSolver()
    found = search.priced_best(pricer, solver, LIMITS, FOREVER)
    proven = fixing.prove(pricer, found.priced, Standing(one, found.flows), LocalCrew(solver), LIMITS)
    assert proven.bound == proven.plan.total == best_total(one)


def test_who_is_counted_already_pays_nothing_for_room() -> None:
    one = problem_of(rivals(1).with_stock(AMPLE))
    room = CapacityLimit(sources=(0, 1, 2, 3, 4, 5), remaining=3, per_line=False)
    dear = Prices.of_cells(np.zeros(one.stock.shape), np.array([500.0]))
    paying = replace(one, capacities=(room,))
    counted = replace(one, capacities=(replace(room, counted=frozenset((0, source) for source in range(6))),))
    free = pricer_of(one).price(Prices.none(one)).bound
    assert pricer_of(paying).price(dear).bound == free + 500 - 3 * 500
    assert pricer_of(counted).price(dear).bound == free - 3 * 500


def test_lines_pay_for_room_one_by_one_but_not_where_they_come_from_already() -> None:
    one = problem_of(rivals(2).with_stock(AMPLE))
    room = CapacityLimit(sources=(0, 1, 2, 3, 4, 5), remaining=0, per_line=True)
    dear = Prices.of_cells(np.zeros(one.stock.shape), np.array([10.0]))
    everywhere = frozenset((0, source) for source in range(6))
    paying = replace(one, capacities=(room,))
    begun = replace(paying, used=replace(one.used, limited_line_sources=everywhere))
    filled = int((pricer_of(one).price(Prices.none(one)).chosen >= 0).sum())
    free = pricer_of(one).price(Prices.none(one)).bound
    assert filled == 3
    assert pricer_of(paying).price(dear).bound == free + 3 * 10
    assert pricer_of(begun).price(dear).bound == free + 2 * 10
    assert pricer_of(begun).price(dear).capacity_use.tolist() == [2.0]


@pytest.mark.parametrize("per_line", [False, True])
def test_a_price_that_is_not_paid_takes_no_digits_of_costs(per_line: bool) -> None:
    """Costs beside 2e20 would come back in steps of 32,768 points once the price is taken off again."""
    one = problem_of(rivals(2).with_stock(AMPLE))
    everywhere = frozenset((number, source) for number in range(one.batch.shape[0]) for source in range(6))
    full = CapacityLimit(sources=(0, 1, 2, 3, 4, 5), remaining=0, per_line=per_line, counted=everywhere)
    known = replace(one, capacities=(full,), used=replace(one.used, limited_line_sources=everywhere))
    dear = Prices.of_cells(np.zeros(one.stock.shape), np.array([2e20]))
    assert pricer_of(known).price(dear).bound == pricer_of(one).price(Prices.none(one)).bound
