"""Three workers on real queues and blobs, killed at random: the plan is that of one machine, and nothing is left."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess
from multiprocessing.process import BaseProcess
from random import Random
from uuid import uuid4

import pytest

from dom_core import settings
from dom_core.adapters import storage
from dom_core.adapters.clock import SystemClock
from dom_core.adapters.cosmos.containers import create_all
from dom_core.adapters.geocoding.offline import OfflineGeocoder
from dom_core.adapters.pauses import SystemPauses
from dom_core.domain.request import PlanRequest
from dom_core.errors import StoreConflict
from dom_core.optimizer import blocks, decomposition, pattern_costs, rounds
from dom_core.optimizer.pipeline import plan_once
from dom_core.optimizer.solving import CbcSolver
from dom_core.ports import Container, ReceivedMessage
from dom_core.repositories.plan_tasks import PlanTasks
from dom_core.use_cases import claim_check, plan_tasks
from dom_core.use_cases.context import Ports
from dom_core.use_cases.errands import Pace
from dom_core.use_cases.perform_plan_task import perform_plan_task
from dom_core.use_cases.plan_tasks import QueueCrew
from tests import azure_servers
from tests.builders import a_request, a_rule, a_source, an_order
from tests.optimizer.test_search import rivals
from tests.plans import comparable
from tests.troubles.installation import DEADLINE_S, processes
from tests.use_cases.killing_queues import KillingQueues

QUEUE = "plan-tasks"
WORKERS = 3
HIDDEN_S = 3
"""How long a message that a killed worker held stays hidden."""

PACE = Pace(0.02, 0.2, resend_after=timedelta(seconds=2), sends=6, price_after=timedelta(seconds=5), hidden_s=HIDDEN_S)


@contextmanager
def opened(variables: dict[str, str]) -> Iterator[Ports]:
    """The ports that a process of its own has."""
    chosen, clock = settings.from_environment(variables), SystemClock()
    with storage.opened(chosen, clock) as kept:
        yield Ports(
            store=kept.documents,
            queues=kept.queues,
            blobs=kept.blobs,
            clock=clock,
            geocoder=OfflineGeocoder(),
            settings=chosen,
            solver=CbcSolver(),
            pauses=SystemPauses(),
        )


def work(variables: dict[str, str], told: Connection) -> None:
    """Perform tasks for ever, as a host does; tell of each before and after."""
    with opened(variables) as ports:
        while True:
            for message in ports.queues.receive(QUEUE, visibility_timeout_s=HIDDEN_S):
                told.send("taken")
                perform_plan_task(ports, message.body)
                told.send("performed")
                try:
                    ports.queues.delete(QUEUE, message)
                except StoreConflict:
                    told.send("late")
            ports.pauses.pause(0.02)


@dataclass
class TakenByOthers(KillingQueues):
    """Queues from which the run itself gets nothing as long as somebody is to be killed."""

    workers: "Workers"

    def receive(self, queue: str, *, limit: int = 1, visibility_timeout_s: float = 600) -> list[ReceivedMessage]:
        if self.workers.kills_left:
            return []
        return super().receive(queue, limit=limit, visibility_timeout_s=visibility_timeout_s)


@dataclass
class Workers:
    """Processes of which some are killed when they have taken a message, or have just performed it."""

    variables: dict[str, str]
    chance: Random
    kills_left: int
    taken: int = 0
    performed: int = 0
    killed: int = 0
    ended: threading.Event = field(default_factory=threading.Event)
    living: dict[Connection, BaseProcess] = field(default_factory=dict)

    def start(self) -> None:
        """One more."""
        mine, theirs = processes.Pipe(duplex=False)
        process: ForkServerProcess = processes.Process(target=work, args=(self.variables, theirs), daemon=True)
        process.start()
        theirs.close()
        self.living[mine] = process

    def kill(self, told: Connection) -> None:
        """By SIGKILL: nothing is released, nothing told."""
        process = self.living.pop(told)
        process.kill()
        process.join(DEADLINE_S)
        told.close()

    def look_after(self) -> None:
        """Kill some, and replace them, until the end."""
        while not self.ended.is_set():
            for told in wait(list(self.living), timeout=0.05):
                assert isinstance(told, Connection)
                self.hear(told)

    def hear(self, told: Connection) -> None:
        word = told.recv()
        self.taken += word == "taken"
        self.performed += word == "performed"
        if word != "late" and self.kills_left and self.chance.random() < 0.5:
            self.kills_left -= 1
            self.killed += 1
            self.kill(told)
            self.start()


@contextmanager
def working(variables: dict[str, str], seed: int, kills: int) -> Iterator[Workers]:
    """Workers with somebody who kills them, until the block ends."""
    workers = Workers(variables, Random(seed), kills)
    for _ in range(WORKERS):
        workers.start()
    killer = threading.Thread(target=workers.look_after)
    killer.start()
    try:
        yield workers
    finally:
        workers.ended.set()
        killer.join()
        for told in list(workers.living):
            workers.kill(told)


def a_large_request() -> PlanRequest:
    """Sixteen products of which there is too little, each a part; some orders only by a soft rule's leave."""
    sources = [a_source(f"S{n}", at=(47.6 - 1.5 * n, -122.3 + n)) for n in range(6)]
    builder = a_request().with_sources(*sources)
    builder = builder.with_rules(a_rule("maximum_distance", {"lines": [{"km": 400}]}, hard=False))
    chance = Random(11)
    for product in (f"P{number}" for number in range(16)):
        orders = [an_order(f"O-{product}-{n}").with_line(product, units=chance.randint(1, 4)) for n in range(8)]
        stock = {(product, source.id): chance.randint(0, 4) for source in sources}
        builder = builder.with_orders(*orders).with_stock(stock)
    return builder.build()


@pytest.fixture
def variables(cosmos_endpoint: str, azurite_connection: str) -> dict[str, str]:
    """The settings of an empty installation on Azure's own services."""
    azure_servers.forget_queues(azurite_connection)
    azure_servers.forget_blobs(azurite_connection)
    database = f"test-{uuid4().hex}"
    with closing(azure_servers.connect(cosmos_endpoint, database)) as connection:
        create_all(connection.client(), database)
    return {**azure_servers.settings(cosmos_endpoint, azurite_connection), "DOM_COSMOS_DATABASE": database}


def test_workers_that_are_killed_at_random_change_nothing(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decomposition, "BLOCK_LINES", 8)
    monkeypatch.setattr(claim_check, "LARGEST_MESSAGE_BYTES", 3_000)
    workers = require_same_plan_though_eight_are_killed(variables, a_large_request(), seed=5)
    assert workers.performed >= 8
    assert workers.taken > workers.performed


def test_neither_do_they_change_what_prices_say_of_a_huge_part(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Passes over all pairs of the part go out in pieces, round by round, beside the small parts."""
    monkeypatch.setattr(plan_tasks, "HUGE_PAIRS", 150)
    monkeypatch.setattr(blocks, "EXACT_PAIRS", 60)
    monkeypatch.setattr(decomposition, "BLOCK_LINES", 8)
    monkeypatch.setattr(pattern_costs, "BLOCK_PAIRS", 24)
    monkeypatch.setattr(rounds, "BLOCKS_OF_A_PIECE", 1)
    monkeypatch.setattr(claim_check, "LARGEST_MESSAGE_BYTES", 3_000)
    workers = require_same_plan_though_eight_are_killed(variables, rivals_beside_small_parts(), seed=7)
    assert workers.performed > 20


def rivals_beside_small_parts() -> PlanRequest:
    """Sixteen orders of up to three lines that compete for six products, and four parts of three orders each."""
    builder = rivals(16)
    for product in (f"Q{number}" for number in range(4)):
        orders = [an_order(f"Z-{product}-{number}").with_line(product, units=2) for number in range(3)]
        builder = builder.with_orders(*orders).with_stock({(product, "S0"): 3, (product, "S1"): 2})
    return builder.build()


def require_same_plan_though_eight_are_killed(variables: dict[str, str], request: PlanRequest, seed: int) -> Workers:
    """Three workers, eight times one of them is killed: the plan is that of one machine, and nothing is left."""
    here = plan_once(request, CbcSolver())
    with opened(variables) as ports, working(variables, seed=seed, kills=8) as workers:
        waiting = replace(ports, queues=TakenByOthers(ports.queues, -1, workers))
        there = plan_once(request, ports.solver, crew=QueueCrew(waiting, "R1", 1, pace=PACE))
        assert comparable(there) == comparable(here)
        require_nothing_left(ports)
    assert workers.killed == 8
    return workers


def require_nothing_left(ports: Ports) -> None:
    """Workers find what the killed held, see that nobody waits for it, and remove it: in time."""
    assert list(PlanTasks(ports.store, ports.blobs).every()) == []
    waiting, deadline = threading.Event(), datetime.now(UTC) + timedelta(seconds=DEADLINE_S)
    while ports.queues.length(QUEUE) or list(ports.blobs.every()):
        assert datetime.now(UTC) < deadline, "messages or blobs are left"
        waiting.wait(0.1)
    assert ports.store.query(Container.RUNS).documents == ()


def test_with_nobody_to_help_the_run_ends_too(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decomposition, "BLOCK_LINES", 40)
    request = a_large_request()
    with opened(variables) as ports:
        there = plan_once(request, ports.solver, crew=QueueCrew(ports, "R1", 1, pace=replace(PACE, sends=1)))
        assert comparable(there) == comparable(plan_once(request, CbcSolver()))
        require_nothing_left(ports)
