"""What every document store refuses, whatever it is made of: the limits of Cosmos DB.

All stores check with these functions, so that what works on a desk works in the cloud.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from dom_core.errors import InvalidInput, Problem
from dom_core.ports import Body, Container, Delete, Write

MAX_BODY_BYTES = 2 * 1024 * 1024 - 8 * 1024
"""Cosmos DB's 2 MiB, less what is stored beside a body: its keys and the store's own fields."""

MAX_NESTING = 127
"""Levels of a body. Cosmos DB has 128; the item around the body is one."""

MAX_BATCH = 100
MAX_BATCH_BYTES = 1_200_000
MAX_PAGE = 1000
MAX_KEY_BYTES = 1023
MAX_EXACT_INTEGER = 2**53 - 1
"""JSON numbers are exact up to here in every store."""

_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_NOT_IN_IDS = frozenset("/\\?#\t\r\n")

Where = Mapping[str, str | int | bool]


def require_key(container: Container, partition: str, id: str) -> None:
    """Raises InvalidInput for a partition or an id that Cosmos DB would not take."""
    problems = [*_key_problems("partition", partition), *_key_problems("id", id)]
    if not _NOT_IN_IDS.isdisjoint(id) or id.endswith(" "):
        problems.append(Problem("id", "must not hold any of / \\ ? # or a line break, nor end with a space"))
    if container is Container.RUNS and partition != id:
        problems.append(Problem("partition", "must be the id: in 'runs' every document is a partition of its own"))
    if problems:
        raise InvalidInput(problems, "document key")


def require_batch(container: Container, partition: str, writes: Sequence[Write]) -> list[str | None]:
    """The bodies as JSON text, None for deletes. Raises InvalidInput for anything that cannot be written at once."""
    if len(writes) > MAX_BATCH:
        raise invalid("writes", f"a batch has at most {MAX_BATCH} operations, not {len(writes)}")
    for write in writes:
        require_key(container, partition, write.id)
    texts = [None if isinstance(write, Delete) else encode(write.body) for write in writes]
    size = sum(len(text.encode()) for text in texts if text is not None)
    if len(writes) > 1 and size > MAX_BATCH_BYTES:
        raise invalid("writes", f"have {size} bytes; a batch has at most {MAX_BATCH_BYTES}")
    return texts


def encode(body: Body) -> str:
    """The body as JSON text. A value that JSON does not know at all is our own mistake and stays a TypeError."""
    _require_plain(body)
    try:
        text = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        size = len(text.encode())
    except ValueError as error:
        raise invalid("body", "holds a number or a text that JSON cannot hold") from error
    if size > MAX_BODY_BYTES:
        raise invalid("body", f"has {size} bytes; a document has at most {MAX_BODY_BYTES}")
    return text


def require_query(partition: str | None, where: Where, limit: int) -> None:
    """Raises InvalidInput for a partition, a page size, a field name or a value that cannot be asked for."""
    if partition is not None and (problems := _key_problems("partition", partition)):
        raise InvalidInput(problems, "store request")
    if not 1 <= limit <= MAX_PAGE:
        raise invalid("limit", f"must be from 1 to {MAX_PAGE}")
    for field, value in where.items():
        if not _FIELD.fullmatch(field):
            raise invalid("where", "field names are letters, digits and _, beginning with a letter or _")
        if isinstance(value, int) and abs(value) > MAX_EXACT_INTEGER:
            raise invalid(f"where.{field}", f"must be at most {MAX_EXACT_INTEGER}")
        if isinstance(value, str) and not _is_text(value):
            raise invalid(f"where.{field}", "is not valid text")


def query_scope(container: Container, partition: str | None, where: Where) -> str:
    """A fingerprint of the query, so that a token continues only the query that gave it."""
    text = json.dumps([container, partition, sorted(where.items())])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def continuation_token(scope: str, position: Sequence[str]) -> str:
    """The token that continues a query of this scope from this position."""
    return base64.urlsafe_b64encode(json.dumps([scope, *position]).encode()).decode()


def continued_position(continuation: str, scope: str) -> list[str]:
    """The position in a token of ours. Raises InvalidInput for anything that we did not issue for this query."""
    try:
        content = json.loads(base64.b64decode(continuation, altchars=b"-_", validate=True))
    except (ValueError, RecursionError) as error:
        raise invalid("continuation", "is not a token of this store") from error
    match content:
        case [str() as given, *position] if given == scope and all(isinstance(part, str) for part in position):
            return position
    raise invalid("continuation", "belongs to another query")


def invalid(path: str, message: str) -> InvalidInput:
    """The error for a request that no store takes."""
    return InvalidInput([Problem(path, message)], "store request")


def _require_plain(body: Body) -> None:
    """Not nested too deeply (counted to just above the limit), and no integer that a store would round."""
    depth = 0
    level: list[Any] = [body]
    while level:
        depth += 1
        if depth > MAX_NESTING:
            raise invalid("body", f"is nested deeper than {MAX_NESTING} levels")
        values = [value for node in level for value in (node.values() if isinstance(node, dict) else node)]
        if any(isinstance(value, int) and abs(value) > MAX_EXACT_INTEGER for value in values):
            raise invalid("body", f"holds an integer beyond {MAX_EXACT_INTEGER}, which stores would round")
        level = [value for value in values if isinstance(value, dict | list | tuple)]


def _key_problems(path: str, key: str) -> list[Problem]:
    if not _is_text(key):
        return [Problem(path, "is not valid text")]
    return [] if 0 < len(key.encode()) <= MAX_KEY_BYTES else [Problem(path, f"must have 1 to {MAX_KEY_BYTES} bytes")]


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
