"""A crew of many machines: tasks go out by queue, answers come back by document, and nobody is relied upon.

A part that is much larger than the others the run solves itself, and sends the passes over all of its pairs, piece by
piece: the rest of such a part is one step after the other.

The run that waits takes tasks from the queue like everybody else, so it ends also where no worker is. A task that
nobody answers is sent again, and at last performed here: workers may be killed at any moment. Whoever performs a task,
and however often, the answer is the same; so the plan is that of one machine, byte for byte.
"""

import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeVar

from dom_core.domain.request import PlanRequest
from dom_core.domain.run import Run
from dom_core.errors import Cancelled, ContentLost, DomError, InvalidInput, StoreConflict, Unavailable
from dom_core.messages.plan_task import ticket_in
from dom_core.optimizer import rounds, task_wire
from dom_core.optimizer.performing import LocalCrew, perform
from dom_core.optimizer.prices import Prices
from dom_core.optimizer.pricing import PricedBlock, Pricer
from dom_core.optimizer.promising import Kept, Known, priced_here
from dom_core.optimizer.rounds import Piece
from dom_core.optimizer.solving import Answer
from dom_core.optimizer.tasks import Crew, Task, Work
from dom_core.ports import ReceivedMessage
from dom_core.side_by_side import side_by_side
from dom_core.use_cases import claim_check
from dom_core.use_cases.context import Ports
from dom_core.use_cases.errands import USUAL_PACE, Errand, Job, Pace
from dom_core.use_cases.perform_plan_task import perform_plan_task, watched
from dom_core.watch import UNWATCHED, Watch, watch_of

_logger = logging.getLogger(__name__)


HUGE_PAIRS = 20_000_000
"""Lines × sources from which passes over all pairs are sent: such a pass takes a machine some two seconds."""

_R = TypeVar("_R")


def crew_for(ports: Ports, request: PlanRequest, run: Run, fence: int, watch: Watch) -> Crew | None:
    """Many machines for a run of more lines than the setting says; None: this one."""
    above = ports.settings.plan_tasks_above_lines
    if not above or sum(len(order.lines) for order in request.orders) <= above:
        return None
    return QueueCrew(ports, run.id, fence, watch)


@dataclass(frozen=True, slots=True)
class QueueCrew:
    """Performs tasks wherever somebody takes them from the queue of plan tasks."""

    ports: Ports
    run_id: str
    fence: int
    watch: Watch = UNWATCHED
    pace: Pace = USUAL_PACE

    @property
    def name(self) -> str:
        """The solver's, which is the same everywhere."""
        return self.ports.solver.name

    def perform(self, tasks: Iterable[Task]) -> Iterator[Answer]:
        """The answers, in the order of the tasks; huge parts are solved here while the others are under way."""
        every = list(tasks)
        errands = [self._errand(str(number), _Planning(self, task), self.pace) for number, task in enumerate(every)]
        huge = [number for number, task in enumerate(every) if _is_huge(task)]
        with self._under_way([errand for number, errand in enumerate(errands) if number not in huge]) as sent:
            solved = {number: self._solved_here(every[number]) for number in huge}
            for number, errand in enumerate(errands):
                yield solved[number] if number in solved else self._answer(errand, sent)

    def price_all(self, pricer: Pricer, prices: Prices, known: Known) -> Sequence[PricedBlock[Kept]]:
        """All blocks, here: a crew knows pieces of the parts that it solves itself."""
        return priced_here(pricer, prices, known)

    def price(self, pieces: Sequence[Piece], prices: Prices, known: Known) -> list[PricedBlock[Kept]]:
        """The blocks of all pieces, in order, whoever prices them."""
        errands = [
            self._errand(f"prices {number}", _Pricing(piece, prices, known), self.pace.of_prices)
            for number, piece in enumerate(pieces)
        ]
        with self._under_way(errands) as sent:
            return [block for errand in errands for block in self._answer(errand, sent)]

    def _errand(self, name: str, job: Job[_R], pace: Pace) -> Errand[_R]:
        return Errand(self.ports, self.run_id, f"{self.fence}\n{name}", job, pace)

    @contextmanager
    def _under_way(self, errands: Sequence[Errand[_R]]) -> Iterator[Sequence[Errand[_R]]]:
        """Send these. Afterwards nobody waits for any of them, whatever happened."""
        try:
            side_by_side(Errand.begin, errands, at_once=self.ports.settings.requests_at_once_to_store)
            yield errands
        finally:
            for errand in errands:
                errand.end()

    def _solved_here(self, task: Task) -> Answer:
        """The answer to a task whose passes over all pairs are sent."""
        watch = watch_of(task.limits).or_when(self.watch.stop_asked)
        within = _CrewOfHugePart(self, LocalCrew(self.ports.solver))
        try:
            return perform(watched(task, watch), self.ports.solver, within)
        finally:
            within.discard_pieces()

    def _answer(self, errand: Errand[_R], all_errands: Iterable[Errand[_R]]) -> _R:
        """Wait for one answer, and lend a hand meanwhile."""
        pauses = self.pace.pauses()
        while True:
            self.watch.go_on()
            if errand.is_ready():
                return errand.answer_here_or_there()
            if self._lend_a_hand(all_errands):
                pauses = self.pace.pauses()
            elif errand.is_overdue():
                for other in all_errands:
                    other.send_again_if_overdue()
            else:
                self.ports.pauses.pause(next(pauses))

    def _lend_a_hand(self, errands: Iterable[Errand[_R]]) -> bool:
        """Perform a task from the queue, whosever it is. False when there was none to take.

        Raises what a task of our own raises; with one of others they have to cope.
        """
        queue = self.ports.settings.plan_tasks_queue
        try:
            taken = self.ports.queues.receive(queue, visibility_timeout_s=self.pace.hidden_s)
        except Unavailable:
            return False
        for message in taken:
            try:
                perform_plan_task(self.ports, message.body, Watch(stop_asked=self.watch.stop_asked))
            except (ContentLost, InvalidInput) as error:
                _leave(message, error)
                continue
            except Cancelled:
                raise
            except DomError as error:
                if _is_of(message, errands):
                    raise
                _leave(message, error)
                continue
            with suppress(StoreConflict, Unavailable):
                self.ports.queues.delete(queue, message)
        return bool(taken)


@dataclass(slots=True)
class _CrewOfHugePart:
    """Solves one part here, but for the passes over all of its pairs."""

    crew: QueueCrew
    here: LocalCrew
    pieces: Sequence[Piece] = ()
    kept: list[bytes] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The solver's."""
        return self.here.name

    def perform(self, tasks: Iterable[Task]) -> Iterator[Answer]:
        """Neighbourhoods, here: they are answered before a message would arrive."""
        return self.here.perform(tasks)

    def price_all(self, pricer: Pricer, prices: Prices, known: Known) -> Sequence[PricedBlock[Kept]]:
        """All blocks, wherever somebody prices them. A part has one pricer, and is cut once."""
        if not self.pieces:
            self.pieces = rounds.pieces(pricer, self._keep)
        return self.crew.price(self.pieces, prices, known)

    def discard_pieces(self) -> None:
        """Nobody needs them any more. What a store that is away keeps goes with the clean-up."""
        for claim in self.kept:
            with suppress(Unavailable):
                claim_check.discard(self.crew.ports.blobs, claim)

    def _keep(self, problem: bytes) -> bytes:
        """A blob for all rounds. Without one the problem would go with each message, or be priced here."""
        try:
            claim = claim_check.kept(self.crew.ports.blobs, problem)
        except (Unavailable, InvalidInput):
            return problem
        self.kept.append(claim)
        return claim


def _is_huge(task: Task) -> bool:
    """Whether passes over all pairs of a part take so long that pieces of them are worth sending."""
    lines, sources = task.problem.batch.shape
    return task.work is Work.BLOCK and lines * sources >= HUGE_PAIRS


def _is_of(message: ReceivedMessage, errands: Iterable[Errand[_R]]) -> bool:
    return ticket_in(message.body) in {errand.ticket_id for errand in errands}


def _leave(message: ReceivedMessage, error: DomError) -> None:
    """Let the message come back to whoever takes it next; after some attempts the host makes a dead letter of it."""
    _logger.warning(json.dumps({"event": "plan_task_left", "message_id": message.id, "error": type(error).__name__}))


@dataclass(frozen=True, slots=True)
class _Planning:
    """A task to be performed."""

    crew: QueueCrew
    task: Task

    def content(self) -> bytes:
        """The task as bytes."""
        return task_wire.bytes_of(self.task)

    def here(self) -> Answer:
        """Our own answer."""
        return perform(watched(self.task, Watch(stop_asked=self.crew.watch.stop_asked)), self.crew.ports.solver)

    def read(self, answer: bytes) -> Answer:
        """The answer in the task's own words."""
        return task_wire.answer_of(answer, self.task)


@dataclass(frozen=True, slots=True)
class _Pricing:
    """A piece of a pass over all pairs."""

    piece: Piece
    prices: Prices
    known: Known

    def content(self) -> bytes:
        """The task to price the piece, as bytes."""
        return self.piece.asked(self.prices, self.known)

    def here(self) -> list[PricedBlock[Kept]]:
        """Our own answer."""
        return self.piece.priced_here(self.prices, self.known)

    def read(self, answer: bytes) -> list[PricedBlock[Kept]]:
        """The answer in positions of the part."""
        return self.piece.found(answer)
