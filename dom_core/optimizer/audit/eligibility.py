"""Whether the plan takes the lines that it must take, and no other (docs/semantics.md section 6)."""

from collections.abc import Iterator

from dom_core.domain.order import PICKUP_MODES, Line, LineState, Order
from dom_core.domain.request import PlanRequest
from dom_core.domain.strategy import Strategy
from dom_core.optimizer.audit.subject import Check, Subject


def _eligibility(subject: Subject) -> Iterator[str]:
    planned = {(line.order_id, line.line_id) for line in subject.plan.lines}
    for (order_id, line_id), line in subject.watch.each(subject.lines.items()):
        order = subject.orders[order_id]
        held = _why_not(subject.request, order, line) or _held_by_rule(subject, order, line)
        if held and (order_id, line_id) in planned:
            yield f"order {order_id} line {line_id} is planned, but {held}"
        if not held and (order_id, line_id) not in planned:
            yield f"order {order_id} line {line_id} is held, but nothing keeps it from being planned"


def _why_not(request: PlanRequest, order: Order, line: Line) -> str:
    """Why no run of this strategy may take the line (docs/semantics.md section 6); empty when it may."""
    strategy = request.strategy
    claimed_by = [other.id for other in request.claimants if not any(_filters(other, order, line).values())]
    conditions = {
        "its order is cancelled or on hold": order.cancelled or order.on_hold,
        **_filters(strategy, order, line),
        f"strategy {', '.join(claimed_by)} claims it": bool(claimed_by),
        "it needs no source": line.mode_of_delivery in PICKUP_MODES or line.direct_delivery,
        f"it is {line.state}": line.state not in (LineState.UNASSIGNED, LineState.EXCEPTION),
        f"it waits for a person ({line.exception})": line.exception is not None and line.exception.permanent,
        "its attempts are used up": line.attempts >= strategy.max_attempts,
        "its destination is unknown": line.location is None,
    }
    return next((reason for reason, true in conditions.items() if true), "")


def _filters(strategy: Strategy, order: Order, line: Line) -> dict[str, bool]:
    """What a strategy's order filter has against a line."""
    origins, entities, modes = strategy.sales_origins, strategy.legal_entities, strategy.modes_of_delivery
    origin_fits = order.sales_origin in origins or (order.sales_origin is None and strategy.process_empty_sales_origin)
    return {
        "its legal entity is another": bool(entities) and order.legal_entity not in entities,
        "its sales origin is another": bool(origins) and not origin_fits,
        "its mode of delivery is another": bool(modes) and line.mode_of_delivery not in modes,
    }


def _held_by_rule(subject: Subject, order: Order, line: Line) -> str:
    for bound in subject.rules:
        if subject.in_force(bound.record) and bound.rule.hold_line(subject.request, order, line):
            return f"rule {bound.record.id} holds it"
    return ""


CHECKS: tuple[Check, ...] = (_eligibility,)
