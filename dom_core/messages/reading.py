"""From bytes to validated values, with every problem listed at once."""

import json
import re
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from typing import Any, Generic, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from dom_core.errors import InvalidInput, Problem, Unreadable
from dom_core.messages.wording import message_of

T = TypeVar("T")


@cache
def adapter(shape: Any) -> TypeAdapter[Any]:
    """The validator of a type, built once."""
    return TypeAdapter(shape)


@dataclass(frozen=True, slots=True)
class Most(Generic[T]):
    """What can be read of a value, and what is wrong with it.

    `value` is without the fields that are wrong; None where too little is left. It is `whole` when nothing that belongs
    to its shape is missing: there were only fields too many.
    """

    value: T | None
    problems: tuple[Problem, ...] = ()
    whole: bool = True


def read_most(value: object, shape: type[T], subject: str, **otherwise: object) -> Most[T]:
    """As much of an object as can be read, so that the rest of it can still be checked.

    `otherwise` are fields to assume where they are wrong or missing.
    """
    try:
        return Most(read_value(value, shape, subject))
    except InvalidInput as error:
        problems = error.problems
    if not isinstance(value, dict):
        return Most(None, problems, whole=False)
    wrong = {re.split(r"[.\[]", problem.path, maxsplit=1)[0] for problem in problems}
    right = otherwise | {name: field for name, field in value.items() if name not in wrong}
    known = {field.name for field in fields(shape)} if is_dataclass(shape) else wrong
    try:
        return Most(read_value(right, shape, subject), problems, whole=not wrong & known)
    except InvalidInput:
        return Most(None, problems, whole=False)


def read_json(raw: bytes, shape: type[T], subject: str) -> T:
    """Decode UTF-8 JSON and validate it. Raises Unreadable, or InvalidInput with a path for each problem."""
    return read_value(decode_json(raw, subject), shape, subject)


def decode_json(raw: bytes, subject: str) -> object:
    """UTF-8 JSON as plain data. Raises Unreadable."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable([Problem("", f"is not UTF-8 text (byte {error.start})")], subject) from error
    try:
        value: object = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Unreadable([Problem("", f"is not valid JSON: {error}")], subject) from error
    return value


def read_value(value: object, shape: type[T], subject: str) -> T:
    """Validate plain data (as JSON decodes it). Raises InvalidInput with a path for each problem."""
    try:
        # Plain data came from JSON: let dates and tuples be written the way JSON writes them.
        checked: T = adapter(cast(Hashable, shape)).validate_json(json.dumps(value))
    except ValidationError as error:
        raise InvalidInput(problems_of(error), subject) from error
    return checked


def write_value(value: object, shape: Any) -> Any:
    """Plain data that JSON can hold, from a value of this type."""
    return adapter(shape).dump_python(value, mode="json")


def problems_of(error: ValidationError) -> list[Problem]:
    """What pydantic found, as problems. The offending value is not repeated: it may be personal."""
    found = error.errors(include_url=False, include_input=False)
    # A list whose items are all bad is also reported as too short: that says nothing new.
    blamed = {item["loc"][:length] for item in found for length in range(len(item["loc"]))}
    return [
        Problem(_path(item["loc"]), message_of(item))
        for item in found
        if not (item["type"] == "too_short" and item["loc"] in blamed)
    ]


def _path(location: Iterable[int | str]) -> str:
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")
