"""A campaign of bad luck: a host is killed at one write after another while a shop goes on, on either store.

    python -m tests.troubles.campaign --store sqlite --seeds 20 --rounds 40

A seed decides everything: what is ordered, sent twice, rejected, shipped, cancelled, and at which write the host dies.
After each death everything that must always hold is checked; in the end all is settled, and all messages sent again.
"""

import argparse
import random
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dom_core.adapters.clock import FixedClock
from dom_core.domain.order import Line, LineState, Order
from dom_core.errors import Conflict
from dom_core.messages.actions import Decision, Picking, Rejection, Reset, Shipping
from dom_core.use_cases.cancel_line import cancel_line
from dom_core.use_cases.context import Ports
from dom_core.use_cases.pick_line import pick_line
from dom_core.use_cases.reject_line import reject_line
from dom_core.use_cases.reset_line import reset_line
from dom_core.use_cases.ship_line import ship_line
from tests import azure_servers
from tests.troubles.installation import (
    Installation,
    Killer,
    accept,
    an_order,
    open_shop,
    require_finished,
    require_sound,
    run_to_its_end,
    take_orders,
    work,
)
from tests.troubles.invariants import stored, went_back

MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC)
MOST_WRITES = 90
"""A round makes fewer: some rounds therefore end well."""

KILLED = -9


@dataclass(frozen=True)
class Campaign:
    """What happened: how often the host was killed, and how often it got to the end of its round."""

    killed: int
    ended: int


def campaign(installation: Installation, seed: int, rounds: int) -> Campaign:
    """Play it. Raises AssertionError for whatever should hold and does not."""
    luck, clock, messages = random.Random(seed), FixedClock(MONDAY), list[bytes]()
    ends = []
    with installation.opened(clock) as ports:
        expected = open_shop(ports)
        before = stored(ports.store)
        for number in range(rounds):
            for message in _orders(luck, number, clock.time):
                messages.append(message)
                accept(ports, expected, message)
            if messages and luck.random() < 0.5:
                ports.queues.send("orders", luck.choice(messages))
            writes, after = luck.randint(1, MOST_WRITES), luck.random() < 0.5
            ends.append(run_to_its_end(play_round, installation, clock.time, luck.random(), writes, after))
            assert ends[-1] in (0, KILLED)
            require_sound(ports, expected)
            now = stored(ports.store)
            assert went_back(before, now) == []
            before, clock.time = now, clock.time + timedelta(minutes=luck.choice([2, 16]))
        require_finished(ports, clock, expected, messages)
    return Campaign(ends.count(KILLED), ends.count(0))


def play_round(installation: Installation, now: datetime, seed: float, writes: int, after: bool) -> None:
    """One round of a host, and of the people around it; killed at a write."""
    luck = random.Random(seed)
    with installation.opened(FixedClock(now), lambda store: Killer(store, writes, after)) as ports:
        take_orders(ports)
        for order in sorted(stored(ports.store).orders.values(), key=lambda order: order.id):
            for line in order.lines:
                if luck.random() < 0.25:
                    with suppress(Conflict):
                        _act(ports, luck, order, line)
        work(ports)


def _orders(luck: random.Random, number: int, at: datetime) -> list[bytes]:
    wanted = [{p: luck.randint(1, 3) for p in luck.sample(["ink", "pad", "pen"], luck.randint(1, 3))} for _ in range(2)]
    return [an_order(f"O-{number:03}-{n}", at, **units) for n, units in enumerate(wanted)]


def _act(ports: Ports, luck: random.Random, order: Order, line: Line) -> None:
    """Something that a source or a person does to the line, sometimes twice."""
    source_id = line.assignment.source_id if line.assignment else "A"
    possible = ACTS.get(line.state)
    if possible:
        act = luck.choice(possible)
        for _ in range(luck.choice([1, 1, 2])):
            act(ports, order.id, line.id, source_id)


def _reject(ports: Ports, order_id: str, line_id: str, source_id: str) -> None:
    reject_line(ports, order_id, line_id, Rejection(source_id=source_id, reason_code="damaged", who="clerk"))


def _pick(ports: Ports, order_id: str, line_id: str, source_id: str) -> None:
    pick_line(ports, order_id, line_id, Picking(source_id=source_id, who="clerk"))


def _ship(ports: Ports, order_id: str, line_id: str, source_id: str) -> None:
    ship_line(ports, order_id, line_id, Shipping(source_id=source_id, who="clerk"))


def _cancel(ports: Ports, order_id: str, line_id: str, _: str) -> None:
    cancel_line(ports, order_id, line_id, Decision(who="Ada", why="the customer rang"))


def _reset(ports: Ports, order_id: str, line_id: str, _: str) -> None:
    reset_line(ports, order_id, line_id, Reset(who="Ada", why="stock was counted"))


ACTS: Mapping[LineState, Sequence[Callable[[Ports, str, str, str], None]]] = {
    LineState.ASSIGNED: [_reject, _pick, _pick, _cancel],
    LineState.PICKED: [_ship],
    LineState.SHIPPED: [_ship],
    LineState.EXCEPTION: [_reset],
}
"""What may happen to a line in this state."""


@contextmanager
def an_installation(folder: Path, endpoint: str = "") -> Iterator[Installation]:
    """An empty one, in Cosmos DB where there is an endpoint."""
    with azure_servers.database(endpoint) if endpoint else nullcontext() as connection:
        yield Installation(folder, endpoint, connection.database if connection else "")


def main(arguments: Sequence[str] | None = None) -> int:
    """Play many campaigns, and say what happened."""
    parser = argparse.ArgumentParser(prog="python -m tests.troubles.campaign", description=__doc__)
    parser.add_argument("--store", choices=["sqlite", "cosmos"], default="sqlite")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--rounds", type=int, default=40)
    wanted = parser.parse_args(arguments)
    with azure_servers.cosmos_server() if wanted.store == "cosmos" else nullcontext("") as endpoint:
        for seed in range(wanted.first, wanted.first + wanted.seeds):
            with tempfile.TemporaryDirectory() as folder, an_installation(Path(folder), endpoint) as installation:
                sys.stdout.write(f"seed {seed}: {campaign(installation, seed, wanted.rounds)}\n")
                sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
