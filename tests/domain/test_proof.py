"""Proofs as documents have them, and back."""

import json
from typing import Any

import pytest

from dom_core.domain.prices import CellPrice, PriceTable, RoomPrice, Saving
from dom_core.domain.proof import IterationProof, PartProof, rounded_down
from dom_core.domain.reason_table import deflate
from dom_core.errors import InvalidInput
from dom_core.messages.reading import read_value, write_value

PROOF = IterationProof.of(
    1,
    [0, IterationProof.NO_PART, 1],
    [
        PartProof(
            12.5,
            12.25,
            PriceTable(
                (CellPrice("P", "S", 1.5, 1 / 1024),), (RoomPrice("rule", 0, 3.0),), (Saving("O", "1", 5 / 1024),)
            ),
        ),
        PartProof(7.0),
    ],
    3,
)


def test_a_proof_is_read_back_as_it_was_written() -> None:
    assert read_value(json.loads(json.dumps(write_value(PROOF, IterationProof))), IterationProof, "proof") == PROOF
    assert [PROOF.part(line) for line in range(3)] == [0, 0xFFFFFFFF, 1]


@pytest.mark.parametrize(
    "packet",
    [
        {"prices": 1},
        {"prices": 1, "deflated": "no base64"},
        {"prices": 2, "deflated": deflate(b'[["P","S",1,1.0]]')},
        {"prices": 1, "deflated": deflate(b'[["P","S",1]]')},
        {"prices": 1, "deflated": deflate(b'[["P","S",1,NaN]]')},
        {"prices": 1, "deflated": deflate(b'[["P","S",NaN,1.0]]')},
        {"prices": 1, "deflated": deflate(b'[["P","S",Infinity,1.0]]')},
        {"prices": 1, "deflated": deflate(b'[["P","S",1e999,1.0]]')},
        {"prices": 1, "deflated": deflate(b'[["P","S",1' + b"0" * 400 + b",1.0]]")},
        {"prices": 1, "deflated": deflate(b'[["P","S",1,1' + b"0" * 400 + b"]]")},
        {"prices": 1, "deflated": deflate(b'[["P","S","1.5",1.0]]')},
        {"prices": 1, "deflated": deflate(b'[["P","S",null,1.0]]')},
        {"prices": 1, "deflated": deflate(b"[")},
    ],
)
def test_packets_of_prices_that_nobody_wrote_are_refused(packet: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        read_value({"cells": [packet], "rooms": []}, PriceTable, "prices")


def test_divisors_of_older_documents_which_are_whole_are_read() -> None:
    packet = {"prices": 3, "deflated": deflate(b'[["P","S",1,1.0],["P","S",2,3],["P","S",1.5,0.25]]')}
    table = read_value({"cells": [packet], "rooms": []}, PriceTable, "prices")
    assert table.cells == (CellPrice("P", "S", 1.0, 1.0), CellPrice("P", "S", 2.0, 3.0), CellPrice("P", "S", 1.5, 0.25))


def test_points_are_never_rounded_up() -> None:
    assert rounded_down(1.9999) == 1.999
    assert rounded_down(-1.9999) == -2.0


def test_a_proof_from_before_there_were_savings_has_none() -> None:
    assert read_value({"cells": [], "rooms": []}, PriceTable, "prices") == PriceTable()


@pytest.mark.parametrize(
    "row", [b'["O",1.0]', b'["O","1",NaN]', b'["O","1",1e999]', b'["O",1,1.0]', b'["O","1","1.0"]', b'["O","1",1.0,1]']
)
def test_packets_of_savings_that_nobody_wrote_are_refused(row: bytes) -> None:
    packet = {"prices": 1, "deflated": deflate(b"[" + row + b"]")}
    with pytest.raises(InvalidInput):
        read_value({"cells": [], "rooms": [], "savings": [packet]}, PriceTable, "prices")
