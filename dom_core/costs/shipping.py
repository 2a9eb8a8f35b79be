"""Shipping: what a leg costs, by mode of delivery, source and distance.

A line's amount is `fixed`, the same for every leg, or `per_km`; simple, or tiered by distance bands. An amount per
kilometre is multiplied by the whole length of the leg, in whole metres, and rounded half up to whole cents.
`default_cents` is for legs outside the bands, and for legs of unknown distance where the amount depends on it.

Where several lines match, one that names the mode of delivery beats one for every mode; then a source beats a list, and
a list beats everywhere. Between equals the one that is dearer for this leg decides.

Parameters:

- `lines`, at least one: a place, `mode_of_delivery` (every mode when absent), `basis`, and the amount:

| `basis` | without `bands` | with `bands` |
|---|---|---|
| `fixed` | `cents` | `cents` in each band, `default_cents` |
| `per_km` | `cents_per_km`, `default_cents` | `cents_per_km` in each band, `default_cents` |

- `bands`: each has `from_km`, `to_km` and its amount, and holds for from_km ≤ distance < to_km, with at most three
  decimals. They go from near to far without gap or overlap; the last one is open when its `to_km` is null or absent.
- `cents`, `default_cents`: whole cents, 0 or more. `cents_per_km`: 0 to 1,000,000, with at most four decimals.

```json
{"lines": [
  {"basis": "fixed", "cents": 795},
  {"mode_of_delivery": "express", "basis": "per_km", "cents_per_km": 1.75, "default_cents": 4900},
  {"source_list_id": "stores", "basis": "fixed", "default_cents": 2500,
   "bands": [{"from_km": 0, "to_km": 50, "cents": 400}, {"from_km": 50, "to_km": 400.5, "cents": 900}]}
]}
```
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from functools import reduce
from itertools import groupby
from typing import Any, ClassVar, Self

import numpy as np
from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from dom_core.costs.bands import Band, CentsPerKm, Flaw, joints
from dom_core.costs.base import CostFactor
from dom_core.domain.batch import Batch
from dom_core.domain.ids import CostFactorId, Label, SourceId
from dom_core.domain.reason import IntArray
from dom_core.domain.units import Cents
from dom_core.rules import checking, parameters, scope

_BEYOND_ALL_M = 2**62


class Basis(StrEnum):
    """What an amount is for: the leg as such, or each of its kilometres."""

    FIXED = "fixed"
    PER_KM = "per_km"


_AMOUNT = {Basis.FIXED: "cents", Basis.PER_KM: "cents_per_km"}


class ShippingLine(parameters.PlaceScope):
    """What legs of a mode of delivery from a place cost."""

    mode_of_delivery: Label | None = None
    basis: Basis
    bands: parameters.NonEmpty[Band] | None = None
    cents: Cents | None = Field(default=None, validate_default=True)
    cents_per_km: CentsPerKm | None = Field(default=None, validate_default=True)
    default_cents: Cents | None = Field(default=None, validate_default=True)

    @field_validator("bands")
    @classmethod
    def _bands_fit(cls, value: tuple[Band, ...] | None, info: ValidationInfo) -> tuple[Band, ...] | None:
        flaws = [*_amounts_of_bands(value or (), info.data.get("basis")), *joints(value or ())]
        if flaws:
            # An error of errors: each flaw keeps its own place below the line's.
            raise ValidationError.from_exception_data("bands", [_detail(flaw) for flaw in flaws])
        return value

    @field_validator("cents", "cents_per_km", "default_cents")
    @classmethod
    def _amount_fits_the_form(cls, value: Any, info: ValidationInfo) -> Any:
        # Bands that are wrong are missing from the data: there are some all the same.
        tiered = info.data.get("bands", ()) is not None
        basis = info.data.get("basis")
        if basis is None and not tiered:
            return value
        form = "with bands" if tiered else f"with basis {basis} and no bands"
        expected = info.field_name in _amounts_of_form(basis, tiered)
        if expected and value is None:
            raise PydanticCustomError("missing_amount", f"is required {form}")
        if not expected and value is not None:
            raise PydanticCustomError("useless_amount", f"means nothing {form}")
        return value

    @property
    def tiers(self) -> tuple[Band, ...]:
        """The bands; of a simple line per kilometre the one band that it amounts to."""
        if self.bands is not None:
            return self.bands
        return (Band(from_km=Decimal(0), cents_per_km=self.cents_per_km),)


class ShippingParameters(parameters.Parameters):
    """What legs cost."""

    lines: parameters.NonEmpty[ShippingLine]


@dataclass(frozen=True, slots=True)
class Shipping(CostFactor):
    """Prices each leg."""

    kind: ClassVar[str] = "shipping"

    params: ShippingParameters

    @classmethod
    def from_params(cls, id: CostFactorId, params: Mapping[str, Any]) -> Self:
        """The cost factor that these stored parameters describe."""
        return cls(id, parameters.read(params, ShippingParameters, id, "cost factor"))

    def references(self) -> Iterator[tuple[str, str, str]]:
        """Sources and source lists of the lines."""
        return parameters.references_of(self.params.lines, "params.lines")

    def leg_cents(self, batch: Batch) -> IntArray:
        """Cents of the deciding line for every line of the batch and source (L, S)."""
        cents = np.zeros(batch.shape, dtype=np.int64)
        placed = [(line, scope.source_positions(batch, line)) for line in self.params.lines]
        for mode, rows in _rows_by_mode(batch):
            for lines, columns in _deciding(placed, mode):
                block = np.ix_(rows, columns)
                cents[block] = reduce(np.maximum, [_asked(line, batch.distance_m[block]) for line in lines])
        return cents

    def cost_of_leg_cents(
        self, facts: checking.Facts, source_id: SourceId, mode_of_delivery: str, distance_m: int | None
    ) -> int:
        """Cents of the deciding line for one leg."""
        rank_and_cents = [
            (_rank(line), _asked_of_one(line, distance_m))
            for line in self.params.lines
            if line.mode_of_delivery in (None, mode_of_delivery) and checking.holds_at(facts, line, source_id)
        ]
        return max(rank_and_cents, default=((), 0))[1]


def _amounts_of_form(basis: Basis | None, tiered: bool) -> set[str]:
    """The amounts that a line has outside its bands."""
    if tiered:
        return {"default_cents"}
    return {"cents"} if basis is Basis.FIXED else {"cents_per_km", "default_cents"}


def _amounts_of_bands(bands: Sequence[Band], basis: Basis | None) -> Iterator[Flaw]:
    """Amounts that bands lack, or that are not those of the line's basis."""
    for number, band in enumerate(bands):
        for other, field in _AMOUNT.items():
            given = getattr(band, field) is not None
            if basis is other and not given:
                yield (number, field), f"is required with basis {basis}"
            if basis not in (None, other) and given:
                yield (number, field), f"means nothing with basis {basis}"


def _detail(flaw: Flaw) -> InitErrorDetails:
    place, message = flaw
    return InitErrorDetails(type=PydanticCustomError("bands", message), loc=place, input=None)


def _rows_by_mode(batch: Batch) -> Iterator[tuple[str, IntArray]]:
    """The modes of delivery, each with the positions of its lines."""
    rows: defaultdict[str, list[int]] = defaultdict(list)
    for position, line in enumerate(batch.lines):
        rows[line.mode_of_delivery].append(position)
    for mode, positions in rows.items():
        yield mode, np.array(positions, dtype=np.int64)


_Placed = tuple[ShippingLine, IntArray]


def _deciding(placed: Sequence[_Placed], mode: str) -> Iterator[tuple[list[ShippingLine], IntArray]]:
    """The lines that decide for a mode, equals together, each group with the sources for which it decides."""
    decides: dict[int, tuple[int, ...]] = {}
    holding = [number for number, (line, _) in enumerate(placed) if line.mode_of_delivery in (None, mode)]
    specificity = [_specificity(line) for line, _ in placed]
    # From general to specific, so that the last word is the most specific one.
    for _, equals in groupby(sorted(holding, key=specificity.__getitem__), key=specificity.__getitem__):
        decides |= _claims([(number, placed[number][1]) for number in equals])
    groups: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
    for source, numbers in decides.items():
        groups[numbers].append(source)
    for numbers, sources in groups.items():
        yield [placed[number][0] for number in numbers], np.array(sources, dtype=np.int64)


def _claims(equals: Sequence[tuple[int, IntArray]]) -> dict[int, tuple[int, ...]]:
    """For each source, the numbers of the equally specific lines that hold there."""
    claims: dict[int, tuple[int, ...]] = {}
    for number, sources in equals:
        for source in sources.tolist():
            claims[source] = (*claims.get(source, ()), number)
    return claims


def _specificity(line: ShippingLine) -> tuple[bool, int]:
    return line.mode_of_delivery is not None, scope.place_specificity(line)


def _asked(line: ShippingLine, distance_m: IntArray) -> IntArray:
    """What a line asks for legs of these distances."""
    if line.bands is None and line.cents is not None:
        return np.full_like(distance_m, line.cents)
    cents = np.full_like(distance_m, line.default_cents)
    for band in line.tiers:
        begins_m = int(band.from_km * 1000)
        ends_m = _BEYOND_ALL_M if band.to_km is None else int(band.to_km * 1000)
        # An unknown distance is a negative number, and so in no band.
        within = (begins_m <= distance_m) & (distance_m < ends_m)
        cents[within] = _asked_in_band(band, distance_m[within])
    return cents


def _asked_in_band(band: Band, distance_m: IntArray) -> IntArray:
    if band.cents_per_km is None:
        return np.full_like(distance_m, band.cents)
    # Ten-thousandths of a cent per kilometre times metres are ten-millionths of a cent; half of one cent rounds up.
    return (int(band.cents_per_km * 10_000) * distance_m + 5_000_000) // 10_000_000


def _rank(line: ShippingLine) -> tuple[bool, ...]:
    """The audit's own reading of what is more specific."""
    return line.mode_of_delivery is not None, line.source_id is not None, line.source_list_id is not None


def _asked_of_one(line: ShippingLine, distance_m: int | None) -> int:
    """The audit's own reading of a line, for one leg."""
    if line.bands is None and line.cents is not None:
        return line.cents
    if distance_m is not None:
        km = Decimal(distance_m).scaleb(-3)
        if line.bands is None and line.cents_per_km is not None:
            return _rounded(line.cents_per_km * km)
        for band in line.bands or ():
            if band.from_km <= km and (band.to_km is None or km < band.to_km):
                return band.cents if band.cents is not None else _rounded((band.cents_per_km or 0) * km)
    return line.default_cents or 0


def _rounded(cents: Decimal) -> int:
    return int(cents.quantize(Decimal(1), rounding=ROUND_HALF_UP))
