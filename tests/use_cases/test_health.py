"""Health: what is looked at, how often, and who learns what."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from dom_core.errors import NoTemporarySpace, SolverFailed, SolverNotStarted, Unavailable
from dom_core.optimizer.solving import CbcSolver
from dom_core.use_cases.check_health import check_health
from dom_core.use_cases.health_memory import SERVICE_KEPT_FOR, Check, Memory
from tests.use_cases.world import World


@dataclass(slots=True)
class CountingSolver:
    """CBC, or a solver that fails; counts how often it is run."""

    error: SolverFailed | None = None
    runs: int = 0
    name: str = "counting"
    cbc: CbcSolver = field(default_factory=CbcSolver)

    def solve(self, model: Any, limits: Any) -> Any:
        self.runs += 1
        if self.error:
            raise self.error
        return self.cbc.solve(model, limits)

    solve_strictly = solve


def test_everything_answers(world: World) -> None:
    health = check_health(world.ports)
    assert health.healthy, health
    assert [check.name for check in health.checks] == ["store", "queue", "solver"]


def test_a_broken_solver_is_named_and_the_rest_is_still_checked(world: World) -> None:
    health = check_health(world.with_ports(solver=CountingSolver(error=SolverFailed("crashed"))))
    assert not health.healthy
    assert [check.healthy for check in health.checks] == [True, True, False]


def test_the_solver_is_asked_once_in_thirty_seconds_however_often_health_is(world: World) -> None:
    ports = world.with_ports(solver=(solver := CountingSolver()))
    check_health(ports)
    runs_of_one_check = solver.runs
    for seconds in (0, 10, 19.9):
        world.wait(seconds=seconds)
        assert check_health(ports).healthy
    assert solver.runs == runs_of_one_check
    world.wait(seconds=0.1)
    check_health(ports)
    assert solver.runs == 2 * runs_of_one_check


@dataclass(slots=True)
class CountingParts:
    """A store and queues that answer, or do not; counts how often they are asked."""

    error: Unavailable | None = None
    asked: int = 0

    def _answer(self, *_: object, **__: object) -> Any:
        self.asked += 1
        if self.error:
            raise self.error

    query = length = _answer


@pytest.mark.parametrize("error", [None, Unavailable("away")], ids=["answering", "away"])
@pytest.mark.parametrize(("part", "name"), [("store", "store"), ("queues", "queue")])
def test_store_and_queue_are_asked_once_in_five_seconds_however_often_health_is(
    part: str, name: str, error: Unavailable | None, world: World
) -> None:
    ports = world.with_ports(**{part: (counting := CountingParts(error))})
    for seconds in (0, 2, 2.9):
        world.wait(seconds=seconds)
        found = {check.name: check.healthy for check in check_health(ports).checks}
        assert (found[name], counting.asked) == (error is None, 1)
    world.wait(seconds=0.1)
    check_health(ports)
    assert counting.asked == 2


def test_a_store_that_comes_back_is_healthy_after_five_seconds(world: World) -> None:
    ports = world.with_ports(store=(counting := CountingParts(Unavailable("away"))))
    assert not check_health(ports).healthy
    counting.error = None
    assert not check_health(ports).healthy
    world.wait(seconds=5)
    assert check_health(ports).healthy


def test_a_failure_of_the_solver_is_remembered_as_long(world: World) -> None:
    broken = world.with_ports(solver=(solver := CountingSolver(error=SolverFailed("crashed"))))
    assert [check_health(broken).healthy for _ in range(3)] == [False] * 3
    assert solver.runs == 1


def test_many_who_ask_at_the_same_time_start_the_solver_once(world: World) -> None:
    memory, solver, asked = Memory(SERVICE_KEPT_FOR), CbcSolver(), []

    def ask() -> Check:
        asked.append(True)
        return Check("solver", healthy=True, detail="")

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: memory.find(solver, world.clock.now(), ask), range(64)))
    assert (len(asked), len(set(found))) == (1, 1)


def test_a_clock_that_was_set_back_does_not_keep_a_finding_for_ever(world: World) -> None:
    ports = world.with_ports(solver=(solver := CountingSolver(error=SolverFailed("crashed"))))
    check_health(ports)
    world.wait(days=-1)
    check_health(ports)
    assert solver.runs == 2


def test_what_is_found_about_one_solver_is_not_said_of_another(world: World) -> None:
    assert check_health(world.ports).healthy
    assert not check_health(world.with_ports(solver=CountingSolver(error=SolverFailed("crashed")))).healthy


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (NoTemporarySpace("/srv/private", "it is full"), "NoTemporarySpace"),
        (SolverNotStarted("/srv/private/cbc", "no libm"), "SolverNotStarted"),
    ],
)
def test_strangers_learn_what_is_wrong_and_the_log_learns_where(
    error: SolverFailed, detail: str, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    health = check_health(world.with_ports(solver=CountingSolver(error=error)))
    assert [check.detail for check in health.checks if not check.healthy] == [detail]
    assert "/srv/private" not in str(health)
    assert "/srv/private" in caplog.text
