"""Run a strategy: plan every line that it may plan, store the plan, and apply it."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count

from dom_core.charges import Account, charged_to
from dom_core.configuration import Configuration, request_for
from dom_core.domain.ids import PlanId, RunId, StrategyId
from dom_core.domain.plan import Plan, PlanState
from dom_core.domain.request import PlanRequest
from dom_core.domain.run import Run, RunState, summarise
from dom_core.domain.strategy import Strategy
from dom_core.errors import AlreadyExists, Busy, Cancelled, DomError, LeaseLost
from dom_core.optimizer.pipeline import plan_once
from dom_core.ports import DocumentStore
from dom_core.repositories.configurations import Configurations
from dom_core.repositories.plans import Plans
from dom_core.repositories.runs import Runs
from dom_core.telemetry.events import RunPostponed, RunStarted
from dom_core.telemetry.ways import run_way
from dom_core.use_cases.apply_plan import Terms, apply_plan
from dom_core.use_cases.close_plans import expire_overdue, supersede_older
from dom_core.use_cases.context import Ports
from dom_core.use_cases.gather_facts import gather_facts
from dom_core.use_cases.measure_roads import with_roads
from dom_core.use_cases.plan_tasks import crew_for
from dom_core.use_cases.planning_turn import Turn, taking_turn
from dom_core.use_cases.report_run import run_ended
from dom_core.use_cases.send_assignments import send_soon
from dom_core.use_cases.start_alternate import start_alternate, waits_for_another
from dom_core.use_cases.start_run import new_run, require_runnable, send_run
from dom_core.use_cases.stop_sign import StopSign
from dom_core.use_cases.sweep_reservations import sweeping
from dom_core.watch import Watch

_NOTE_EVERY = timedelta(seconds=1)
"""How often progress is written down."""

RETRY_S = 5
"""How long a run that finds somebody else planning waits in its queue before it tries again."""

_DONE = frozenset({RunState.FINISHED, RunState.CANCELLED})
_TIMER = "timer"
_CLOSED = frozenset({PlanState.EXPIRED, PlanState.SUPERSEDED})


def plan_batch(ports: Ports, run_id: RunId, strategy_id: StrategyId) -> Run:
    """The run after it: finished, failed with a plain error, or queued again while somebody else plans.

    The same run twice does its work once. Raises errors that may pass (Unavailable, SolverFailed), so that the host
    tries again; the run says `failed` till then.
    """
    with ports.telemetry.step("plan_batch", run_way(run_id)), charged_to("plan_batch") as account:
        return _plan_batch(ports, run_id, strategy_id, account)


def _plan_batch(ports: Ports, run_id: RunId, strategy_id: StrategyId, account: Account) -> Run:
    run = _known_run(ports, run_id, strategy_id)
    if run.state in _DONE:
        return run
    attempt = _Attempt(ports, run, Configurations(ports.store).load(), _plan_id(ports.store, run_id), account)
    try:
        with attempt.turn() as turn:
            ended = attempt.make(turn)
    except (Busy, LeaseLost):
        return _put_back(ports, run)
    send_soon(ports)
    return ended


def run_due(ports: Ports) -> tuple[Run, ...]:
    """Run every strategy that is due, one after the other; a failing one does not stop the others.

    While somebody else plans, strategies whose plans are applied stay due. Plans that waited too long to be approved
    expire. Raises an ExceptionGroup at the end for errors that are our own mistakes.
    """
    expire_overdue(ports)
    runs, mistakes = [], []
    configuration = Configurations(ports.store).load()
    for strategy in configuration.strategies:
        if not _is_due(ports, strategy) or waits_for_another(configuration, strategy, ports.clock.now()):
            continue
        run = new_run(ports.store, strategy.id, _TIMER, ports.clock.now())
        try:
            runs.append(plan_batch(ports, run.id, strategy.id))
        except DomError:
            runs.append(Runs(ports.store).get(run.id).value)
        except Exception as error:  # the next strategy must run whatever this one did
            mistakes.append(error)
    if mistakes:
        raise ExceptionGroup("runs failed unexpectedly", mistakes)
    return tuple(runs)


def _is_due(ports: Ports, strategy: Strategy) -> bool:
    now = ports.clock.now()
    if not strategy.enabled or not strategy.in_date(now.date()):
        return False
    lease = Runs(ports.store).lease()
    if lease is not None and lease.is_held(now) and not strategy.simulation:
        return False
    last = Runs(ports.store).last_start(strategy.id)
    return last is None or last + timedelta(minutes=strategy.aggregation_minutes) <= now


def _known_run(ports: Ports, run_id: RunId, strategy_id: StrategyId) -> Run:
    """The stored run; a run asked for by somebody who stored none is stored now."""
    runs = Runs(ports.store)
    found = runs.find(run_id)
    if found:
        return found.value
    with suppress(AlreadyExists):
        return runs.create(Run(run_id, strategy_id, RunState.QUEUED, "queue", ports.clock.now())).value
    return runs.get(run_id).value


def _plan_id(store: DocumentStore, run_id: RunId) -> PlanId:
    """The run's plan, made already or not. One that somebody closed meanwhile is left alone: the run makes another."""
    for number in count(1):
        plan_id = f"plan-{run_id}" if number == 1 else f"plan-{run_id}.{number}"
        if Plans(store).state(plan_id) not in _CLOSED:
            return plan_id
    raise AssertionError("counting never ends")


def _put_back(ports: Ports, run: Run) -> Run:
    """Let the run wait in its queue. Killed after sending, there are two messages, of which one does nothing."""
    send_run(ports, run, visible_after_s=RETRY_S)

    def queued(run: Run) -> Run:
        return run if run.state in _DONE else replace(run, state=RunState.QUEUED)

    ports.telemetry.tell(RunPostponed(run.id, run.strategy_id))
    return Runs(ports.store).change(run.id, queued)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One attempt at a run."""

    ports: Ports
    run: Run
    configuration: Configuration
    plan_id: PlanId
    account: Account

    def turn(self) -> AbstractContextManager[Turn | None]:
        """The turn that the run needs. A simulation, of which nothing is ever applied, needs none."""
        if any(each.simulation for each in self.configuration.strategies if each.id == self.run.strategy_id):
            return nullcontext()
        return taking_turn(self.ports, self.run.id, self.plan_id)

    def make(self, turn: Turn | None) -> Run:
        """The run after it. Errors that may pass are noted and raised."""
        fence = turn.fence if turn else (self.run.fence or 0) + 1
        try:
            return self.execute(turn, fence)
        except Cancelled:
            return self.cancel(fence)
        except DomError as error:
            failed = self.fail(str(error), fence)
            if error.retryable:
                raise
            return failed
        except Exception:
            self.fail("an unexpected error; the log has the details", fence)
            raise

    def execute(self, turn: Turn | None, fence: int) -> Run:
        """Plan, store the plan, and apply it unless a person must approve it or it is a simulation."""
        strategy = self.configuration.strategy(self.run.strategy_id)
        now = self.ports.clock.now()
        require_runnable(strategy, now)
        Runs(self.ports.store).note_start(strategy.id, now)
        self.begin(fence, now)
        note = _Note(self.ports, self.run.id, turn, now)
        plan = Plans(self.ports.store).find(self.plan_id) or self.plan(strategy, fence, note)
        if turn is not None:
            self.follow_up(strategy, plan, turn, note)
        return self.finish(plan)

    def follow_up(self, strategy: Strategy, plan: Plan, turn: Turn, note: "_Note") -> None:
        """What comes of a plan that is no simulation, if the turn still lasts after storing it."""
        turn.keep()
        supersede_older(self.ports, plan)
        if strategy.auto_apply:
            terms = Terms(f"strategy {strategy.id}", keep_alive=lambda: note("applying", 1.0))
            apply_plan(self.ports, plan, turn.fence, terms)

    def begin(self, fence: int, now: datetime) -> None:
        """Note that the run is under way."""

        def running(run: Run) -> Run:
            if run.cancelled_by:
                raise Cancelled("the run was stopped before it began")
            return replace(
                run,
                state=RunState.RUNNING,
                started_at=now,
                finished_at=None,
                fence=fence,
                plan_id=self.plan_id,
                error="",
            )

        Runs(self.ports.store).change(self.run.id, running)
        waited_s = round((now - self.run.requested_at).total_seconds(), 3)
        started = RunStarted(self.run.id, self.run.strategy_id, self.plan_id, fence, waited_s)
        self.ports.telemetry.tell(started)

    def plan(self, strategy: Strategy, fence: int, note: "_Note") -> Plan:
        """Make the plan and store it. When another attempt at this run was faster, its plan counts."""
        settle, now = sweeping(self.ports.telemetry), self.ports.clock.now()
        facts = gather_facts(self.ports, self.configuration, self.plan_id, self.run.id, now, settle)
        request = request_for(self.configuration, strategy.id, facts)
        request = with_roads(self.ports, request, lambda: note("distances", 0.0))
        plan = self.solve(request, fence, note)
        to_apply = strategy.auto_apply and not strategy.simulation
        with suppress(AlreadyExists):
            Plans(self.ports.store).create(plan, attempt=str(fence), to_apply=to_apply, request=request)
            return plan
        return Plans(self.ports.store).get(self.plan_id)

    def solve(self, request: PlanRequest, fence: int, note: "_Note") -> Plan:
        """The plan. Raises LeaseLost, or Cancelled, as soon as either is known: the solver is stopped."""
        turn = note.turn
        watch = Watch(lambda stage: note(stage.name, stage.share, stage.gap), StopSign(self.ports, self.run.id, turn))
        try:
            crew = crew_for(self.ports, request, self.run, fence, watch)
            plan = plan_once(request, self.ports.solver, watch, crew)
            watch.go_on()
        except Cancelled:
            if turn is not None:
                turn.keep()
            raise
        if turn is not None:
            turn.keep()
        return plan

    def finish(self, plan: Plan) -> Run:
        """Note the run's end and its figures, and start the alternate strategy of one that found nothing."""
        now = self.ports.clock.now()
        alternate_run_id = start_alternate(self.ports, self.configuration, plan)

        def finished(run: Run) -> Run:
            return replace(
                run,
                state=RunState.FINISHED,
                finished_at=now,
                stage="done",
                share=1.0,
                summary=summarise(plan),
                alternate_run_id=alternate_run_id,
                request_units=round(self.account.request_units, 2),
            )

        run = Runs(self.ports.store).change(self.run.id, finished)
        self.ports.telemetry.tell(run_ended(run, plan))
        return run

    def cancel(self, fence: int) -> Run:
        """Note that the run stopped because somebody asked for it."""
        now = self.ports.clock.now()

        def cancelled(run: Run) -> Run:
            if run.state in _DONE or (run.fence or 0) > fence:
                return run
            error = f"stopped by {run.cancelled_by}" + (f": {run.cancelled_why}" if run.cancelled_why else "")
            request_units = round(self.account.request_units, 2)
            return replace(run, state=RunState.CANCELLED, finished_at=now, error=error, request_units=request_units)

        run = Runs(self.ports.store).change(self.run.id, cancelled)
        self.ports.telemetry.tell(run_ended(run))
        return run

    def fail(self, error: str, fence: int) -> Run:
        """Note the failure, unless the run has ended or somebody with a higher fence goes on with it."""
        now = self.ports.clock.now()

        def failed(run: Run) -> Run:
            if run.state in _DONE or (run.fence or 0) > fence:
                return run
            request_units = round(self.account.request_units, 2)
            return replace(run, state=RunState.FAILED, finished_at=now, error=error, request_units=request_units)

        run = Runs(self.ports.store).change(self.run.id, failed)
        if run.state is RunState.FAILED:
            self.ports.telemetry.tell(run_ended(run))
        return run


@dataclass(slots=True)
class _Note:
    """Writes progress into the run's record, and keeps its turn."""

    ports: Ports
    run_id: RunId
    turn: Turn | None
    noted_at: datetime

    def __call__(self, stage: str, share: float, gap: float | None = None) -> None:
        """Note it, if the last note is old enough. Raises LeaseLost once the turn is known to be lost."""
        if self.turn is not None:
            self.turn.keep_in_time()
        now = self.ports.clock.now()
        if now - self.noted_at < _NOTE_EVERY:
            return
        self.noted_at = now
        Runs(self.ports.store).change(self.run_id, _at(stage, share, gap))


def _at(stage: str, share: float, gap: float | None) -> Callable[[Run], Run]:
    return lambda run: replace(run, stage=stage, share=share, gap=gap if gap is not None else run.gap)
