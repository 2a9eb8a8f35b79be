"""Webhooks: what waits in their queue, and how they are signed.

The signature is that of Standard Webhooks (https://www.standardwebhooks.com), so receivers can check it with a library.
"""

import base64
import hmac
import json
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from pydantic import ConfigDict

from dom_core.domain.network import STRICT
from dom_core.domain.units import PositiveUnits
from dom_core.messages.assignments import AssignmentMessage
from dom_core.messages.reading import write_value

SECRET_PREFIX = "whsec_"  # noqa: S105 - how secrets begin, and none itself


@dataclass(frozen=True, slots=True)
class WebhookTicket:
    """A message that is still to be posted, and the number of the try to come."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    message: AssignmentMessage
    number: PositiveUnits = 1

    @property
    def encoded(self) -> bytes:
        """The ticket as it waits in its queue."""
        return json.dumps(write_value(self, WebhookTicket)).encode()


def signed_headers(secrets: str, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers by which a receiver knows whose the message is, and when it was sent.

    One signature for each secret, while the old and the new one are both in use; between secrets stands a space.
    """
    timestamp = str(int(at.timestamp()))
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(_signature(secret, signed) for secret in secrets.split()),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
