"""Keys: who may call a function."""

import secrets
from dataclasses import dataclass, field
from enum import StrEnum
from hmac import compare_digest

from dom_core.errors import InvalidInput, Problem


class Level(StrEnum):
    """What a caller must show."""

    ANONYMOUS = "anonymous"
    FUNCTION = "function"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Keys:
    """The two keys of the host. They never appear in a representation, so never in a log."""

    function: str = field(repr=False)
    master: str = field(repr=False)

    def __post_init__(self) -> None:
        problems = [
            Problem(name, "must not be empty, nor begin or end with a space")
            for name, key in (("function key", self.function), ("master key", self.master))
            if not key or key != key.strip()
        ]
        if self.function == self.master:
            problems.append(
                Problem("master key", "must differ from the function key, or everybody is an administrator")
            )
        if problems:
            raise InvalidInput(problems, "keys")

    def allow(self, level: Level, presented: str | None) -> bool:
        """Whether a caller who presents this key may call a function of this level."""
        if level is Level.ANONYMOUS:
            return True
        # Both comparisons always run, so the time taken does not tell which key was nearly right.
        is_function = _same(presented or "", self.function)
        is_master = _same(presented or "", self.master)
        return is_master or (is_function and level is Level.FUNCTION)


def make_key() -> str:
    """A key that nobody can guess."""
    return secrets.token_urlsafe(32)


def _same(presented: str, key: str) -> bool:
    # What cannot be encoded is spelt out: a strange header is a wrong key, not a crash.
    return compare_digest(presented.encode(errors="backslashreplace"), key.encode(errors="backslashreplace"))
