"""Post one message to the receiver of webhooks; when it does not take it, try again later, and at last give up."""

import json
import logging
from dataclasses import replace
from datetime import timedelta

from dom_core.domain.delivery import Attempt, Delivery, DeliveryState
from dom_core.errors import NotFound, Problem, Unavailable
from dom_core.messages.assignments import AssignmentMessage
from dom_core.messages.reading import read_json
from dom_core.messages.webhooks import WebhookTicket, signed_headers
from dom_core.repositories.deliveries import MAX_ATTEMPTS_KEPT, Deliveries
from dom_core.repositories.orders import Orders
from dom_core.use_cases.context import Ports
from dom_core.use_cases.dead_letters import record

_MINUTE_S, _HOUR_S = 60, 3600

PAUSES_S = (5, _MINUTE_S, 5 * _MINUTE_S, 30 * _MINUTE_S, 2 * _HOUR_S, 5 * _HOUR_S, 10 * _HOUR_S, 24 * _HOUR_S)
"""The pause after each attempt that failed: short ones for a restart, a day for whoever has to be woken.

After one attempt more than there are pauses nobody tries any longer.
"""

_logger = logging.getLogger(__name__)


def deliver_webhook(ports: Ports, raw: bytes, queue_message_id: str) -> None:
    """Make the attempt that a ticket asks for. Raises InvalidInput for what is no ticket.

    Every attempt is noted before the next one is asked for. Killed in between, the same attempt is made again.
    """
    ticket = read_json(raw, WebhookTicket, "webhook ticket")
    attempt = _attempt(ports, ticket)
    state, pause_s = _outcome(ticket, attempt)
    _note(ports, ticket.message, attempt, state, pause_s)
    if state is DeliveryState.WAITING:
        again = replace(ticket, attempt=ticket.attempt + 1)
        ports.queues.send(ports.settings.webhooks_queue, again.encoded, visible_after_s=pause_s)
    if state is DeliveryState.GIVEN_UP:
        _give_up(ports, ticket, attempt, queue_message_id)


def list_deliveries(ports: Ports, order_id: str) -> tuple[Delivery, ...]:
    """What became of the order's webhooks. Raises NotFound for an order that is not stored."""
    if Orders(ports.store).find(order_id) is None:
        raise NotFound("order", order_id)
    return Deliveries(ports.store).of_order(order_id)


def _attempt(ports: Ports, ticket: WebhookTicket) -> Attempt:
    at = ports.clock.now()
    if ports.webhook is None:
        return Attempt(ticket.attempt, at, None, "there is no DOM_WEBHOOK_URL any more")
    body = ticket.message.encoded
    headers = signed_headers(ports.settings.webhook_secret, ticket.message.id, at, body)
    try:
        return Attempt(ticket.attempt, at, ports.webhook.post(body, headers))
    except Unavailable as error:
        return Attempt(ticket.attempt, at, None, str(error))


def _outcome(ticket: WebhookTicket, attempt: Attempt) -> tuple[DeliveryState, float]:
    """How far the delivery is after this attempt, and the seconds until the next one."""
    if attempt.succeeded:
        return DeliveryState.DELIVERED, 0
    if ticket.attempt > len(PAUSES_S):
        return DeliveryState.GIVEN_UP, 0
    return DeliveryState.WAITING, PAUSES_S[ticket.attempt - 1]


def _note(ports: Ports, message: AssignmentMessage, attempt: Attempt, state: DeliveryState, pause_s: float) -> None:
    next_at = attempt.at + timedelta(seconds=pause_s) if state is DeliveryState.WAITING else None

    def noted(known: Delivery | None) -> Delivery:
        delivery = known or Delivery(message.id, message.sequence, message.line_id, message.what, state)
        attempts = (*delivery.attempts, attempt)[-MAX_ATTEMPTS_KEPT:]
        return replace(delivery, state=state, attempts=attempts, next_at=next_at)

    Deliveries(ports.store).change(message.order_id, message.id, noted)


def _give_up(ports: Ports, ticket: WebhookTicket, attempt: Attempt, queue_message_id: str) -> None:
    """Keep the message as a dead letter. Replayed, it is tried from the beginning."""
    last = attempt.fault or f"the receiver answered {attempt.status}"
    problem = Problem("", f"not delivered in {ticket.attempt} attempts; the last: {last}")
    fresh = replace(ticket, attempt=1)
    record(ports, ports.settings.webhooks_queue, fresh.encoded, [problem], queue_message_id)
    _logger.warning(json.dumps({"event": "webhook_given_up", "message_id": ticket.message.id}))
