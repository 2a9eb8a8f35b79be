"""The first place where two JSON values differ."""

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two values differ (`lines[0].units`), and what stands there in each, as JSON; nothing where it ends."""

    path: str
    stored: str
    now: str


_ABSENT = object()


def first_difference(stored: Any, now: Any, path: str = "") -> Difference | None:
    """The first difference, in the order in which the values are written; None when they are the same."""
    if isinstance(stored, dict) and isinstance(now, dict):
        names = [*stored, *(name for name in now if name not in stored)]
        steps = [(f"{path}.{name}" if path else name, name) for name in names]
        return _first(((step, stored.get(name, _ABSENT), now.get(name, _ABSENT)) for step, name in steps))
    if isinstance(stored, list) and isinstance(now, list):
        places = range(max(len(stored), len(now)))
        return _first((f"{path}[{at}]", _item(stored, at), _item(now, at)) for at in places)
    return None if _text(stored) == _text(now) else Difference(path, _text(stored), _text(now))


def _first(pairs: Any) -> Difference | None:
    found = (first_difference(stored, now, path) for path, stored, now in pairs)
    return next((difference for difference in found if difference), None)


def _item(values: list[Any], position: int) -> Any:
    return values[position] if position < len(values) else _ABSENT


def _text(value: Any) -> str:
    return "" if value is _ABSENT else json.dumps(value, sort_keys=True)
