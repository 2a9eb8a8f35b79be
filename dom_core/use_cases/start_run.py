"""Ask for a run of a strategy: the answer comes at once, the run itself from a queue."""

import json
from dataclasses import replace
from datetime import datetime
from itertools import count

from dom_core.domain.ids import StrategyId
from dom_core.domain.run import Run, RunState
from dom_core.domain.strategy import Strategy
from dom_core.errors import AlreadyExists, DomError, InvalidInput, Problem
from dom_core.ports import DocumentStore
from dom_core.repositories.configurations import Configurations
from dom_core.repositories.runs import Runs
from dom_core.telemetry.ways import run_way
from dom_core.use_cases import claim_check
from dom_core.use_cases.context import Ports
from dom_core.use_cases.report_run import run_ended

LONGEST_STEM = 80
"""Characters of a strategy's id that a run's id keeps, so that it stays a valid id."""


def start_run(ports: Ports, strategy_id: StrategyId, who: str) -> Run:
    """The run, queued. Raises NotFound, and InvalidInput for a strategy that may not run now."""
    now = ports.clock.now()
    require_runnable(Configurations(ports.store).strategy(strategy_id), now)
    run = new_run(ports.store, strategy_id, who, now)
    try:
        with ports.telemetry.step("start_run", run_way(run.id)):
            send_run(ports, run)
    except DomError as error:
        reason = f"the run could not be queued: {error}"
        failed = Runs(ports.store).change(run.id, lambda run: replace(run, state=RunState.FAILED, error=reason))
        ports.telemetry.tell(run_ended(failed))
        raise
    return run


def send_run(ports: Ports, run: Run, visible_after_s: float = 0) -> None:
    """Put the run on its queue. Sent twice it is done once."""
    message = json.dumps({"run_id": run.id, "strategy_id": run.strategy_id}).encode()
    claim_check.send(ports, ports.settings.runs_queue, message, visible_after_s=visible_after_s)


def require_runnable(strategy: Strategy, now: datetime) -> None:
    """The strategy is enabled and in date. Raises InvalidInput."""
    problems = []
    if not strategy.enabled:
        problems.append(Problem("enabled", f"strategy '{strategy.id}' is disabled: enable it first"))
    if not strategy.in_date(now.date()):
        message = f"strategy '{strategy.id}' is out of date on {now.date()}: change its dates first"
        problems.append(Problem("start_date", message))
    if problems:
        raise InvalidInput(problems, "run")


def new_run(store: DocumentStore, strategy_id: StrategyId, who: str, now: datetime) -> Run:
    """A stored run, queued. Its id says what runs and since when."""
    stem = f"{strategy_id[:LONGEST_STEM]}-{now:%Y%m%dT%H%M%SZ}"
    for number in count(1):
        run_id = stem if number == 1 else f"{stem}-{number}"
        try:
            return Runs(store).create(Run(run_id, strategy_id, RunState.QUEUED, who, now)).value
        except AlreadyExists:
            continue
    raise AssertionError("counting never ends")
