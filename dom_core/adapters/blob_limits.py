"""What every blob store refuses, and how it names what it keeps."""

import re
from uuid import uuid4

from dom_core.errors import InvalidInput, Problem

MAX_CONTENT_BYTES = 100_000_000
"""As much as the largest HTTP body that a setting allows."""

_NAME = re.compile(r"[0-9a-f]{32}")


def new_name() -> str:
    """A name that nobody can guess, and that nothing else has."""
    return uuid4().hex


def require_content(content: bytes) -> None:
    """Raises InvalidInput for nothing at all, and for more than MAX_CONTENT_BYTES."""
    if not 0 < len(content) <= MAX_CONTENT_BYTES:
        problem = Problem("content", f"has {len(content)} bytes; a blob has 1 to {MAX_CONTENT_BYTES}")
        raise InvalidInput([problem], "blob request")


def is_name(name: str) -> bool:
    """Whether we could have given this name."""
    return _NAME.fullmatch(name) is not None


def require_name(name: str) -> None:
    """Raises InvalidInput for a name that we never gave: above all for one that could lead out of the container."""
    if not is_name(name):
        raise InvalidInput([Problem("name", "must have 32 hexadecimal digits")], "blob request")
