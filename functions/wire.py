"""From requests and messages to what use cases take. Nothing unchecked gets past here.

WireError
├── BodyTooLarge      the body is larger than the setting allows
├── NotJson           the body is not declared to be JSON
└── BadPrecondition   If-Match is not one entity tag
"""

import re
from typing import TYPE_CHECKING, TypeVar

import azure.functions as func

from dom_core.domain.ids import Id
from dom_core.errors import DomError, InvalidInput, NotFound
from dom_core.messages import reading
from functions import authorization
from functions.bootstrap import ports
from functions.shapes import RunTicket

if TYPE_CHECKING:
    from dom_core.repositories.configurations import ConfigKind

T = TypeVar("T")

PLATFORM_PARAMETERS = frozenset({"code", "clientId"})
"""Query parameters that carry the caller's key: the host reads them, the app does not."""

_SHOWN_CHARACTERS = 120
"""How much of a text that is no id is repeated to the caller: as much as an id may have."""

_ENTITY_TAG = re.compile(r'"([\x21\x23-\x7e]+)"')


class WireError(DomError):
    """The request is refused before its content is read."""


class BodyTooLarge(WireError):
    """The body is larger than the setting allows."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        super().__init__(f"The body may have at most {limit_bytes:,} bytes: send less at once.")


class NotJson(WireError):
    """The body is not declared to be plain JSON."""


class BadPrecondition(WireError):
    """If-Match is not one entity tag."""


def require_small(request: func.HttpRequest) -> None:
    """Raises BodyTooLarge. Asked of every request, whether its function reads the body or not."""
    limit_bytes = ports().settings.max_body_bytes
    if len(request.get_body()) > limit_bytes:
        raise BodyTooLarge(limit_bytes)


def json_body(request: func.HttpRequest) -> bytes:
    """The bytes of a JSON body, still to be validated. Raises NotJson."""
    if _media_type(request) != "application/json":
        raise NotJson("The body must come with 'Content-Type: application/json'.")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise NotJson("The body must not be compressed: send it without 'Content-Encoding'.")
    raw: bytes = request.get_body()
    return raw


def body(request: func.HttpRequest, shape: type[T], subject: str) -> T:
    """The body as a value of this shape, as its sender may send it.

    Raises InvalidInput with every problem, Forbidden, and what `json_body` raises.
    """
    return authorization.attested(reading.read_json(json_body(request), shape, subject), request)


def query(request: func.HttpRequest, shape: type[T]) -> T:
    """The query string as a value of this shape; unknown parameters are refused. Raises InvalidInput."""
    given = {name: value for name, value in request.params.items() if name not in PLATFORM_PARAMETERS}
    return reading.read_value(given, shape, "query")


def route_id(request: func.HttpRequest, parameter: str, kind: str) -> str:
    """An id from the path. What cannot be an id names nothing: raises NotFound."""
    text: str = request.route_params[parameter]
    try:
        reading.read_value(text, Id, kind)
    except InvalidInput:
        raise NotFound(kind, text[:_SHOWN_CHARACTERS]) from None
    return text


def config_kind(request: func.HttpRequest) -> "ConfigKind":
    """The kind of configuration that the path names. Raises NotFound."""
    from dom_core.repositories.configurations import ConfigKind

    text = request.route_params["kind"]
    try:
        return ConfigKind(text)
    except ValueError:
        raise NotFound("kind of configuration", text[:_SHOWN_CHARACTERS], known=tuple(ConfigKind)) from None


def run_ticket(message: func.QueueMessage) -> RunTicket:
    """The run that a message asks for. Raises InvalidInput."""
    return reading.read_json(message.get_body(), RunTicket, "run ticket")


def if_match(request: func.HttpRequest) -> str | None:
    """The ETag that the document must still have, if the caller says so. Raises BadPrecondition."""
    header = request.headers.get("if-match")
    if header is None:
        return None
    tag = _ENTITY_TAG.fullmatch(header.strip())
    if tag is None:
        raise BadPrecondition("If-Match must be one ETag in double quotes, as GET answered it.")
    return tag[1]


def entity_tag(etag: str) -> str:
    """A document's ETag as an HTTP header: what `if_match` reads back."""
    return f'"{etag}"'


def _media_type(request: func.HttpRequest) -> str:
    content_type: str = request.headers.get("content-type", "")
    return content_type.partition(";")[0].strip().lower()
