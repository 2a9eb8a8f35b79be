"""Orders and products, from the Superstore sample.

Facts that name or identify a person (customer name and number) are not taken over.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from itertools import groupby
from pathlib import Path

from dom_core.domain.network import Address, Product
from dom_core.errors import InvalidInput, Problem
from dom_core.messages.orders import IntakeLine, IntakeOrder

MODES = {
    "Same Day": "same-day",
    "First Class": "first-class",
    "Second Class": "second-class",
    "Standard Class": "standard-class",
}
"""The sample's ship modes, as our modes of delivery."""

PRIORITY_CLASSES = {"Corporate": 3, "Home Office": 4}
"""Customers' segments whose orders weigh more than a consumer's."""

SUPPLEMENTARY_CATEGORIES = {
    "bulky": frozenset({"Bookcases", "Copiers", "Machines", "Tables"}),
    "small-parcel": frozenset({"Art", "Envelopes", "Fasteners", "Labels", "Paper", "Supplies"}),
}
"""How sub-categories travel: what needs a lorry, and what fits a letter box."""


@dataclass(frozen=True, slots=True)
class SampleRow:
    """What the example uses of one row of the sample: one order line."""

    row_id: int
    order_id: str
    ordered_on: date
    shipped_on: date
    mode: str
    segment: str
    address: Address
    product_id: str
    product_name: str
    category: str
    sub_category: str
    amount_cents: int
    units: int

    @property
    def week(self) -> tuple[int, int]:
        """ISO year and week of the order."""
        return self.ordered_on.isocalendar()[:2]


def read_rows(path: Path) -> list[SampleRow]:
    """All rows of the sample's CSV file. Raises InvalidInput naming the first row that cannot be understood."""
    rows = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        for number, fields in enumerate(csv.DictReader(file), start=2):
            try:
                rows.append(_row(fields))
            except KeyError as error:
                raise _unreadable(path, number, f"lacks the column or value {error}") from error
            except (ValueError, TypeError, ArithmeticError, AttributeError) as error:
                raise _unreadable(path, number, str(error)) from error
    if not rows:
        raise InvalidInput([Problem(path.name, "has no rows")], "sample")
    return rows


def _unreadable(path: Path, number: int, message: str) -> InvalidInput:
    return InvalidInput([Problem(f"{path.name}:{number}", message)], "sample")


def _row(fields: dict[str, str]) -> SampleRow:
    return SampleRow(
        row_id=int(fields["Row ID"]),
        order_id=fields["Order ID"],
        ordered_on=date.fromisoformat(fields["Order Date"]),
        shipped_on=date.fromisoformat(fields["Ship Date"]),
        mode=MODES[fields["Ship Mode"]],
        segment=fields["Segment"],
        # The sample keeps ZIP codes as numbers: those of New England have lost their first zero.
        address=Address(city=fields["City"], region=fields["State"], postal_code=fields["Postal Code"].zfill(5)),
        product_id=fields["Product ID"],
        product_name=fields["Product Name"],
        category=fields["Category"],
        sub_category=fields["Sub-Category"],
        amount_cents=int((Decimal(fields["Sales"]) * 100).quantize(Decimal(1), ROUND_HALF_UP)),
        units=int(fields["Quantity"]),
    )


def busiest_weeks(rows: Iterable[SampleRow], weeks: int) -> list[SampleRow]:
    """The rows of the weeks with most lines; of equally busy weeks the earlier."""
    lines = Counter(row.week for row in rows)
    chosen = set(sorted(lines, key=lambda week: (-lines[week], week))[:weeks])
    return [row for row in rows if row.week in chosen]


def products(rows: Iterable[SampleRow]) -> tuple[Product, ...]:
    """The products of these rows, by id. Where the sample gives one id several names, the first row's counts."""
    first = {row.product_id: row for row in sorted(rows, key=lambda row: row.row_id, reverse=True)}
    return tuple(_product(first[id]) for id in sorted(first))


def _product(row: SampleRow) -> Product:
    return Product(
        id=row.product_id,
        name=row.product_name,
        categories=(row.category, row.sub_category),
        supplementary_categories=tuple(
            name for name, members in SUPPLEMENTARY_CATEGORIES.items() if row.sub_category in members
        ),
    )


def orders(rows: Iterable[SampleRow]) -> tuple[IntakeOrder, ...]:
    """The orders as a storefront would send them: earliest first, lines numbered in the sample's order."""
    in_order = sorted(rows, key=lambda row: (row.ordered_on, row.order_id, row.row_id))
    return tuple(_order(list(lines)) for _, lines in groupby(in_order, key=lambda row: row.order_id))


def _order(rows: Sequence[SampleRow]) -> IntakeOrder:
    first = rows[0]
    return IntakeOrder(
        id=first.order_id,
        # The sample knows the day only.
        ordered_at=datetime.combine(first.ordered_on, time(12), UTC),
        lines=tuple(_line(number, row) for number, row in enumerate(rows, start=1)),
        ship_to=first.address,
        mode_of_delivery=first.mode,
        priority_class=PRIORITY_CLASSES.get(first.segment),
        promised_by=datetime.combine(max(row.shipped_on for row in rows), time(23, 59, 59), UTC),
    )


def _line(number: int, row: SampleRow) -> IntakeLine:
    return IntakeLine(id=str(number), product_id=row.product_id, units=row.units, amount_cents=row.amount_cents)
