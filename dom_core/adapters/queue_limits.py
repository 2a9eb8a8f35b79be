"""What every queue refuses, whatever it is made of: the limits of Azure Storage queues with `messageEncoding: none`."""

import re

from dom_core.errors import InvalidInput, Problem

MAX_MESSAGE_BYTES = 64 * 1024
MAX_RECEIVE = 32
DEFAULT_LIFE_S = 7 * 24 * 3600
LONGEST_LIFE_S = 100 * 365 * 24 * 3600
LONGEST_HIDING_S = 7 * 24 * 3600
FOREVER_S = -1

_QUEUE_NAME = re.compile(r"[a-z0-9](-?[a-z0-9]){2,62}")
_LONGEST_NAME = 63

_NOT_IN_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Messages travel as XML, which knows no other characters, and would turn a carriage return into a line feed."""


def require_send(queue: str, body: bytes, visible_after_s: float, life_s: float) -> str:
    """The body as text. Raises InvalidInput for a name, a body or times that a queue does not take."""
    _require(_name_problems(queue) + _body_problems(body) + _life_problems(visible_after_s, life_s))
    return body.decode()


def require_receive(queue: str, limit: int, visibility_timeout_s: float) -> None:
    """Raises InvalidInput for a name, a number of messages or a time that a queue does not take."""
    _require(
        _name_problems(queue)
        + _range_problems("limit", limit, 1, MAX_RECEIVE)
        + _range_problems("visibility_timeout_s", visibility_timeout_s, 1, LONGEST_HIDING_S)
    )


def require_renew(queue: str, visibility_timeout_s: float) -> None:
    """Raises InvalidInput for a name or a time that a queue does not take."""
    _require(_name_problems(queue) + _range_problems("visibility_timeout_s", visibility_timeout_s, 0, LONGEST_HIDING_S))


def require_name(queue: str) -> None:
    """Raises InvalidInput for a name that a queue cannot have."""
    _require(_name_problems(queue))


def _require(problems: list[Problem]) -> None:
    if problems:
        raise InvalidInput(problems, "queue request")


def _name_problems(queue: str) -> list[Problem]:
    if len(queue) <= _LONGEST_NAME and _QUEUE_NAME.fullmatch(queue):
        return []
    return [Problem("queue", "must have 3 to 63 lower-case letters, digits and single hyphens between them")]


def _body_problems(body: bytes) -> list[Problem]:
    if len(body) > MAX_MESSAGE_BYTES:
        return [Problem("body", f"has {len(body)} bytes; a message has at most {MAX_MESSAGE_BYTES}")]
    try:
        carried = _NOT_IN_XML.search(body.decode()) is None
    except UnicodeDecodeError:
        carried = False
    return [] if carried else [Problem("body", "must be UTF-8 text without control characters, as JSON is")]


def _life_problems(visible_after_s: float, life_s: float) -> list[Problem]:
    problems = _range_problems("visible_after_s", visible_after_s, 0, LONGEST_HIDING_S)
    if life_s == FOREVER_S:
        return problems
    problems += _range_problems("time_to_live_s", life_s, 1, LONGEST_LIFE_S)
    if visible_after_s >= life_s:
        problems.append(Problem("visible_after_s", "must be shorter than the time to live"))
    return problems


def _range_problems(path: str, value: float, least: float, most: float) -> list[Problem]:
    return [] if least <= value <= most else [Problem(path, f"must be from {least} to {most}")]
