"""Numbers with a meaning. Each alias carries its bounds, so that every edge validates the same way.

Units of goods and money are whole numbers and are never coerced from text or fractions.
"""

from typing import Annotated

from pydantic import AwareDatetime, Field

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

UNLIMITED_UNITS = 2**40
"""Stock of a source that does not keep real inventory: larger than any demand, small enough to add up in int64."""
