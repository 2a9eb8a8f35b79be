"""Say whether everything that the system needs answers."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from dom_core.domain.network import Address, Location, Product, Source, SourceType
from dom_core.domain.order import Line, Order
from dom_core.domain.request import PlanRequest
from dom_core.domain.strategy import SolverLimits, Strategy
from dom_core.errors import DomError, SolverFailed
from dom_core.optimizer import decomposition, formulation
from dom_core.optimizer.pipeline import open_lines
from dom_core.optimizer.relaxation import prepare
from dom_core.ports import Container
from dom_core.repositories.configurations import ConfigKind
from dom_core.use_cases.context import Ports
from dom_core.use_cases.health_memory import Check

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Health:
    """Whether everything works."""

    healthy: bool
    checks: tuple[Check, ...]


def check_health(ports: Ports) -> Health:
    """Ask the store and the queue, and let the solver choose between two sources.

    What is found is remembered for some seconds, that of the solver for 30: asking costs much more than asking for
    health does. What is wrong in full, with the places that an operator needs, is logged when it is found.
    """
    now, memory = ports.clock.now(), ports.health_memory
    checks = (
        memory.store.find(ports.store, now, lambda: _checked("store", lambda: _ask_store(ports))),
        memory.queue.find(ports.queues, now, lambda: _checked("queue", lambda: _ask_queue(ports))),
        memory.solver.find(ports.solver, now, lambda: _checked("solver", lambda: _ask_solver(ports))),
    )
    return Health(all(check.healthy for check in checks), checks)


def _checked(name: str, ask: Callable[[], str]) -> Check:
    try:
        return Check(name, healthy=True, detail=ask())
    except DomError as error:
        _logger.warning("health: the %s does not work: %s: %s", name, type(error).__name__, error)
        return Check(name, healthy=False, detail=type(error).__name__)


def _ask_store(ports: Ports) -> str:
    ports.store.query(Container.CONFIG, partition=ConfigKind.STRATEGIES, limit=1)
    return "answers"


def _ask_queue(ports: Ports) -> str:
    ports.queues.length(ports.settings.orders_queue)
    return "answers"


def _ask_solver(ports: Ports) -> str:
    """Let it choose between a near and a far source for one line: a model of a few variables with a known answer.

    The solver is asked directly, because a plan would be made without it where it fails.
    """
    request = _two_sources(ports)
    batch, _ = open_lines(request)
    problem = prepare(batch).problem
    model = formulation.build(problem, decomposition.independent_parts(problem))
    answer = ports.solver.solve(model, request.strategy.limits)
    chosen = [batch.sources[source].id for _, source, _ in answer.flows]
    if chosen != ["near"]:
        raise SolverFailed(f"the solver chose {chosen} instead of the nearer of two sources")
    return ports.solver.name


def _two_sources(ports: Ports) -> PlanRequest:
    now = ports.clock.now()
    near, far = Location(0.0, 0.0), Location(0.0, 10.0)
    line = Line("1", "product", 1, Address(), near, "standard")
    return PlanRequest(
        plan_id="health",
        run_id="health",
        now=now,
        strategy=Strategy("health", "all", limits=SolverLimits(solve_limit_s=10)),
        sources=(Source("far", SourceType.WAREHOUSE, location=far), Source("near", SourceType.STORE, location=near)),
        source_lists=(),
        products={"product": Product("product")},
        rules=(),
        orders=(Order("health", 1, now, (line,)),),
        available={("product", "near"): 1, ("product", "far"): 1},
        loads={},
    )
