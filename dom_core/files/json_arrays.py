"""JSON files that hold one array of objects, read so that each object knows its line."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic

from dom_core.errors import InvalidInput, Problem
from dom_core.files.places import Found, T, at_line
from dom_core.messages.reading import read_most

_SPACE = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True, slots=True)
class ArrayContent(Generic[T]):
    """What an array holds: its items, all problems of reading them, and what there is of the others.

    `partly_read` are items without those of their fields that are wrong; `unread_ids` belong to items of which nothing
    could be made.
    """

    items: tuple[Found[T], ...] = ()
    problems: tuple[Problem, ...] = ()
    partly_read: tuple[Found[T], ...] = ()
    unread_ids: frozenset[str] = frozenset()

    def values(self) -> tuple[T, ...]:
        """The items without their places."""
        return tuple(item.value for item in self.items)


def read_array(file: str, text: str, shape: type[T]) -> ArrayContent[T]:
    """The content of a file that holds one JSON array of this shape."""
    items: list[Found[T]] = []
    partly_read: list[Found[T]] = []
    problems: list[Problem] = []
    unread: set[str] = set()
    try:
        for raw in _items(file, text):
            most = read_most(raw.value, shape, file)
            problems += at_line(file, raw.line, most.problems)
            if most.value is None:
                unread |= _id_of(raw.value)
            else:
                (items if most.whole else partly_read).append(Found(most.value, raw.line))
    except InvalidInput as error:
        problems += error.problems
    return ArrayContent(tuple(items), tuple(problems), tuple(partly_read), frozenset(unread))


def _id_of(value: object) -> set[str]:
    id = value.get("id") if isinstance(value, dict) else None
    return {id} if isinstance(id, str) else set()


def _items(file: str, text: str) -> Iterator[Found[object]]:
    """The items of the array, one after the other. Raises InvalidInput where the text stops being JSON."""
    decoder = json.JSONDecoder(parse_constant=_refuse_constant)
    at = _expect(file, text, 0, "[", "must hold a JSON array: [ … ]")
    line, counted_to = 1, 0
    if text[at : at + 1] == "]":
        return _nothing_after(file, text, at + 1)
    while True:
        line, counted_to = line + text.count("\n", counted_to, at), at
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            raise InvalidInput([_not_json(file, line, error)], "file") from error
        yield Found(value, line)
        at = _skip(text, end)
        if text[at : at + 1] == "]":
            return _nothing_after(file, text, at + 1)
        at = _expect(file, text, at, ",", "expected ',' or ']' after an item")


def _not_json(file: str, line: int, error: Exception) -> Problem:
    if isinstance(error, json.JSONDecodeError):
        return Problem(f"{file}:{error.lineno}", f"is not valid JSON: {error.msg} (column {error.colno})")
    return Problem(f"{file}:{line}", f"is not valid JSON: {error}")


def _expect(file: str, text: str, at: int, character: str, message: str) -> int:
    """The place of what follows the character that must stand here."""
    at = _skip(text, at)
    if text[at : at + 1] != character:
        raise _fault(file, text, at, message)
    return _skip(text, at + 1)


def _nothing_after(file: str, text: str, at: int) -> None:
    at = _skip(text, at)
    if at < len(text):
        raise _fault(file, text, at, "nothing may follow the array")


def _fault(file: str, text: str, at: int, message: str) -> InvalidInput:
    return InvalidInput([Problem(f"{file}:{text.count(chr(10), 0, at) + 1}", message)], "file")


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")
