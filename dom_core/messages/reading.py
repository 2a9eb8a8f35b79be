"""From bytes to validated values, with every problem listed at once."""

import json
from collections.abc import Hashable, Iterable
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from dom_core.errors import InvalidInput, Problem, Unreadable
from dom_core.messages.wording import message_of

T = TypeVar("T")


@cache
def adapter(shape: Any) -> TypeAdapter[Any]:
    """The validator of a type, built once."""
    return TypeAdapter(shape)


def read_json(raw: bytes, shape: type[T], subject: str) -> T:
    """Decode UTF-8 JSON and validate it. Raises Unreadable, or InvalidInput with a path for each problem."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable([Problem("", f"is not UTF-8 text (byte {error.start})")], subject) from error
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Unreadable([Problem("", f"is not valid JSON: {error}")], subject) from error
    return read_value(value, shape, subject)


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
