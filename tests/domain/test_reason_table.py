"""Codes in a document: packets that are refused, and tables without lines or sources."""

import zlib
from base64 import b64encode
from typing import Any

import pytest

from dom_core.domain.reason import Reason, Verdict
from dom_core.domain.reason_table import CHOSEN, ReasonTable, pack, unpack
from dom_core.errors import InvalidInput
from dom_core.messages.reading import read_value, write_value

DEARER = Reason(Verdict.DEARER, "distance_km", actual="+3 km")


def deflated(raw: bytes) -> str:
    return b64encode(zlib.compress(raw)).decode()


def read(packets: Any) -> ReasonTable:
    templates = [{"verdict": "chosen", "code": "chosen"}]
    return read_value({"source_ids": ["A"], "templates": templates, "codes": packets}, ReasonTable, "table")


@pytest.mark.parametrize(
    "packet",
    [
        {"lines": 3, "deflated": deflated(b"\0" * 4)},
        {"lines": 0, "deflated": deflated(b"")},
        {"lines": 1, "deflated": "not base64!"},
        {"lines": 1, "deflated": b64encode(b"never deflated").decode()},
        {"lines": 1, "deflated": deflated(b"\0")[:-8]},
        {"lines": 1, "deflated": deflated(b"\0" * (2**26 + 1))},
        {"lines": "1", "deflated": deflated(b"\0")},
        {"lines": 1},
        [0, 1],
    ],
    ids=["uneven", "no line", "no base64", "not deflated", "cut short", "a bomb", "text", "half", "plain codes"],
)
def test_a_packet_that_was_never_packed_is_refused(packet: Any) -> None:
    with pytest.raises(InvalidInput) as refused:
        read([packet])
    assert [problem.path for problem in refused.value.problems] == ["codes"]


def test_packets_come_back_as_the_rows_they_were() -> None:
    rows = tuple(bytes([number % 7]) * 1000 for number in range(3000))
    packets = pack(rows)
    assert [packet["lines"] for packet in packets] == [1048, 1048, 904]
    assert unpack(packets) == rows


def test_many_alike_pairs_take_little_room() -> None:
    assert sum(len(packet["deflated"]) for packet in pack((bytes(1000),) * 1000)) < 3_000


@pytest.mark.parametrize("table", [ReasonTable((), (), ()), ReasonTable((), (CHOSEN,), (b"", b""))])
def test_a_table_without_lines_or_sources_is_a_table(table: ReasonTable) -> None:
    assert read_value(write_value(table, ReasonTable), ReasonTable, "table") == table


def test_a_table_tells_each_source_of_a_line_and_which_are_chosen() -> None:
    table = ReasonTable(("A", "B", "C"), (CHOSEN, DEARER), (bytes((0, 1, 0)), bytes((1, 1, 1))))
    assert dict(table.of_line(0)) == {"A": CHOSEN, "B": DEARER, "C": CHOSEN}
    assert list(table.chosen()) == [frozenset("AC"), frozenset()]
    assert table.at(1, 2) == DEARER
