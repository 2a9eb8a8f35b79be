"""Dead letters: messages that could not be worked on, with the reasons, and their way back."""

import azure.functions as func

from functions import responses, wire
from functions.bootstrap import ports
from functions.shapes import Asked, PageQuery

bp = func.Blueprint()


@bp.route(route="deadletters", methods=["GET"])
@responses.answered
def list_dead_letters(req: func.HttpRequest) -> func.HttpResponse:
    """A page of dead letters."""
    from dom_core.domain.dead_letter import DeadLetter
    from dom_core.use_cases import dead_letters

    asked = wire.query(req, PageQuery)
    found = dead_letters.list_dead_letters(ports(), asked.limit, asked.continuation)
    return responses.page(found, DeadLetter)


@bp.route(route="deadletters/{day}/{id}/replay", methods=["POST"])
@responses.answered
def replay_dead_letter(req: func.HttpRequest) -> func.HttpResponse:
    """Put a dead letter back on its queue."""
    from dom_core.domain.dead_letter import DeadLetter
    from dom_core.use_cases import dead_letters

    day, id = wire.route_id(req, "day", "day of dead letters"), wire.route_id(req, "id", "dead letter")
    replayed = dead_letters.replay(ports(), day, id, wire.body(req, Asked, "replay").who)
    return responses.value(replayed, DeadLetter)
