"""Orders: how they come in, and what has become of them."""

import azure.functions as func

from functions import messages, responses, wire
from functions.bootstrap import ports
from functions.shapes import OrderAccepted, OrderQuery

bp = func.Blueprint()


@bp.route(route="orders", methods=["POST"])
@responses.answered
def post_order(req: func.HttpRequest) -> func.HttpResponse:
    """Validate an order and queue it. Safe to repeat: the same order again gets the same answer."""
    from dom_core.use_cases.submit_order import submit_order

    receipt = submit_order(ports(), wire.json_body(req))
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
