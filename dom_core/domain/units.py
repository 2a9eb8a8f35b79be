"""Numbers with a meaning. Each alias carries its bounds, so that every edge validates the same way.

Units of goods and money are whole numbers and are never coerced from text or fractions.
"""

from datetime import time
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field

Units = Annotated[int, Field(strict=True, ge=0, le=1_000_000_000)]
"""Whole units of a product, zero or more."""

PositiveUnits = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
"""Whole units of a product, at least one: what an order line asks for."""

Cents = Annotated[int, Field(strict=True, ge=0, le=10**12)]
"""Money in whole cents of the installation's currency."""

Count = Annotated[int, Field(strict=True, ge=0)]
"""How many of something."""

Kilometres = Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)]
"""A distance in kilometres, as people write it. Inside a run distances are whole metres."""

Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
"""Degrees north, WGS 84."""

Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
"""Degrees east, WGS 84."""

UtcTime = AwareDatetime
"""A moment with its UTC offset; naive times are refused."""


def _on_the_wall(clock: time) -> time:
    if clock.tzinfo is not None:
        raise ValueError("is a time on the source's own clock: write it without an offset, as in 17:30")
    return clock


WallClock = Annotated[time, AfterValidator(_on_the_wall)]
"""A time of day on a source's own clock, whatever its time zone: it has no offset."""

UNLIMITED_UNITS = 2**40
"""Stock of a source that does not keep real inventory: larger than any demand, small enough to add up in int64."""
