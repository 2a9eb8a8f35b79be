"""Make a stored plan again from its request, and compare: the same, byte for byte, or the first difference."""

from dataclasses import dataclass, replace
from typing import Any

from dom_core.domain.ids import PlanId
from dom_core.domain.plan import IterationReport, Plan
from dom_core.domain.proof import IterationProof
from dom_core.domain.request import PlanRequest
from dom_core.errors import Conflict
from dom_core.messages.difference import Difference, first_difference
from dom_core.messages.reading import write_value
from dom_core.optimizer.hashing import hashes
from dom_core.optimizer.pipeline import plan_once
from dom_core.optimizer.solving import Solver
from dom_core.repositories.plans import Plans
from dom_core.use_cases.context import Ports
from dom_core.watch import UNWATCHED, Watch

_BY_SECONDS = "seconds"


@dataclass(frozen=True, slots=True)
class Replayed:
    """Whether a plan came out the same. `stopped_by_seconds`: the clock ended its search, which nobody can repeat."""

    same: bool
    first_difference: Difference | None
    stopped_by_seconds: bool


def replay_plan(ports: Ports, plan_id: PlanId) -> Replayed:
    """Replay a stored plan. Raises NotFound, and Conflict for a plan whose request is missing or another."""
    plan, request = stored_plan(ports, plan_id)
    return replay(plan, request, ports.solver)


def stored_plan(ports: Ports, plan_id: PlanId) -> tuple[Plan, PlanRequest]:
    """A plan and its request. Raises NotFound, and Conflict for a plan whose request is missing or another."""
    plans = Plans(ports.store)
    plan, request = plans.get(plan_id), plans.request(plan_id)
    require_own_request(plan, request)
    return plan, request


def replay(plan: Plan, request: PlanRequest, solver: Solver, watch: Watch = UNWATCHED) -> Replayed:
    """Make the plan again and compare. Raises Conflict for a plan that was not made from this request."""
    require_own_request(plan, request)
    # What became of the plan since is not the run's decision.
    again = replace(plan_once(request, solver, watch), state=plan.state, closing=plan.closing)
    difference = first_difference(_repeatable(plan), _repeatable(again))
    stopped = any(report.ending_limit == _BY_SECONDS for report in plan.iterations)
    return Replayed(difference is None, difference, stopped)


def require_own_request(plan: Plan, request: PlanRequest) -> None:
    """The plan was made from this request. Raises Conflict when a hash says that one of them was changed."""
    now = hashes(request)
    for what, stored, computed in (
        ("configuration", plan.configuration_hash, now.configuration),
        ("input", plan.input_hash, now.request),
    ):
        if stored != computed:
            raise Conflict(
                f"plan '{plan.id}' was not made from the request beside it: "
                f"its {what} hash is {stored[:12]}, that of the request is {computed[:12]}; "
                "restore both from one backup, or plan anew"
            )


def _repeatable(plan: Plan) -> Any:
    """The plan as plain data, without the seconds that it took."""
    reports: tuple[IterationReport, ...] = tuple(replace(report, seconds=0.0) for report in plan.iterations)
    plain = write_value(replace(plan, seconds=0.0, iterations=reports), Plan)
    # Line by line, so that a difference can be told; and deflating may differ from one machine to another.
    plain["reasons"]["codes"] = [row.hex(" ") for row in plan.reasons.codes]
    plain["proofs"] = [_repeatable_proof(proof) for proof in plan.proofs]
    return plain


def _repeatable_proof(proof: IterationProof) -> Any:
    parts = [
        [part.bound, part.priced, *map(str, (*part.prices.cells, *part.prices.rooms, *part.prices.savings))]
        for part in proof.parts
    ]
    part_of = [row.hex(" ") for row in proof.part_of]
    return {"number": proof.number, "part_of": part_of, "parts": parts, "unfilled": proof.unfilled_at_least}
