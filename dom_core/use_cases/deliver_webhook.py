"""Post one message to the receiver of webhooks; when it does not take it, try again later, and at last give up."""

import json
import logging
from dataclasses import replace
from datetime import timedelta

from dom_core.domain.delivery import Delivery, DeliveryState, Try
from dom_core.errors import NotFound, Problem, Unavailable
from dom_core.messages.assignments import AssignmentMessage
from dom_core.messages.reading import read_json
from dom_core.messages.webhooks import WebhookTicket, signed_headers
from dom_core.repositories.deliveries import MAX_TRIES_KEPT, Deliveries
from dom_core.repositories.orders import Orders
from dom_core.use_cases.context import Ports
from dom_core.use_cases.dead_letters import record

_MINUTE_S, _HOUR_S = 60, 3600

PAUSES_S = (5, _MINUTE_S, 5 * _MINUTE_S, 30 * _MINUTE_S, 2 * _HOUR_S, 5 * _HOUR_S, 10 * _HOUR_S, 24 * _HOUR_S)
"""The pause after each try that failed: short ones for a restart, a day for whoever has to be woken.

After one try more than there are pauses nobody tries any longer.
"""

_logger = logging.getLogger(__name__)


def deliver_webhook(ports: Ports, raw: bytes, queue_message_id: str) -> None:
    """Make the try that a ticket asks for. Raises InvalidInput for what is no ticket.

    Every try is noted before the next one is asked for. Killed in between, the same try is made again.
    """
    ticket = read_json(raw, WebhookTicket, "webhook ticket")
    made = _try(ports, ticket)
    state, pause_s = _outcome(ticket, made)
    _note(ports, ticket.message, made, state, pause_s)
    if state is DeliveryState.WAITING:
        again = replace(ticket, number=ticket.number + 1)
        ports.queues.send(ports.settings.webhooks_queue, again.encoded, visible_after_s=pause_s)
    if state is DeliveryState.GIVEN_UP:
        _give_up(ports, ticket, made, queue_message_id)


def list_deliveries(ports: Ports, order_id: str) -> tuple[Delivery, ...]:
    """What became of the order's webhooks. Raises NotFound for an order that is not stored."""
    if Orders(ports.store).find(order_id) is None:
        raise NotFound("order", order_id)
    return Deliveries(ports.store).of_order(order_id)


def _try(ports: Ports, ticket: WebhookTicket) -> Try:
    at = ports.clock.now()
    if ports.webhook is None:
        return Try(ticket.number, at, None, "there is no DOM_WEBHOOK_URL any more")
    body = ticket.message.encoded
    headers = signed_headers(ports.settings.webhook_secret, ticket.message.id, at, body)
    try:
        return Try(ticket.number, at, ports.webhook.post(body, headers))
    except Unavailable as error:
        return Try(ticket.number, at, None, str(error))


def _outcome(ticket: WebhookTicket, made: Try) -> tuple[DeliveryState, float]:
    """How far the delivery is after this try, and the seconds until the next one."""
    if made.succeeded:
        return DeliveryState.DELIVERED, 0
    if ticket.number > len(PAUSES_S):
        return DeliveryState.GIVEN_UP, 0
    return DeliveryState.WAITING, PAUSES_S[ticket.number - 1]


def _note(ports: Ports, message: AssignmentMessage, made: Try, state: DeliveryState, pause_s: float) -> None:
    next_at = made.at + timedelta(seconds=pause_s) if state is DeliveryState.WAITING else None

    def noted(known: Delivery | None) -> Delivery:
        delivery = known or Delivery(message.id, message.sequence, message.line_id, message.what, state)
        tries = (*delivery.tries, made)[-MAX_TRIES_KEPT:]
        if delivery.state is DeliveryState.DELIVERED:  # a ticket that came twice takes nothing back
            return replace(delivery, tries=tries)
        return replace(delivery, state=state, tries=tries, next_at=next_at)

    Deliveries(ports.store).change(message.order_id, message.id, noted)


def _give_up(ports: Ports, ticket: WebhookTicket, made: Try, queue_message_id: str) -> None:
    """Keep the message as a dead letter. Replayed, it is tried from the beginning."""
    last = made.fault or f"the receiver answered {made.status}"
    problem = Problem(
        "", f"not delivered in {ticket.number} tries; the last: {last}. Replay it once the receiver is well"
    )
    fresh = replace(ticket, number=1)
    record(ports, ports.settings.webhooks_queue, fresh.encoded, [problem], queue_message_id)
    _logger.warning(json.dumps({"event": "webhook_given_up", "message_id": ticket.message.id}))
