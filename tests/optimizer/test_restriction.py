"""A small problem is the whole one with less in it: same points, same limits, same best plan."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest

from dom_core.domain.batch import PlaceTable
from dom_core.domain.plan import Ending, Level
from dom_core.domain.strategy import ObjectiveMode, SolverLimits
from dom_core.optimizer import activation, decomposition, formulation, pipeline, relaxation, restriction
from dom_core.optimizer.costs import Flow
from dom_core.optimizer.objective import levels_of, points_by_order, total_of
from dom_core.optimizer.prices import Prices
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.restriction import Restriction
from dom_core.optimizer.solving import CbcSolver
from tests.oracle.generation import generate

SEEDS = range(0, 160, 40)


def problems(first: int) -> Iterator[tuple[int, Problem]]:
    """The problems of both iterations of forty generated requests; the second where there are soft rules."""
    for seed in range(first, first + 40):
        request = generate(seed)
        if request.strategy.objective_mode is ObjectiveMode.STRICT:
            continue
        prepared = relaxation.prepare(pipeline.open_lines(request)[0])
        yield seed, prepared.problem
        if activation.soft_rules(request):
            yield seed, prepared.leftover(best(prepared.problem))


def best(problem: Problem) -> tuple[Flow, ...]:
    parts = decomposition.independent_parts(problem)
    if not parts:
        return ()
    answer = CbcSolver().solve(formulation.build(problem, parts), SolverLimits())
    assert answer.ending is Ending.OPTIMAL
    return answer.flows


def counted(problem: Problem, flows: Sequence[Flow]) -> list[int]:
    """What each level of the objective adds up to, flow by flow."""
    batch, before = problem.batch, problem.used
    filled, worst, km = Counter[int](), defaultdict[tuple[int, int], int](int), dict[tuple[int, int, int], int]()
    for line, source, units in flows:
        stop = (int(batch.order_of[line]), source)
        filled[line] += units
        worst[stop] = max(worst[stop], int(problem.steps[line, source]))
        km[problem.leg(line, source)] = int(problem.km[line, source])
    charged = problem.costs.total_cents if problem.costs else lambda *_: 0
    amounts = {
        Level.UNFILLED_UNITS: sum(
            int(problem.wanted[line] - filled[line]) * int(problem.weights[order])
            for line, order in enumerate(batch.order_of.tolist())
        ),
        Level.SHIPMENTS: len(worst.keys() - before.paid_steps.keys()),
        Level.COST_CENTS: charged(flows, before.cost_legs, before.shipments, before.line_sources),
        Level.PRIORITY_STEPS: sum(max(0, steps - before.paid_steps.get(stop, 0)) for stop, steps in worst.items()),
        Level.DISTANCE_KM: sum(far for leg, far in km.items() if leg not in before.legs),
    }
    return [amounts[level] for level in problem.rates]


@pytest.mark.parametrize("first", SEEDS)
def test_points_of_orders_add_up_to_the_total(first: int) -> None:
    for seed, problem in problems(first):
        for flows in ((), best(problem)):
            assert points_by_order(problem, flows).sum() == total_of(levels_of(problem, flows)), seed
            assert [value.amount for value in levels_of(problem, flows)] == counted(problem, flows), seed


@pytest.mark.parametrize("first", SEEDS)
def test_each_part_alone_has_the_best_plan_that_it_has_among_the_others(first: int) -> None:
    for seed, problem in problems(first):
        restriction, flows = Restriction.of(problem), list[Flow]()
        for lines in decomposition.independent_parts(problem):
            small = restriction.to(lines, np.ones((len(lines), problem.batch.shape[1]), dtype=bool))
            own = best(small.problem)
            assert small.inward(small.outward(own)) == list(own)
            flows += small.outward(own)
        assert points_by_order(problem, sorted(flows)).sum() == points_by_order(problem, best(problem)).sum(), seed


@pytest.mark.parametrize("first", SEEDS)
def test_the_points_of_some_orders_are_the_same_in_a_small_problem(first: int) -> None:
    for seed, problem in problems(first):
        flows = best(problem)
        whole = points_by_order(problem, flows)
        orders = np.unique(problem.batch.order_of)[::2]
        lines = np.flatnonzero(np.isin(problem.batch.order_of, orders))
        small = Restriction.of(problem).to(lines, np.ones((len(lines), problem.batch.shape[1]), dtype=bool))
        own = small.inward(flow for flow in flows if flow[0] in set(lines.tolist()))
        assert points_by_order(small.problem, own).tolist() == whole[orders].tolist(), seed


def test_kilometres_of_many_lines_are_kept_by_place_and_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    for seed, problem in problems(0):
        lines = np.arange(0, len(problem.wanted), 2)
        if not len(lines):
            continue
        every = np.ones((len(lines), problem.batch.shape[1]), dtype=bool)
        one = Restriction.of(problem).to(lines, every, all_sources=True).problem
        with monkeypatch.context() as patch:
            patch.setattr(restriction, "LINES_BY_PLACE", 1)
            other = Restriction.of(problem).to(lines, every, all_sources=True).problem
        assert isinstance(other.km, PlaceTable)
        assert not isinstance(one.km, PlaceTable)
        assert np.array_equal(other.km.astype(np.int64), one.km), seed
        assert one.batch.shape[1] == problem.batch.shape[1]


def test_only_offered_pairs_are_left() -> None:
    problem = next(problem for _, problem in problems(0) if problem.allowed.sum() > 3)
    lines = np.flatnonzero(problem.allowed.any(axis=1))[:1]
    offered = np.zeros((1, problem.batch.shape[1]), dtype=bool)
    source = int(np.flatnonzero(problem.allowed[lines[0]])[0])
    offered[0, source] = True
    small = Restriction.of(problem).to(lines, offered)
    assert small.problem.allowed.sum() == 1
    assert small.outward([(0, int(np.flatnonzero(small.problem.allowed[0])[0]), 1)]) == [(int(lines[0]), source, 1)]


def test_prices_of_a_small_problem_are_those_of_its_own_cells() -> None:
    """Every second line and every second source: each cell has the price that it has in the whole problem."""
    checked = 0
    for seed, problem in problems(0):
        if problem.batch.shape[1] < 2:
            continue
        lines, stock = np.arange(0, problem.batch.shape[0], 2), np.zeros(problem.stock.shape)
        stock += 1 + np.arange(stock.size).reshape(stock.shape)
        products, sources = (axis.ravel() for axis in np.indices(stock.shape))
        halves = stock.ravel() + 0.5
        prices = Prices.of(
            np.tile(products, 2),
            np.tile(sources, 2),
            np.repeat([1.0, 1.5], stock.size),
            np.concatenate((stock.ravel(), halves)),
            np.linspace(1, 2, len(problem.capacities)),
        )
        offered = np.zeros((len(lines), problem.batch.shape[1]), dtype=bool)
        offered[:, 1::2] = True
        small = Restriction.of(problem).to(lines, offered)
        own = small.prices(problem, prices)
        assert own.capacity.tolist() == prices.capacity.tolist()
        mine = np.unique(problem.batch.product_of[lines])
        rows, columns = (axis.ravel() for axis in np.indices(small.problem.stock.shape))
        for divisor in (1.0, 1.5):
            whole = prices.at(mine[rows], small.sources[columns], divisor)
            assert own.at(rows, columns, divisor).tolist() == whole.tolist(), seed
            checked += len(whole)
        assert len(own.points) == 2 * small.problem.stock.size
    assert checked > 50


def test_patterns_come_in_with_the_sources_that_are_there() -> None:
    whole = next(problem for _, problem in problems(0) if problem.batch.shape[1] >= 3)
    small = replace(Restriction.of(whole).to(np.arange(1), whole.allowed[:1]), sources=np.array([0, 2]))
    patterns = np.array([[0, 2], [-1, 2], [1, 2], [2, -1], [-1, -1], [0, 3]])
    assert small.inward_sources(patterns).tolist() == [[0, 1], [-1, 1], [1, -1], [-1, -1]]
    assert small.inward_sources(patterns[2:3]).shape == (0, 2)
