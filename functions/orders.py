"""Orders: how they come in, and what has become of them."""

import azure.functions as func

from functions import authorization, messages, responses, wire
from functions.bootstrap import ports
from functions.shapes import OrderAccepted, OrderQuery

bp = func.Blueprint()


@bp.route(route="orders", methods=["POST"])
@responses.answered
def post_order(req: func.HttpRequest) -> func.HttpResponse:
    """Validate an order and queue it. Safe to repeat: the same order again gets the same answer."""
    from dom_core.use_cases.submit_order import submit_order

    receipt = submit_order(ports(), wire.json_body(req), authorization.caller_name(req))
    status_url = responses.status_url("orders", receipt.order_id)
    return responses.accepted(
        OrderAccepted(order_id=receipt.order_id, revision=receipt.revision, status_url=status_url)
    )


@bp.queue_trigger(arg_name="msg", queue_name="%DOM_ORDERS_QUEUE%", connection="AzureWebJobsStorage")
@messages.discreet
def collect_order(msg: func.QueueMessage) -> None:
    """Store one order. Safe to redeliver: order id and revision are the key."""
    from dom_core.use_cases.take_order import take_order

    take_order(ports(), msg.get_body(), msg.id or "")


@bp.route(route="orders", methods=["GET"])
@responses.answered
def list_orders(req: func.HttpRequest) -> func.HttpResponse:
    """A page of orders; on request those with a line in one state, or in exception for one cause."""
    from dom_core.domain.order import Order
    from dom_core.use_cases import read_order

    asked = wire.query(req, OrderQuery)
    found = read_order.list_orders(
        ports(), state=asked.state, exception=asked.exception, limit=asked.limit, continuation=asked.continuation
    )
    return responses.page(found, Order)


@bp.route(route="orders/{order_id}", methods=["GET"])
@responses.answered
def get_order(req: func.HttpRequest) -> func.HttpResponse:
    """An order with its lines, their assignments and its whole history."""
    from dom_core.domain.order import Order
    from dom_core.use_cases import read_order

    return responses.value(read_order.get_order(ports(), wire.route_id(req, "order_id", "order")), Order)


@bp.route(route="orders/{order_id}/hold", methods=["POST"])
@responses.answered
def hold_order(req: func.HttpRequest) -> func.HttpResponse:
    """Stop an order: no run plans it, nothing of it is picked or shipped. What is assigned stays reserved."""
    from dom_core.domain.order import Order
    from dom_core.messages.actions import Decision
    from dom_core.use_cases.hold_order import hold_order as hold

    order_id = wire.route_id(req, "order_id", "order")
    return responses.value(hold(ports(), order_id, wire.body(req, Decision, "hold")), Order)


@bp.route(route="orders/{order_id}/release", methods=["POST"])
@responses.answered
def release_order(req: func.HttpRequest) -> func.HttpResponse:
    """Let an order on hold go on from where it was."""
    from dom_core.domain.order import Order
    from dom_core.messages.actions import Decision
    from dom_core.use_cases.release_order import release_order as release

    order_id = wire.route_id(req, "order_id", "order")
    return responses.value(release(ports(), order_id, wire.body(req, Decision, "release")), Order)


@bp.route(route="orders/{order_id}/cancel", methods=["POST"])
@responses.answered
def cancel_order(req: func.HttpRequest) -> func.HttpResponse:
    """Cancel whatever of an order has not shipped, and free its stock. Final, and safe to repeat."""
    from dom_core.domain.order import Order
    from dom_core.messages.actions import Decision
    from dom_core.use_cases.cancel_order import cancel_order as cancel

    order_id = wire.route_id(req, "order_id", "order")
    return responses.value(cancel(ports(), order_id, wire.body(req, Decision, "cancellation")), Order)
