"""The search for large parts: valid plans, honest bounds, the same plan every time."""

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace

import pytest

from dom_core.domain.plan import Ending, Plan
from dom_core.domain.reason import IntArray
from dom_core.domain.strategy import ObjectiveMode, SolverLimits
from dom_core.errors import SolverFailed
from dom_core.optimizer import blocks, formulation, neighbourhoods, relaxation, search
from dom_core.optimizer import workers as worker_count
from dom_core.optimizer.costs import Flow
from dom_core.optimizer.performing import LocalCrew
from dom_core.optimizer.pipeline import open_lines, plan_once
from dom_core.optimizer.problem import Problem
from dom_core.optimizer.solving import Answer, CbcSolver, Search, Solver
from dom_core.optimizer.tasks import Crew
from tests.builders import RequestBuilder, a_request, a_rule, a_source, an_order
from tests.oracle.generation import generate

PLACES = [(47.6, -122.3), (40.7, -74.0), (33.7, -84.4), (41.9, -87.6), (29.8, -95.4), (39.7, -105.0)]


def rivals(orders: int) -> RequestBuilder:
    """Orders of one to three lines for the same six products, and stock for most of them, here and there."""
    sources = [a_source(f"S{number}", at=place) for number, place in enumerate(PLACES)]
    builder = a_request().with_sources(*sources)
    for number in range(orders):
        order = an_order(f"O{number:03}").shipping_to(*PLACES[(number * 5) % 6])
        for line in range(1 + number % 3):
            order = order.with_line(f"P{(number + line) % 6}", 1 + (number + line) % 2)
        builder = builder.with_orders(order)
    stock = {(f"P{p}", f"S{s}"): orders // 9 + (p * s) % 3 for p in range(6) for s in range(6) if (p + s) % 3}
    return builder.with_stock(stock)


def searched(builder: RequestBuilder, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """The plan that the search makes where the exact model would have been small enough."""
    with monkeypatch.context() as patch:
        patch.setattr(blocks, "EXACT_PAIRS", 0)
        return plan_once(builder.build(), CbcSolver())


def test_the_search_comes_close_to_the_best_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = plan_once(rivals(16).build(), CbcSolver()).iterations[0]
    assert exact.ending is Ending.OPTIMAL
    found = searched(rivals(16), monkeypatch).iterations[0]
    assert found.filled_units == exact.filled_units
    assert found.total <= exact.total * 1.001


def test_the_same_request_gives_the_same_plan_by_search(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = searched(rivals(18), monkeypatch), searched(rivals(18), monkeypatch)
    assert (one.lines, one.reasons) == (other.lines, other.reasons)
    assert [replace(report, seconds=0) for report in one.iterations] == [
        replace(report, seconds=0) for report in other.iterations
    ]


def test_a_limit_that_stops_the_search_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbourhoods, "ROUNDS", 1)
    monkeypatch.setattr(neighbourhoods, "ROUNDS_PER_ORDER", 0)
    report = searched(rivals(40), monkeypatch).iterations[0]
    assert (report.ending, report.ending_limit) in ((Ending.UNPROVEN, "rounds"), (Ending.OPTIMAL, ""))
    assert report.bound <= report.total


def test_when_the_exact_model_finds_nothing_in_time_the_search_still_gives_a_plan(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def hopeless(*_: object, **__: object) -> Answer:
        return Answer((), Ending.NO_PLAN, float("-inf"), "seconds", 0.0)

    monkeypatch.setattr(blocks, "_exactly", hopeless)
    report = plan_once(rivals(18).build(), CbcSolver()).iterations[0]
    assert report.filled_units > 0
    assert report.bound > 0


def test_what_the_exact_model_proved_counts_for_the_plan_of_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    exactly = blocks._exactly

    def cut_short(problem: Problem, solver: Solver, limits: SolverLimits, *, strict: bool = False) -> Answer:
        return replace(exactly(problem, solver, limits, strict=strict), ending=Ending.UNPROVEN, limit="seconds")

    report = plan_once(rivals(18).build(), CbcSolver()).iterations[0]
    monkeypatch.setattr(blocks, "_exactly", cut_short)
    cut = plan_once(rivals(18).build(), CbcSolver()).iterations[0]
    assert (cut.ending, cut.ending_limit, cut.total, cut.bound) == (Ending.OPTIMAL, "", report.total, report.bound)


@pytest.mark.parametrize(("making_s", "exact_s", "search_s"), [(0.9, 5, 10), (3.2, 2, 7), (30, 1, 1)])
def test_making_the_exact_model_counts_against_the_limit(
    making_s: float, exact_s: float, search_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten seconds, of which the exact model may use half, and the search what is left."""
    now, given = [0.0], []
    build = formulation.build

    def slow(problem: Problem, parts: Sequence[IntArray]) -> formulation.Model:
        now[0] += making_s
        return build(problem, parts)

    class Undecided(CbcSolver):
        def solve(self, _model: formulation.Model, limits: SolverLimits) -> Answer:
            given.append(limits.solve_limit_s)
            return Answer((), Ending.NO_PLAN, float("-inf"), "seconds", 0.0)

    def noted(problem: Problem, solver: Solver, crew: Crew, limits: SolverLimits, start: Sequence[Flow] = ()) -> Answer:
        given.append(limits.solve_limit_s)
        return Answer((), Ending.UNPROVEN, 0.0, "seconds", 0.0)

    monkeypatch.setattr(blocks, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(formulation, "build", slow)
    monkeypatch.setattr(search, "solve_large", noted)
    problem = relaxation.prepare(open_lines(rivals(4).build())[0]).problem
    blocks.solve(problem, Undecided(), LocalCrew(Undecided()), SolverLimits(solve_limit_s=10))
    assert given == [exact_s, search_s]


@pytest.mark.parametrize(
    ("lines", "units", "in_parts", "limit_s", "pairs"),
    [
        (2, 1, True, 120, 8_000),  # a single unit has no parts
        (2, 3, False, 120, 8_000),
        (2, 3, True, 120, 30_000),
        (2, 3, True, 10, 8_000),
        (7, 1, False, 10, 100_000),
    ],
)
def test_the_exact_model_gets_more_where_the_search_proves_little(
    lines: int, units: int, in_parts: bool, limit_s: float, pairs: int
) -> None:
    order = an_order("O1")
    for number in range(lines):
        order = order.with_line(f"P{number}", units)
    split = {"max_sources": 2, "partial_orders": True, "partial_lines": in_parts, "max_sources_per_line": 1}
    builder = a_request().with_sources(a_source("S1")).with_orders(order).with_rules(a_rule("partial_orders", split))
    problem = relaxation.prepare(open_lines(builder.build())[0]).problem
    assert blocks._most_exact_pairs(problem, SolverLimits(solve_limit_s=limit_s)) == pairs


class Broken(CbcSolver):
    """A solver that starts and fails."""

    def solve(self, *_: object) -> Answer:
        raise SolverFailed("broken")

    def solve_strictly(self, *_: object) -> Answer:
        raise SolverFailed("broken")


def test_a_solver_that_fails_in_a_neighbourhood_leaves_the_plan_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "EXACT_PAIRS", 0)
    report = plan_once(rivals(18).build(), Broken()).iterations[0]
    assert report.filled_units > 0
    assert report.ending in (Ending.UNPROVEN, Ending.OPTIMAL)


@pytest.mark.parametrize("mode", list(ObjectiveMode))
def test_without_a_working_solver_there_is_a_plan_with_a_bound_that_says_so(mode: ObjectiveMode) -> None:
    request = rivals(18).build()
    request = replace(request, strategy=replace(request.strategy, objective_mode=mode))
    exact = plan_once(request, CbcSolver()).iterations[0]
    plan = plan_once(request, Broken())
    report = plan.iterations[0]
    assert (report.ending, report.ending_limit) == (Ending.UNPROVEN, "solver_failed")
    assert 0 < report.bound <= exact.total <= report.total
    assert plan.warnings == ("The solver failed, so that the search alone made this plan: broken",)


def test_where_no_order_stands_in_the_way_of_another_no_solver_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    class Forbidden(CbcSolver):
        def search(self, *_: object) -> Search:
            raise AssertionError("every order can have its best pattern")

    ample = rivals(30).with_stock({(f"P{product}", f"S{source}"): 1000 for product in range(6) for source in range(6)})
    exact = plan_once(ample.build(), CbcSolver()).iterations[0]
    monkeypatch.setattr(relaxation, "IDEAL_PAIRS", 0)
    report = plan_once(ample.build(), Forbidden()).iterations[0]
    assert report.ending is Ending.OPTIMAL
    assert (report.gap, report.total) == (0.0, exact.total)


def test_where_orders_compete_the_ideal_is_no_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relaxation, "IDEAL_PAIRS", 0)
    for seed in range(40):
        request = generate(seed)
        ideal = plan_once(request, CbcSolver()).iterations[0]
        monkeypatch.setattr(relaxation, "IDEAL_PAIRS", 10**9)
        assert ideal.total == plan_once(request, CbcSolver()).iterations[0].total, seed
        monkeypatch.setattr(relaxation, "IDEAL_PAIRS", 0)


@pytest.mark.parametrize("workers", [1, 3])
def test_the_plan_does_not_depend_on_how_many_tasks_run_side_by_side(
    workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = searched(rivals(16), monkeypatch)
    monkeypatch.setattr(worker_count, "WORKERS", workers)
    assert searched(rivals(16), monkeypatch).lines == usual.lines


@pytest.mark.parametrize(
    ("total", "bound", "ending", "told"),
    [
        (3, 3 - 1e-11, Ending.OPTIMAL, 3.0),
        (3, 2.999, Ending.UNPROVEN, 2.999),
        (2_000_000_000, 2_000_000_000 - 1.5, Ending.OPTIMAL, 2_000_000_000 - 1.5),
        (0, 0.0, Ending.OPTIMAL, 0.0),
    ],
)
def test_a_plan_that_is_proven_best_has_its_total_for_a_bound(
    total: int, bound: float, ending: Ending, told: float
) -> None:
    """What float arithmetic lacks would be told as a gap of a thousandth, which the audit refuses for so few points."""
    searched = Answer((), Ending.UNPROVEN, 0.0, "rounds", 0.0)
    answer = search.proven_by(searched, bound, total, SolverLimits())
    assert (answer.ending, answer.bound) == (ending, told)
