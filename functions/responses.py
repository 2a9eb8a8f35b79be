"""From what use cases return or raise to HTTP answers. One table says which error gets which status.

Errors are problem documents as in RFC 9457. A caller learns what is wrong with the request and never anything about
our insides: an error that the table does not know becomes an incident, whose number stands in the answer and the log.
"""

import json
import logging
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import singledispatch, wraps
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import uuid4

import azure.functions as func

from dom_core import errors
from dom_core.messages import reading
from functions import accounting, authorization, principals, rates, shapes, wire

if TYPE_CHECKING:
    from dom_core.use_cases.context import Slice

Handler = Callable[[func.HttpRequest], func.HttpResponse]

API_PREFIX = "/api"
"""Where the routes are: `routePrefix` of host.json."""

RETRY_AFTER_S = 5
"""How long a caller should wait before the same request may work."""

SECURITY_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
"""On every answer: orders are nobody else's business, and JSON is never anything but JSON."""

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Row:
    """What one kind of error is for the caller: the status, and a title that names the kind of problem."""

    status: HTTPStatus
    title: str

    @property
    def type(self) -> str:
        """The problem type: the same for every occurrence, so that programs can compare it."""
        return "urn:problem-type:dom:" + self.title.lower().replace(" ", "-")


_WAY_OUT: Mapping[HTTPStatus, Mapping[str, str]] = {
    HTTPStatus.SERVICE_UNAVAILABLE: {"Retry-After": str(RETRY_AFTER_S)},
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": "Bearer"},
}
"""Headers that tell a caller what to do about a status."""

INCIDENT = Row(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal error")
SOLVER_FAILED = Row(HTTPStatus.SERVICE_UNAVAILABLE, "Solver failed")
PRECONDITION_FAILED = Row(HTTPStatus.PRECONDITION_FAILED, "Precondition failed")

TABLE: Mapping[type[BaseException], Row] = {
    wire.BodyTooLarge: Row(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Body too large"),
    wire.NotJson: Row(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Not JSON"),
    wire.BadPrecondition: Row(HTTPStatus.BAD_REQUEST, "Bad precondition"),
    errors.Unreadable: Row(HTTPStatus.BAD_REQUEST, "Unreadable body"),
    errors.InvalidInput: Row(HTTPStatus.UNPROCESSABLE_ENTITY, "Invalid input"),
    errors.NotFound: Row(HTTPStatus.NOT_FOUND, "Not found"),
    errors.DifferentContent: Row(HTTPStatus.CONFLICT, "Different content"),
    errors.IllegalTransition: Row(HTTPStatus.CONFLICT, "Illegal transition"),
    errors.Conflict: Row(HTTPStatus.CONFLICT, "Conflict"),
    principals.Unauthenticated: Row(HTTPStatus.UNAUTHORIZED, "Unauthenticated"),
    errors.Forbidden: Row(HTTPStatus.FORBIDDEN, "Forbidden"),
    rates.TooManyRequests: Row(HTTPStatus.TOO_MANY_REQUESTS, "Too many requests"),
    errors.StoreConflict: Row(HTTPStatus.SERVICE_UNAVAILABLE, "Busy"),
    errors.Busy: Row(HTTPStatus.SERVICE_UNAVAILABLE, "Busy"),
    errors.LeaseLost: Row(HTTPStatus.SERVICE_UNAVAILABLE, "Busy"),
    errors.Unavailable: Row(HTTPStatus.SERVICE_UNAVAILABLE, "Unavailable"),
    errors.SolverFailed: SOLVER_FAILED,
}
"""Errors by type; the nearest base counts. What is missing here is an incident."""

_INCIDENTS: Mapping[Row, str] = {
    INCIDENT: "Something failed that should not.",
    SOLVER_FAILED: "The solver could not be run, or failed.",
}
"""Rows whose errors name our insides: the log has them, and callers get this sentence."""


def answered(handler: Handler) -> Handler:
    """Let in who may call the handler, and answer whatever it raises with a problem document."""

    @wraps(handler)
    def answer(req: func.HttpRequest) -> func.HttpResponse:
        try:
            with accounting.charged(handler.__name__):
                authorization.admit(handler.__name__, req)
                wire.require_small(req)
                with accounting.step(handler.__name__, req):
                    return handler(req)
        except Exception as error:
            return _refusal(error, req)

    return answer


def value(of: object, shape: Any, status: HTTPStatus = HTTPStatus.OK, etag: str | None = None) -> func.HttpResponse:
    """A value of this shape as JSON, with the ETag that a later If-Match must name."""
    headers = {"ETag": wire.entity_tag(etag)} if etag is not None else {}
    return document(reading.write_value(of, shape), status, headers)


def page(of: "Slice[Any]", shape: Any) -> func.HttpResponse:
    """One page of a list; its continuation asks for the next one, null at the end."""
    items = [reading.write_value(item, shape) for item in of.items]
    return document({"items": items, "continuation": of.continuation})


def status_url(*path: str) -> str:
    """Where the progress of accepted work can be read."""
    return "/".join((API_PREFIX, *(quote(part, safe=":@+") for part in path)))


def accepted(of: shapes.Accepted) -> func.HttpResponse:
    """202: the work is queued; its progress can be read at the status URL."""
    return document(of.model_dump(mode="json"), HTTPStatus.ACCEPTED, {"Location": of.status_url})


def nothing() -> func.HttpResponse:
    """204: done, and there is nothing to say."""
    return func.HttpResponse(status_code=HTTPStatus.NO_CONTENT, headers=SECURITY_HEADERS)


def report(html: str, policy: str) -> func.HttpResponse:
    """A page of ours, which its browser confines to this policy and keeps out of other pages' frames."""
    confinement = {"Content-Security-Policy": f"{policy}; frame-ancestors 'none'", "Referrer-Policy": "no-referrer"}
    return func.HttpResponse(html, headers={**SECURITY_HEADERS, **confinement}, mimetype="text/html")


def document(
    content: object, status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> func.HttpResponse:
    """Plain data as JSON."""
    return _json(content, status, headers or {}, "application/json")


def incident(error: BaseException, what: str) -> str:
    """Log an error that nobody expected; the number under which the log has it.

    Messages of foreign exceptions may quote the payload, so only their type and place are logged.
    """
    number = str(uuid4())
    for single in _singles(error):
        message = f": {single}" if isinstance(single, errors.DomError) else ""
        _logger.error("incident %s in %s: %s%s, at %s", number, what, type(single).__name__, message, _place(single))
    return number


def _refusal(error: Exception, request: func.HttpRequest) -> func.HttpResponse:
    row = _row(error, request)
    if row in _INCIDENTS:
        return _incident_answer(row, error, request)
    return _problem(row, {"detail": _detail(error), **_details(error)}, _way_out(error))


def _row(error: Exception, request: func.HttpRequest) -> Row:
    if isinstance(error, errors.StoreConflict) and "if-match" in request.headers:
        return PRECONDITION_FAILED
    return next((TABLE[kind] for kind in type(error).__mro__ if kind in TABLE), INCIDENT)


def _incident_answer(row: Row, error: Exception, request: func.HttpRequest) -> func.HttpResponse:
    number = incident(error, f"{request.method} request")
    detail = f"{_INCIDENTS[row]} The log has more under incident {number}."
    return _problem(row, {"detail": detail, "instance": f"urn:uuid:{number}"})


def _problem(row: Row, more: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> func.HttpResponse:
    content = {"type": row.type, "title": row.title, "status": row.status.value, **more}
    return _json(content, row.status, {**_WAY_OUT.get(row.status, {}), **(headers or {})}, "application/problem+json")


@singledispatch
def _way_out(_error: Exception) -> dict[str, str]:
    """Headers that tell the caller what to do about this very error."""
    return {}


@_way_out.register
def _(error: rates.TooManyRequests) -> dict[str, str]:
    return {"Retry-After": str(error.retry_after_s)}


@singledispatch
def _detail(error: Exception) -> str:
    """What is wrong with this request, as a sentence."""
    return str(error)


@_detail.register
def _(error: errors.InvalidInput) -> str:
    count = len(error.problems)
    return f"The {error.subject} has {count} problem{'' if count == 1 else 's'}; see 'errors'."


@singledispatch
def _details(_error: Exception) -> dict[str, Any]:
    """The members that this kind of problem has beyond the usual ones."""
    return {}


@_details.register
def _(error: errors.InvalidInput) -> dict[str, Any]:
    return {"errors": [{"path": problem.path, "message": problem.message} for problem in error.problems]}


@_details.register
def _(error: errors.IllegalTransition) -> dict[str, Any]:
    return {"state": error.state, "allowed": list(error.allowed)}


def _singles(error: BaseException) -> Iterator[BaseException]:
    """The error, or those of which a group consists."""
    if isinstance(error, BaseExceptionGroup):
        for member in error.exceptions:
            yield from _singles(member)
    else:
        yield error


def _place(error: BaseException) -> str:
    """The way to the error through the code, innermost first."""
    frames = reversed(traceback.extract_tb(error.__traceback__))
    return " < ".join(f"{frame.name} ({frame.filename}:{frame.lineno})" for frame in frames)


def _json(content: object, status: HTTPStatus, headers: Mapping[str, str], media_type: str) -> func.HttpResponse:
    return func.HttpResponse(
        json.dumps(content, ensure_ascii=False, allow_nan=False),
        status_code=status,
        headers={**SECURITY_HEADERS, **headers},
        mimetype=media_type,
    )
