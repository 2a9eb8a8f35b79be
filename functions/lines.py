"""Lines: what sources and people say about them. Each body names who; a reset says why, too."""

import azure.functions as func

from functions import responses, wire
from functions.bootstrap import ports

bp = func.Blueprint()


@bp.route(route="orders/{order_id}/lines/{line_id}/reject", methods=["POST"])
@responses.answered
def reject_line(req: func.HttpRequest) -> func.HttpResponse:
    """A source refuses all or some units of a line. The same rejection sent twice counts once."""
    from dom_core.domain.order import Order
    from dom_core.messages.actions import Rejection
    from dom_core.use_cases.reject_line import reject_line as reject

    return responses.value(reject(ports(), *_line(req), wire.body(req, Rejection, "rejection")), Order)


@bp.route(route="orders/{order_id}/lines/{line_id}/accept", methods=["POST"])
@responses.answered
def accept_line(req: func.HttpRequest) -> func.HttpResponse:
    """A source takes a line on. Safe to repeat."""
    from dom_core.domain.order import Order
    from dom_core.messages.actions import Acceptance
    from dom_core.use_cases.accept_line import accept_line as accept

    return responses.value(accept(ports(), *_line(req), wire.body(req, Acceptance, "acceptance")), Order)


@bp.route(route="orders/{order_id}/lines/{line_id}/reset", methods=["POST"])
@responses.answered
def reset_line(req: func.HttpRequest) -> func.HttpResponse:
    """Give a line in exception another chance: its counters start again and no source is barred."""
    from dom_core.domain.order import Order
    from dom_core.messages.actions import Reset
    from dom_core.use_cases.reset_line import reset_line as reset

    return responses.value(reset(ports(), *_line(req), wire.body(req, Reset, "reset")), Order)


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
