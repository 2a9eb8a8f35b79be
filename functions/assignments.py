"""Assignments on their way out: the outbox for what could not be sent at once, and webhooks."""

import json
import logging

import azure.functions as func

from functions import messages, responses, wire
from functions.bootstrap import ports

bp = func.Blueprint()
_logger = logging.getLogger(__name__)


@bp.timer_trigger(arg_name="timer", schedule="%DOM_OUTBOX_SCHEDULE%", run_on_startup=False)
@messages.discreet
def send_assignments(timer: func.TimerRequest) -> None:
    """Send what was left in the outboxes of orders, by a queue that was away or by whoever was killed."""
    from dom_core.use_cases.send_assignments import send_assignments as send

    _logger.info(json.dumps({"event": "outbox_emptied", "messages": send(ports())}))


@bp.queue_trigger(arg_name="msg", queue_name="%DOM_WEBHOOKS_QUEUE%", connection="AzureWebJobsStorage")
@messages.discreet
@messages.keeps_bad_messages(lambda settings: settings.webhooks_queue)
def deliver_webhook(msg: func.QueueMessage) -> None:
    """Post one message to the receiver; one that it does not take comes back later. Safe to redeliver."""
    from dom_core.use_cases.deliver_webhook import deliver_webhook as deliver

    deliver(ports(), msg.get_body(), msg.id or "")


@bp.route(route="orders/{order_id}/deliveries", methods=["GET"])
@responses.answered
def list_deliveries(req: func.HttpRequest) -> func.HttpResponse:
    """What became of an order's webhooks: every try with its time and status, without what was sent."""
    from dom_core.domain.delivery import Delivery
    from dom_core.use_cases import deliver_webhook as delivering

    found = delivering.list_deliveries(ports(), wire.route_id(req, "order_id", "order"))
    return responses.value(found, tuple[Delivery, ...])
