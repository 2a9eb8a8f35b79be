"""Send what may be too large for a queue message: then its content goes into a blob, and the message points to it.

One message, one blob. The blob is there before the message, and goes after the message's work is done; what a process
that was killed in between leaves behind is removed by the nightly clean-up, once no message can point to it any more.
"""

from dom_core.messages.claim import About, claim_for, claim_in
from dom_core.ports import Blobs
from dom_core.use_cases.context import Ports

LARGEST_MESSAGE_BYTES = 40 * 1024
"""Longer messages go through a blob. A queue takes 64 KiB, but hosts and SDKs that encode need a third more."""

MESSAGE_LIFE_S = 7 * 24 * 3600
"""How long a message waits to be taken, and again among the poison, before the queue drops it."""


def send(ports: Ports, queue: str, content: bytes, about: About | None = None, *, visible_after_s: float = 0) -> None:
    """Put the content on the queue, whatever its size. `about` helps when a blob is lost."""
    if len(content) > LARGEST_MESSAGE_BYTES:
        content = claim_for(ports.blobs.put(content), content, about or {}).message
    ports.queues.send(queue, content, visible_after_s=visible_after_s, time_to_live_s=MESSAGE_LIFE_S)


def kept(blobs: Blobs, content: bytes) -> bytes:
    """What stands for content that several messages point to: its claim. Whoever keeps it discards it at last."""
    return claim_for(blobs.put(content), content, {}).message


def content_of(blobs: Blobs, message: bytes) -> bytes:
    """What the sender sent. Raises ContentLost, and InvalidInput for a malformed claim."""
    claim = claim_in(message)
    return message if claim is None else claim.require(blobs.get(claim.blob))


def discard(blobs: Blobs, message: bytes) -> None:
    """The message's work is done: nobody needs its content any more."""
    claim = claim_in(message)
    if claim is not None:
        blobs.delete(claim.blob)
