"""The audit stands between a plan and its effects."""

from dataclasses import dataclass, replace

from dom_core.domain.run import RunState
from dom_core.domain.strategy import SolverLimits
from dom_core.optimizer.formulation import Model
from dom_core.optimizer.solving import Answer, CbcSolver
from dom_core.use_cases.plan_batch import plan_batch
from dom_core.use_cases.read_plan import list_plans
from tests.builders import an_order
from tests.use_cases.invariants import stored_orders
from tests.use_cases.world import World


@dataclass(frozen=True)
class LyingSolver:
    """A solver that gives each line a unit more than it wants."""

    name: str = "lying"

    def solve(self, model: Model, limits: SolverLimits) -> Answer:
        answer = CbcSolver().solve(model, limits)
        return replace(answer, flows=tuple((line, source, units + 1) for line, source, units in answer.flows))

    solve_strictly = solve


def test_a_plan_that_the_audit_refuses_is_neither_stored_nor_applied(world: World) -> None:
    world.stock(pen_A=9)
    world.store_order(an_order().with_line("pen", 2))
    before = stored_orders(world.ports.store)

    run = plan_batch(world.with_ports(solver=LyingSolver()), "R1", "standard")

    assert run.state is RunState.FAILED
    assert "3 of 2 units" in run.error
    assert list_plans(world.ports, 10).items == ()
    assert stored_orders(world.ports.store) == before
    assert world.cell("pen", "A").reserved == 0
