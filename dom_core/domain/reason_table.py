"""One code for every (line, source) of a plan: who is chosen, ruled out, beaten or too late, without the evidence.

A large plan has a hundred million pairs. A pair is one byte here (more only where there are more than 256 templates),
and in a document the bytes are deflated. What the codes leave out, the limit and the actual value, and for pairs that
were weighed also the level that decided, is worked out again from the plan's request when somebody asks.
"""

import binascii
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import BeforeValidator, PlainSerializer

from dom_core.domain.ids import SourceId
from dom_core.domain.reason import Reason, Verdict

CHOSEN = Reason(Verdict.CHOSEN, "chosen")
"""The pair that is used."""

WEIGHED = Reason(Verdict.DEARER, "weighed")
"""Stands in the codes for what weighing decides: nearly always `dearer`; without the request nobody knows by what."""

CodeArray: TypeAlias = npt.NDArray[np.unsignedinteger[Any]]

PACKET_BYTES = 1 << 20
"""How much one packet holds before it is deflated, unless a single line needs more."""

_MOST_PACKET_BYTES = 1 << 26
"""The most that a packet may inflate to: a small document must not fill the memory."""


def pack(rows: Sequence[bytes]) -> list[dict[str, Any]]:
    """Rows of equal length as a document has them: packets of some lines each, deflated and written in base64."""
    lines = max(1, PACKET_BYTES // max(1, len(rows[0]) if rows else 1))
    return [_packet(rows[start : start + lines]) for start in range(0, len(rows), lines)]


def _packet(rows: Sequence[bytes]) -> dict[str, Any]:
    return {"lines": len(rows), "deflated": deflate(b"".join(rows))}


def unpack(packets: object) -> object:
    """The rows of packets, or of rows themselves. Raises ValueError for what `pack` never wrote."""
    if isinstance(packets, list):
        return tuple(row for packet in packets for row in _rows(packet))
    return packets


def _rows(packet: object) -> Iterator[bytes]:
    match packet:
        case {"lines": int(lines), "deflated": str(text)} if lines > 0:
            inflated = inflate(text)
        case _:
            raise ValueError("a packet of codes has its number of lines, and the lines deflated in base64")
    width, rest = divmod(len(inflated), lines)
    if rest:
        raise ValueError(f"{len(inflated)} bytes are not {lines} lines of equal length")
    return (inflated[start * width : (start + 1) * width] for start in range(lines))


def deflate(content: bytes) -> str:
    """The content of a packet as a document has it."""
    return b64encode(zlib.compress(content, 6)).decode()


def inflate(text: str) -> bytes:
    """The content of a packet. Raises ValueError for what `deflate` never wrote, and for what would fill the memory."""
    try:
        stream = zlib.decompressobj()
        inflated = stream.decompress(b64decode(text, validate=True), _MOST_PACKET_BYTES)
    except (binascii.Error, zlib.error) as error:
        raise ValueError("a packet of codes cannot be inflated") from error
    if not stream.eof:
        raise ValueError("a packet of codes is cut short, or too large")
    return inflated


Codes = Annotated[tuple[bytes, ...], BeforeValidator(unpack), PlainSerializer(pack)]
"""A row of bytes for every line; packets in a document."""


@dataclass(frozen=True, slots=True)
class ReasonTable:
    """One reason per (line, source), as codes.

    Each row of `codes` points into `templates`, a little-endian whole number per source: of one byte while there are no
    more than 256 templates, else of two or four. A plan's templates have no evidence; those of a table that somebody
    asked to expand have it.
    """

    source_ids: tuple[SourceId, ...]
    templates: tuple[Reason, ...]
    codes: Codes

    def row(self, line: int) -> CodeArray:
        """The codes of a line (S)."""
        return np.frombuffer(self.codes[line], dtype=code_type(len(self.templates)))

    def at(self, line: int, source: int) -> Reason:
        """What the code of the pair at these positions says."""
        return self.templates[int(self.row(line)[source])]

    def of_line(self, line: int) -> Iterator[tuple[SourceId, Reason]]:
        """Every source of the list with what its code says."""
        for source_id, code in zip(self.source_ids, self.row(line).tolist(), strict=True):
            yield source_id, self.templates[code]

    def chosen(self) -> Iterator[frozenset[SourceId]]:
        """Of each line, the sources that its codes call chosen."""
        is_chosen = np.array([reason.verdict is Verdict.CHOSEN for reason in self.templates], dtype=bool)
        for line in range(len(self.codes)):
            yield frozenset(self.source_ids[at] for at in np.flatnonzero(is_chosen[self.row(line)]).tolist())


def code_type(templates: int) -> np.dtype[np.unsignedinteger[Any]]:
    """How wide a code is when there are so many templates."""
    return np.dtype("u1" if templates <= 1 << 8 else "<u2" if templates <= 1 << 16 else "<u4")
