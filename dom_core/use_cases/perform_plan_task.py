"""Perform a plan task that somebody sent, and leave the answer where they wait for it.

Safe to repeat, on as many machines as there are: the same task has the same answer, and one that nobody waits for any
more is dropped unread.
"""

import base64
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from dom_core import __version__
from dom_core.errors import Cancelled, ContentLost, DomError
from dom_core.messages.plan_task import PlanTaskMessage, read_plan_task, ticket_in
from dom_core.optimizer import task_wire
from dom_core.optimizer.performing import answered
from dom_core.optimizer.tasks import PriceTask, Task
from dom_core.repositories.plan_tasks import PlanTasks, Ticket
from dom_core.telemetry.events import TaskEnding, TaskPerformed
from dom_core.telemetry.ways import run_way
from dom_core.use_cases import claim_check
from dom_core.use_cases.context import Ports
from dom_core.watch import Watch, WatchedLimits

AnyTask = TypeVar("AnyTask", bound=Task | PriceTask)

LOOK_EVERY = timedelta(seconds=10)
"""How often it is asked, while a task is worked on, whether anybody still waits for it."""


def perform_plan_task(ports: Ports, message: bytes, watch: Watch | None = None) -> None:
    """Do what a message of the queue of plan tasks asks for, as long as the watch lets us.

    Raises InvalidInput for what is no such message, and what may pass: SolverFailed, Unavailable. Raises Cancelled when
    the watch asks to stop; a task that somebody else answered meanwhile just ends.
    """
    tasks = PlanTasks(ports.store, ports.blobs)
    ticket = tasks.find(ticket_in(message))
    if ticket is not None and not ticket.is_answered:
        _perform(ports, tasks, ticket, read_plan_task(claim_check.content_of(ports.blobs, message)), watch or Watch())
    claim_check.discard(ports.blobs, message)


def engine_of(ports: Ports) -> str:
    """Who answers here: others may answer otherwise."""
    return f"{__version__}, {ports.solver.name}"


def _perform(ports: Ports, tasks: PlanTasks, ticket: Ticket, message: PlanTaskMessage, watch: Watch) -> None:
    with ports.telemetry.step("perform_plan_task", run_way(ticket.run_id)):
        if message.engine != engine_of(ports):
            # Another version, during a deployment: its answer could be another. Whoever waits asks again.
            ports.telemetry.tell(TaskPerformed(ticket.run_id, 0, 0.0, TaskEnding.ANOTHER_ENGINE))
            return
        begun, wanted = ports.clock.now(), _Wanted(ports, tasks, ticket.id, watch)
        try:
            task = task_wire.task_of(message.content, partial(claim_check.content_of, ports.blobs))
        except ContentLost:
            # Its problem went with the run, or whoever waits does without us.
            ports.telemetry.tell(TaskPerformed(ticket.run_id, 0, 0.0, TaskEnding.NOT_WANTED))
            return
        try:
            answer = answered(watched(task, Watch(stop_asked=wanted.is_over)), ports.solver)
        except Cancelled:
            watch.go_on()
            _tell(ports, ticket, task, begun, TaskEnding.NOT_WANTED)
            return
        in_time = tasks.put_answer(ticket, base64.b64encode(answer).decode())
        _tell(ports, ticket, task, begun, TaskEnding.ANSWERED if in_time else TaskEnding.NOT_WANTED)


def watched(task: AnyTask, watch: Watch) -> AnyTask:
    """The same task, which somebody may stop."""
    return replace(task, limits=WatchedLimits.of(task.limits, watch))


def _tell(ports: Ports, ticket: Ticket, task: Task | PriceTask, begun: datetime, ending: TaskEnding) -> None:
    seconds = round((ports.clock.now() - begun).total_seconds(), 3)
    ports.telemetry.tell(TaskPerformed(ticket.run_id, len(task.problem.wanted), seconds, ending))


@dataclass(slots=True)
class _Wanted:
    """Knows whether a task need not be worked on any more. The store is asked now and then."""

    ports: Ports
    tasks: PlanTasks
    ticket_id: str
    watch: Watch
    looked_at: datetime = field(init=False)
    over: bool = False

    def __post_init__(self) -> None:
        self.looked_at = self.ports.clock.now()

    def is_over(self) -> bool:
        """Whether it is answered, nobody waits any more, or whoever performs it must stop."""
        now = self.ports.clock.now()
        if not self.over and now - self.looked_at >= LOOK_EVERY:
            self.looked_at = now
            with suppress(DomError):  # a store that is away for a while stops nobody
                ticket = self.tasks.find(self.ticket_id)
                self.over = ticket is None or ticket.is_answered
        return self.over or self.watch.stop_asked()
