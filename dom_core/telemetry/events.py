"""Events: what happened, as it is logged, counted and alerted on.

An event's name is its class's, in snake case. Its fields are ids, numbers and words of our own: nothing that a customer
wrote. A test reads the annotations and refuses anything else.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from dom_core.domain.ids import Id, LineId, OrderId, PlanId, ProductId, RunId, SourceId, StrategyId
from dom_core.domain.plan import Ending
from dom_core.domain.run import RunState
from dom_core.telemetry.ways import Way, order_way, run_way


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened."""

    level: ClassVar[int] = logging.INFO

    @classmethod
    def name(cls) -> str:
        """What the event is called in logs and alerts."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    @property
    def way(self) -> Way | None:
        """The way on which it happened, if it was one."""
        return None


@dataclass(frozen=True, slots=True)
class OrderEvent(Event):
    """Something that happened to one order."""

    order_id: OrderId

    @property
    def way(self) -> Way | None:
        """The order's."""
        return order_way(self.order_id)


@dataclass(frozen=True, slots=True)
class RunEvent(Event):
    """Something that happened to one run."""

    run_id: RunId
    strategy_id: StrategyId

    @property
    def way(self) -> Way | None:
        """The run's."""
        return run_way(self.run_id)


class Intake(StrEnum):
    """What an order that came in was to the store."""

    NEW = "new"
    REVISED = "revised"
    KNOWN = "known"


@dataclass(frozen=True, slots=True)
class OrderQueued(OrderEvent):
    """An order was posted, found good and queued."""

    revision: int
    lines: int


@dataclass(frozen=True, slots=True)
class OrderTaken(OrderEvent):
    """An order was taken from the queue, and is stored."""

    revision: int
    lines: int
    intake: Intake


@dataclass(frozen=True, slots=True)
class DeadLetterKept(Event):
    """A message that cannot be used was kept for people to look at."""

    level: ClassVar[int] = logging.WARNING
    queue: str
    message_id: str
    problems: int


@dataclass(frozen=True, slots=True)
class MessagePoisoned(Event):
    """A message failed at every attempt, and was kept for people to look at."""

    level: ClassVar[int] = logging.WARNING
    queue: str
    message_id: str


@dataclass(frozen=True, slots=True)
class RunStarted(RunEvent):
    """A run began to plan. `waited_s` is the time since somebody asked for it."""

    plan_id: PlanId
    fence: int
    waited_s: float


@dataclass(frozen=True, slots=True)
class RunPostponed(RunEvent):
    """A run found somebody else planning, and waits in its queue."""


@dataclass(frozen=True, slots=True)
class RunEnded(RunEvent):
    """A run ended, well or not; the figures are those of its plan, none without one.

    `gap` is that of iteration 1, `endings` are those of every iteration, `request_units` what the run asked of the
    store until now.
    """

    state: RunState
    seconds: float
    plan_id: PlanId | None = None
    lines: int = 0
    filled_units: int = 0
    unfilled_units: int = 0
    unfilled_units_by_reason: Mapping[str, int] | None = None
    gap: float | None = None
    endings: tuple[Ending, ...] = ()
    planning_seconds: float | None = None
    request_units: float = 0.0


@dataclass(frozen=True, slots=True)
class PlanApplied(RunEvent):
    """A plan was applied: so many lines as it says, the others wait for the next run."""

    plan_id: PlanId
    confirmed_lines: int
    conflicted_lines: int


@dataclass(frozen=True, slots=True)
class LineRejected(OrderEvent):
    """A source gave units of a line back."""

    line_id: LineId
    source_id: SourceId
    units: int


class TaskEnding(StrEnum):
    """What became of the work on a plan task."""

    ANSWERED = "answered"
    NOT_WANTED = "not_wanted"
    ANOTHER_ENGINE = "another_engine"


@dataclass(frozen=True, slots=True)
class TaskPerformed(Event):
    """A part of a run was worked on, here, for whoever waits for it. `not_wanted`: answered already, or the run ended.

    `another_engine`: its answer was wanted by another version of the engine or the solver, and it was left.
    """

    run_id: RunId
    lines: int
    seconds: float
    ending: TaskEnding

    @property
    def way(self) -> Way | None:
        """The run's."""
        return run_way(self.run_id)


@dataclass(frozen=True, slots=True)
class QueueAge(Event):
    """How long the oldest message that waits in a queue has waited; 0 when none does."""

    queue: str
    age_s: float
    messages: int


@dataclass(frozen=True, slots=True)
class StockOversold(Event):
    """More units are promised at a source than lie there. This must never be."""

    level: ClassVar[int] = logging.ERROR
    product_id: ProductId
    source_id: SourceId
    on_hand: int
    promised: int


@dataclass(frozen=True, slots=True)
class CleanedUp(Event):
    """What is old was removed. `dead_letters_kept` wait for people; `distances` counts places."""

    expired_plans: int
    plans: int
    runs: int
    dead_letters: int
    dead_letters_kept: int
    distances: int = 0
    blobs: int = 0
    plan_tasks: int = 0


@dataclass(frozen=True, slots=True)
class WorkCharged(Event):
    """A function ended; this is what it asked of the store, and the request units (RU) of that."""

    use_case: Id
    requests: int
    request_units: float
