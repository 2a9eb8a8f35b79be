"""A source gives units of a line back: they return to the pool, and the next run tries another source."""

from dom_core import rules
from dom_core.domain.holding import keep_at_most
from dom_core.domain.ids import LineId, OrderId
from dom_core.domain.order import Event, Line, Order
from dom_core.domain.strategy import RuleRecord, Strategy
from dom_core.domain.transitions import Cause, Refusal, last_refusal, reject, require_line
from dom_core.errors import NotFound
from dom_core.messages.actions import Rejection
from dom_core.ports import DocumentStore
from dom_core.repositories.configurations import ConfigKind, Configurations
from dom_core.rules.maximum_rejects import MaximumRejects
from dom_core.telemetry.events import LineRejected
from dom_core.use_cases.change_order import change_order
from dom_core.use_cases.change_stock import change_stock
from dom_core.use_cases.context import Ports
from dom_core.use_cases.send_assignments import send_soon

DEFAULT_BARRED_DAYS = 30
"""How long a source is barred when the strategy that assigned the line no longer exists."""


def reject_line(ports: Ports, order_id: OrderId, line_id: LineId, rejection: Rejection) -> Order:
    """The order after it; the same rejection again changes nothing. Raises NotFound, Conflict, InvalidInput.

    The order is written first, its reservation is lowered after it: killed in between, units stay reserved until the
    rejection comes again or the next run sweeps them up; they are never promised twice.
    """
    cause = Cause(ports.clock.now(), rejection.who, rejection.why)
    order = change_order(ports.store, order_id, lambda order: _reject(ports, order, line_id, rejection, cause))
    refused = last_refusal(order, line_id, rejection.source_id)
    if refused is not None:
        _release(ports.store, order, require_line(order, line_id), refused)
    if refused is not None and refused.at == cause.at:
        ports.telemetry.tell(LineRejected(order_id, line_id, rejection.source_id, refused.units or 0))
    send_soon(ports, order_id)
    return order


def _reject(ports: Ports, order: Order, line_id: LineId, rejection: Rejection, cause: Cause) -> Order:
    line = require_line(order, line_id)
    strategy = _strategy_of(ports.store, line)
    refusal = Refusal(
        source_id=rejection.source_id,
        reason_code=rejection.reason_code,
        units=rejection.units,
        reference=rejection.rejection_id or "",
        barred_days=strategy.rejection_period_days if strategy else DEFAULT_BARRED_DAYS,
        threshold=_threshold(ports, strategy) if strategy else None,
    )
    return reject(order, line_id, refusal, cause)


def _strategy_of(store: DocumentStore, line: Line) -> Strategy | None:
    if line.assignment is None:
        return None
    try:
        return Configurations(store).strategy(line.assignment.strategy_id)
    except NotFound:
        return None


def _threshold(ports: Ports, strategy: Strategy) -> int | None:
    """The strictest threshold of the strategy's maximum-rejects rules in force, if there is any."""
    today = ports.clock.now().date()
    found = (Configurations(ports.store).find(ConfigKind.RULES, rule_id) for rule_id in strategy.rule_ids)
    in_force = (
        rules.build(record.value)
        for record in found
        if record and isinstance(record.value, RuleRecord) and record.value.enabled and record.value.in_date(today)
    )
    return min((rule.threshold for rule in in_force if isinstance(rule, MaximumRejects)), default=None)


def _release(store: DocumentStore, order: Order, line: Line, refused: Event) -> None:
    held = line.assignment
    still_held = held is not None and (held.plan_id, held.source_id) == (refused.plan_id, refused.source_id)
    keep = line.units if still_held else 0
    change_stock(
        store,
        line.product_id,
        lambda stock: keep_at_most(stock, refused.source_id or "", refused.plan_id or "", order.id, line.id, keep),
    )
