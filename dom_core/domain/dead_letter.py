"""A message that could not be used, kept so that a person can see why and send it again."""

import base64
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from pydantic import ConfigDict

from dom_core.domain.network import STRICT
from dom_core.domain.units import UtcTime
from dom_core.errors import Problem


class BodyEncoding(StrEnum):
    """How a dead letter keeps the bytes of its message."""

    TEXT = "text"
    BASE64 = "base64"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message with everything that is wrong with it. `body` is text; base64 where the bytes are not UTF-8."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    day: str
    id: str
    queue: str
    message_id: str
    body: str
    encoding: BodyEncoding
    problems: tuple[Problem, ...]
    recorded_at: UtcTime
    replayed_at: UtcTime | None = None
    replayed_by: str = ""

    @property
    def raw(self) -> bytes:
        """The bytes of the message."""
        return self.body.encode() if self.encoding is BodyEncoding.TEXT else base64.b64decode(self.body)


def encode_body(raw: bytes) -> tuple[str, BodyEncoding]:
    """The bytes as text, and how."""
    try:
        return raw.decode(), BodyEncoding.TEXT
    except UnicodeDecodeError:
        return base64.b64encode(raw).decode(), BodyEncoding.BASE64
