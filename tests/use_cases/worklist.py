"""A source's system as docs/assignments.md advises it: it knows of orders only what the messages told it."""

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from dom_core.domain.order import Acceptance, Order
from dom_core.ports import DocumentStore, MessageQueues
from dom_core.repositories.outbox import Outbox
from tests.use_cases.invariants import stored_orders

Place = tuple[str, str, str]
"""Order, line and source."""

Standing = tuple[int, bool, bool]
"""Units to ship, whether the source is still asked, and whether the order is on hold."""


class Worklist:
    """What each source is to ship, as far as it was told."""

    def __init__(self) -> None:
        self.newest: dict[Place, dict[str, Any]] = {}
        self.sequences: dict[str, dict[int, str]] = defaultdict(dict)

    def read(self, message: dict[str, Any]) -> None:
        """Take a message in. One that was there before has the same id, and changes nothing."""
        known_id = self.sequences[message["order_id"]].setdefault(message["sequence"], message["id"])
        assert known_id == message["id"], "one sequence number, two messages"
        place = message["order_id"], message["line_id"], message["source_id"]
        if place not in self.newest or self.newest[place]["sequence"] < message["sequence"]:
            self.newest[place] = message

    def to_ship(self) -> dict[Place, Standing]:
        return {
            place: (newest["units_left"], newest["must_accept"], newest["on_hold"])
            for place, newest in self.newest.items()
            if newest["units_left"]
        }


def received(queues: MessageQueues, queue: str = "assignments") -> Iterator[dict[str, Any]]:
    """Every message of the queue, taken out of it."""
    while messages := queues.receive(queue, limit=32):
        for message in messages:
            yield json.loads(message.body)
            queues.delete(queue, message)


def require_everything_was_told(store: DocumentStore, worklist: Worklist) -> None:
    """The outbox is empty, no sequence number is missing, and the worklist is what the stored orders say.

    Sources know themselves what they accepted and shipped, and are not told: those marks are not compared.
    """
    assert list(Outbox(store).every()) == []
    stored: dict[Place, Standing] = {}
    for order in stored_orders(store):
        assert sorted(worklist.sequences.get(order.id, {})) == list(range(1, order.notices + 1))
        stored |= _standing(order)
    told = worklist.to_ship()
    assert {place: units for place, (units, _, _) in told.items()} == {
        place: units for place, (units, _, _) in stored.items()
    }
    for place, (_, must_accept, on_hold) in stored.items():
        assert not must_accept or told[place][1], f"{place} was not told to accept"
        assert on_hold == told[place][2] or not _is_yet_to_ship(store, place), f"{place} does not know of the hold"


def _standing(order: Order) -> dict[Place, Standing]:
    return {
        (order.id, line.id, line.assignment.source_id): (
            line.units,
            line.assignment.acceptance is Acceptance.PENDING,
            order.on_hold,
        )
        for line in order.lines
        if line.assignment
    }


def _is_yet_to_ship(store: DocumentStore, place: Place) -> bool:
    order_id, line_id, _ = place
    [line] = [
        line for order in stored_orders(store) if order.id == order_id for line in order.lines if line.id == line_id
    ]
    return line.state != "shipped"
