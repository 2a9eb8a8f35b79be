"""Distance bands: amounts that depend on how far a leg goes.

A band holds from `from_km`, inclusive, to `to_km`, exclusive. The bands of a line go from near to far without gap or
overlap; only the last may be open. Numbers are exact decimals, so that bands meet, and amounts round, as people read
them.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from dom_core.domain.units import Cents
from dom_core.rules.parameters import Parameters

Flaw = tuple[tuple[int | str, ...], str]
"""What is wrong among bands: where, from the list of bands on, and what."""


def _no_text(value: object) -> object:
    """Decimals may be written as text; amounts and distances are numbers everywhere else, so they are here."""
    if isinstance(value, str):
        raise PydanticCustomError("number", "must be a number")
    return value


CentsPerKm = Annotated[Decimal, Field(strict=False, ge=0, le=1_000_000, decimal_places=4), BeforeValidator(_no_text)]
"""Money per kilometre, in cents and up to four decimals of them. The bound keeps products with metres within int64."""

BandKilometres = Annotated[Decimal, Field(strict=False, ge=0, le=100_000, decimal_places=3), BeforeValidator(_no_text)]
"""Where a band begins or ends: up to three decimals, which are whole metres."""


class Band(Parameters):
    """One distance band and what it asks: a fixed amount, or an amount per kilometre of the whole leg."""

    from_km: BandKilometres
    to_km: BandKilometres | None = None
    cents: Cents | None = None
    cents_per_km: CentsPerKm | None = None

    @field_validator("to_km")
    @classmethod
    def _ends_beyond_its_beginning(cls, value: Decimal | None, info: ValidationInfo) -> Decimal | None:
        begins = info.data.get("from_km")
        if value is not None and begins is not None and value <= begins:
            raise PydanticCustomError("empty_band", f"must lie beyond from_km, {text(begins)}")
        return value


def joints(bands: Sequence[Band]) -> Iterator[Flaw]:
    """Where bands do not meet."""
    for number, (before, band) in enumerate(pairwise(bands), start=1):
        if before.to_km is None:
            yield (number - 1, "to_km"), "is required: only the last band may be open"
        elif band.from_km != before.to_km:
            ends, begins = text(before.to_km), text(band.from_km)
            yield (number,), f"begins at {begins} but the band before ends at {ends}: {_misfit(before, band)}"


def text(km: Decimal) -> str:
    """A distance as people write it."""
    return f"{km.normalize():f} km"


def _misfit(before: Band, band: Band) -> str:
    if before.to_km is not None and band.from_km > before.to_km:
        return "gap"
    return "overlap" if band.from_km >= before.from_km else "not in order of distance"
