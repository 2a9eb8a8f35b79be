"""What assignments say that they cost, added up again by plain loops."""

from collections import Counter
from collections.abc import Iterator

from dom_core.costs import build
from dom_core.costs.itemising import itemise
from dom_core.domain.ids import CostFactorId, OrderId, SourceId
from dom_core.domain.plan import Plan, PlanLine
from dom_core.domain.request import PlanRequest
from dom_core.optimizer.audit.subject import Check, Subject
from dom_core.rules.checking import Facts
from dom_core.watch import Watch

Payer = tuple[OrderId, SourceId, CostFactorId]
"""What an order pays at a source by a cost factor."""


def cents_of(request: PlanRequest, plan: Plan, iteration: int, watch: Watch) -> int:
    """What the assignments of this iteration cost beyond those before it."""
    now = sum(_expected(request, plan, iteration, watch).values())
    return now - sum(_expected(request, plan, iteration - 1, watch).values())


def _expected(request: PlanRequest, plan: Plan, last_iteration: int, watch: Watch) -> Counter[Payer]:
    """Cents per order, source and cost factor for what has been assigned up to an iteration."""
    cents: Counter[Payer] = Counter()
    factors = [build(record) for record in request.costs_in_force()]
    if not factors:
        return cents
    facts = Facts.of(request)
    lines: dict[OrderId, list[PlanLine]] = {}
    for line in plan.up_to_iteration(last_iteration).lines:
        lines.setdefault(line.order_id, []).append(line)
    for order_id in watch.each(sorted(lines)):
        for item in itemise(facts, factors, facts.orders[order_id], lines[order_id]):
            cents[order_id, item.source_id, item.factor_id] += item.cents
    return cents


def _items(subject: Subject) -> Iterator[str]:
    told: Counter[Payer] = Counter()
    for line, assignment in subject.assigned():
        for item in assignment.costs:
            told[line.order_id, assignment.source_id, item.factor_id] += item.cents
    expected = _expected(subject.request, subject.plan, 2, subject.watch)
    for key in sorted(told.keys() | expected.keys()):
        if told[key] != expected[key]:
            order_id, source_id, factor_id = key
            yield (
                f"order {order_id} from {source_id} is told to pay {told[key]} cents by {factor_id}, "
                f"it pays {expected[key]}"
            )


CHECKS: tuple[Check, ...] = (_items,)
