"""What every queue keeps to. A further adapter adds one entry to QUEUES.

An entry opens queues that are empty, with a way to let time pass: the embedded queues' clock is moved, a real service
is waited for. Times are whole seconds, and short, for that reason.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from dom_core.adapters.clock import FixedClock
from dom_core.adapters.sqlite import Database, SqliteQueues
from dom_core.adapters.storage_queue import from_connection_string
from dom_core.errors import InvalidInput, StoreConflict
from dom_core.ports import MessageQueues, ReceivedMessage
from tests import azure_servers

QUEUE = "orders"


@dataclass(frozen=True, slots=True)
class QueuesInTime:
    """The queues, and the passing of time as they see it."""

    queues: MessageQueues
    let_pass: Callable[[float], None]


@contextmanager
def _embedded(request: pytest.FixtureRequest) -> Iterator[QueuesInTime]:
    clock = FixedClock(datetime(2026, 3, 1, 12, tzinfo=UTC))

    def let_pass(seconds: float) -> None:
        clock.time += timedelta(seconds=seconds)

    with Database(request.getfixturevalue("tmp_path") / "dom.sqlite3") as database:
        yield QueuesInTime(SqliteQueues(database, clock), let_pass)


@contextmanager
def _azurite(request: pytest.FixtureRequest) -> Iterator[QueuesInTime]:
    connection_string = request.getfixturevalue("azurite_connection")
    azure_servers.forget_queues(connection_string)
    with closing(from_connection_string(connection_string)) as queues:
        yield QueuesInTime(queues, time.sleep)


QUEUES: dict[str, Callable[[pytest.FixtureRequest], AbstractContextManager[QueuesInTime]]] = {
    "embedded": _embedded,
    "azurite": _azurite,
}


@pytest.fixture(params=QUEUES.values(), ids=list(QUEUES))
def in_time(request: pytest.FixtureRequest) -> Iterator[QueuesInTime]:
    with request.param(request) as opened:
        yield opened


@pytest.fixture
def queues(in_time: QueuesInTime) -> MessageQueues:
    return in_time.queues


def receive_one(queues: MessageQueues, visibility_timeout_s: float = 2) -> ReceivedMessage:
    (message,) = queues.receive(QUEUE, visibility_timeout_s=visibility_timeout_s)
    return message


class TestSendAndReceive:
    def test_a_sent_message_is_received_with_its_body_and_id(self, queues: MessageQueues) -> None:
        body = '{"text": "Größe ✓ <&>"}'.encode()

        id = queues.send(QUEUE, body)

        message = receive_one(queues)
        assert (message.id, message.body, message.dequeue_count) == (id, body, 1)

    def test_an_empty_queue_gives_nothing(self, queues: MessageQueues) -> None:
        assert queues.receive(QUEUE) == []
        assert queues.length(QUEUE) == 0

    def test_a_received_message_is_invisible_to_others(self, queues: MessageQueues) -> None:
        queues.send(QUEUE, b"{}")
        receive_one(queues)

        assert queues.receive(QUEUE) == []

    def test_a_message_lives_in_its_own_queue_only(self, queues: MessageQueues) -> None:
        queues.send("orders-poison", b"{}")

        assert queues.receive(QUEUE) == []
        assert len(queues.receive("orders-poison")) == 1

    def test_a_receive_takes_at_most_its_limit_and_misses_nothing(self, queues: MessageQueues) -> None:
        sent = {queues.send(QUEUE, b"{}") for _ in range(7)}

        first, second = queues.receive(QUEUE, limit=4), queues.receive(QUEUE, limit=4)

        assert (len(first), len(second)) == (4, 3)
        assert {message.id for message in first + second} == sent

    def test_32_messages_are_received_at_once(self, queues: MessageQueues) -> None:
        for _ in range(33):
            queues.send(QUEUE, b"{}")

        assert len(queues.receive(QUEUE, limit=32)) == 32

    def test_hidden_messages_count_in_the_length_and_deleted_ones_do_not(self, queues: MessageQueues) -> None:
        for _ in range(3):
            queues.send(QUEUE, b"{}")
        queues.delete(QUEUE, receive_one(queues))
        receive_one(queues)

        assert queues.length(QUEUE) == 2

    def test_a_message_may_be_sent_for_later(self, in_time: QueuesInTime) -> None:
        in_time.queues.send(QUEUE, b"{}", visible_after_s=2)

        assert in_time.queues.receive(QUEUE) == []
        assert in_time.queues.length(QUEUE) == 1
        in_time.let_pass(2)
        assert len(in_time.queues.receive(QUEUE)) == 1

    def test_a_message_of_64_kib_is_carried(self, queues: MessageQueues) -> None:
        queues.send(QUEUE, b"x" * 65_536)

        assert len(receive_one(queues).body) == 65_536

    def test_a_larger_message_is_invalid_and_not_sent(self, queues: MessageQueues) -> None:
        with pytest.raises(InvalidInput, match="bytes"):
            queues.send(QUEUE, b"x" * 65_537)

        assert queues.length(QUEUE) == 0

    @pytest.mark.parametrize("body", [b"\xff", b"\x00", b'{"a":\r\n1}', "\ufffe".encode()])
    def test_a_body_that_xml_cannot_carry_as_it_is_is_invalid(self, queues: MessageQueues, body: bytes) -> None:
        with pytest.raises(InvalidInput, match="text"):
            queues.send(QUEUE, body)

    @pytest.mark.parametrize("text", ["", " {} \n\t", "]]>&amp;<!-- -->", "\u007f\u0085\u2028\U0001f69a"])
    def test_every_other_text_arrives_as_it_was_sent(self, queues: MessageQueues, text: str) -> None:
        queues.send(QUEUE, text.encode())

        assert receive_one(queues).body.decode() == text


class TestVisibility:
    def test_a_message_that_is_not_deleted_returns_after_its_timeout_and_is_counted(
        self, in_time: QueuesInTime
    ) -> None:
        in_time.queues.send(QUEUE, b"{}")
        first = receive_one(in_time.queues, visibility_timeout_s=2)
        in_time.let_pass(2)

        second = receive_one(in_time.queues)

        assert (second.id, second.dequeue_count) == (first.id, 2)
        assert second.pop_receipt != first.pop_receipt

    def test_a_deleted_message_does_not_return(self, in_time: QueuesInTime) -> None:
        in_time.queues.send(QUEUE, b"{}")
        in_time.queues.delete(QUEUE, receive_one(in_time.queues, visibility_timeout_s=1))
        in_time.let_pass(2)

        assert in_time.queues.receive(QUEUE) == []
        assert in_time.queues.length(QUEUE) == 0

    def test_a_renewed_message_stays_hidden_and_is_not_counted_again(self, in_time: QueuesInTime) -> None:
        in_time.queues.send(QUEUE, b"{}")
        received = receive_one(in_time.queues, visibility_timeout_s=2)
        in_time.let_pass(1)
        renewed = in_time.queues.renew(QUEUE, received, 3)
        in_time.let_pass(1)

        assert in_time.queues.receive(QUEUE) == []
        assert renewed.next_visible_at > received.next_visible_at
        assert (renewed.id, renewed.body, renewed.dequeue_count) == (received.id, received.body, 1)
        in_time.let_pass(2)
        assert receive_one(in_time.queues).dequeue_count == 2

    def test_renewing_for_no_time_shows_the_message_at_once(self, queues: MessageQueues) -> None:
        queues.send(QUEUE, b"{}")
        queues.renew(QUEUE, receive_one(queues), 0)

        assert receive_one(queues).dequeue_count == 2


class TestReceipts:
    def test_the_receipt_of_before_a_renewal_is_stale(self, queues: MessageQueues) -> None:
        queues.send(QUEUE, b"{}")
        received = receive_one(queues)
        renewed = queues.renew(QUEUE, received, 2)

        with pytest.raises(StoreConflict):
            queues.delete(QUEUE, received)
        with pytest.raises(StoreConflict):
            queues.renew(QUEUE, received, 2)
        queues.delete(QUEUE, renewed)
        assert queues.length(QUEUE) == 0

    def test_whoever_was_too_slow_can_neither_delete_nor_renew_what_another_received(
        self, in_time: QueuesInTime
    ) -> None:
        in_time.queues.send(QUEUE, b"{}")
        slow = receive_one(in_time.queues, visibility_timeout_s=1)
        in_time.let_pass(2)
        other = receive_one(in_time.queues, visibility_timeout_s=60)

        with pytest.raises(StoreConflict):
            in_time.queues.delete(QUEUE, slow)
        with pytest.raises(StoreConflict):
            in_time.queues.renew(QUEUE, slow, 2)
        assert in_time.queues.receive(QUEUE) == []
        in_time.queues.delete(QUEUE, other)

    def test_a_late_delete_works_while_nobody_else_received_the_message(self, in_time: QueuesInTime) -> None:
        in_time.queues.send(QUEUE, b"{}")
        received = receive_one(in_time.queues, visibility_timeout_s=1)
        in_time.let_pass(2)

        in_time.queues.delete(QUEUE, received)

        assert in_time.queues.length(QUEUE) == 0

    def test_deleting_twice_is_a_conflict(self, queues: MessageQueues) -> None:
        queues.send(QUEUE, b"{}")
        received = receive_one(queues)
        queues.delete(QUEUE, received)

        with pytest.raises(StoreConflict):
            queues.delete(QUEUE, received)
        with pytest.raises(StoreConflict):
            queues.renew(QUEUE, received, 2)

    def test_the_receipt_of_a_deleted_message_does_not_open_the_next_one(self, queues: MessageQueues) -> None:
        queues.send(QUEUE, b"{}")
        first = receive_one(queues)
        queues.delete(QUEUE, first)
        queues.send(QUEUE, b"{}")
        receive_one(queues)

        with pytest.raises(StoreConflict):
            queues.delete(QUEUE, first)
        assert queues.length(QUEUE) == 1

    def test_a_receipt_opens_its_own_message_only(self, queues: MessageQueues) -> None:
        for _ in range(2):
            queues.send(QUEUE, b"{}")
        first, second = queues.receive(QUEUE, limit=2)
        queues.delete(QUEUE, first)

        with pytest.raises(StoreConflict):
            queues.delete("orders-poison", second)
        assert queues.length(QUEUE) == 1


class TestWaiting:
    def test_an_empty_queue_waits_for_nothing(self, queues: MessageQueues) -> None:
        assert queues.waiting_since(QUEUE) is None

    def test_the_oldest_message_says_since_when_and_stays_visible(self, in_time: QueuesInTime) -> None:
        in_time.queues.send(QUEUE, b"1")
        in_time.let_pass(1)
        in_time.queues.send(QUEUE, b"2")

        since = in_time.queues.waiting_since(QUEUE)

        received = in_time.queues.receive(QUEUE, limit=2)
        assert since == min(message.inserted_at for message in received)
        assert [message.dequeue_count for message in received] == [1, 1]

    def test_messages_that_somebody_works_on_or_that_come_later_do_not_wait(self, queues: MessageQueues) -> None:
        queues.send(QUEUE, b"1")
        receive_one(queues, visibility_timeout_s=60)
        queues.send(QUEUE, b"2", visible_after_s=60)

        assert queues.waiting_since(QUEUE) is None

    def test_an_expired_message_does_not_wait(self, in_time: QueuesInTime) -> None:
        in_time.queues.send(QUEUE, b"{}", time_to_live_s=1)
        in_time.let_pass(2)

        assert in_time.queues.waiting_since(QUEUE) is None


class TestTimeToLive:
    def test_a_message_lives_seven_days_unless_told_otherwise(self, queues: MessageQueues) -> None:
        queues.send(QUEUE, b"{}")

        message = receive_one(queues)

        assert message.expires_at - message.inserted_at == timedelta(days=7)

    def test_an_expired_message_is_gone(self, in_time: QueuesInTime) -> None:
        in_time.queues.send(QUEUE, b"{}", time_to_live_s=1)
        kept = in_time.queues.send(QUEUE, b"{}", time_to_live_s=60)
        in_time.let_pass(2)

        assert [message.id for message in in_time.queues.receive(QUEUE, limit=32)] == [kept]

    def test_a_message_that_expires_while_it_is_hidden_does_not_return(self, in_time: QueuesInTime) -> None:
        in_time.queues.send(QUEUE, b"{}", time_to_live_s=2)
        receive_one(in_time.queues, visibility_timeout_s=1)
        in_time.let_pass(3)

        assert in_time.queues.receive(QUEUE) == []

    def test_a_message_may_live_for_ever(self, queues: MessageQueues) -> None:
        queues.send(QUEUE, b"{}", time_to_live_s=-1)

        assert receive_one(queues).expires_at.year == 9999


class TestConcurrency:
    def test_concurrent_receivers_never_get_the_same_visible_message(self, queues: MessageQueues) -> None:
        sent = [queues.send(QUEUE, b"{}") for _ in range(60)]

        def drain(_: int) -> list[str]:
            taken: list[str] = []
            while messages := queues.receive(QUEUE, limit=3, visibility_timeout_s=600):
                taken += [message.id for message in messages]
            return taken

        with ThreadPoolExecutor(6) as threads:
            received = [id for taken in threads.map(drain, range(6)) for id in taken]

        assert sorted(received) == sorted(sent)


class TestBadRequests:
    @pytest.mark.parametrize("queue", ["", "ab", "Orders", "a--b", "-abc", "abc-", "a_b", "x" * 64, "a'; --"])
    def test_a_queue_name_that_azure_would_refuse_is_invalid(self, queues: MessageQueues, queue: str) -> None:
        with pytest.raises(InvalidInput):
            queues.send(queue, b"{}")
        with pytest.raises(InvalidInput):
            queues.receive(queue)

    @pytest.mark.parametrize("limit", [0, -1, 33])
    def test_a_receive_of_less_than_1_or_more_than_32_is_invalid(self, queues: MessageQueues, limit: int) -> None:
        with pytest.raises(InvalidInput):
            queues.receive(QUEUE, limit=limit)

    @pytest.mark.parametrize("timeout_s", [-1, 0, 7 * 24 * 3600 + 1, float("nan")])
    def test_a_visibility_timeout_outside_1_second_to_7_days_is_invalid(
        self, queues: MessageQueues, timeout_s: float
    ) -> None:
        with pytest.raises(InvalidInput):
            queues.receive(QUEUE, visibility_timeout_s=timeout_s)

    @pytest.mark.parametrize(
        ("visible_after_s", "time_to_live_s"), [(-1, None), (0, 0), (0, -2), (5, 5), (7 * 24 * 3600 + 1, -1)]
    )
    def test_a_delay_or_a_time_to_live_that_cannot_be_is_invalid(
        self, queues: MessageQueues, visible_after_s: float, time_to_live_s: float | None
    ) -> None:
        with pytest.raises(InvalidInput):
            queues.send(QUEUE, b"{}", visible_after_s=visible_after_s, time_to_live_s=time_to_live_s)

        assert queues.length(QUEUE) == 0
