"""The claim check: a message that says where its content is, as that is too large for a message itself.

{"claim_check": 1, "blob": "<32 hex>", "sha256": "<64 hex>", "size_bytes": 204800, "about": {"order_id": "O1"}}

A claim names a blob and nothing else: neither an account nor a container nor a path.
"""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from dom_core.domain.units import Count
from dom_core.errors import ContentLost, InvalidInput
from dom_core.messages.reading import decode_json, read_value

MARKER = "claim_check"
"""The field that makes a message a claim. No other message has it."""

LARGEST_CLAIM_BYTES = 4096
"""More than any claim of ours has: longer messages are not looked at."""

About = Mapping[str, str | int]
"""What the sender says that the content is about: needed when the content itself is gone."""


class Claim(BaseModel):
    """Where the content of a message is, and how to know it again."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    claim_check: Literal[1] = 1
    blob: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size_bytes: Count
    about: About = Field(default_factory=dict)

    @property
    def message(self) -> bytes:
        """The claim as a message."""
        return self.model_dump_json().encode()

    def require(self, content: bytes | None) -> bytes:
        """The content, which is what was sent. Raises ContentLost."""
        if content is None:
            raise ContentLost(f"the content of {self} is gone; {_WAY_OUT}")
        if len(content) != self.size_bytes or hashlib.sha256(content).hexdigest() != self.sha256:
            raise ContentLost(f"the content of {self} is not what was sent; {_WAY_OUT}")
        return content

    def __str__(self) -> str:
        about = ", ".join(f"{name} '{value}'" for name, value in self.about.items())
        return f"this message ({about or f'blob {self.blob}'})"


_WAY_OUT = "whoever sent it must send it again"


def claim_for(blob: str, content: bytes, about: About) -> Claim:
    """The claim for content that was put under this name."""
    return Claim(blob=blob, sha256=hashlib.sha256(content).hexdigest(), size_bytes=len(content), about=about)


def claim_in(message: bytes) -> Claim | None:
    """The claim that a message is, or None for any other message. Raises InvalidInput for a malformed claim."""
    if len(message) > LARGEST_CLAIM_BYTES or MARKER.encode() not in message:
        return None
    try:
        content = decode_json(message, "claim check")
    except InvalidInput:
        return None
    if not isinstance(content, dict) or MARKER not in content:
        return None
    return read_value(content, Claim, "claim check")
