"""Prices of what is scarce: they prove a plan's bound, and anybody can recompute it from them (docs/optimizer.md)."""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

from dom_core.domain.ids import ProductId, RuleId, SourceId
from dom_core.domain.reason_table import deflate, inflate

_PACKET_CELLS = 100_000
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


def _pack(cells: Sequence[CellPrice]) -> list[dict[str, Any]]:
    """Prices as a document has them: packets of rows [product, source, divisor, points], deflated and in base64."""
    return [_packet(cells[start : start + _PACKET_CELLS]) for start in range(0, len(cells), _PACKET_CELLS)]


def _packet(cells: Sequence[CellPrice]) -> dict[str, Any]:
    rows = [[cell.product_id, cell.source_id, cell.divisor, cell.points] for cell in cells]
    return {"prices": len(rows), "deflated": deflate(json.dumps(rows, separators=(",", ":")).encode())}


def _unpack(packets: object) -> object:
    """The prices of packets, or prices themselves. Raises ValueError for what `_pack` never wrote."""
    if isinstance(packets, list):
        return tuple(cell for packet in packets for cell in _cells(packet))
    return packets


def _cells(packet: object) -> Iterator[CellPrice]:
    match packet:
        case {"prices": int(count), "deflated": str(text)}:
            rows = json.loads(inflate(text))
        case _:
            raise ValueError("a packet of prices has their number, and their rows deflated in base64")
    if not isinstance(rows, list) or len(rows) != count:
        raise ValueError(f"a packet of {count} prices has as many rows")
    return map(_cell, rows)


def _cell(row: object) -> CellPrice:
    match row:
        case [str(product_id), str(source_id), int() | float() as divisor, int() | float() as points] if _is_finite(
            divisor
        ) and _is_finite(points):
            return CellPrice(product_id, source_id, float(divisor), float(points))
    raise ValueError("a price has its product, source, divisor and points")


def _is_finite(number: float) -> bool:
    """Whether it is a number that floating point can hold: whole ones may have any number of digits."""
    return abs(number) <= sys.float_info.max


Cells = Annotated[tuple[CellPrice, ...], BeforeValidator(_unpack), PlainSerializer(_pack)]
"""Prices of cells; packets in a document."""


@dataclass(frozen=True, slots=True)
class PriceTable:
    """Everything that has a price, all others being free. Points are whole multiples of 1/1024, so text keeps them."""

    cells: Cells = ()
    rooms: tuple[RoomPrice, ...] = ()


NO_PRICES = PriceTable()
"""Everything is free."""
