"""What assignments say that they cost, added up again by plain loops."""

from collections import Counter
from collections.abc import Iterator

from dom_core.costs import build
from dom_core.costs.itemising import itemise
from dom_core.domain.ids import CostFactorId, OrderId
from dom_core.domain.plan import Plan
from dom_core.domain.request import PlanRequest
from dom_core.optimizer.audit.subject import Check, Subject
from dom_core.rules.checking import Facts


def cents_of(request: PlanRequest, plan: Plan, iteration: int) -> int:
    """What the assignments of this iteration cost beyond those before it."""
    now = sum(_expected(request, plan, iteration).values())
    return now - sum(_expected(request, plan, iteration - 1).values())


def _expected(request: PlanRequest, plan: Plan, last_iteration: int) -> Counter[tuple[OrderId, CostFactorId]]:
    """Cents per order and cost factor for what has been assigned up to an iteration."""
    facts = Facts.of(request)
    factors = [build(record) for record in request.costs_in_force()]
    orders = {order.id: order for order in request.orders}
    lines = plan.up_to_iteration(last_iteration).lines
    cents: Counter[tuple[OrderId, CostFactorId]] = Counter()
    for order_id in sorted({line.order_id for line in lines}):
        mine = [line for line in lines if line.order_id == order_id]
        for item in itemise(facts, factors, orders[order_id], mine):
            cents[order_id, item.factor_id] += item.cents
    return cents


def _items(subject: Subject) -> Iterator[str]:
    told: Counter[tuple[OrderId, CostFactorId]] = Counter()
    for line, assignment in subject.assigned():
        for item in assignment.costs:
            told[line.order_id, item.factor_id] += item.cents
    expected = _expected(subject.request, subject.plan, last_iteration=2)
    for key in sorted(told.keys() | expected.keys()):
        if told[key] != expected[key]:
            yield f"order {key[0]} is told to pay {told[key]} cents by {key[1]}, it pays {expected[key]}"


CHECKS: tuple[Check, ...] = (_items,)
