"""RFC 9457 problem documents for what the host itself answers."""

import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import web

logger = logging.getLogger(__name__)


def problem(status: HTTPStatus, detail: str) -> web.Response:
    """An answer that says what went wrong."""
    document = {"type": "about:blank", "title": status.phrase, "status": int(status), "detail": detail}
    return web.json_response(document, status=status, content_type="application/problem+json")


@web.middleware
async def errors_as_problems(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Every error becomes a problem document; a traceback goes to the log and never to the caller."""
    try:
        return await handler(request)
    except web.HTTPRequestEntityTooLarge:
        return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the body is larger than the host takes; send less at once")
    except web.HTTPException as error:
        return problem(HTTPStatus(error.status), "the host cannot answer this request")
    except Exception:
        # The path is logged as it came, still percent-encoded, and without the query: keys travel there.
        logger.exception("%s %s failed", request.method, request.rel_url.raw_path)
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "the function failed; the host's log says why")
