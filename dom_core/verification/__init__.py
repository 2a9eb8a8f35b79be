"""Verifies a plan from its request: every figure that it states, and the bound that its prices prove.

Nothing here is shared with the engine. The audit's own readings are used, and what rules and cost factors say about
themselves; distances, charges and the cheapest patterns are worked out once more, order by order.
"""

from collections.abc import Callable
from dataclasses import dataclass

from dom_core.domain.plan import Plan
from dom_core.domain.request import PlanRequest
from dom_core.optimizer import audit
from dom_core.optimizer.audit import recount
from dom_core.optimizer.audit.subject import Subject
from dom_core.verification import claims
from dom_core.verification.claims import Support
from dom_core.verification.recomputing import Recomputation

__all__ = ["Support", "Verified", "say_nothing", "verify"]


def say_nothing(share: float) -> None:
    """For callers who do not wait."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What is wrong with a plan, one sentence each; and when nothing is, what the bound of each iteration rests on."""

    findings: tuple[str, ...]
    supports: tuple[Support, ...] = ()


def verify(request: PlanRequest, plan: Plan, told: Callable[[float], None] = say_nothing) -> Verified:
    """Verify every figure of a plan. `told` hears the share that is done."""
    wrong = audit.findings(request, plan)
    if wrong:
        return Verified(wrong)
    subject = Subject.of(request, plan)
    if not plan.proofs:
        return Verified(("the plan says nothing about what proves its bound: an older engine made it",))
    broken = tuple(claims.of_structure(subject, plan.proofs))
    return Verified(broken) if broken else _recomputed(subject, told)


def _recomputed(subject: Subject, told: Callable[[float], None]) -> Verified:
    request, plan = subject.request, subject.plan
    by_cost = bool(request.costs_in_force())
    rates = recount.cost_rates(request, plan) if by_cost else recount.level_rates(request, plan.largest_distance_km)
    found = Recomputation(subject, rates, plan.proofs).run(told)
    proofs = list(zip(plan.iterations, plan.proofs, strict=True))
    findings = (
        *claims.of_scale(subject, found, rates),
        *found.findings,
        *(finding for report, proof in proofs for finding in claims.of_bound(report, proof, found)),
        *(finding for report, proof in proofs for finding in claims.of_ending(report, proof, request)),
    )
    return Verified(findings) if findings else Verified((), tuple(claims.support_of(*pair, found) for pair in proofs))
