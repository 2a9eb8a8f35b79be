"""The small shapes that only the edge knows: query strings, short bodies, short answers."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from dom_core.domain.ids import Id
from dom_core.domain.order import ExceptionKind, LineState
from dom_core.messages.actions import Who

MAX_PAGE = 1000
"""The most items that one page of a list holds: as many as the store gives at once."""


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PageQuery(_Shape):
    """Which part of a list: at most `limit` items, after those of the page whose `continuation` this is."""

    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = 100
    continuation: Annotated[str, Field(max_length=16_000)] | None = None


class OrderQuery(PageQuery):
    """Orders that have a line in this state, or in exception for this cause."""

    state: LineState | None = None
    exception: ExceptionKind | None = None


class PlanQuery(_Shape):
    """How much of a plan: `reasons` adds the verdict on every source to every line."""

    reasons: bool = False


class SaveQuery(_Shape):
    """Whether to save at all: with `dry_run` the answer says what saving would change, and nothing is stored."""

    dry_run: bool = False


class LineQuery(_Shape):
    """What else to ask about a line: `force` is a source from which it would have to ship."""

    force: Id | None = None


class NoQuery(_Shape):
    """No query parameters."""


class Asked(_Shape):
    """Who asks for a run or a replay."""

    who: Who


class RunTicket(_Shape):
    """The message that asks for a run."""

    run_id: Id
    strategy_id: Id


class Accepted(_Shape):
    """Work that is queued. Its progress can be read at `status_url`, a path on the same host."""

    status_url: str


class OrderAccepted(Accepted):
    """An order that is queued."""

    order_id: Id
    revision: int


class RunAccepted(Accepted):
    """A run that is queued."""

    run_id: Id


class Counted(_Shape):
    """So many things were stored."""

    count: int


class Fault(_Shape):
    """One thing wrong with the input: where (`lines[0].units`), and what."""

    path: str
    message: str


class ProblemDocument(BaseModel):
    """What is wrong, as in RFC 9457. `type` is the same for every occurrence of a kind of problem."""

    type: str
    title: str
    status: int
    detail: str
    instance: str | None = None
    errors: tuple[Fault, ...] | None = None
    state: str | None = None
    allowed: tuple[str, ...] | None = None
