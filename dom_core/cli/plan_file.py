"""The file that `dom plan` writes, read again."""

from pathlib import Path

from dom_core.domain.request import PlanRequest
from dom_core.errors import Conflict
from dom_core.files.places import read_bytes
from dom_core.messages.reading import read_json
from dom_core.report.view import PlanView


def read_plan_file(path: Path) -> PlanView:
    """The plan in a file. Raises InvalidInput with every problem."""
    return read_json(read_bytes(path), PlanView, "plan file")


def request_of(view: PlanView) -> PlanRequest:
    """What the plan was made from. Raises Conflict for a file without it."""
    if view.request is None:
        raise Conflict(f"the file of plan '{view.plan.id}' lacks the request that the plan was made from")
    return view.request.to_request()
