"""Run a strategy: plan every line that it may plan, store the plan, and apply it."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from dom_core.configuration import Configuration, request_for
from dom_core.domain.ids import PlanId, RunId, StrategyId
from dom_core.domain.plan import Plan, PlanState
from dom_core.domain.run import Lease, Run, RunState, summarise
from dom_core.domain.strategy import Strategy
from dom_core.errors import AlreadyExists, DomError, LeaseLost
from dom_core.optimizer.pipeline import Progress, plan_once
from dom_core.ports import DocumentStore
from dom_core.repositories.configurations import Configurations
from dom_core.repositories.plans import Plans
from dom_core.repositories.runs import Runs
from dom_core.use_cases.apply_plan import apply_plan, expire_plan
from dom_core.use_cases.context import Ports
from dom_core.use_cases.gather_facts import gather_facts
from dom_core.use_cases.start_alternate import start_alternate, waits_for_another
from dom_core.use_cases.start_run import new_run, require_runnable

_NOTE_EVERY = timedelta(seconds=1)
"""How often progress is written down."""

_TIMER = "timer"


def plan_batch(ports: Ports, run_id: RunId, strategy_id: StrategyId) -> Run:
    """The run after it: finished, or failed with a plain error. The same run twice does its work once.

    Raises errors that may pass (Unavailable, SolverFailed), so that the host tries again; the run says `failed` till
    then.
    """
    run = _known_run(ports, run_id, strategy_id)
    if run.state is RunState.FINISHED:
        return run
    try:
        previous = Runs(ports.store).lease(strategy_id)
        lease = Runs(ports.store).take_lease(strategy_id, run_id, ports.clock.now(), ports.settings.lease_s)
    except LeaseLost as error:
        return _fail(ports, run_id, str(error), fence=0)
    _close_abandoned(ports, previous, run_id)
    try:
        return _execute(ports, lease)
    except DomError as error:
        failed = _fail(ports, run_id, str(error), lease.fence)
        if error.retryable:
            raise
        return failed
    except Exception:
        _fail(ports, run_id, "an unexpected error; the log has the details", lease.fence)
        raise
    finally:
        with suppress(LeaseLost):
            Runs(ports.store).release_lease(lease, ports.clock.now())


def run_due(ports: Ports) -> tuple[Run, ...]:
    """Run every strategy that is due, one after the other; a failing one does not stop the others.

    Raises an ExceptionGroup at the end for errors that are our own mistakes.
    """
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
    lease = Runs(ports.store).lease(strategy.id)
    if lease is None:
        return True
    return lease.expires_at <= now and lease.taken_at + timedelta(minutes=strategy.aggregation_minutes) <= now


def _known_run(ports: Ports, run_id: RunId, strategy_id: StrategyId) -> Run:
    """The stored run; a run asked for by somebody who stored none is stored now."""
    runs = Runs(ports.store)
    found = runs.find(run_id)
    if found:
        return found.value
    with suppress(AlreadyExists):
        return runs.create(Run(run_id, strategy_id, RunState.QUEUED, "queue", ports.clock.now())).value
    return runs.get(run_id).value


def _close_abandoned(ports: Ports, previous: Lease | None, run_id: RunId) -> None:
    """A run that lost its lease without ending was killed: say so in its record."""
    runs = Runs(ports.store)
    if previous is None or previous.run_id == run_id:
        return
    found = runs.find(previous.run_id)
    if found and found.value.state is RunState.RUNNING:
        _fail(ports, previous.run_id, f"stopped without ending; run '{run_id}' took over", previous.fence)


def _fail(ports: Ports, run_id: RunId, error: str, fence: int) -> Run:
    """Note the failure, unless the run has ended or somebody with a higher fence goes on with it."""
    now = ports.clock.now()

    def failed(run: Run) -> Run:
        if run.state is RunState.FINISHED or (run.fence or 0) > fence:
            return run
        return replace(run, state=RunState.FAILED, finished_at=now, error=error)

    return Runs(ports.store).change(run_id, failed)


def _execute(ports: Ports, lease: Lease) -> Run:
    configuration = Configurations(ports.store).load()
    strategy = configuration.strategy(lease.strategy_id)
    now = ports.clock.now()
    require_runnable(strategy, now)
    plan_id = f"plan-{lease.run_id}"
    _begin(ports.store, lease, plan_id, now)
    _expire_unfinished(ports, lease, plan_id)
    plan = Plans(ports.store).find(plan_id)
    if plan is None:
        plan = _plan(ports, lease, configuration, plan_id)
    if _is_applied(strategy) and plan.state is not PlanState.SIMULATED:
        apply_plan(ports, plan, lease.fence)
    return _finish(ports, lease.run_id, plan, start_alternate(ports, configuration, plan))


def _begin(store: DocumentStore, lease: Lease, plan_id: PlanId, now: datetime) -> None:
    def running(run: Run) -> Run:
        return replace(
            run, state=RunState.RUNNING, started_at=now, finished_at=None, fence=lease.fence, plan_id=plan_id, error=""
        )

    Runs(store).change(lease.run_id, running)


def _expire_unfinished(ports: Ports, lease: Lease, own_plan_id: PlanId) -> None:
    """Undo plans that a killed run of this strategy left half applied: what they still wanted is planned anew."""
    plans = Plans(ports.store)
    for header in list(plans.being_applied(lease.strategy_id)):
        if header.id != own_plan_id:
            expire_plan(ports, plans.get(header.id))


def _plan(ports: Ports, lease: Lease, configuration: Configuration, plan_id: PlanId) -> Plan:
    """Make the plan and store it. When another attempt at this run was faster, its plan counts."""
    facts = gather_facts(ports.store, configuration, plan_id, lease.run_id, ports.clock.now())
    request = request_for(configuration, lease.strategy_id, facts)
    plan = plan_once(request, ports.solver, _noting(ports, lease))
    with suppress(AlreadyExists):
        to_apply = _is_applied(request.strategy)
        Plans(ports.store).create(plan, attempt=str(lease.fence), to_apply=to_apply, request=request)
        return plan
    return Plans(ports.store).get(plan_id)


def _is_applied(strategy: Strategy) -> bool:
    return strategy.auto_apply and not strategy.simulation


def _noting(ports: Ports, lease: Lease) -> Progress:
    return _Note(ports, lease, ports.clock.now())


@dataclass(slots=True)
class _Note:
    """Writes progress into the run's record, and keeps the lease."""

    ports: Ports
    lease: Lease
    noted_at: datetime
    runs: Runs = field(init=False)

    def __post_init__(self) -> None:
        self.runs = Runs(self.ports.store)

    def __call__(self, stage: str, share: float) -> None:
        now = self.ports.clock.now()
        if now - self.noted_at < _NOTE_EVERY:
            return
        self.noted_at = now
        self.lease = self.runs.renew_lease(self.lease, now, self.ports.settings.lease_s)
        self.runs.change(self.lease.run_id, _at(stage, share))


def _at(stage: str, share: float) -> Callable[[Run], Run]:
    return lambda run: replace(run, stage=stage, share=share)


def _finish(ports: Ports, run_id: RunId, plan: Plan, alternate_run_id: RunId | None) -> Run:
    now = ports.clock.now()

    def finished(run: Run) -> Run:
        return replace(
            run,
            state=RunState.FINISHED,
            finished_at=now,
            stage="done",
            share=1.0,
            summary=summarise(plan),
            alternate_run_id=alternate_run_id,
        )

    return Runs(ports.store).change(run_id, finished)
