"""Tearing a line into parts: units, amounts and taxes of the parts add up to those of the line, to the cent."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import count

from dom_core.domain.ids import LineId
from dom_core.domain.order import Line

_LONGEST_STEM = 100
"""Characters of a line id kept in the ids of its parts, so that these stay valid ids."""


def spread_cents(cents: int, units: Sequence[int]) -> tuple[int, ...]:
    """Cents shared out by units: whole cents that add up, the largest remainders rounded up, earlier parts first."""
    total = sum(units)
    shares = [cents * part // total for part in units]
    by_remainder = sorted(range(len(units)), key=lambda part: (-(cents * units[part] % total), part))
    for part in by_remainder[: cents - sum(shares)]:
        shares[part] += 1
    return tuple(shares)


def split_line(line: Line, units: Sequence[int], taken: Collection[LineId]) -> tuple[Line, ...]:
    """The line's parts, of so many units each. The first keeps the line's id and name; the others get ids not taken.

    Every part inherits state, counters and bars.
    """
    assert sum(units) == line.units, "parts must add up to the line"  # noqa: S101 - our own mistake
    ids = (line.id, *_new_ids(line.id, len(units) - 1, taken))
    amounts, taxes = spread_cents(line.amount_cents, units), spread_cents(line.tax_cents, units)
    return tuple(
        replace(
            line,
            id=id,
            units=part_units,
            amount_cents=amount,
            tax_cents=tax,
            parent_line_id=line.parent_line_id if id == line.id else line.id,
        )
        for id, part_units, amount, tax in zip(ids, units, amounts, taxes, strict=True)
    )


def _new_ids(line_id: LineId, number: int, taken: Collection[LineId]) -> list[LineId]:
    candidates = (f"{line_id[:_LONGEST_STEM]}.{n}" for n in count(1))
    free = (id for id in candidates if id not in taken)
    return [next(free) for _ in range(number)]
