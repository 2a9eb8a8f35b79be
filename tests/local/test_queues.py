"""Queue triggers against real queues, on a clock that stands still."""

import asyncio
import base64
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest

from dom_core.adapters.sqlite.queues import SqliteQueues
from dom_core.errors import Unavailable
from local.handlers import HandlerPool
from local.host_json import QueueNumbers
from local.indexing import QueueFunction
from local.queues import PollingDelay, QueueListener, QueuePools
from tests.local.toys import NOON, EagerPace, HeldPace, eventually, queues_in

Handler = Callable[[func.QueueMessage], Any]
PLAIN = {"messageEncoding": "none", "visibilityTimeout": "00:00:10", "maxDequeueCount": 2}


@pytest.fixture
def pace() -> HeldPace:
    return HeldPace()


@pytest.fixture
def queues(tmp_path: Path, pace: HeldPace) -> Iterator[SqliteQueues]:
    with queues_in(tmp_path, pace) as queues:
        yield queues


def listener_of(handler: Handler, queues: Any, pace: HeldPace, **numbers: Any) -> QueueListener:
    pools = QueuePools(handlers=HandlerPool("queue"), io=HandlerPool("queue-io", threads=1))
    function = QueueFunction("collect", handler, "message", "orders")
    return QueueListener(function, queues, QueueNumbers.model_validate(PLAIN | numbers), pools, pace)


async def take_all(listener: QueueListener) -> int:
    """One batch, worked off."""
    count = await listener.poll()
    await listener.drain()
    return count


def failing(message: func.QueueMessage) -> None:
    raise ValueError("no good")


def ignoring(message: func.QueueMessage) -> None:
    pass


def visible(queues: SqliteQueues, queue: str = "orders") -> list[bytes]:
    """The bodies that anybody could take now. Taking them counts as a try."""
    return [message.body for message in queues.receive(queue, limit=32)]


def test_a_handler_sees_the_message_as_the_sdk_describes_it_and_success_deletes_it(
    queues: SqliteQueues, pace: HeldPace
) -> None:
    seen: list[func.QueueMessage] = []

    async def collect(message: func.QueueMessage) -> None:
        seen.append(message)

    id = queues.send("orders", b'{"id": 1}')
    assert asyncio.run(take_all(listener_of(collect, queues, pace))) == 1
    (message,) = seen
    assert (message.id, message.get_json(), message.dequeue_count) == (id, {"id": 1}, 1)
    assert message.insertion_time == NOON
    assert message.time_next_visible is not None
    assert (message.time_next_visible - NOON).total_seconds() == 600
    assert queues.length("orders") == 0


def test_a_failed_message_is_hidden_for_the_visibility_timeout_and_then_tried_again(
    queues: SqliteQueues, pace: HeldPace
) -> None:
    queues.send("orders", b"1")
    listener = listener_of(failing, queues, pace, maxDequeueCount=5)
    assert asyncio.run(take_all(listener)) == 1
    pace.advance(seconds=9.9)
    assert asyncio.run(take_all(listener)) == 0
    pace.advance(seconds=0.2)
    (again,) = queues.receive("orders")
    assert again.dequeue_count == 2


def test_after_the_last_try_the_message_is_copied_to_the_poison_queue_and_deleted(
    queues: SqliteQueues, pace: HeldPace
) -> None:
    queues.send("orders", b"bad")
    listener = listener_of(failing, queues, pace)
    asyncio.run(take_all(listener))
    assert queues.length("orders-poison") == 0
    pace.advance(seconds=10)
    asyncio.run(take_all(listener))
    assert queues.length("orders") == 0
    assert visible(queues, "orders-poison") == [b"bad"]


def test_a_message_that_killed_the_host_too_often_is_poisoned_without_running(
    queues: SqliteQueues, pace: HeldPace
) -> None:
    ran: list[object] = []

    def collect(message: func.QueueMessage) -> None:
        ran.append(message)

    queues.send("orders", b"killer")
    for _ in range(2):
        queues.receive("orders")
        pace.advance(minutes=10)
    asyncio.run(take_all(listener_of(collect, queues, pace)))
    assert ran == []
    assert visible(queues, "orders-poison") == [b"killer"]


def test_base64_is_decoded_and_what_is_not_base64_is_poisoned_without_running(
    queues: SqliteQueues, pace: HeldPace
) -> None:
    bodies: list[bytes] = []

    def collect(message: func.QueueMessage) -> None:
        bodies.append(message.get_body())

    queues.send("orders", base64.b64encode(b"good"))
    queues.send("orders", b'{"ab": "cd"}')
    asyncio.run(take_all(listener_of(collect, queues, pace, messageEncoding="base64")))
    assert bodies == [b"good"]
    assert visible(queues, "orders-poison") == [b'{"ab": "cd"}']


def test_a_message_in_work_stays_hidden_because_it_is_renewed(queues: SqliteQueues, pace: HeldPace) -> None:
    async def scenario() -> None:
        leave = asyncio.Event()

        async def collect(message: func.QueueMessage) -> None:
            await leave.wait()

        listener = listener_of(collect, queues, pace)
        await listener.poll()
        for renewals in range(1, 5):
            await eventually(lambda renewals=renewals: len(pace.slept_s) == renewals)
            pace.advance(minutes=5)
        await eventually(lambda: len(pace.slept_s) == 5)
        assert pace.slept_s == [300] * 5
        assert visible(queues) == []
        leave.set()
        await listener.drain()
        assert queues.length("orders") == 0

    queues.send("orders", b"slow")
    asyncio.run(scenario())


def test_a_message_taken_by_somebody_else_meanwhile_is_left_to_them(
    queues: SqliteQueues, pace: HeldPace, caplog: pytest.LogCaptureFixture
) -> None:
    def lose(message: func.QueueMessage) -> None:
        pace.time = NOON.replace(hour=13)
        assert len(queues.receive("orders")) == 1

    queues.send("orders", b"1")
    asyncio.run(take_all(listener_of(lose, queues, pace)))
    assert queues.length("orders") == 1
    assert "taken by somebody else" in caplog.text


def test_no_more_than_batch_size_plus_threshold_messages_are_in_work(queues: SqliteQueues, pace: HeldPace) -> None:
    async def scenario() -> None:
        leave = asyncio.Event()
        held: list[object] = []

        async def collect(message: func.QueueMessage) -> None:
            held.append(message)
            await leave.wait()

        listener = listener_of(collect, queues, pace, batchSize=4, newBatchThreshold=2)
        assert [await listener.poll() for _ in range(3)] == [4, 0, 0]
        leave.set()
        await listener.drain()
        leave.clear()
        assert await listener.poll() == 4
        for task in list(listener._running)[:2]:
            task.cancel()
        await eventually(lambda: listener.running == 2)
        assert await listener.poll() == 4
        assert listener.running == 6
        leave.set()
        await listener.drain()

    for number in range(20):
        queues.send("orders", str(number).encode())
    asyncio.run(scenario())


def test_stopping_lets_a_running_handler_end_within_the_limit(queues: SqliteQueues, pace: HeldPace) -> None:
    async def scenario() -> None:
        entered, leave = threading.Event(), threading.Event()

        def collect(message: func.QueueMessage) -> None:
            entered.set()
            leave.wait(10)

        listener = listener_of(collect, queues, pace)
        await listener.poll()
        await asyncio.to_thread(entered.wait, 10)
        draining = asyncio.create_task(listener.drain(10))
        leave.set()
        await draining
        assert queues.length("orders") == 0

    queues.send("orders", b"1")
    asyncio.run(scenario())


def test_after_the_limit_a_message_in_work_is_visible_again_at_once(queues: SqliteQueues, pace: HeldPace) -> None:
    async def scenario() -> None:
        async def collect(message: func.QueueMessage) -> None:
            await asyncio.Event().wait()

        listener = listener_of(collect, queues, pace)
        await listener.poll()
        await listener.drain(0)

    queues.send("orders", b"1")
    asyncio.run(scenario())
    assert visible(queues) == [b"1"]


def test_the_delay_between_empty_answers_doubles_up_to_the_longest_and_starts_again() -> None:
    delay = PollingDelay(longest_s=2)
    assert [delay.next_s() for _ in range(7)] == [0.1, 0.2, 0.4, 0.8, 1.6, 2, 2]
    delay.reset()
    assert delay.next_s() == 0.1


def test_an_empty_queue_is_asked_less_and_less_often_until_a_message_comes(tmp_path: Path) -> None:
    pace = EagerPace()
    stopping = asyncio.Event()

    def collect(message: func.QueueMessage) -> None:
        collected.append(message.get_body())

    collected: list[bytes] = []

    class Watched(SqliteQueues):
        polls = 0

        def receive(self, queue: str, **options: Any) -> Any:
            self.polls += 1
            if self.polls == 4:
                self.send(queue, b"1")
            if self.polls == 7:
                stopping.set()
            return super().receive(queue, **options)

    with queues_in(tmp_path, pace) as plain:
        queues = Watched(plain._database, pace)
        listener = listener_of(collect, queues, pace, maxPollingInterval="00:00:02")

        async def scenario() -> None:
            await listener.run(stopping)
            await listener.drain()

        asyncio.run(scenario())
    assert collected == [b"1"]
    polling = [seconds for seconds in pace.slept_s if seconds < 300]
    assert polling[:6] == [0.1, 0.2, 0.4, 0.1, 0.2, 0.4]


def test_a_queue_that_cannot_be_read_is_asked_again_later(caplog: pytest.LogCaptureFixture) -> None:
    pace = EagerPace()
    stopping = asyncio.Event()

    class Broken:
        asked = 0

        def receive(self, *_: Any, **__: Any) -> Any:
            self.asked += 1
            if self.asked == 3:
                stopping.set()
            raise Unavailable("the store is busy")

    broken = Broken()
    asyncio.run(listener_of(ignoring, broken, pace).run(stopping))
    assert broken.asked == 3
    assert pace.slept_s[:2] == [0.1, 0.2]
    assert "cannot read the queue 'orders'" in caplog.text


def test_a_message_fired_by_hand_runs_without_the_queue(queues: SqliteQueues, pace: HeldPace) -> None:
    bodies: list[bytes] = []

    def collect(message: func.QueueMessage) -> None:
        bodies.append(message.get_body())

    asyncio.run(listener_of(collect, queues, pace).invoke(b"by hand"))
    asyncio.run(listener_of(failing, queues, pace).invoke(b"by hand"))
    assert bodies == [b"by hand"]
    assert queues.length("orders") == 0


def test_the_log_of_a_failure_has_the_message_id_and_not_the_body(
    queues: SqliteQueues, pace: HeldPace, caplog: pytest.LogCaptureFixture
) -> None:
    queues.send("orders", b"private address")
    asyncio.run(take_all(listener_of(failing, queues, pace)))
    assert "collect failed on message" in caplog.text
    assert "try 1 of 2" in caplog.text
    assert "private" not in caplog.text
