"""Endings, bounds and the executable of CBC, on models small enough to solve by eye."""

import math
import subprocess
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pulp
import pytest

from dom_core.domain.plan import Ending
from dom_core.domain.strategy import SolverLimits
from dom_core.errors import SolverFailed
from dom_core.optimizer import (
    activation,
    candidates,
    columns,
    decomposition,
    eligibility,
    formulation,
    problem,
    solving,
)
from dom_core.optimizer.solving_highs import HighsSolver
from tests.builders import RequestBuilder, a_request, a_source, an_order
from tests.optimizer.stand_in import says, stand_in

needs_highs = pytest.mark.skipif(find_spec("highspy") is None, reason="the second solver is not installed")


def a_model(builder: RequestBuilder) -> formulation.Model:
    request = builder.build()
    batch = columns.to_batch(request, eligibility.split(request, ())[0])
    found = candidates.generate(batch, activation.in_iteration(request, 1))
    largest_km = problem.largest_distance_km(found)
    first = problem.first_problem(found, problem.rates_of(request, found, None, largest_km), largest_km)
    return formulation.build(first, decomposition.independent_parts(first))


def rivals(count: int) -> RequestBuilder:
    """So many orders of two lines, and stock for half of them scattered over four sources."""
    places = [(47.6, -122.3), (40.7, -74.0), (33.7, -84.4), (41.9, -87.6)]
    sources = [a_source(f"S{number}", at=place) for number, place in enumerate(places)]
    orders = [an_order(f"O{number:02}").with_line("P", 3).with_line("Q", 2) for number in range(count)]
    stock = {(product, source.id): count // 2 + 1 for product in ("P", "Q") for source in sources[:3]}
    return a_request().with_sources(*sources).with_orders(*orders).with_stock(stock)


def test_a_finished_search_is_optimal_and_its_flows_are_whole_units() -> None:
    # One line of 2 units, one source with stock: 2 units flow, in one shipment.
    builder = (
        a_request().with_sources(a_source()).with_stock({("P", "S1"): 5}).with_orders(an_order().with_line("P", 2))
    )
    answer = solving.CbcSolver().solve(a_model(builder), SolverLimits())
    assert (answer.flows, answer.ending, answer.limit) == (((0, 0, 2),), Ending.OPTIMAL, "")


def test_a_gap_that_was_allowed_is_not_called_optimal() -> None:
    answer = solving.CbcSolver().solve(a_model(rivals(3)), SolverLimits(relative_gap=0.5))
    assert answer.ending in (Ending.WITHIN_GAP, Ending.OPTIMAL)
    exact = solving.CbcSolver().solve(a_model(rivals(3)), SolverLimits())
    assert exact.ending is Ending.OPTIMAL
    assert answer.bound <= exact.bound + 1e-6


def true_gap(model: formulation.Model, answer: solving.Answer) -> float:
    """How far the answer's bound is below its value, as a share of all that the plan costs."""
    value = model.constant + sum(charge * (variable.value() or 0.0) for variable, charge in model.priced)
    return (value - answer.bound) / value


@pytest.mark.parametrize("make", [solving.CbcSolver, pytest.param(HighsSolver, marks=needs_highs)])
@pytest.mark.parametrize("allowed", [0.02, 0.1])
def test_the_gap_that_was_allowed_is_a_share_of_all_that_the_plan_costs(
    make: Callable[[], solving.PulpSolver], allowed: float
) -> None:
    """Here filling nothing costs three times as much as the plan, so a share of what filling saves is far too much."""
    model = a_model(rivals(6))
    answer = make().solve(model, SolverLimits(relative_gap=allowed))
    assert 0 <= true_gap(model, answer) <= allowed
    assert answer.bound > 0


@pytest.mark.parametrize("make", [solving.CbcSolver, pytest.param(HighsSolver, marks=needs_highs)])
def test_level_by_level_no_gap_is_allowed(make: Callable[[], solving.PulpSolver]) -> None:
    """A unit given up at the first level would be worth more than all that lies below."""
    loose, exact = (make().solve_strictly(a_model(rivals(6)), SolverLimits(relative_gap=gap)) for gap in (0.5, 0.0))
    assert loose.ending is exact.ending is Ending.OPTIMAL
    assert (loose.bound, len(loose.flows)) == (exact.bound, len(exact.flows))


def test_a_node_limit_ends_unproven_and_is_named() -> None:
    answer = solving.CbcSolver().solve(a_model(rivals(40)), SolverLimits(max_nodes=1, solve_limit_s=20))
    assert (answer.ending, answer.limit) in ((Ending.UNPROVEN, "nodes"), (Ending.OPTIMAL, ""))


@pytest.mark.parametrize(
    ("status", "log", "expected"),
    [
        (pulp.LpSolutionOptimal, "Lower bound: 90\n", (Ending.WITHIN_GAP, 90, "gap")),
        (pulp.LpSolutionOptimal, "Lower bound: 100\n", (Ending.OPTIMAL, 100, "")),
        (pulp.LpSolutionIntegerFeasible, "Stopped on node limit\nLower bound: 90\n", (Ending.UNPROVEN, 90, "nodes")),
        (pulp.LpSolutionIntegerFeasible, "Stopped on time limit\nLower bound: 90\n", (Ending.UNPROVEN, 90, "seconds")),
    ],
)
def test_status_and_log_of_the_solver_say_how_the_search_ended(
    status: int, log: str, expected: tuple[Ending, float, str]
) -> None:
    """The plan costs 100 points, and ten in a hundred are allowed to be unproven."""
    model = a_model(rivals(1))
    (variable, *_) = model.program.variables()
    variable.varValue = 100
    model.program.setObjective(1 * variable)
    model.program.sol_status = status
    search = solving._read_search(model, log, SolverLimits(relative_gap=0.1))
    assert (search.ending, search.bound, search.limit) == expected


def test_the_bound_is_read_from_the_end_of_the_log() -> None:
    log = "Cbc0010I After 0 nodes, best possible 5\nResult - Stopped on time limit\nLower bound:    -1006.435\n"
    assert solving._bound_in(log, fallback=0.0) == pytest.approx(-1006.435)
    assert solving._limit_in(log) == "seconds"


def test_values_that_are_not_whole_are_refused() -> None:
    model = a_model(rivals(2))
    for variable in model.program.variables():
        variable.varValue = 0.5
    with pytest.raises(SolverFailed, match="whole units"):
        model.flows()


def test_a_solver_that_ignores_its_limit_is_killed_with_what_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = tmp_path / "child"
    stand_in(tmp_path, monkeypatch, f"sleep 600 &\necho $! > {child}\nwait")
    monkeypatch.setattr(solving, "KILL_AFTER_S", 0.5)
    answer = solving.CbcSolver().solve(a_model(rivals(2)), SolverLimits(solve_limit_s=0.1))
    assert (answer.ending, answer.limit, answer.flows) == (Ending.NO_PLAN, "seconds", ())
    # What is left of a killed process until somebody reaps it is a zombie: state Z.
    state = subprocess.run(["ps", "-o", "stat=", "-p", child.read_text().strip()], capture_output=True, text=True)
    assert state.stdout.strip()[:1] in ("", "Z")


def test_a_crashing_solver_is_a_plain_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solving, "cbc_executable", lambda: Path("/bin/false"))
    with pytest.raises(SolverFailed, match="ended with code 1"):
        solving.CbcSolver().solve(a_model(rivals(2)), SolverLimits())


CRASHES = "sleep 0.2\nkill -SEGV $$"


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(CRASHES, id="crashes"),
        pytest.param(says("Infeasible"), id="says infeasible"),
        pytest.param(says("Integer infeasible"), id="says integer infeasible"),
    ],
)
def test_what_cbc_says_when_its_time_is_up_is_that_its_time_is_up(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path, monkeypatch, script)
    answer = solving.CbcSolver().solve(a_model(rivals(2)), SolverLimits(solve_limit_s=0.1))
    assert (answer.ending, answer.limit, answer.flows, answer.bound) == (Ending.NO_PLAN, "seconds", (), -math.inf)


@pytest.mark.parametrize("head", ["Infeasible", "Integer infeasible"])
def test_before_its_time_is_up_its_word_that_there_is_no_answer_counts(
    head: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path, monkeypatch, says(head))
    answer = solving.CbcSolver().solve(a_model(rivals(2)), SolverLimits(solve_limit_s=60))
    assert (answer.ending, answer.flows, answer.bound) == (Ending.INFEASIBLE, (), -math.inf)


@pytest.mark.parametrize("make", [solving.CbcSolver, pytest.param(HighsSolver, marks=needs_highs)])
def test_a_model_that_contradicts_itself_proves_nothing_of_the_plan(make: Callable[[], solving.PulpSolver]) -> None:
    model = a_model(rivals(2))
    (variable, *_) = model.program.variables()
    model.program += variable >= 10**6
    answer = make().solve(model, SolverLimits())
    assert (answer.ending, answer.flows, answer.bound) == (Ending.INFEASIBLE, (), -math.inf)


def test_the_time_is_up_by_cbcs_own_clock_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of a machine that stood still is set forward, and CBC minds that one."""
    own_clock = "echo 'Total time (CPU seconds):       0.01   (Wallclock seconds):       61.50'\n"
    stand_in(tmp_path, monkeypatch, f"{says('Integer infeasible')}\n{own_clock}")
    answer = solving.CbcSolver().solve(a_model(rivals(2)), SolverLimits(solve_limit_s=60))
    assert (answer.ending, answer.limit) == (Ending.NO_PLAN, "seconds")


def test_a_crash_before_the_time_is_up_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, monkeypatch, CRASHES)
    with pytest.raises(SolverFailed, match="ended with code -11"):
        solving.CbcSolver().solve(a_model(rivals(2)), SolverLimits(solve_limit_s=60))
