"""Tasks that go out by queue come back as they would from one machine, whoever performs them and whoever dies."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from typing import ClassVar

import pytest

from dom_core.adapters.clock import FixedClock
from dom_core.adapters.sqlite import SqliteQueues
from dom_core.domain.plan import Plan
from dom_core.domain.request import PlanRequest
from dom_core.domain.run import Run, RunState
from dom_core.domain.strategy import SolverLimits
from dom_core.errors import Cancelled, InvalidInput, Unavailable
from dom_core.optimizer import blocks, decomposition, pattern_costs, promising, rounds
from dom_core.optimizer.formulation import Model
from dom_core.optimizer.pipeline import plan_once
from dom_core.optimizer.solving import Answer, CbcSolver
from dom_core.ports import Container, ReceivedMessage
from dom_core.repositories import plan_tasks as stored_tasks
from dom_core.repositories.plan_tasks import PlanTasks
from dom_core.telemetry.events import TaskEnding, TaskPerformed
from dom_core.use_cases import plan_tasks
from dom_core.use_cases.clean_up import clean_up
from dom_core.use_cases.context import Ports
from dom_core.use_cases.errands import Pace
from dom_core.use_cases.perform_plan_task import perform_plan_task
from dom_core.use_cases.plan_batch import plan_batch
from dom_core.use_cases.plan_tasks import QueueCrew, crew_for
from dom_core.watch import UNWATCHED, Watch, watch_of
from tests.builders import a_request, a_rule, a_source, an_order
from tests.optimizer.test_search import rivals
from tests.plans import comparable
from tests.use_cases.listener import Listener
from tests.use_cases.world import World

QUEUE = "plan-tasks"
PACE = Pace(resend_after=timedelta(seconds=10), hidden_s=30)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every part is a task of its own."""
    monkeypatch.setattr(decomposition, "BLOCK_LINES", 1)


@cache
def many_parts() -> PlanRequest:
    """Six products, of each of which three orders want more than there is: six parts, in each iteration."""
    products = [f"P{number}" for number in range(6)]
    builder = a_request().with_sources(a_source("A"), a_source("B", at=(45.5, -122.7)))
    for product in products:
        orders = [an_order(f"O-{product}-{number}").with_line(product, units=2) for number in range(3)]
        builder = builder.with_orders(*orders).with_stock({(product, "A"): 3, (product, "B"): 2})
    return builder.with_rules(a_rule("maximum_distance", {"lines": [{"km": 100}]}, hard=False)).build()


@cache
def here() -> bytes:
    return comparable(plan_once(many_parts(), CbcSolver()))


@dataclass
class Meanwhile:
    """Lets others work, and time pass, whenever the run pauses."""

    clock: FixedClock
    others: Callable[[], object] = lambda: None
    paused: int = 0

    def pause(self, seconds: float) -> None:
        self.paused += 1
        self.clock.time += timedelta(seconds=seconds)
        self.others()


class NothingToTake(SqliteQueues):
    """Queues from which the run itself gets nothing: others are always faster."""

    def receive(
        self,
        queue: str,  # noqa: ARG002  # as the port has it
        *,
        limit: int = 1,  # noqa: ARG002  # as the port has it
        visibility_timeout_s: float = 600,  # noqa: ARG002  # as the port has it
    ) -> list[ReceivedMessage]:
        return []


class Robbed(SqliteQueues):
    """Queues of which somebody else takes the first messages, and is killed."""

    taken: ClassVar[list[ReceivedMessage]] = []

    def receive(self, queue: str, *, limit: int = 1, visibility_timeout_s: float = 600) -> list[ReceivedMessage]:
        if not self.taken:
            self.taken.extend(super().receive(queue, limit=32, visibility_timeout_s=300))
        return super().receive(queue, limit=limit, visibility_timeout_s=visibility_timeout_s)


class Away(SqliteQueues):
    """Queues that are away."""

    def send(
        self,
        queue: str,  # noqa: ARG002  # as the port has it
        body: bytes,  # noqa: ARG002  # as the port has it
        *,
        visible_after_s: float = 0,  # noqa: ARG002  # as the port has it
        time_to_live_s: float | None = None,  # noqa: ARG002  # as the port has it
    ) -> str:
        raise Unavailable("the queue is away")

    def receive(
        self,
        queue: str,  # noqa: ARG002  # as the port has it
        *,
        limit: int = 1,  # noqa: ARG002  # as the port has it
        visibility_timeout_s: float = 600,  # noqa: ARG002  # as the port has it
    ) -> list[ReceivedMessage]:
        raise Unavailable("the queue is away")


def planned(ports: Ports, watch: Watch = UNWATCHED) -> Plan:
    return plan_once(many_parts(), ports.solver, crew=QueueCrew(ports, "R1", 1, watch, PACE))


def left(ports: Ports) -> tuple[int, int, int]:
    """Tickets, messages, blobs."""
    tickets = len(list(PlanTasks(ports.store, ports.blobs).every()))
    return tickets, ports.queues.length(QUEUE), len(list(ports.blobs.every()))


def take_one(ports: Ports) -> bool:
    """A worker takes a message, performs it and deletes it."""
    for message in ports.queues.receive(QUEUE, visibility_timeout_s=30):
        perform_plan_task(ports, message.body)
        ports.queues.delete(QUEUE, message)
        return True
    return False


def drain(ports: Ports) -> None:
    while take_one(ports):
        pass


def test_without_any_worker_the_run_does_it_all_and_leaves_nothing(world: World) -> None:
    assert comparable(planned(world.ports)) == here()
    assert left(world.ports) == (0, 0, 0)


@pytest.mark.parametrize("workers", [1, 3])
def test_workers_make_the_same_plan(world: World, workers: int) -> None:
    performed = 0

    def work() -> None:
        nonlocal performed
        performed += sum(take_one(world.ports) for _ in range(workers))

    ports = world.with_ports(pauses=Meanwhile(world.clock, work))
    ports = replace(ports, queues=NothingToTake(world.database, world.clock))
    assert comparable(planned(ports)) == here()
    assert performed == 12
    assert left(world.ports) == (0, 0, 0)


def test_what_nobody_answers_is_sent_again_and_late_answers_find_no_place(world: World) -> None:
    """A worker takes every message once and is killed; the messages come back after the run has ended."""
    ports = world.with_ports(pauses=Meanwhile(world.clock), queues=Robbed(world.database, world.clock))
    Robbed.taken.clear()
    assert comparable(planned(ports)) == here()
    assert len(Robbed.taken) == 6
    assert left(world.ports) == (0, 6, 0)
    world.clock.time += timedelta(seconds=301)
    drain(world.ports)
    assert left(world.ports) == (0, 0, 0)


def test_at_last_the_run_performs_a_task_itself(world: World) -> None:
    """Somebody takes every message, and never answers."""
    meanwhile = Meanwhile(world.clock)
    ports = world.with_ports(pauses=meanwhile, queues=NothingToTake(world.database, world.clock))
    assert comparable(planned(ports)) == here()
    assert meanwhile.paused
    assert world.ports.queues.length(QUEUE) == 12 * PACE.sends
    drain(world.ports)
    assert left(world.ports) == (0, 0, 0)


def test_a_queue_that_is_away_costs_no_plan(world: World) -> None:
    ports = world.with_ports(queues=Away(world.database, world.clock))
    assert comparable(planned(ports)) == here()
    assert left(world.ports) == (0, 0, 0)


def test_a_run_that_lost_its_turn_stops_waiting_and_leaves_no_ticket(world: World) -> None:
    stop = iter([False] * 4 + [True] * 100)
    ports = world.with_ports(pauses=Meanwhile(world.clock), queues=NothingToTake(world.database, world.clock))
    with pytest.raises(Cancelled):
        planned(ports, watch=Watch(stop_asked=lambda: next(stop)))
    assert left(world.ports)[0] == 0
    drain(world.ports)
    assert left(world.ports) == (0, 0, 0)


def test_what_a_killed_run_left_is_removed_by_the_clean_up(world: World) -> None:
    tasks = PlanTasks(world.ports.store, world.ports.blobs)
    tasks.open("_task-" + "0" * 40, "R1", world.clock.now())
    assert clean_up(world.ports).plan_tasks == 0
    world.clock.time += timedelta(days=1, seconds=1)
    assert clean_up(world.ports).plan_tasks == 1
    assert left(world.ports) == (0, 0, 0)


def sent(world: World) -> list[bytes]:
    """The messages of a run that waits, whose tickets are open."""
    messages: list[bytes] = []

    class Stopped(Exception):
        pass

    def look() -> None:
        messages.extend(message.body for message in world.ports.queues.receive(QUEUE, limit=32))
        raise Stopped

    ports = world.with_ports(pauses=Meanwhile(world.clock, look), queues=NothingToTake(world.database, world.clock))
    answers = None
    with pytest.raises(Stopped):
        answers = planned(ports)
    assert answers is None
    return messages


def reopened(world: World, message: bytes) -> str:
    """The ticket of a message, opened again."""
    ticket_id: str = json.loads(message)["ticket_id"]
    PlanTasks(world.ports.store, world.ports.blobs).open(ticket_id, "R1", world.clock.now())
    return ticket_id


def test_a_task_performed_twice_has_one_answer(world: World) -> None:
    listener = Listener()
    ports = world.with_ports(telemetry=listener)
    message = sent(world)[0]
    ticket_id = reopened(world, message)
    tasks = PlanTasks(ports.store, ports.blobs)
    perform_plan_task(ports, message)
    first = tasks.find(ticket_id)
    perform_plan_task(ports, message)
    assert tasks.find(ticket_id) == first
    assert [event.ending for event in listener.of(TaskPerformed)] == [TaskEnding.ANSWERED]


def test_an_answer_that_comes_second_changes_nothing(world: World) -> None:
    tasks = PlanTasks(world.ports.store, world.ports.blobs)
    ticket_id = reopened(world, sent(world)[0])
    one, other = tasks.find(ticket_id), tasks.find(ticket_id)
    assert one is not None
    assert other is not None
    assert tasks.put_answer(one, "first")
    assert not tasks.put_answer(other, "second" * 1_000_000)
    found = tasks.find(ticket_id)
    assert found is not None
    assert tasks.answer(found) == "first"
    assert list(world.ports.blobs.every()) == []


def test_a_large_answer_goes_into_a_blob_and_comes_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_tasks, "LARGEST_ANSWER_CHARACTERS", 10)
    assert comparable(planned(world.ports)) == here()
    assert left(world.ports) == (0, 0, 0)


def test_large_tasks_go_by_claim_check_and_their_blobs_are_removed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dom_core.use_cases.claim_check.LARGEST_MESSAGE_BYTES", 100)
    seen: list[int] = []

    def work() -> None:
        seen.append(len(list(world.ports.blobs.every())))
        drain(world.ports)

    ports = world.with_ports(pauses=Meanwhile(world.clock, work), queues=NothingToTake(world.database, world.clock))
    assert comparable(planned(ports)) == here()
    assert seen == [6, 6]
    assert left(world.ports) == (0, 0, 0)


def test_another_engine_leaves_the_task_to_others(world: World) -> None:
    listener = Listener()
    message = sent(world)[0]
    ticket_id = reopened(world, message)
    other = json.dumps(json.loads(message) | {"engine": "9.9.9, another solver"}).encode()
    perform_plan_task(world.with_ports(telemetry=listener), other)
    ticket = PlanTasks(world.ports.store, world.ports.blobs).find(ticket_id)
    assert ticket is not None
    assert not ticket.is_answered
    assert [event.ending for event in listener.of(TaskPerformed)] == [TaskEnding.ANOTHER_ENGINE]


@pytest.mark.parametrize("broken", [b"{}", b"no json", b'{"ticket_id": "R1"}'])
def test_what_is_no_plan_task_is_refused(world: World, broken: bytes) -> None:
    with pytest.raises(InvalidInput):
        perform_plan_task(world.ports, broken)


@pytest.fixture
def huge(monkeypatch: pytest.MonkeyPatch) -> PlanRequest:
    """Six small parts and one that counts as huge, in pieces of two blocks."""
    monkeypatch.setattr(plan_tasks, "HUGE_PAIRS", 100)
    monkeypatch.setattr(blocks, "EXACT_PAIRS", 30)
    monkeypatch.setattr(pattern_costs, "BLOCK_PAIRS", 30)
    monkeypatch.setattr(rounds, "BLOCKS_OF_A_PIECE", 2)
    monkeypatch.setattr(promising, "KEPT_OF_LINE", 1)
    monkeypatch.setattr(promising, "KEPT_OF_SUBSET", 1)
    builder = rivals(12)
    for product in (f"Q{number}" for number in range(6)):
        orders = [an_order(f"Z-{product}-{number}").with_line(product, units=2) for number in range(3)]
        builder = builder.with_orders(*orders).with_stock({(product, "S0"): 3, (product, "S1"): 2})
    return builder.build()


def planned_of(request: PlanRequest, ports: Ports, watch: Watch = UNWATCHED) -> bytes:
    return comparable(plan_once(request, ports.solver, crew=QueueCrew(ports, "R1", 1, watch, PACE)))


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_passes_over_a_huge_part_are_sent_in_pieces_and_the_plan_is_the_same(
    world: World, huge: PlanRequest, workers: int
) -> None:
    performed: list[int] = []

    def work() -> None:
        performed.append(sum(take_one(world.ports) for _ in range(workers)))

    listener = Listener()
    ports = world.with_ports(telemetry=listener, pauses=Meanwhile(world.clock, work))
    if workers:
        ports = replace(ports, queues=NothingToTake(world.database, world.clock))
    assert planned_of(huge, ports) == comparable(plan_once(huge, CbcSolver()))
    assert left(world.ports) == (0, 0, 0)
    assert sum(performed) > 12 or len(listener.of(TaskPerformed)) > 12


def test_small_parts_are_sent_before_the_run_solves_a_huge_one(world: World, huge: PlanRequest) -> None:
    sent_lines: list[int] = []
    listener = Listener()

    def work() -> None:
        take_one(world.with_ports(telemetry=listener))
        sent_lines.append(world.ports.queues.length(QUEUE))

    ports = world.with_ports(pauses=Meanwhile(world.clock, work))
    planned_of(huge, replace(ports, queues=NothingToTake(world.database, world.clock)))
    pieces = sent_lines[0] + 1 - 6
    assert pieces > 2
    assert [event.lines for event in listener.of(TaskPerformed)][:6] == [3] * 6


def test_a_piece_that_nobody_prices_the_run_prices_itself(world: World, huge: PlanRequest) -> None:
    """Somebody takes every message, and never answers."""
    ports = world.with_ports(pauses=Meanwhile(world.clock), queues=NothingToTake(world.database, world.clock))
    assert planned_of(huge, ports) == comparable(plan_once(huge, CbcSolver()))
    drain(world.ports)
    assert left(world.ports) == (0, 0, 0)


def test_problems_of_pieces_are_kept_once_and_removed_with_the_run(world: World, huge: PlanRequest) -> None:
    blobs: list[int] = []

    def work() -> None:
        drain(world.ports)
        blobs.append(left(world.ports)[2])

    ports = world.with_ports(pauses=Meanwhile(world.clock, work), queues=NothingToTake(world.database, world.clock))
    planned_of(huge, ports)
    assert blobs == [3] * len(blobs)
    assert len(blobs) > 1
    assert left(world.ports) == (0, 0, 0)


def test_a_piece_whose_problem_is_gone_is_left_to_the_run(world: World, huge: PlanRequest) -> None:
    listener = Listener()

    def lose_and_work() -> None:
        for blob in list(world.ports.blobs.every()):
            world.ports.blobs.delete(blob.name)
        drain(world.with_ports(telemetry=listener))

    ports = world.with_ports(pauses=Meanwhile(world.clock, lose_and_work))
    ports = replace(ports, queues=NothingToTake(world.database, world.clock))
    assert planned_of(huge, ports) == comparable(plan_once(huge, CbcSolver()))
    assert TaskEnding.NOT_WANTED in {event.ending for event in listener.of(TaskPerformed)}
    assert left(world.ports) == (0, 0, 0)


def test_a_huge_part_needs_no_queue(world: World, huge: PlanRequest) -> None:
    ports = world.with_ports(queues=Away(world.database, world.clock))
    assert planned_of(huge, ports) == comparable(plan_once(huge, CbcSolver()))
    assert left(world.ports) == (0, 0, 0)


def test_a_run_that_lost_its_turn_in_a_pass_leaves_no_ticket(world: World, huge: PlanRequest) -> None:
    waited: list[int] = []

    def work() -> None:
        waited.append(left(world.ports)[0])

    ports = world.with_ports(pauses=Meanwhile(world.clock, work), queues=NothingToTake(world.database, world.clock))
    with pytest.raises(Cancelled):
        planned_of(huge, ports, watch=Watch(stop_asked=lambda: len(waited) > 3))
    assert waited[0] > 6 + 2
    assert left(world.ports)[0] == 0
    drain(world.ports)
    assert left(world.ports) == (0, 0, 0)


def test_messages_of_strangers_do_not_stop_a_run(world: World) -> None:
    world.ports.queues.send(QUEUE, b"this is no task")
    assert comparable(planned(world.ports)) == here()
    assert left(world.ports) == (0, 1, 0)


def test_work_stops_soon_after_somebody_else_has_answered(world: World) -> None:
    listener = Listener()
    message = sent(world)[0]
    ticket_id = reopened(world, message)
    tasks = PlanTasks(world.ports.store, world.ports.blobs)

    class Slow(CbcSolver):
        def solve(self, model: Model, limits: SolverLimits) -> Answer:
            tasks.close(ticket_id)
            world.clock.time += timedelta(seconds=60)
            watch_of(limits).go_on()
            raise AssertionError(f"nobody waits any more for {model}")

    perform_plan_task(world.with_ports(telemetry=listener, solver=Slow()), message)
    assert [event.ending for event in listener.of(TaskPerformed)] == [TaskEnding.NOT_WANTED]


def test_only_runs_above_the_setting_go_to_many_machines(world: World) -> None:
    run = Run("R1", "standard", RunState.QUEUED, "test", world.clock.now())
    lines = sum(len(order.lines) for order in many_parts().orders)

    def crew_above(limit: int) -> object:
        ports = world.with_ports(settings=replace(world.ports.settings, plan_tasks_above_lines=limit))
        return crew_for(ports, many_parts(), run, 1, Watch())

    assert crew_above(0) is None
    assert crew_above(lines) is None
    assert isinstance(crew_above(lines - 1), QueueCrew)


def test_a_whole_run_goes_through_the_queue(world: World) -> None:
    for number in range(3):
        world.store_order(an_order(f"O{number}").with_line("pen", units=2))
    world.stock(pen_A=3)
    settings = replace(world.ports.settings, plan_tasks_above_lines=1)
    listener = Listener()
    ports = world.with_ports(settings=settings, telemetry=listener)
    run = plan_batch(ports, "R1", "standard")
    assert run.state is RunState.FINISHED
    assert listener.of(TaskPerformed)
    assert left(ports) == (0, 0, 0)
    assert {document.body["kind"] for document in ports.store.query(Container.RUNS).documents} <= {
        "run",
        "lease",
        "start",
    }
