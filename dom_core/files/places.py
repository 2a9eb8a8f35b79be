"""Where in a file something stands, and how a problem says so: `orders.csv:12: lines[0].units: must be 1 or more`."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from dom_core.errors import InvalidInput, Problem

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """A value that was read, and the line (from 1) where it begins."""

    value: T
    line: int


def at_line(file: str, line: int, problems: Iterable[Problem]) -> list[Problem]:
    """The problems, each with its file and line before its own path."""
    return [
        Problem(f"{file}:{line}{': ' if problem.path else ''}{problem.path}", problem.message) for problem in problems
    ]


def read_bytes(path: Path) -> bytes:
    """All of a file. Raises InvalidInput when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput([Problem(str(path), f"cannot be read: {error.strerror}")], "file") from error


def decode(file: str, raw: bytes) -> str:
    """UTF-8 text, with or without a byte-order mark. Raises InvalidInput naming the first line that is not."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InvalidInput([Problem(f"{file}:{line}", "is not UTF-8 text")], "file") from error
