"""Which lines a run takes, and why it leaves the others (docs/semantics.md section 6)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from dom_core.domain.order import PICKUP_MODES, Acceptance, Line, LineState, Order, sort_key
from dom_core.domain.plan import HeldLine
from dom_core.domain.reason import Reason, Verdict
from dom_core.domain.request import PlanRequest
from dom_core.domain.strategy import Strategy
from dom_core.rules.base import Rule
from dom_core.watch import UNWATCHED, Watch


@dataclass(frozen=True, slots=True)
class EligibleOrder:
    """An order with those of its lines that the run takes."""

    order: Order
    lines: tuple[Line, ...]


def split(
    request: PlanRequest, rules: Sequence[Rule], watch: Watch = UNWATCHED
) -> tuple[tuple[EligibleOrder, ...], tuple[HeldLine, ...]]:
    """Lines to plan now, by order, earliest first; and the lines left out, each with its reason."""
    eligible: list[EligibleOrder] = []
    held: list[HeldLine] = []
    for order in watch.each(sorted(request.orders, key=sort_key)):
        lines = sorted(order.lines, key=lambda line: line.id)
        reasons = {line.id: _why_held(request, rules, order, line) for line in lines}
        taken = tuple(line for line in lines if reasons[line.id] is None)
        held += [HeldLine(order.id, line_id, reason) for line_id, reason in reasons.items() if reason]
        if taken:
            eligible.append(EligibleOrder(order, taken))
    return tuple(eligible), tuple(held)


def takes(strategy: Strategy, order: Order, line: Line) -> bool:
    """Whether the strategy is meant for lines like this, by origin, legal entity and delivery: the state is not asked.

    A default strategy is meant for everything here; that it leaves what others claim is another question.
    """
    return not (_order_filter(strategy, order, line) or _delivery(strategy, order, line))


def _why_held(request: PlanRequest, rules: Sequence[Rule], order: Order, line: Line) -> Reason | None:
    reasons = (gate(request.strategy, order, line) for gate in _GATES)
    claims = (_claimed(strategy, order, line) for strategy in request.claimants)
    by_rule = (rule.hold_line(request, order, line) for rule in rules)
    return next((reason for reason in _chain(reasons, claims, by_rule) if reason), None)


def _chain(*groups: Iterator[Reason | None]) -> Iterator[Reason | None]:
    for group in groups:
        yield from group


def _held(code: str, limit: str = "", actual: str = "") -> Reason:
    return Reason(Verdict.EXCLUDED, code, limit=limit, actual=actual)


def _order_state(_strategy: Strategy, order: Order, _line: Line) -> Reason | None:
    if order.cancelled:
        return _held("order_cancelled")
    return _held("order_on_hold") if order.on_hold else None


def _order_filter(strategy: Strategy, order: Order, _line: Line) -> Reason | None:
    if strategy.legal_entities and order.legal_entity not in strategy.legal_entities:
        return _held("legal_entity", ", ".join(strategy.legal_entities), order.legal_entity)
    if order.sales_origin is None:
        allowed = strategy.process_empty_sales_origin or not strategy.sales_origins
        return None if allowed else _held("sales_origin", ", ".join(strategy.sales_origins), "none")
    if strategy.sales_origins and order.sales_origin not in strategy.sales_origins:
        return _held("sales_origin", ", ".join(strategy.sales_origins), order.sales_origin)
    return None


def _delivery(strategy: Strategy, _order: Order, line: Line) -> Reason | None:
    if line.mode_of_delivery in PICKUP_MODES:
        return _held("needs_no_source", actual=line.mode_of_delivery)
    if line.direct_delivery:
        return _held("direct_delivery")
    if strategy.modes_of_delivery and line.mode_of_delivery not in strategy.modes_of_delivery:
        return _held("mode_of_delivery", ", ".join(strategy.modes_of_delivery), line.mode_of_delivery)
    return None


def _claimed(other: Strategy, order: Order, line: Line) -> Reason | None:
    """Why a default strategy leaves a line alone: another strategy takes lines like it."""
    return _held("claimed", actual=other.id) if takes(other, order, line) else None


def _line_state(_strategy: Strategy, _order: Order, line: Line) -> Reason | None:
    if line.state is LineState.ASSIGNED:
        accepted = line.assignment is not None and line.assignment.acceptance is Acceptance.ACCEPTED
        return _held("accepted" if accepted else "already_assigned")
    if line.state not in (LineState.UNASSIGNED, LineState.EXCEPTION):
        return _held(f"line_{line.state}")
    if line.exception and line.exception.permanent:
        return _held("permanent_exception", actual=str(line.exception))
    return None


def _attempts(strategy: Strategy, _order: Order, line: Line) -> Reason | None:
    if line.attempts < strategy.max_attempts:
        return None
    return _held("max_attempts", str(strategy.max_attempts), str(line.attempts))


def _location(_strategy: Strategy, _order: Order, line: Line) -> Reason | None:
    return _held("no_location") if line.location is None else None


Gate = Callable[[Strategy, Order, Line], Reason | None]

_GATES: tuple[Gate, ...] = (_order_state, _order_filter, _delivery, _line_state, _attempts, _location)
