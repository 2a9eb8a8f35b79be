"""Assignments leave the system, on both kinds of store: at least once, each with a number, and nothing is lost."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from dom_core.adapters.cosmos import CosmosDocuments
from dom_core.adapters.queue_limits import MAX_MESSAGE_BYTES
from dom_core.adapters.sqlite import Database
from dom_core.adapters.storage_queue import from_connection_string
from dom_core.domain.notice import Happening, Notice
from dom_core.errors import DamagedDocument, Unavailable
from dom_core.messages.actions import Approval
from dom_core.messages.assignments import message_of
from dom_core.ports import Container
from dom_core.repositories.orders import Orders
from dom_core.repositories.outbox import Outbox
from dom_core.use_cases.approve_plan import approve_plan
from dom_core.use_cases.plan_batch import plan_batch
from dom_core.use_cases.send_assignments import send_assignments
from tests import azure_servers
from tests.builders import NOW, an_order
from tests.plan_builder import a_plan
from tests.use_cases.killing import Killed, KillingStore
from tests.use_cases.killing_queues import KillingQueues, QueuesAway
from tests.use_cases.worklist import Worklist, received, require_everything_was_told
from tests.use_cases.world import World, a_world, furnished


@contextmanager
def _embedded(request: pytest.FixtureRequest) -> Iterator[World]:
    world = a_world(request.getfixturevalue("tmp_path"))
    yield world
    world.database.close()


@contextmanager
def _azure(request: pytest.FixtureRequest) -> Iterator[World]:
    connection_string = request.getfixturevalue("azurite_connection")
    azure_servers.forget_queues(connection_string)
    with (
        Database(request.getfixturevalue("tmp_path") / "unused.sqlite3") as database,
        azure_servers.database(request.getfixturevalue("cosmos_endpoint")) as connection,
        closing(from_connection_string(connection_string)) as queues,
    ):
        world = World(database)
        world.ports = world.with_ports(store=CosmosDocuments(connection), queues=queues)
        yield furnished(world)


PLACES: dict[str, Callable[[pytest.FixtureRequest], AbstractContextManager[World]]] = {
    "embedded": _embedded,
    "azure": _azure,
}


@pytest.fixture(params=PLACES.values(), ids=list(PLACES))
def anywhere(request: pytest.FixtureRequest) -> Iterator[World]:
    """An installation on each kind of store."""
    with request.param(request) as world:
        yield world


def test_a_run_leaves_a_message_for_each_line_that_it_assigns(anywhere: World) -> None:
    anywhere.stock(pen_A=9)
    anywhere.store_order(an_order("O1").with_line("pen", 4))
    anywhere.store_order(an_order("O2").with_line("pen", 2).with_line("ink", 1))

    plan_batch(anywhere.ports, "R1", "standard")

    messages = sorted(received(anywhere.ports.queues), key=lambda message: str(message["order_id"]))
    assert [(each["order_id"], each["line_id"], each["source_id"], each["units"]) for each in messages[:1]] == [
        ("O1", "1", "A", 4)
    ]
    assert messages[0] == {
        "schema": "dom.assignment/1",
        "id": messages[0]["id"],
        "order_id": "O1",
        "sequence": 1,
        "at": "2026-03-02T15:00:00Z",
        "what": "assigned",
        "line_id": "1",
        "product_id": "pen",
        "source_id": "A",
        "plan_id": "plan-R1",
        "units": 4,
        "units_left": 4,
        "must_accept": False,
        "on_hold": False,
        "because": None,
    }
    assert list(Outbox(anywhere.ports.store).every()) == []


def test_whoever_reads_the_messages_knows_what_to_ship(anywhere: World) -> None:
    anywhere.stock(pen_A=9, pen_B=9, ink_A=1)
    order = anywhere.store_order(an_order().with_line("pen", 9).with_line("ink", 1))
    anywhere.apply(a_plan().assigning(order, "1", ("A", 4), ("B", 5)).assigning(order, "2", ("A", 1)).build())
    anywhere.reject("B", "1.1", units=2)
    anywhere.hold()
    anywhere.release()
    anywhere.accept("B", "1.1")
    anywhere.pick("A", "1")
    anywhere.ship("A", "1")
    anywhere.cancel("2")

    worklist = Worklist()
    for message in received(anywhere.ports.queues):
        worklist.read(message)

    assert worklist.to_ship() == {("O1", "1", "A"): (4, False, False), ("O1", "1.1", "B"): (3, True, False)}
    require_everything_was_told(anywhere.ports.store, worklist)


def test_a_person_who_approves_a_plan_sends_its_assignments(world: World) -> None:
    world.strategy(auto_apply=False)
    world.stock(pen_A=9)
    world.store_order(an_order().with_line("pen", 4))
    plan_batch(world.ports, "R1", "standard")
    assert list(received(world.ports.queues)) == []

    approve_plan(world.ports, "plan-R1", Approval(who="Ada"))

    assert [message["what"] for message in received(world.ports.queues)] == ["assigned"]


def test_killed_anywhere_nothing_is_lost_and_what_comes_twice_has_the_same_id(tmp_path: Path) -> None:
    """Three messages in two outboxes: kill after each send, and after each mark; then send what is left."""
    counted = []
    for kind in ("queue", "store"):
        number = 0
        while True:
            number += 1
            world = _two_orders(tmp_path / f"{kind}-{number}")
            ports = (
                world.with_ports(queues=KillingQueues(world.ports.queues, number))
                if kind == "queue"
                else world.with_ports(store=KillingStore(world.ports.store, number))
            )
            try:
                finished = send_assignments(ports) > 0
            except Killed:
                finished = False
            send_assignments(world.ports)

            messages = list(received(world.ports.queues))
            counted.append(len(messages))
            worklist = Worklist()
            for message in messages:
                worklist.read(message)
            require_everything_was_told(world.ports.store, worklist)
            assert len({message["id"] for message in messages}) == 3
            world.database.close()
            if finished:
                break
    # After one of two messages of an outbox, after both, after the only one; then nobody was killed. After a mark
    # nothing comes twice.
    assert counted == [4, 5, 4, 3, 3, 3, 3]


def test_sending_every_message_again_changes_nothing_for_its_reader(world: World) -> None:
    order = world.store_order(an_order().with_line("pen", 9))
    world.apply(a_plan().assigning(order, "1", ("V", 9)).build())
    world.reject("V", units=2)
    send_assignments(world.ports)
    messages = list(received(world.ports.queues))
    worklist = Worklist()

    for message in (*messages, *reversed(messages)):
        worklist.read(message)

    assert worklist.to_ship() == {("O1", "1", "V"): (7, False, False)}
    require_everything_was_told(world.ports.store, worklist)


def test_while_the_queue_is_away_work_goes_on_and_messages_wait(world: World, caplog: pytest.LogCaptureFixture) -> None:
    queues = world.ports.queues
    world.ports = world.with_ports(queues=QueuesAway())
    world.stock(pen_A=9)
    world.store_order(an_order().with_line("pen", 4))
    with caplog.at_level(logging.WARNING):
        assert plan_batch(world.ports, "R1", "standard").state == "finished"
        world.reject()
    assert json.loads(caplog.messages[0]) == {"event": "sending_put_off", "error": "Unavailable"}
    with pytest.raises(Unavailable):
        send_assignments(world.ports)

    world.ports = world.with_ports(queues=queues)

    assert send_assignments(world.ports) == 2
    assert [message["what"] for message in received(queues)] == ["assigned", "withdrawn"]
    assert send_assignments(world.ports) == 0


def test_two_who_send_at_the_same_time_do_not_disturb_each_other(world: World) -> None:
    order = world.store_order(an_order().with_line("pen", 9))
    world.apply(a_plan().assigning(order, "1", ("V", 9)).build())
    [untold] = Outbox(world.ports.store).every()

    class SentMeanwhile(KillingQueues):
        def send(self, *arguments: object, **options: object) -> str:
            Outbox(world.ports.store).told(untold)
            return super().send(*arguments, **options)  # type: ignore[arg-type]  # passed on as they are

    assert send_assignments(world.with_ports(queues=SentMeanwhile(world.ports.queues, -1))) == 1


def test_a_damaged_document_keeps_nobody_else_waiting(world: World) -> None:
    world.ports.store.create(Container.ORDERS, "A0", "outbox-00000001", {"kind": "outbox", "notices": [{"what": "?"}]})
    order = world.store_order(an_order().with_line("pen", 9))
    world.apply(a_plan().assigning(order, "1", ("V", 9)).build())

    with pytest.raises(DamagedDocument, match="outbox of order A0"):
        send_assignments(world.ports)

    assert [message["order_id"] for message in received(world.ports.queues)] == ["O1"]


def test_taking_a_message_out_is_no_change_of_the_order(world: World) -> None:
    """Or a plan that is just being applied would be in conflict with it."""
    order = world.store_order(an_order().with_line("pen", 9))
    world.apply(a_plan().assigning(order, "1", ("V", 9)).build())
    before = Orders(world.ports.store).get("O1")

    assert send_assignments(world.ports) == 1

    assert Orders(world.ports.store).get("O1") == before


def test_an_order_of_a_thousand_lines_leaves_line_by_line(world: World) -> None:
    lines = range(1000)
    order = an_order()
    for _ in lines:
        order = order.with_line("pen")
    stored = world.store_order(order)
    plan = a_plan("plan-standard-20260302T150000Z")
    for line in stored.lines:
        plan = plan.assigning(stored, line.id, ("V", 1))
    world.apply(plan.build())

    assert send_assignments(world.ports) == 1000

    assert sorted(message["sequence"] for message in received(world.ports.queues)) == [each + 1 for each in lines]


def test_messages_wait_until_they_are_read(world: World) -> None:
    order = world.store_order(an_order().with_line("pen", 9))
    world.apply(a_plan().assigning(order, "1", ("V", 9)).build())
    send_assignments(world.ports)
    world.wait(days=400)
    assert len(list(received(world.ports.queues))) == 1


def test_the_longest_message_is_far_below_what_a_queue_takes() -> None:
    longest = "x" * 120
    notice = Notice(
        10**9, NOW + timedelta(microseconds=1), Happening.WITHDRAWN, longest, longest, longest, longest, 10**9, 0
    )
    assert len(message_of(longest, replace(notice, because="cancelled")).encoded) < MAX_MESSAGE_BYTES / 50


def _two_orders(folder: Path) -> World:
    """One order with two lines assigned, one with one; nothing is sent yet."""
    world = a_world(folder)
    first = world.store_order(an_order("O1").with_line("pen", 4).with_line("pen", 1))
    second = world.store_order(an_order("O2").with_line("pen", 4))
    plan = a_plan().assigning(first, "1", ("V", 4)).assigning(first, "2", ("V", 1)).assigning(second, "1", ("V", 4))
    world.apply(plan.build())
    return world
