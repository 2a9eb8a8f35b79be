"""When a run finds nothing for any of its lines, its strategy's alternate tries: once for each such run."""

import hashlib
from contextlib import suppress
from datetime import datetime

from dom_core.configuration import Configuration
from dom_core.domain.ids import RunId, StrategyId
from dom_core.domain.plan import Plan
from dom_core.domain.run import Run, RunState
from dom_core.domain.strategy import Strategy
from dom_core.errors import AlreadyExists
from dom_core.repositories.runs import Runs
from dom_core.use_cases.context import Ports
from dom_core.use_cases.start_run import LONGEST_STEM, send_run


def start_alternate(ports: Ports, configuration: Configuration, plan: Plan) -> RunId | None:
    """The queued run of the alternate strategy; None when there is none to start.

    Safe to repeat for the same plan: the run's id follows from that of the run that found nothing, and a run that is
    sent twice is done once.
    """
    now = ports.clock.now()
    alternate = _alternate(configuration, plan.strategy_id, now)
    if alternate is None or not _found_nothing(plan):
        return None
    run = Run(_run_id(alternate.id, plan.run_id), alternate.id, RunState.QUEUED, f"run {plan.run_id}", now)
    with suppress(AlreadyExists):
        Runs(ports.store).create(run)
    send_run(ports, run)
    return run.id


def waits_for_another(configuration: Configuration, strategy: Strategy, now: datetime) -> bool:
    """Whether the strategy is the alternate of an active one: the clock does not start it."""
    others = configuration.deciding_with(strategy, now.date())
    return any(other.alternate_strategy_id == strategy.id for other in others)


def _alternate(configuration: Configuration, strategy_id: StrategyId, now: datetime) -> Strategy | None:
    """The alternate, if it may run now. A simulation has none: nothing came of it that could be missing."""
    strategy = configuration.strategy(strategy_id)
    if strategy.simulation or strategy.alternate_strategy_id is None:
        return None
    alternate = configuration.strategy(strategy.alternate_strategy_id)
    return alternate if alternate.enabled and alternate.in_date(now.date()) else None


def _found_nothing(plan: Plan) -> bool:
    return bool(plan.lines) and not any(line.assignments for line in plan.lines)


def _run_id(strategy_id: StrategyId, run_id: RunId) -> RunId:
    return f"{strategy_id[:LONGEST_STEM]}-after-{hashlib.sha256(run_id.encode()).hexdigest()[:12]}"
