"""Lines: what sources and people say about them. Each body names who; what a person decides says why, too."""

import azure.functions as func

from functions import authorization, responses, wire
from functions.bootstrap import ports

bp = func.Blueprint()


@bp.route(route="orders/{order_id}/lines/{line_id}/reject", methods=["POST"])
@responses.answered
def reject_line(req: func.HttpRequest) -> func.HttpResponse:
    """A source refuses all or some units of a line. The same rejection sent twice counts once."""
    from dom_core.domain.order import Order
    from dom_core.messages.actions import Rejection
    from dom_core.use_cases.reject_line import reject_line as reject

    order = reject(ports(), *_line(req), wire.body(req, Rejection, "rejection"))
    return responses.value(authorization.visible(order, req), Order)


@bp.route(route="orders/{order_id}/lines/{line_id}/accept", methods=["POST"])
@responses.answered
def accept_line(req: func.HttpRequest) -> func.HttpResponse:
    """A source takes a line on. Safe to repeat."""
    from dom_core.domain.order import Order
    from dom_core.messages.actions import Acceptance
    from dom_core.use_cases.accept_line import accept_line as accept

    order = accept(ports(), *_line(req), wire.body(req, Acceptance, "acceptance"))
    return responses.value(authorization.visible(order, req), Order)


@bp.route(route="orders/{order_id}/lines/{line_id}/reset", methods=["POST"])
@responses.answered
def reset_line(req: func.HttpRequest) -> func.HttpResponse:
    """Give a line in exception another chance: its counters start again and no source is barred."""
    from dom_core.domain.order import Order
    from dom_core.messages.actions import Reset
    from dom_core.use_cases.reset_line import reset_line as reset

    return responses.value(reset(ports(), *_line(req), wire.body(req, Reset, "reset")), Order)


@bp.route(route="orders/{order_id}/lines/{line_id}/pick", methods=["POST"])
@responses.answered
def pick_line(req: func.HttpRequest) -> func.HttpResponse:
    """A source has taken a line's units from its shelves. Safe to repeat."""
    from dom_core.domain.order import Order
    from dom_core.messages.actions import Picking
    from dom_core.use_cases.pick_line import pick_line as pick

    order = pick(ports(), *_line(req), wire.body(req, Picking, "picking"))
    return responses.value(authorization.visible(order, req), Order)


@bp.route(route="orders/{order_id}/lines/{line_id}/ship", methods=["POST"])
@responses.answered
def ship_line(req: func.HttpRequest) -> func.HttpResponse:
    """A line's units have left their source: on hand and reserved go down together. Safe to repeat."""
    from dom_core.domain.order import Order
    from dom_core.messages.actions import Shipping
    from dom_core.use_cases.ship_line import ship_line as ship

    order = ship(ports(), *_line(req), wire.body(req, Shipping, "shipping"))
    return responses.value(authorization.visible(order, req), Order)


@bp.route(route="orders/{order_id}/lines/{line_id}/cancel", methods=["POST"])
@responses.answered
def cancel_line(req: func.HttpRequest) -> func.HttpResponse:
    """Cancel a line that has not shipped, and free its stock. Final, and safe to repeat."""
    from dom_core.domain.order import Order
    from dom_core.messages.actions import Decision
    from dom_core.use_cases.cancel_line import cancel_line as cancel

    return responses.value(cancel(ports(), *_line(req), wire.body(req, Decision, "cancellation")), Order)


@bp.route(route="orders/{order_id}/lines/{line_id}/exclude", methods=["POST"])
@responses.answered
def exclude_line(req: func.HttpRequest) -> func.HttpResponse:
    """Keep an open line out of planning until it is included again. Safe to repeat."""
    from dom_core.domain.order import Order
    from dom_core.messages.actions import Decision
    from dom_core.use_cases.exclude_line import exclude_line as exclude

    return responses.value(exclude(ports(), *_line(req), wire.body(req, Decision, "exclusion")), Order)


@bp.route(route="orders/{order_id}/lines/{line_id}/include", methods=["POST"])
@responses.answered
def include_line(req: func.HttpRequest) -> func.HttpResponse:
    """Let runs take an excluded line again. Safe to repeat."""
    from dom_core.domain.order import Order
    from dom_core.messages.actions import Decision
    from dom_core.use_cases.include_line import include_line as include

    return responses.value(include(ports(), *_line(req), wire.body(req, Decision, "inclusion")), Order)


@bp.route(route="orders/{order_id}/reset", methods=["POST"])
@responses.answered
def reset_order(req: func.HttpRequest) -> func.HttpResponse:
    """Give every line of an order that is in exception another chance."""
    from dom_core.domain.order import Order
    from dom_core.messages.actions import Reset
    from dom_core.use_cases.reset_order import reset_order as reset

    order_id = wire.route_id(req, "order_id", "order")
    return responses.value(reset(ports(), order_id, wire.body(req, Reset, "reset")), Order)


def _line(req: func.HttpRequest) -> tuple[str, str]:
    return wire.route_id(req, "order_id", "order"), wire.route_id(req, "line_id", "line")
