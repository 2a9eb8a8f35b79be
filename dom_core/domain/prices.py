"""Prices of what is scarce: they prove a plan's bound, and anybody can recompute it from them (docs/optimizer.md)."""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

from dom_core.domain.ids import LineId, OrderId, ProductId, RuleId, SourceId
from dom_core.domain.reason_table import deflate, inflate

_PACKET_ROWS = 100_000
"""How many prices one packet holds, before it is deflated."""


@dataclass(frozen=True, slots=True)
class CellPrice:
    """Points for each unit of a product at a source; with a divisor t above 1, for each whole t units of a line."""

    product_id: ProductId
    source_id: SourceId
    divisor: float
    points: float


@dataclass(frozen=True, slots=True)
class RoomPrice:
    """Points for each place of a limit: number `place`, from zero, of those that a maximum-orders rule sets."""

    rule_id: RuleId
    place: int
    points: float


@dataclass(frozen=True, slots=True)
class Saving:
    """Points that a line of a long order is taken to save when it is filled."""

    order_id: OrderId
    line_id: LineId
    points: float


def _pack_cells(cells: Sequence[CellPrice]) -> list[dict[str, Any]]:
    """Prices as a document has them: packets of rows [product, source, divisor, points], deflated and in base64."""
    return _packets([[cell.product_id, cell.source_id, cell.divisor, cell.points] for cell in cells])


def _pack_savings(savings: Sequence[Saving]) -> list[dict[str, Any]]:
    """Savings in the same packets, of rows [order, line, points]."""
    return _packets([[saving.order_id, saving.line_id, saving.points] for saving in savings])


def _packets(rows: Sequence[Sequence[object]]) -> list[dict[str, Any]]:
    return [_packet(rows[start : start + _PACKET_ROWS]) for start in range(0, len(rows), _PACKET_ROWS)]


def _packet(rows: Sequence[Sequence[object]]) -> dict[str, Any]:
    return {"prices": len(rows), "deflated": deflate(json.dumps(rows, separators=(",", ":")).encode())}


def _unpack_cells(packets: object) -> object:
    """The prices of packets, or prices themselves. Raises ValueError for what was never packed."""
    return tuple(map(_cell, _rows(packets))) if isinstance(packets, list) else packets


def _unpack_savings(packets: object) -> object:
    """The savings of packets, or savings themselves. Raises ValueError for what was never packed."""
    return tuple(map(_saving, _rows(packets))) if isinstance(packets, list) else packets


def _rows(packets: Sequence[object]) -> Iterator[object]:
    for packet in packets:
        match packet:
            case {"prices": int(count), "deflated": str(text)}:
                rows = json.loads(inflate(text))
            case _:
                raise ValueError("a packet of prices has their number, and their rows deflated in base64")
        if not isinstance(rows, list) or len(rows) != count:
            raise ValueError(f"a packet of {count} prices has as many rows")
        yield from rows


def _cell(row: object) -> CellPrice:
    match row:
        case [str(product_id), str(source_id), int() | float() as divisor, int() | float() as points] if _is_finite(
            divisor
        ) and _is_finite(points):
            return CellPrice(product_id, source_id, float(divisor), float(points))
    raise ValueError("a price has its product, source, divisor and points")


def _saving(row: object) -> Saving:
    match row:
        case [str(order_id), str(line_id), int() | float() as points] if _is_finite(points):
            return Saving(order_id, line_id, float(points))
    raise ValueError("a saving has its order, line and points")


def _is_finite(number: float) -> bool:
    """Whether it is a number that floating point can hold: whole ones may have any number of digits."""
    return abs(number) <= sys.float_info.max


Cells = Annotated[tuple[CellPrice, ...], BeforeValidator(_unpack_cells), PlainSerializer(_pack_cells)]
"""Prices of cells; packets in a document."""

Savings = Annotated[tuple[Saving, ...], BeforeValidator(_unpack_savings), PlainSerializer(_pack_savings)]
"""Savings of lines; packets in a document."""


@dataclass(frozen=True, slots=True)
class PriceTable:
    """Everything that has a price, all others being free; and what lines of long orders save, the others nothing.

    Points are whole multiples of 1/1024, so text keeps them.
    """

    cells: Cells = ()
    rooms: tuple[RoomPrice, ...] = ()
    savings: Savings = ()


NO_PRICES = PriceTable()
"""Everything is free."""
