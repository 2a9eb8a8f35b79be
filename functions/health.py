"""Health: whether this instance could do its work now."""

from http import HTTPStatus

import azure.functions as func

from functions import responses
from functions.bootstrap import ports

bp = func.Blueprint()


@bp.route(route="health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@responses.answered
def health(req: func.HttpRequest) -> func.HttpResponse:
    """200 when store, queues and solver work, 503 when one does not. Anybody may ask."""
    from dom_core.use_cases.check_health import Health, check_health

    found = check_health(ports())
    return responses.value(found, Health, HTTPStatus.OK if found.healthy else HTTPStatus.SERVICE_UNAVAILABLE)
