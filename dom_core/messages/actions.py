"""What sources and people ask of an order or a line."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from dom_core.domain.ids import Id
from dom_core.domain.units import PositiveUnits

Who = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]*$")]
"""The caller's name."""

Why = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]
"""A reason in the caller's own words."""


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rejection(_Body):
    """A source gives units of a line back. Without `units`: all of them.

    `rejection_id` is the sender's own id of this rejection: it tells two rejections of as many units apart, and makes
    sending one twice safe whatever happened in between.
    """

    source_id: Id
    reason_code: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
    who: Who
    units: PositiveUnits | None = None
    why: Why = ""
    rejection_id: Id | None = None


class _BySource(_Body):
    source_id: Id
    who: Who


class Acceptance(_BySource):
    """A source takes a line on."""


class Picking(_BySource):
    """A source has taken the units of a line from its shelves."""


class Shipping(_BySource):
    """The units of a line have left a source."""


class _ByPerson(_Body):
    who: Who
    why: Annotated[Why, Field(min_length=1)]


class Reset(_ByPerson):
    """A person gives a line, or all lines of an order, a fresh start. Who and why are required."""


class Decision(_ByPerson):
    """A person decides about an order, a line or a plan. Who and why are required."""


class Cancellation(_Body):
    """Somebody stops a run."""

    who: Who
    why: Why = ""


class Approval(_Body):
    """A person lets a proposed plan be applied."""

    who: Who
    why: Why = ""
