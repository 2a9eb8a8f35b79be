"""Send what the outboxes of orders hold to the queue of assignments, and to the queue of webhooks where there is one.

At least once: a message is taken out of its outbox after it was sent, so whoever is killed in between sends it again,
with the same id.
"""

import json
import logging
from collections.abc import Iterable
from contextlib import suppress

from dom_core.domain.ids import OrderId
from dom_core.errors import DamagedDocument, DomError, StoreConflict
from dom_core.messages.assignments import AssignmentMessage, message_of
from dom_core.messages.webhooks import WebhookTicket
from dom_core.repositories.outbox import Outbox, Untold
from dom_core.use_cases.context import Ports

KEPT_FOR_EVER_S = -1
"""How long a message waits to be read: nothing is lost because a reader was away."""

_logger = logging.getLogger(__name__)


def send_assignments(ports: Ports) -> int:
    """Send what is still to be told of all orders, and say how many messages that were.

    Raises Unavailable when a queue or the store does not answer: what is left waits for the next time. A damaged
    document does not keep others from being sent; it is logged, and raised at the end.
    """
    outbox = Outbox(ports.store)
    return _send(ports, outbox, outbox.every())


def send_soon(ports: Ports, order_id: OrderId | None = None) -> None:
    """Send right after a change of this order, or of many. What cannot be sent now waits for `send_assignments`."""
    outbox = Outbox(ports.store)
    try:
        _send(ports, outbox, outbox.every() if order_id is None else outbox.of_order(order_id))
    except DomError as error:
        _logger.warning(json.dumps({"event": "sending_put_off", "error": type(error).__name__}))


def _send(ports: Ports, outbox: Outbox, waiting: Iterable[Untold]) -> int:
    sent, damaged = 0, []
    for untold in waiting:
        try:
            sent += _send_one(ports, outbox, untold)
        except DamagedDocument as error:
            damaged.append(error)
    if damaged:
        raise damaged[0]
    return sent


def _send_one(ports: Ports, outbox: Outbox, untold: Untold) -> int:
    for notice in untold.notices:
        _put_on_queues(ports, message_of(untold.order_id, notice))
    with suppress(StoreConflict):  # somebody else sent the same meanwhile
        outbox.told(untold)
    return len(untold.notices)


def _put_on_queues(ports: Ports, message: AssignmentMessage) -> None:
    ports.queues.send(ports.settings.assignments_queue, message.encoded, time_to_live_s=KEPT_FOR_EVER_S)
    if ports.webhook is not None:
        ports.queues.send(ports.settings.webhooks_queue, WebhookTicket(message=message).encoded)
